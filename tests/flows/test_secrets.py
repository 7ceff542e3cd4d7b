"""Secrets of every kind are planted where a run can come across them; then every byte that it left is searched."""

import json
import sqlite3
import subprocess
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.conftest import ROOT
from tests.flows.mobius import Mobius, curate_arguments, save_secret
from tests.media.gifs import encode_gif
from tests.models.served.server import Reply, fails, says, serving

pytest.importorskip("openai", reason="pip install 'mobius[served]'")

IN_VARIABLES = {
    "MY_SERVER_KEY": "sk-planted-server-7d1f",
    "AWS_ACCESS_KEY_ID": "AKIAPLANTED7D2F",
    "AWS_SECRET_ACCESS_KEY": "planted/secret+access/7d3f",
    "AWS_SESSION_TOKEN": "planted-session-7d4f==",
    "HF_TOKEN": "hf_planted7d5f",
    "PREFECT_API_KEY": "pnu_planted7d6f",
    "PREFECT_API_AUTH_STRING": "admin:planted-auth-7d7f",
}
IN_A_BLOCK = "sk-planted-block-7d8f"
IN_A_URL = "planted-password-7d9f"
ALL = (*IN_VARIABLES.values(), IN_A_BLOCK, IN_A_URL)
MARK = "the sky fell down"
SUMMARY = "A plain square changes its colour from red to green."
TRANSLATION = "一个纯色方块从红色变成绿色。"

FALLS = f"""
import os, sys

def hook(event, arguments):
    if event == "mobius.answered" and arguments[0] == "summary":
        told = " ".join(os.environ[name] for name in {sorted(IN_VARIABLES)})
        raise RuntimeError(f"{MARK}: {{told}} at s3://me:{{os.environ['SAID']}}@bucket/x") from OSError(5, told, told)

sys.addaudithook(hook)
"""


@dataclass(frozen=True, slots=True)
class Left:
    """All that runs left behind: everything they printed, and the folders they wrote to."""

    failed: subprocess.CompletedProcess[str]
    done: subprocess.CompletedProcess[str]
    doctor: subprocess.CompletedProcess[str]
    models: subprocess.CompletedProcess[str]
    root: Path
    homes: tuple[Path, ...]


@pytest.fixture(scope="module")
def left(mobius: Mobius, prefect_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Left:
    """Curate with a served model; it fails in the middle, and goes on to the end. Prefect logs all it can."""
    folder = tmp_path_factory.mktemp("secrets")
    home, root, source = folder / "home", folder / "dataset", folder / "source"
    (source / "joy").mkdir(parents=True)
    for number in range(3):
        (source / "joy" / f"{number}.gif").write_bytes(encode_gif([(number, 40 * each, 0) for each in range(6)]))
    (folder / "falls").mkdir()
    (folder / "falls" / "sitecustomize.py").write_text(FALLS)
    save_secret(mobius, "planted", IN_A_BLOCK)
    logs = {"PREFECT_LOGGING_LEVEL": "DEBUG", "PREFECT_LOGGING_TO_API_ENABLED": "true", "PREFECT_HOME": str(home)}
    planted = replace(mobius, environment={**mobius.environment, **IN_VARIABLES, **logs})
    with serving(describe) as server:
        models = settings(server.url)
        arguments = curate_arguments(root, source, *models)
        failed = planted.run(*arguments, "engine.workers=1", PYTHONPATH=str(folder / "falls"), SAID=IN_A_URL)
        done = planted.run(*arguments, "engine.name=threads", "--json")
        keys_sent = {headers["authorization"] for headers in server.headers}
        assert keys_sent == {f"Bearer {IN_VARIABLES['MY_SERVER_KEY']}", f"Bearer {IN_A_BLOCK}"}
    with serving(lambda body: fails(401, f"not with {' or '.join(IN_VARIABLES.values())}")) as server:
        of_summary = [each for each in settings(server.url) if each.startswith("summary")]
        doctor = planted.run("doctor", *of_summary)
        listed = planted.run("models", "list", *of_summary)
    return Left(failed, done, doctor, listed, root, (home, prefect_home))


def describe(body: Mapping[str, Any]) -> Reply:
    """Answer as a model does; it repeats what it should not."""
    if "Translate" in json.dumps(body):
        return says(TRANSLATION)
    return says(SUMMARY)


def settings(url: str) -> tuple[str, ...]:
    served = [
        f"{stage}.{key}" for stage in ("summary", "translation") for key in ("engine=served", "served.model=tiny")
    ]
    places = [f"{stage}.served.endpoints={url}" for stage in ("summary", "translation")]
    keys = ("summary.served.api_key_env=MY_SERVER_KEY", "translation.served.api_key_secret=planted")
    return (*served, *places, *keys, "select.min_label_count=1", "select.min_frames=2")


def told(*processes: subprocess.CompletedProcess[str]) -> str:
    return "".join(each.stdout + each.stderr for each in processes)


def secrets_in(text: str) -> set[str]:
    return {each for each in ALL if each in text}


def test_the_runs_went_as_they_were_meant_to(left: Left) -> None:
    assert left.failed.returncode == 1, left.failed.stderr
    assert MARK in left.failed.stderr
    assert left.done.returncode == 0, left.done.stderr
    assert json.loads(left.done.stdout)["exported"] == {"t2i": 3, "t2v": 3}
    assert left.doctor.returncode == 2
    assert "answers 401" in " ".join(left.doctor.stdout.split())


def test_no_secret_is_printed(left: Left) -> None:
    assert secrets_in(told(left.failed, left.done, left.doctor, left.models)) == set()


def test_no_secret_is_in_the_dataset_root(left: Left) -> None:
    texts = {path: path.read_bytes().decode(errors="replace") for path in left.root.rglob("*") if path.is_file()}
    tables = {path: str(pq.read_table(path).to_pydict()) for path in texts if path.suffix == ".parquet"}
    assert len(tables) >= 8
    assert SUMMARY in "".join(tables.values()), "packed columns are searched as well"
    assert any(MARK in text for path, text in texts.items() if path.parent.name == "runs"), "the error is recorded"
    for path in texts:
        assert secrets_in(texts[path] + tables.get(path, "")) == set(), path


def test_no_secret_is_in_the_database_and_the_logs_of_prefect(left: Left, prefect_home: Path) -> None:
    with closing(sqlite3.connect(prefect_home / "prefect.db")) as database:
        failed = database.execute("SELECT message FROM flow_run_state WHERE type = 'FAILED'").fetchall()
        (parameters,) = database.execute("SELECT parameters FROM flow_run ORDER BY created DESC LIMIT 1").fetchone()
    assert MARK in str(failed), "what failed is told there"
    assert str(left.root) in parameters, "the config is a parameter of the run"
    for home in left.homes:
        for path in filter(Path.is_file, home.rglob("*")):
            assert secrets_in(path.read_bytes().decode(errors="replace")) == set(), path


@pytest.mark.parametrize(
    "setting",
    [
        f"root=s3://me:{IN_A_URL}@bucket/dataset",
        f"root=s3://AKIA123:{IN_A_URL}/with+slashes@bucket/dataset",
        f"source.path=https://me:{IN_A_URL}@host/files",
        f"summary.served.endpoints=https://me:{IN_A_URL}@host/v1",
        f"summary.served=https://me:{IN_A_URL}@host/v1",
        f"no-setting-https://me:{IN_A_URL}@host/v1",
    ],
)
def test_a_password_inside_a_url_is_refused_and_not_repeated(tmp_path: Path, setting: str) -> None:
    source = tmp_path / "source" / "joy"
    source.mkdir(parents=True)
    (source / "a.gif").write_bytes(encode_gif([(255, 0, 0)]))
    served = ("summary.served.model=m", "summary.engine=served") if setting.startswith("summary.served.") else ()
    command = Mobius({}, ROOT)
    done = command.run(*curate_arguments(tmp_path / "dataset", source.parent, *served, setting))
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert secrets_in(told(done)) == set()
    assert not list(tmp_path.glob("s3*"))
