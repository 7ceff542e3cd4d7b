"""What a user meets first: help, and one clear sentence for whatever is wrong, before anything runs."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.conftest import ROOT
from tests.flows.mobius import Mobius, curate_arguments
from tests.media.gifs import GREEN, RED, encode_gif

USER_ERROR = 2


@pytest.fixture(scope="module")
def command() -> Mobius:
    """The command line where no Prefect server is needed."""
    return Mobius({}, ROOT)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "gifs" / "joy"
    folder.mkdir(parents=True)
    (folder / "a.gif").write_bytes(encode_gif([RED, GREEN]))
    return folder.parent


def test_help_names_every_command_and_how_to_start(command: Mobius) -> None:
    text = command.ok("--help")
    for name in ("curate", "status", "select", "fates", "head", "draw-stickers"):
        assert name in text
    assert "flows/configs/laptop.toml" in text
    assert "Run the same command again to go on" in " ".join(command.ok("curate", "--help").split())


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("select.min_frame=5", "select.min_frame: unknown key, expected one of"),
        ("nonsense.key=1", "nonsense: unknown key, expected one of"),
        ("select.max_text_area=1.5", "select.max_text_area = 1.5: input should be less than or equal to 1"),
        ("select.min_frames=many", "select.min_frames = 'many': input should be a valid integer"),
        ("engine.name=spark", "engine.name = 'spark': input should be 'processes', 'threads', 'dask' or 'ray'"),
        ("engine.workers=0", "engine.workers = 0: input should be greater than or equal to 1"),
        ("source.path=/no/such/folder", "/no/such/folder"),
        ("select", "expected section.key=value"),
        ("root.deeper=1", "root is a value, not a section"),
    ],
)
def test_a_wrong_setting_is_one_sentence_and_exit_code_2(
    command: Mobius, source: Path, tmp_path: Path, override: str, sentence: str
) -> None:
    root = tmp_path / "dataset"
    done = command.run("curate", "flows/configs/laptop.toml", f"root={root}", f"source.path={source}", override)
    assert done.returncode == USER_ERROR
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not root.exists(), "nothing ran"


def test_a_missing_config_and_broken_toml_are_named(command: Mobius, tmp_path: Path) -> None:
    done = command.run("curate", str(tmp_path / "none.toml"))
    assert (done.returncode, "none.toml: no such config file" in done.stderr) == (USER_ERROR, True)
    (tmp_path / "broken.toml").write_text("root = ")
    done = command.run("curate", str(tmp_path / "broken.toml"))
    assert (done.returncode, "broken.toml: no valid TOML" in done.stderr) == (USER_ERROR, True)


def test_a_label_file_with_a_broken_line_is_named_with_its_line(command: Mobius, tmp_path: Path) -> None:
    source = tmp_path / "gifs"
    source.mkdir()
    (source / "labels.jsonl").write_text('{"path": "a.gif", "label": "joy"}\n{"path": \n')
    done = command.run("curate", "flows/configs/laptop.toml", f"root={tmp_path / 'd'}", f"source.path={source}")
    assert done.returncode == USER_ERROR
    assert "labels.jsonl" in done.stderr
    assert "2" in done.stderr


def test_a_folder_that_no_curation_wrote_is_not_written_into(command: Mobius, source: Path, tmp_path: Path) -> None:
    foreign = tmp_path / "home"
    foreign.mkdir()
    (foreign / "thesis.txt").write_text("years of work")
    done = command.run("curate", "flows/configs/laptop.toml", f"root={foreign}", f"source.path={source}")
    assert done.returncode == USER_ERROR
    assert "holds files that no curation wrote" in done.stderr
    assert [path.name for path in foreign.iterdir()] == ["thesis.txt"]


def test_a_dataset_inside_its_own_source_is_refused(command: Mobius, source: Path) -> None:
    done = command.run("curate", "flows/configs/laptop.toml", f"root={source / 'out'}", f"source.path={source}")
    assert done.returncode == USER_ERROR
    assert "lies inside source.path" in done.stderr


def test_text_that_looks_like_a_number_or_date_is_text_where_text_is_expected(tmp_path: Path) -> None:
    from flows.load import load_config

    folder = tmp_path / "2024-01-01" / "joy"
    folder.mkdir(parents=True)
    (folder / "a.gif").write_bytes(encode_gif([RED, GREEN]))
    laptop = ROOT / "flows" / "configs" / "laptop.toml"
    config = load_config(laptop, ["root=7", f"source.path={folder.parent}", "source.name=2024-01-01"])
    assert (config.root, config.source.name) == ("7", "2024-01-01")


def test_status_of_something_else_says_what_was_expected(command: Mobius, tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none"):
        done = command.run("status", str(path))
        assert done.returncode == USER_ERROR
        assert "mobius curate" in done.stderr


def test_the_configs_of_the_repository_are_valid(command: Mobius, source: Path) -> None:
    from flows.load import load_config

    for name in ("demo", "laptop", "paper"):
        config = load_config(ROOT / "flows" / "configs" / f"{name}.toml", [f"source.path={source}", "root=none-such"])
        assert config.select.min_frames == 5
    assert config.select.min_label_count == 1001, "paper.toml comes last: more than 1000"


def test_only_one_run_may_write_to_a_root(command: Mobius, source: Path, tmp_path: Path) -> None:
    from flows.lock import sole_run
    from pipeline.root import DatasetRoot

    root = tmp_path / "dataset"
    with sole_run(DatasetRoot(root), on_lost=lambda why: None):
        done = command.run("curate", "flows/configs/laptop.toml", f"root={root}", f"source.path={source}")
    assert done.returncode == USER_ERROR
    assert "another run is writing to this dataset root" in done.stderr


def test_a_run_makes_its_own_prefect_server_when_none_is_configured(
    command: Mobius, source: Path, tmp_path: Path
) -> None:
    alone = Mobius({"PREFECT_API_URL": "", "PREFECT_HOME": "", "TMPDIR": str(tmp_path)}, ROOT)
    ledger = alone.curate(tmp_path / "dataset", source, "engine.name=threads")
    assert ledger["exported"] == {"t2i": 1, "t2v": 0}
    assert not list(tmp_path.glob("mobius-prefect-*")), "its temporary home is gone"
    record = json.loads(next((tmp_path / "dataset" / "runs").glob("*.json")).read_text())
    assert record["outcome"] == "done"


def test_a_killed_run_leaves_no_process_and_no_database_behind(source: Path, tmp_path: Path) -> None:
    """Only the run's own process is killed; its server and workers have to notice by themselves."""
    alone = Mobius({"PREFECT_API_URL": "", "PREFECT_HOME": "", "TMPDIR": str(tmp_path)}, ROOT)
    process = alone.start(*curate_arguments(tmp_path / "dataset", source))
    wait_until(lambda: (tmp_path / "dataset" / "manifest.json").exists())
    family = psutil.Process(process.pid).children(recursive=True)
    assert len(family) >= 2, "a server and at least one worker"
    process.kill()
    _, alive = psutil.wait_procs(family, timeout=30)
    assert not alive
    assert not list(tmp_path.glob("mobius-prefect-*"))
    process.communicate()


def wait_until(is_so: Callable[[], bool], *, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.1)
