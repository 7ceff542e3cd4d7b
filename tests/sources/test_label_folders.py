"""Folders whose names are the labels: every file below them is a sample."""

import logging
import os
import socket
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.sources import SourceConfig, open_source
from schemas.sample import Sample, sample_key

Collect = Callable[..., list[Sample]]


def write(root: Path, *names: str | bytes) -> None:
    """Write files that hold their own name."""
    for name in names:
        path = os.path.join(os.fsencode(root), os.fsencode(name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Path(os.fsdecode(path)).write_bytes(os.fsencode(name))


def test_the_first_folder_is_the_label_of_everything_below_it(tmp_path: Path, collect: Collect) -> None:
    write(tmp_path, "happy/a.gif", "happy/deep/er/b", "sad/.c.gif", "top.gif")
    samples = collect(tmp_path, name="pile")
    assert [(sample.path, sample.label) for sample in samples] == [
        ("happy/a.gif", "happy"),
        ("happy/deep/er/b", "happy"),
        ("sad/.c.gif", "sad"),
        ("top.gif", None),
    ]
    assert [sample.media for sample in samples] == [sample.path.encode() for sample in samples]
    assert [sample.key for sample in samples] == [sample_key("pile", sample.path.encode()) for sample in samples]
    assert {sample.extra for sample in samples} == {"{}"}


def test_the_order_is_that_of_the_bytes_of_the_whole_path(tmp_path: Path, collect: Collect) -> None:
    names = [
        "a/x",
        "a-b/x",
        "a.gif",
        "a0",
        "a/é",
        "a/e\u0301",
        "a b/x",
        "Z",
        "a/b/c",
        "a/b.c",
        "a/b-c",
        "笑/x",
    ]
    write(tmp_path, *names)
    assert [sample.path for sample in collect(tmp_path)] == sorted(names, key=str.encode)


def test_awkward_names_are_read_and_kept_apart(tmp_path: Path, collect: Collect) -> None:
    names: list[str | bytes] = [
        "l/-rf.gif",
        "l/q'\"$(x).gif",
        "l/percent%20%2F.gif",
        "l/a b  c",
        "l/new\nline",
        "l/back\\slash",
        "l/" + "x" * 184,
        "l/\u00e9",
        "l/e\u0301",
        b"l/caf\xe9",
        b"\xff\xfe/x",
    ]
    write(tmp_path, *names)
    samples = collect(tmp_path)
    assert {sample.media for sample in samples} == {os.fsencode(name) for name in names}
    assert len({sample.key for sample in samples}) == len({sample.path for sample in samples}) == len(names)
    assert samples[-1].label == "\\xff\\xfe"


def test_hidden_and_linked_folders_are_passed_over(
    tmp_path: Path, collect: Collect, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path / "root", "happy/a", ".git/config", "happy/.cache/x")
    write(tmp_path / "other", "b")
    (tmp_path / "root" / "happy" / "link").symlink_to(tmp_path / "other")
    with caplog.at_level(logging.INFO):
        assert [sample.path for sample in collect(tmp_path / "root")] == ["happy/a"]
    assert "2 hidden" in caplog.text
    assert [sample.path for sample in collect(tmp_path / "root", follow_links=True)] == [
        "happy/a",
        "happy/link/b",
    ]


def test_a_folder_that_contains_itself_through_a_link_ends(tmp_path: Path, collect: Collect, no_hang: None) -> None:
    write(tmp_path, "happy/a")
    (tmp_path / "happy" / "again").symlink_to(tmp_path)
    assert [sample.path for sample in collect(tmp_path, follow_links=True)] == ["happy/a"]


def test_links_to_files_outside_are_refused_and_those_inside_are_read(tmp_path: Path, collect: Collect) -> None:
    write(tmp_path / "root", "happy/a")
    write(tmp_path / "root-two", "secret")
    (tmp_path / "root" / "happy" / "in").symlink_to("a")
    (tmp_path / "root" / "happy" / "out").symlink_to(tmp_path / "root-two" / "secret")
    samples = collect(tmp_path / "root")
    assert [(sample.path, sample.media, sample.reason) for sample in samples] == [
        ("happy/a", b"happy/a", None),
        ("happy/in", b"happy/a", None),
        ("happy/out", None, "outside_source"),
    ]
    assert collect(tmp_path / "root", follow_links=True)[2].media == b"secret"


def test_what_is_no_file_is_a_sample_and_is_never_opened(tmp_path: Path, collect: Collect, no_hang: None) -> None:
    write(tmp_path, "happy/a")
    os.mkfifo(tmp_path / "happy" / "fifo")
    (tmp_path / "happy" / "link").symlink_to("fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        here = os.getcwd()
        os.chdir(tmp_path / "happy")  # the path of a socket has room for 107 bytes
        listener.bind("socket")
        os.chdir(here)
        samples = collect(tmp_path)
    assert [(sample.path, sample.reason, sample.detail) for sample in samples] == [
        ("happy/a", None, None),
        ("happy/fifo", "unreadable", "a named pipe, not a file"),
        ("happy/link", "unreadable", "a named pipe, not a file"),
        ("happy/socket", "unreadable", "a socket, not a file"),
    ]


def test_a_folder_nobody_may_list_is_accounted_for(
    open_folder: Path, as_nobody: Callable[[], None], collect: Collect
) -> None:
    write(open_folder, "happy/a", "sad/b")
    (open_folder / "happy").chmod(0)
    as_nobody()
    samples = collect(open_folder)
    assert [(sample.path, sample.label, sample.detail) for sample in samples] == [
        ("happy/", "happy", "Permission denied"),
        ("sad/b", "sad", None),
    ]


def test_a_tree_deeper_than_pythons_stack_is_walked(tmp_path: Path, collect: Collect) -> None:
    write(tmp_path, "keeper")
    folder = str(tmp_path / "root")
    for _ in range(1200):
        os.mkdir(folder)
        folder += "/d"
    Path(folder).write_bytes(b"x")
    samples = collect(tmp_path / "root")
    os.remove(folder)
    os.removedirs(os.path.dirname(folder))
    assert [(sample.label, sample.media) for sample in samples] == [("d", b"x")]


def test_two_walks_give_the_same_samples_and_skipping_only_leaves_out(tmp_path: Path, collect: Collect) -> None:
    write(tmp_path, *(f"{number % 3}/{number}" for number in range(30)))
    samples = collect(tmp_path)
    assert collect(tmp_path) == samples
    skip = {sample.key for sample in samples[::2]}
    assert collect(tmp_path, skip=skip) == samples[1::2]


def test_skipped_files_are_not_read(tmp_path: Path, collect: Collect, bytes_read: Callable[[], int]) -> None:
    (tmp_path / "happy").mkdir()
    for number in range(8):
        (tmp_path / "happy" / str(number)).write_bytes(bytes(1 << 20))
    keys = {sample.key for sample in collect(tmp_path)}
    before = bytes_read()
    assert collect(tmp_path, skip=keys) == []
    assert bytes_read() - before < 1 << 18


def test_only_one_file_is_held_at_a_time(tmp_path: Path) -> None:
    (tmp_path / "happy").mkdir()
    for number in range(40):
        (tmp_path / "happy" / str(number)).write_bytes(bytes(1 << 20))
    source = open_source(SourceConfig(path=str(tmp_path)))
    tracemalloc.start()
    try:
        assert sum(sample.size_bytes for sample in source.samples()) == 40 << 20
        assert tracemalloc.get_traced_memory()[1] < 6 << 20
    finally:
        tracemalloc.stop()
