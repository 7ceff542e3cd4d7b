"""Labels, columns and names nobody vouches for, through a whole run: they harm no file, no table and no terminal."""

import io
import json
import re
import tarfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import psutil
import pytest

from tests.conftest import ROOT
from tests.flows.mobius import Mobius, curate_arguments, read_set
from tests.media.gifs import encode_gif

ENGINES = ("processes", "threads")
LOOPBACK = ("127.0.0.1", "::1")
MAX_LINE_CHARACTERS = 400
SECONDS_BETWEEN_LOOKS = 0.2
HOSTILE = {
    "script": "<script>alert(1)</script>",
    "escapes": "\x1b[31mred\x1b]0;owned\x07\x1b[2J",
    "c1": "\x9b31mred\x85\x90",
    "bidi": "\u202egnp.exe\u2066\u200f",
    "megabyte": "x" * 1_000_000,
    "climbs": "../../etc/passwd",
    "sql": "'); DROP TABLE samples; --",
    "formula": "=cmd|' /C calc'!A0",
    "nul": "a\0b",
    "half": "a\ud800b",
    "markdown": "[x](http://evil.example) ![i](//evil.example/i.png) www.evil.example |\n# head",
    "markup": "[bold red]x[/] [link=http://evil.example]y[/link]",
    "shell": "`id` $(id) ${HOME} {label} %s",
    "line": "a\r\nb\u2028c",
}
AS_STORED = {**HOSTILE, "nul": "a\\x00b", "half": "a\\ud800b"}
ESCAPING = ("../../climbs.gif", "/absolute.gif")


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run: its root, what it printed, and the addresses at which its processes listened."""

    root: Path
    output: str
    errors: str
    listened: frozenset[str]


def draw(number: int) -> bytes:
    """Draw an animation that no other number gives."""
    return encode_gif([(number, 8 * each, 255 - 8 * each) for each in range(6)])


def write_source(path: Path) -> Path:
    """An archive whose members are named and labelled as in HOSTILE, and two members that lead outside."""
    with tarfile.open(path, "w") as archive:
        for number, (kind, text) in enumerate(HOSTILE.items()):
            told = json.dumps({"label": text, "artist": text[:2000], text[:200]: 1})
            name = f"{kind}-{text[:60]}" if kind not in ("nul", "half") else kind
            base = name.replace("/", "_").replace(".", "_")
            add(archive, f"{base}.gif", draw(number))
            add(archive, f"{base}.json", told.encode())
        for name in ESCAPING:
            add(archive, name, b"x")
    return path


def add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    archive.addfile(info, io.BytesIO(data))


def addresses_of(process: psutil.Popen | psutil.Process) -> set[str]:
    """At which addresses a process and its descendants listen now."""
    found = set()
    for each in [process, *process.children(recursive=True)]:
        try:
            found.update(at.laddr.ip for at in each.net_connections("inet") if at.status == psutil.CONN_LISTEN)
        except psutil.NoSuchProcess:
            continue
    return found


@pytest.fixture(scope="module")
def run_on(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Run]:
    """Curate the hostile source on an engine, once for each, with a Prefect server of its own."""
    finished: dict[str, Run] = {}

    def run(engine: str) -> Run:
        if engine not in finished:
            folder = tmp_path_factory.mktemp(engine)
            (folder / "in").mkdir()
            source = write_source(folder / "in" / "hostile.tar")
            thresholds = ("select.min_label_count=1", "select.min_frames=2", f"engine.name={engine}")
            alone = Mobius({"PREFECT_API_URL": "", "PREFECT_SERVER_API_HOST": "0.0.0.0"}, ROOT)
            process = alone.start(
                *curate_arguments(folder / "out" / "dataset", source, *thresholds),
                PREFECT_HOME=str(folder / "home"),
            )
            listened: set[str] = set()
            watched = psutil.Process(process.pid)
            while process.poll() is None:
                try:
                    listened |= addresses_of(watched)
                except psutil.NoSuchProcess:
                    break
                time.sleep(SECONDS_BETWEEN_LOOKS)
            output, errors = process.communicate()
            assert process.returncode == 0, errors[-3000:]
            finished[engine] = Run(folder / "out" / "dataset", output, errors, frozenset(listened))
        return finished[engine]

    return run


@pytest.fixture(scope="module")
def run(run_on: Callable[[str], Run]) -> Run:
    return run_on(ENGINES[0])


@pytest.fixture(scope="module")
def command() -> Mobius:
    return Mobius({}, ROOT)


@pytest.fixture(scope="module")
def fates(command: Mobius, run: Run) -> dict[str, dict[str, Any]]:
    """What became of each member, by the kind of text that it carries."""
    rows = command.json("fates", str(run.root), "--limit", "0")
    return {row["path"].partition("!")[2].partition("-")[0].removesuffix(".gif"): row for row in rows}


@pytest.mark.parametrize("engine", ENGINES)
def test_every_socket_of_a_run_listens_on_loopback_only(run_on: Callable[[str], Run], engine: str) -> None:
    listened = run_on(engine).listened
    assert listened, "the Prefect server of the run listens somewhere"
    assert listened <= set(LOOPBACK)


def test_each_has_one_fate_and_the_account_adds_up(command: Mobius, run: Run, fates: dict[str, dict[str, Any]]) -> None:
    ledger = command.json("status", str(run.root))
    assert ledger["balanced"]
    assert (ledger["ingested"], ledger["pending"]) == (len(HOSTILE) + len(ESCAPING), 0)
    quarantined = {name: row["why"] for name, row in fates.items() if row["fate"] == "quarantined"}
    assert quarantined == {"megabyte": "too_large", "../../climbs": "outside_source", "/absolute": "outside_source"}
    assert fates["megabyte"]["detail"] == "a label of 1,000,000 characters, source.max_label_chars allows 1,000"
    assert {row["fate"] for name, row in fates.items() if name not in quarantined} == {"exported"}


def test_labels_and_columns_are_stored_as_they_came(run: Run) -> None:
    for name in ("t2i", "t2v"):
        rows = read_set(run.root, name)
        kinds = {row["path"].partition("!")[2].partition("-")[0].removesuffix(".gif"): row for row in rows}
        assert {kind: row["label"] for kind, row in kinds.items()} == {
            kind: text for kind, text in AS_STORED.items() if kind != "megabyte"
        }
        assert {kind: json.loads(row["extra"])["artist"] for kind, row in kinds.items()} == {
            kind: AS_STORED[kind] for kind in kinds
        }
        for row in rows:
            captions = [row[column] for column in row if "caption" in column or column.startswith("summary")]
            assert all(text.isprintable() and len(text) < 1000 for text in captions if text is not None)
            assert "<script>" not in row["key"]


def test_nothing_is_written_but_plainly_named_files_inside_the_root(run: Run) -> None:
    folder = run.root.parent.parent
    assert {path.name for path in folder.iterdir()} <= {"in", "out", "home"}
    assert [path.name for path in (folder / "in").iterdir()] == ["hostile.tar"]
    assert [path.name for path in run.root.parent.iterdir()] == ["dataset"]
    names = [path.name for path in run.root.rglob("*")]
    assert all(re.fullmatch(r"[\w.-]+", name, re.ASCII) for name in names)
    assert not any(path.is_symlink() for path in run.root.rglob("*"))


def test_other_programs_read_the_tables(run: Run) -> None:
    count = duckdb.sql(f"SELECT count(DISTINCT label) FROM '{run.root}/t2v/*.parquet'").fetchall()
    assert count == [(len(HOSTILE) - 1,)]
    assert duckdb.sql(f"SELECT count(*) FROM '{run.root}/fates.parquet'").fetchall() == [(len(HOSTILE) + 2,)]


@pytest.mark.parametrize("name", ["t2i", "t2v"])
def test_the_card_shows_labels_and_runs_none(run: Run, name: str) -> None:
    card = (run.root / name / "README.md").read_text(encoding="utf-8")
    assert all(character.isprintable() or character == "\n" for character in card)
    assert r"\<script\>alert(1)\</script\>" in card
    rows = card.partition("## Labels")[2].partition("## Licence")[0]
    bare = re.sub(r"\\[^\w\s]", "", rows)
    assert not re.search(r"[<>\[\]`*#!:@$&]", bare)
    assert "www." not in bare
    table = [line for line in rows.splitlines() if line.startswith("|")]
    assert len(table) == 2 + len(HOSTILE) - 1, "one line for each label"
    assert all(re.sub(r"\\.", "", line).count("|") == 3 for line in table)


@pytest.mark.parametrize(
    "arguments",
    [
        ("status",),
        ("fates", "--limit", "0"),
        ("select",),
        ("select", "--sweep"),
        ("head", "--set", "t2v", "--num", "20"),
        ("head", "--set", "t2i", "--num", "20"),
    ],
    ids=" ".join,
)
def test_a_terminal_gets_nothing_that_it_would_obey(command: Mobius, run: Run, arguments: tuple[str, ...]) -> None:
    first, *others = arguments
    assert_is_plain(command.ok(first, str(run.root), *others))


def test_what_a_run_prints_is_plain_too(run: Run) -> None:
    assert_is_plain(run.output)
    assert_is_plain(run.errors)


def assert_is_plain(text: str) -> None:
    assert text.strip() or text == ""
    odd = {character for character in text if not character.isprintable() and character != "\n"}
    assert odd == set()
    assert max(map(len, text.splitlines()), default=0) <= MAX_LINE_CHARACTERS


def test_json_is_valid_and_plain_and_loses_nothing(command: Mobius, run: Run, fates: dict[str, dict[str, Any]]) -> None:
    text = command.ok("fates", str(run.root), "--limit", "0", "--json")
    assert {character for character in text if not character.isprintable()} == {"\n"}
    assert {name: row["label"] for name, row in fates.items() if name in HOSTILE} == {**AS_STORED, "megabyte": None}


def test_error_messages_are_plain(command: Mobius, run: Run, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "labels.csv").write_text("pa\x1b[31mth,l\u202eabel\na.gif,joy\n")
    done = command.run(*curate_arguments(tmp_path / "dataset", tmp_path / "in"))
    assert (done.returncode, "no column 'path'" in done.stderr) == (2, True)
    assert_is_plain(done.stderr)
    done = command.run("fates", str(run.root), "--fate", "\x1b]0;owned\x07" + "x" * 100_000)
    assert done.returncode == 2
    assert "\x1b" not in done.stderr
    assert len(done.stderr) < 5000
