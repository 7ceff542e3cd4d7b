"""One small root with hostile names, curated in this process, its report, and a browser."""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from pipeline.chunk import answer_chunk
from pipeline.chunks import cut_chunks
from pipeline.config import CurateConfig
from pipeline.decisions import write_decisions
from pipeline.ingest import ingest_source
from pipeline.plan import plan_stages
from pipeline.report.build import build_report
from pipeline.report.runs import RunFacts
from pipeline.root import DatasetRoot
from tests.browser import Browser, open_browser

TAG = "<img src=x onerror=\"document.title='owned'\">"
SCRIPT = "</script><script>document.title='owned'</script>"
TURNED = "\u202egnitirw denrut\u2028"
LONG = "x" * 900
RUNS = [
    RunFacts(TAG, "done", "2026-01-01T00:00:00+00:00", 1.5, {TAG: {SCRIPT: TAG}}, {TAG: SCRIPT}, {"probe": "0" * 12})
]


@dataclass(frozen=True, slots=True)
class Made:
    """A root and its report."""

    config: CurateConfig
    root: DatasetRoot
    index: Path


def bouncing_ball(colour: str, *, num_frames: int = 8, size: int = 64) -> bytes:
    """Draw a ball that goes down and up."""
    frames = []
    for number in range(num_frames):
        frame = Image.new("RGB", (size, size), "white")
        top = 4 + abs(num_frames // 2 - number) * 6
        ImageDraw.Draw(frame).ellipse((16, top, 48, top + 32), fill=colour)
        frames.append(frame)
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], duration=80, loop=0)
    return buffer.getvalue()


def write_files(folder: Path) -> None:
    """Write ten files: some to keep, a copy, a still, one without a label, two that are no pictures."""
    folder.mkdir()
    files = {
        "red.gif": (bouncing_ball("red"), TAG),
        "green.gif": (bouncing_ball("green"), TAG),
        "blue.gif": (bouncing_ball("blue"), SCRIPT),
        "navy.gif": (bouncing_ball("navy"), TURNED),
        "teal.gif": (bouncing_ball("teal"), "平静"),
        "copy of red.gif": (bouncing_ball("red"), "copied"),
        "still.gif": (bouncing_ball("gold", num_frames=1), LONG),
        "nameless.gif": (bouncing_ball("brown"), None),
        "broken.gif": (bouncing_ball("pink")[:400], "joy"),
        "page.gif": (b"<html><script>document.title='owned'</script>", "joy"),
    }
    rows = []
    for name, (content, label) in files.items():
        (folder / name).write_bytes(content)
        rows.append(json.dumps({"path": name, "label": label, "note": TAG}))
    (folder / "labels.jsonl").write_text("\n".join(rows))


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The root after every stage but export, and a report of it."""
    folder = tmp_path_factory.mktemp("report")
    write_files(folder / "source")
    config = CurateConfig.model_validate(
        {
            "root": str(folder / "root"),
            "source": {"path": str(folder / "source")},
            "select": {"min_label_count": 2},
            "text": {"max_frames_read": 1},
        }
    )
    root = DatasetRoot(config.root_path)
    ingest_source(root, config.source, config=config.ingest)
    for stage in plan_stages(config):
        for slices in cut_chunks(root, config, stage=stage, num_workers=1).chunks:
            answer_chunk(root, config, stage=stage, slices=slices)
        write_decisions(root, config)
    out = folder / "report"
    build_report(root, config, plan_stages(config), runs=RUNS, out=out, num_samples=100)
    return Made(config, root, out / "index.html")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened
