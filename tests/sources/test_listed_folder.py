"""A folder with a label file: what is listed is a sample, whatever has become of the file."""

import json
import os
import tracemalloc
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from pipeline.sources import SourceConfig, open_source
from schemas.errors import MachineFault
from schemas.sample import Sample, sample_key

Collect = Callable[..., list[Sample]]
Gif = Callable[[int], bytes]


def write_jsonl(folder: Path, *rows: Mapping[str, object]) -> None:
    (folder / "labels.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_only_listed_files_are_samples_in_the_order_of_the_list(three: Path, collect: Collect, gif: Gif) -> None:
    write_jsonl(three, {"path": "in/c", "label": "sad", "z": 1, "a": None}, {"path": "a.gif", "label": ""})
    first, second = collect(three, name="pile")
    assert (first.path, first.label, first.media, first.size_bytes) == ("in/c", "sad", gif(2), len(gif(2)))
    assert (first.source, first.extra, first.reason, first.detail) == (
        "pile",
        '{"a": null, "z": 1}',
        None,
        None,
    )
    assert first.key == sample_key("pile", b"in/c")
    assert (second.path, second.label, second.extra) == ("a.gif", None, "{}")


def test_the_same_path_listed_twice_is_two_samples(three: Path, collect: Collect) -> None:
    write_jsonl(three, {"path": "a.gif", "label": "x"}, {"path": "./a.gif", "label": "y"}, {"path": "in//b.gif"})
    samples = collect(three, name="pile")
    assert [sample.key for sample in samples] == [
        sample_key("pile", b"a.gif", 0),
        sample_key("pile", b"a.gif", 1),
        sample_key("pile", b"in/b.gif", 0),
    ]
    assert [sample.label for sample in samples] == ["x", "y", None]


@pytest.mark.parametrize(
    ("path", "reason", "detail"),
    [
        ("gone.gif", "unreadable", "No such file or directory"),
        ("in", "unreadable", "a folder, not a file"),
        (".", "unreadable", "a folder, not a file"),
        ("a.gif/b.gif", "unreadable", "Not a directory"),
        ("x" * 300, "unreadable", "File name too long"),
        ("a\0.gif", "unreadable", "no file can have a name with a NUL in it"),
        ("a\ud800.gif", "unreadable", "No such file or directory"),
        ("pipe", "unreadable", "a named pipe, not a file"),
        ("null", "unreadable", "a device, not a file"),
        ("../secret.gif", "outside_source", "the path is absolute or climbs with '..'"),
        ("in/../a.gif", "outside_source", "the path is absolute or climbs with '..'"),
        ("/etc/passwd", "outside_source", "the path is absolute or climbs with '..'"),
        ("out.gif", "outside_source", "a link leads out of the source; source.follow_links allows it"),
        (
            "outdir/secret.gif",
            "outside_source",
            "a link leads out of the source; source.follow_links allows it",
        ),
        ("dangling", "unreadable", "No such file or directory"),
        ("loop", "unreadable", "Too many levels of symbolic links"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_sample_with_a_reason(
    three: Path, collect: Collect, no_hang: None, path: str, reason: str, detail: str
) -> None:
    root = three / "in"
    (three / "secret.gif").write_bytes(b"GIF89a secret")
    (root / "in").mkdir()
    (root / "a.gif").write_bytes(b"GIF89a")
    os.mkfifo(root / "pipe")
    (root / "out.gif").symlink_to(three / "secret.gif")
    (root / "outdir").symlink_to(three)
    (root / "dangling").symlink_to("nothing")
    (root / "loop").symlink_to("loop")
    if path == "null":
        if os.geteuid() != 0:
            pytest.skip("only root may make a device")
        os.mknod(root / "null", 0o600 | 0o020000, os.makedev(1, 3))
    write_jsonl(root, {"path": path, "label": "x"}, {"path": "a.gif", "label": "y"})
    lost, neighbour = collect(root)
    assert (lost.media, lost.size_bytes, lost.reason, lost.detail) == (None, 0, reason, detail)
    assert lost.label == "x"
    lost.path.encode()
    assert neighbour.media == b"GIF89a"


def test_links_are_read_inside_the_source_and_outside_when_they_are_followed(three: Path, collect: Collect) -> None:
    root = three / "in"
    (root / "inside.gif").symlink_to("b.gif")
    (root / "out.gif").symlink_to(three / "a.gif")
    write_jsonl(root, {"path": "inside.gif"}, {"path": "out.gif"})
    assert [sample.media is not None for sample in collect(root)] == [True, False]
    assert [sample.media is not None for sample in collect(root, follow_links=True)] == [True, True]


def test_a_linked_root_is_still_the_root(three: Path, collect: Collect) -> None:
    write_jsonl(three / "in", {"path": "b.gif"})
    link = three / "link"
    link.symlink_to("in")
    assert collect(link)[0].media is not None


def test_a_file_nobody_may_read_is_unreadable(
    open_folder: Path, as_nobody: Callable[[], None], collect: Collect
) -> None:
    (open_folder / "a.gif").write_bytes(b"GIF89a")
    (open_folder / "a.gif").chmod(0)
    write_jsonl(open_folder, {"path": "a.gif"})
    as_nobody()
    [sample] = collect(open_folder)
    assert (sample.reason, sample.detail) == ("unreadable", "Permission denied")


def test_a_file_over_the_limit_keeps_its_true_size_and_no_bytes(tmp_path: Path, collect: Collect) -> None:
    for size in (99, 100, 205):
        (tmp_path / str(size)).write_bytes(bytes(size))
    write_jsonl(tmp_path, *({"path": str(size)} for size in (99, 100, 205)))
    samples = collect(tmp_path, max_file_bytes=100)
    assert [(sample.size_bytes, sample.reason) for sample in samples] == [
        (99, None),
        (100, None),
        (205, "too_large"),
    ]
    assert samples[2].detail == "205 bytes, source.max_file_bytes allows 100"


def test_a_file_that_lies_about_its_size_is_read_up_to_the_limit(tmp_path: Path, collect: Collect) -> None:
    endless = Path("/proc/self/environ")  # its size is 0, its content is not
    if not endless.exists() or not endless.read_bytes():
        pytest.skip("needs /proc")
    (tmp_path / "a").symlink_to(endless)
    write_jsonl(tmp_path, {"path": "a"})
    assert collect(tmp_path, follow_links=True)[0].media == endless.read_bytes()
    assert collect(tmp_path, follow_links=True, max_file_bytes=1)[0].reason == "too_large"


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    """A folder with one file whose reading ends in an input/output error."""
    if not Path("/proc/self/mem").exists():
        pytest.skip("needs /proc/self/mem, whose first byte cannot be read")
    (tmp_path / "faulty.gif").symlink_to("/proc/self/mem")
    (tmp_path / "b.gif").write_bytes(b"GIF89a")
    write_jsonl(tmp_path, {"path": "faulty.gif"}, {"path": "b.gif"})
    return tmp_path


def test_an_error_of_the_machine_is_not_the_fault_of_a_sample(faulty: Path, collect: Collect) -> None:
    with pytest.raises(MachineFault, match="EIO"):
        collect(faulty, follow_links=True)


def test_a_skipped_sample_is_not_read(faulty: Path, collect: Collect) -> None:
    key = sample_key("pile", b"faulty.gif")
    [sample] = collect(faulty, name="pile", follow_links=True, skip={key})
    assert sample.path == "b.gif"


def test_a_source_that_vanishes_is_a_fault_of_the_machine(three: Path) -> None:
    write_jsonl(three, {"path": "a.gif"}, {"path": "in/b.gif"})
    samples = open_source(SourceConfig(path=str(three))).samples()
    assert next(samples).media is not None
    three.rename(three.with_name("elsewhere"))
    with pytest.raises(MachineFault, match="gone"):
        next(samples)


def test_names_that_differ_only_in_normalisation_are_two_samples(tmp_path: Path, collect: Collect) -> None:
    names = ["e\u0301.gif", "\u00e9.gif", "-rf.gif", "q'\"$(x).gif", "100%20.gif", "x" * 184 + ".gif"]
    for name in names:
        (tmp_path / name).write_text(name)
    write_jsonl(tmp_path, *({"path": name} for name in names))
    samples = collect(tmp_path)
    assert [(sample.path, sample.media) for sample in samples] == [(name, name.encode()) for name in names]
    assert len({sample.key for sample in samples}) == len(names)


def test_a_name_that_is_not_utf_8_can_be_listed_by_its_escaped_bytes(tmp_path: Path, collect: Collect) -> None:
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.gif"))).write_bytes(b"GIF89a")
    write_jsonl(tmp_path, {"path": "caf\udce9.gif"})
    [sample] = collect(tmp_path, name="pile")
    assert (sample.path, sample.media) == ("caf\\xe9.gif", b"GIF89a")
    assert sample.key == sample_key("pile", b"caf\xe9.gif")


def test_a_long_list_and_its_files_are_never_held_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.gif").write_bytes(bytes(1 << 20))
    write_jsonl(tmp_path, *({"path": "a.gif", "label": "x" * 100} for _ in range(200)))
    source = open_source(SourceConfig(path=str(tmp_path)))
    tracemalloc.start()
    try:
        assert sum(sample.size_bytes for sample in source.samples()) == 200 << 20
        assert tracemalloc.get_traced_memory()[1] < 6 << 20
    finally:
        tracemalloc.stop()
