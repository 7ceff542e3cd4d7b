"""The examples of the README run as they stand there."""

import re
from pathlib import Path

import datasets
import pytest

from pipeline.media.decode import decode_clip
from tests.conftest import ROOT
from tests.export.small_set import small_clips

EXAMPLES = re.findall(
    r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
)


@pytest.fixture
def at_dataset(small_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with MY_DATASET in it."""
    (tmp_path / "MY_DATASET").symlink_to(small_root)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    return tmp_path


def test_examples_of_duckdb_polars_and_datasets_run(at_dataset: Path, capfd: pytest.CaptureFixture[str]) -> None:
    duckdb, polars, hugging_face = EXAMPLES
    exec(duckdb, {})
    shown = capfd.readouterr().out
    assert "开心" in shown
    assert "histogram" in shown
    exec(polars, {})
    assert "num_frames" in capfd.readouterr().out
    clip = decode_clip((at_dataset / "one.webp").read_bytes())
    assert clip.num_frames == len(small_clips()[0].frames)
    namespace: dict[str, object] = {}
    exec(hugging_face, namespace)
    assert len(namespace["t2v"]) == len(small_clips())  # type: ignore[arg-type]
