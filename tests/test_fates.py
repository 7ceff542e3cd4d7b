"""Fates while a run goes on: who is out already, who waits, and for what; without Prefect, stage by stage."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.answers import FAILED, PartWriter, part_schema
from pipeline.chunk import answer_chunk
from pipeline.chunks import cut_chunks
from pipeline.config import CurateConfig
from pipeline.decisions import write_decisions
from pipeline.fates import list_fates
from pipeline.ingest import ingest_source
from pipeline.ledger import write_fates
from pipeline.media.encode import encode_webp
from pipeline.plan import plan_stages, recorded_plans
from pipeline.root import DatasetRoot
from schemas.answers import QualityAnswer
from schemas.storage import read_parquet
from tests.quality.clips import disc, plain


def clip(*frames: NDArray[np.uint8]) -> bytes:
    return encode_webp(np.stack(frames), [100] * len(frames))


MEDIA = {
    "sharp.webp": clip(*(disc(place) for place in range(20, 44, 4))),
    "blurred.webp": clip(*(disc(place, blur=3) for place in range(20, 44, 4))),
    "blurred short.webp": clip(disc(30, blur=3), disc(34, blur=3)),
    "strobe.webp": clip(*(np.roll(plain(*[255 * (number % 2)] * 3), number) for number in range(6))),
    "unforeseen.webp": clip(*(disc(place, radius=12) for place in range(20, 44, 4))),
}


@pytest.fixture
def config(tmp_path: Path) -> CurateConfig:
    folder = tmp_path / "source" / "joy"
    folder.mkdir(parents=True)
    for name, media in {**MEDIA, "the sharp one again.webp": MEDIA["sharp.webp"]}.items():
        (folder / name).write_bytes(media)
    select = {"min_label_count": 1, "min_sharpness": 0.5, "max_flashes_per_second": 3}
    source = {"kind": "label_folders", "path": str(tmp_path / "source")}
    return CurateConfig.model_validate({"root": str(tmp_path / "root"), "source": source, "select": select})


def answer(config: CurateConfig, stage: str, slices: Sequence[Any] | None = None) -> int:
    """Run one stage and decide, as the flow does; return how many it was asked about."""
    root = DatasetRoot(config.root_path)
    work = cut_chunks(root, config, stage=stage, num_workers=1)
    for chunk in work.chunks:
        answer_chunk(root, config, stage=stage, slices=chunk)
    write_decisions(root, config)
    return work.num_pending


def fail_about(config: CurateConfig, name: str) -> None:
    """Let the quality stage have failed about a file."""
    root, plan = DatasetRoot(config.root_path), plan_stages(config)["quality"]
    samples = read_parquet(root.shard_path("00000"), ["key", "path"]).to_pylist()
    (key,) = [row["key"] for row in samples if row["path"].endswith(name)]
    schema = part_schema(QualityAnswer)
    row = dict.fromkeys(schema.names) | {"key": key, "status": FAILED, "reason": "unforeseen", "detail": "a bug"}
    row |= {"wants_video": False, "seconds": 0.0, "waited_seconds": 0.0, "cpu_seconds": 0.0}
    folder = root.stage_folder("quality", plan.fingerprint)
    writer = PartWriter(folder, "00000", schema, config.engine.flush, config.engine.reserve)
    writer.add(row)
    writer.finish()


def fates(config: CurateConfig) -> dict[str, tuple[Any, ...]]:
    root, plans = DatasetRoot(config.root_path), plan_stages(config)
    rows = list_fates(root, config.select, plans, fate=None, reason=None, limit=0)
    columns = ("fate", "stage", "why", "t2v_fate", "t2v_stage", "t2v_reason")
    return {Path(row["path"]).stem: tuple(row[column] for column in columns) for row in rows}


def test_who_is_out_after_a_measure_is_not_asked_by_the_next_and_has_a_fate(config: CurateConfig) -> None:
    ingest_source(DatasetRoot(config.root_path), config.source, config=config.ingest)
    assert answer(config, "probe") == 6
    waits, copy = ("pending", "quality", None) * 2, ("rejected", "select", "duplicate") * 2
    known = fates(config)
    assert known.pop("the sharp one again") == copy
    assert set(known.values()) == {waits}, "nobody is out for what is not measured yet"
    fail_about(config, "unforeseen.webp")
    assert answer(config, "quality") == 4, "neither the copy nor the one that failed"
    waits = ("pending", "text", None) * 2
    assert fates(config) == {
        "sharp": waits,
        "the sharp one again": copy,
        "blurred": ("rejected", "select", "blurred") * 2,
        "blurred short": ("rejected", "select", "blurred", "rejected", "select", "few_frames"),
        "strobe": waits,
        "unforeseen": ("quarantined", "quality", "unforeseen") * 2,
    }
    work = cut_chunks(DatasetRoot(config.root_path), config, stage="text", num_workers=1)
    assert work.num_pending == 2, "the sharp one, and the strobe, whose first frame is a picture like any other"
    ledger = write_fates(DatasetRoot(config.root_path), config)
    assert ledger.balanced, ledger.disagreements
    assert (ledger.pending, ledger.stages["text"].pending, ledger.stages["quality"].failed) == (2, 2, {"unforeseen": 1})


def test_a_stage_that_a_recorded_run_did_not_know_yet_waits(config: CurateConfig) -> None:
    known = {name: f"{number:012x}" for number, name in enumerate(plan_stages(config)) if name != "quality"}
    plans = recorded_plans(config, known)
    assert {name: plan.fingerprint for name, plan in plans.items() if name != "quality"} == known
    assert plans["quality"] == plan_stages(config)["quality"]
    assert list(plans) == list(plan_stages(config))
