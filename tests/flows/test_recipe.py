"""paper.toml as it stands, but for its models, which are tiny ones of the same classes: in process, and served."""

import json
import shutil
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest

from tests.flows.mobius import Mobius, read_set, save_secret
from tests.models.hf.recipe import IMAGE_CAPTION, SUMMARY, TRANSLATION, VIDEO_CAPTION, Recipe, save_recipe
from tests.models.served.server import Reply, fails, says, serving
from tests.models.served.transformers_serve import serving_transformers
from tests.models.test_lama import Spread, save

pytest.importorskip("openai", reason="pip install 'mobius[served]'")

KEY = "sk-of-the-tests-0123456789"
NUM_FILES = 40
NUM_WORKERS = 2
NUM_ANSWERED_BEFORE = 20  # requests, those of trying the model out among them
NUM_FAILURES = 7  # one attempt of the task makes 6 requests at most: two, then a plain one, each with a retry
WRITERS = ("image_caption", "video_caption", "summary", "translation")
SETTINGS = (
    "text.reader.engine=rapidocr",
    "text.max_frames_read=1",
    "select.min_label_count=1",
    "select.min_frames=2",
    "ingest.max_row_group_samples=8",
    f"engine.workers={NUM_WORKERS}",
)

OPENED = """
import os, sys

LOG = os.open(os.environ["MOBIUS_AUDIT_LOG"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)

def hook(event, arguments):
    if event == "mobius.opened":
        os.write(LOG, f"{os.getpid()} {arguments[0]}\\n".encode())

sys.addaudithook(hook)
"""


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    return save_recipe(tmp_path_factory.mktemp("recipe"))


@pytest.fixture(scope="module")
def source(corpus_sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty files of the sample, small ones."""
    folder = tmp_path_factory.mktemp("source")
    rows = [json.loads(line) for line in (corpus_sample / "labels.jsonl").read_text().splitlines()]
    rows = [row for row in rows if row["frames"] <= 12]
    chosen = sorted(rows, key=lambda row: (corpus_sample / row["path"]).stat().st_size)[: 2 * NUM_FILES : 2]
    for row in chosen:
        target = folder / row["path"]
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(corpus_sample / row["path"], target)
    (folder / "labels.jsonl").write_text("".join(json.dumps(row) + "\n" for row in chosen))
    assert len(chosen) == NUM_FILES
    return folder


@pytest.fixture(scope="module")
def lama(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """A TorchScript model in the place of LaMa's."""
    made = save(Spread(), tmp_path_factory.mktemp("lama") / "lama.pt")
    return (f"clean.lama.weights={made.weights}", f"clean.lama.sha256={made.sha256}")


def in_process(recipe: Recipe) -> tuple[str, ...]:
    models = (recipe.llava, recipe.video_llama3, recipe.llama, recipe.nllb)
    return tuple(f"{stage}.hf.model={folder}" for stage, folder in zip(WRITERS, models, strict=True))


def served(url: str, models: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the settings that have every ability answered by a server."""
    settings = []
    for stage, model in models.items():
        own = {"endpoints": f'["{url}"]', "model": model, "max_retries": 1}
        settings += [f"{stage}.engine=served", *(f"{stage}.served.{key}={value}" for key, value in own.items())]
    return tuple(settings)


def arguments(root: Path, source: Path, *overrides: str) -> tuple[str, ...]:
    return ("curate", "flows/configs/paper.toml", f"root={root}", f"source.path={source}", *SETTINGS, *overrides)


def assert_all_is_answered(ledger: dict[str, Any], root: Path) -> None:
    """Every file has one fate, every model has written for every sample it was asked about, in its own words."""
    assert ledger["balanced"]
    assert ledger["ingested"] == NUM_FILES
    assert ledger["pending"] == 0
    assert ledger["quarantined"] == {}
    assert ledger["exported"]["t2v"] >= 10
    for row in read_set(root, "t2v"):
        texts = [row[name] for name in ("image_caption", "video_caption", "summary")]
        assert texts[0] == IMAGE_CAPTION
        assert texts[1] in (VIDEO_CAPTION, IMAGE_CAPTION)
        assert texts[2] == SUMMARY
        assert {row[name] for name in ("image_caption_zh", "video_caption_zh", "summary_zh")} == {TRANSLATION}
    for stage in WRITERS:
        assert ledger["stages"][stage]["tokens"] > 0
        assert 0 <= ledger["stages"][stage]["waited_seconds"] <= ledger["stages"][stage]["seconds"]


def test_the_recipe_in_process(
    mobius: Mobius, recipe: Recipe, source: Path, lama: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(OPENED)
    log = tmp_path / "opened.log"
    settings = (*in_process(recipe), *lama, "--json")
    environment = {"MOBIUS_AUDIT_LOG": str(log), "PYTHONPATH": str(tmp_path)}
    done = mobius.run(*arguments(tmp_path / "dataset", source, *settings), **environment)
    assert done.returncode == 0, done.stderr[-3000:]
    assert_all_is_answered(json.loads(done.stdout), tmp_path / "dataset")
    row = read_set(tmp_path / "dataset", "t2v")[0]
    for name, folder in (("image_caption", "llava"), ("video_caption", "video_llama3"), ("summary", "llama")):
        assert str(row[f"{name}_model"]).startswith(f"{folder}@")
        assert " prompt " in str(row[f"{name}_model"])
    opened = Counter(log.read_text().split("\n")[:-1])
    assert {line.split()[1] for line in opened} >= set(WRITERS)
    assert set(opened.values()) == {1}, "a worker opens the model of a stage once"
    assert max(Counter(line.split()[1] for line in opened).values()) <= NUM_WORKERS


def test_the_recipe_served(mobius: Mobius, recipe: Recipe, source: Path, lama: tuple[str, ...], tmp_path: Path) -> None:
    models = dict(zip(WRITERS, (recipe.llava, recipe.llava, recipe.llama, recipe.translating_llama), strict=True))
    with serving_transformers(tmp_path / "log.txt") as server:
        settings = (*served(server.url, models), *lama, "engine.name=threads")
        ledger = mobius.json(*arguments(tmp_path / "dataset", source, *settings))
    assert_all_is_answered(ledger, tmp_path / "dataset")


# What goes wrong.


def describes(body: Mapping[str, Any]) -> Reply:
    """Answer as a model that sees, as a picture costs tokens, and that translates."""
    if "Translate" in json.dumps(body):
        return says(TRANSLATION)
    return says(IMAGE_CAPTION, num_read=50 if "image_url" in json.dumps(body) else 7)


def served_images(url: str) -> tuple[str, ...]:
    embedded = [f"{stage}.engine=embedded" for stage in ("video_caption", "summary")]
    return (*served(url, {"image_caption": "tiny", "translation": "tiny"}), "clean.inpainter=opencv", *embedded)


def test_a_server_that_is_gone_for_a_while_costs_nobody_anything(mobius: Mobius, source: Path, tmp_path: Path) -> None:
    """More requests fail than one attempt of the task makes: it is tried again and goes on where it was."""
    asked = Counter[str]()

    def die_once(body: Mapping[str, Any]) -> Reply:
        asked["all"] += 1
        if asked["all"] <= NUM_ANSWERED_BEFORE or asked["failed"] == NUM_FAILURES:
            return describes(body)
        asked["failed"] += 1
        return fails(503)

    root = tmp_path / "dataset"
    save_secret(mobius, "server-key", KEY)
    with serving(die_once) as server:
        keys = [f"{stage}.served.api_key_secret=server-key" for stage in ("image_caption", "translation")]
        settings = (
            *served_images(server.url),
            *keys,
            "image_caption.batch_size=2",
            "engine.workers=1",
            "engine.name=threads",
        )
        ledger = mobius.json(*arguments(root, source, *settings))
    assert asked["failed"] == NUM_FAILURES
    assert max(num_runs(mobius, "answer")) >= 2, "a task was tried again"
    assert ledger["balanced"]
    assert ledger["quarantined"] == {}
    assert ledger["stages"]["image_caption"]["ok"] == NUM_FILES
    parts = (root / "stages").glob("image_caption-*/*.parquet")
    answered = [row["key"] for path in parts for row in pq.read_table(path).to_pylist()]
    assert len(answered) == len(set(answered)), "nothing was asked twice"
    keys_sent = {
        value for headers in server.headers for name, value in headers.items() if name.lower() == "authorization"
    }
    assert keys_sent == {f"Bearer {KEY}"}
    assert not [path for path in root.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]


def num_runs(mobius: Mobius, task: str) -> list[int]:
    """Return how often each of the newest tasks of this name was run, as the Prefect server says."""
    url = f"{mobius.environment['PREFECT_API_URL']}/task_runs/filter"
    found = httpx.post(url, json={"sort": "END_TIME_DESC", "limit": 40}).raise_for_status().json()
    return [run["run_count"] for run in found if run["name"].startswith(f"{task} ")]
