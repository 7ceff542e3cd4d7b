"""Build: a dataset root -> index.html, assets, data and media in one folder that opens from a disk or a web server."""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.config import CurateConfig
from pipeline.ledger import read_ledger
from pipeline.plan import Plans
from pipeline.report.page import Contents, render_page
from pipeline.report.place import INDEX, MARK, report_aside
from pipeline.report.read import read_chosen
from pipeline.report.runs import RunFacts
from pipeline.report.samples import sample_record
from pipeline.report.scripts import script_of, write_chunks
from pipeline.report.survey import Survey, survey_root
from pipeline.report.words import OUTCOME_WORDS, STAGE_WORDS, reason_words
from pipeline.root import DatasetRoot
from schemas.location import Location

ASSETS = Path(__file__).parent / "assets"
Move = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class BuiltReport:
    """Where a report is, and how many of the root's samples it shows."""

    index: Location
    num_shown: int
    num_samples: int


def build_report(
    root: DatasetRoot,
    config: CurateConfig,
    plans: Plans,
    *,
    runs: Sequence[RunFacts],
    out: Location,
    num_samples: int,
    follow: Callable[[str, int], Move] = lambda name, total: lambda done: None,
) -> BuiltReport:
    """Build a report of at most about `num_samples` samples. `follow` is told of each part of the work and its length.

    Memory: that of one survey, and the records of the samples that are shown. Raises UserError if `out` is in use.
    """
    with report_aside(out) as folder:
        for name in ("data", "media"):
            (folder / name).mkdir()
        shutil.copytree(ASSETS, folder / "assets")
        num_ingested = root.read_manifest().num_samples
        survey = survey_root(root, config, plans, num_samples=num_samples, move=follow("counting", num_ingested))
        ledger = read_ledger(root, config.select, plans)
        records = _collect(root, plans, survey, folder / "media", follow("pictures", len(survey.chosen)))
        records.sort(key=lambda record: record["mixed"])
        num_chunks = write_chunks(folder / "data", records)
        page = page_data(config, survey, num_chunks=num_chunks)
        (folder / "data" / "page.js").write_text(script_of("page", page), encoding="utf-8", errors="replace")
        contents = Contents(root, config, survey, ledger, runs)
        (folder / INDEX).write_text(render_page(contents), encoding="utf-8", errors="replace")
        (folder / MARK).write_text(json.dumps({"samples": survey.num_samples, "shown": len(records)}) + "\n")
    return BuiltReport(out / INDEX, len(records), survey.num_samples)


def _collect(root: DatasetRoot, plans: Plans, survey: Survey, media: Path, move: Move) -> list[dict[str, Any]]:
    records = []
    for chosen, row, answers in read_chosen(root, plans, survey.chosen):
        records.append(sample_record(chosen, row, answers, media))
        move(len(records))
    return records


def page_data(config: CurateConfig, survey: Survey, *, num_chunks: int) -> dict[str, Any]:
    """Return what the page's scripts need beside the samples."""
    return {
        "num_samples": survey.num_samples,
        "num_shown": len(survey.chosen),
        "num_chunks": num_chunks,
        "outcomes": {code: {"title": words[0], "detail": words[1]} for code, words in OUTCOME_WORDS.items()},
        "stages": dict(STAGE_WORDS),
        "reasons": reason_words(config.select),
        "select": config.select.model_dump(mode="json"),
        "labels": [asdict(label) for label in survey.labels],
        "num_labels": survey.num_labels,
        "sweep": survey.sweep,
        "groups": [asdict(group) for group in survey.copies],
        "num_groups": survey.num_copy_groups,
    }
