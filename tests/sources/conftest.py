"""What the tests of sources share: tiny media, reading a source to its end, doing without privileges."""

import os
import signal
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from pipeline.sources import SourceConfig, open_source
from schemas.sample import Sample

NOBODY = 65534
HANG_SECONDS = 20


@pytest.fixture
def gif() -> Callable[[int], bytes]:
    """Return tiny valid GIFs that differ by their number."""

    def draw(number: int) -> bytes:
        file = BytesIO()
        Image.new("P", (2 + number % 7, 3), number % 256).save(file, "GIF", comment=str(number).encode())
        return file.getvalue()

    return draw


@pytest.fixture
def collect() -> Callable[..., list[Sample]]:
    """Open a source and read all of it; keyword arguments are those of SourceConfig, and `skip`."""

    def read(path: Path | str, *, skip: object = (), **settings: object) -> list[Sample]:
        source = open_source(SourceConfig.model_validate({"path": str(path), **settings}))
        return list(source.samples(skip))  # type: ignore[arg-type]

    return read


@pytest.fixture
def add_member() -> Callable[..., None]:
    """Add a file with its data to an archive, or another kind of member with where it points to."""

    def add(archive: tarfile.TarFile, name: str, data: bytes | str = b"", *, kind: bytes = tarfile.REGTYPE) -> None:
        info = tarfile.TarInfo(name)
        info.type = kind
        if isinstance(data, str) and kind != tarfile.REGTYPE:
            info.linkname = data
            archive.addfile(info)
            return
        encoded = data.encode() if isinstance(data, str) else data
        info.size = len(encoded)
        archive.addfile(info, BytesIO(encoded))

    return add


@pytest.fixture
def write_tar(add_member: Callable[..., None]) -> Callable[..., Path]:
    """Write an archive of (name, data) pairs and return its path."""

    def write(
        path: Path, *entries: tuple[str, bytes | str], mode: str = "w", tar_format: int = tarfile.PAX_FORMAT
    ) -> Path:
        with tarfile.open(path, mode, format=tar_format) as archive:  # type: ignore[call-overload]
            for name, data in entries:
                add_member(archive, name, data)
        return path

    return write


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        yield Path(name)


@pytest.fixture
def as_nobody() -> Iterator[Callable[[], None]]:
    """A switch that takes root's right to read everything away until the test ends."""
    was_root = os.geteuid() == 0
    yield lambda: os.seteuid(NOBODY) if was_root else None
    if was_root:
        os.seteuid(0)


@pytest.fixture
def no_hang() -> Iterator[None]:
    """Turn a read that waits for ever into a failure."""

    def fail(*_: object) -> None:
        raise AssertionError("the source waits for something that never comes")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(HANG_SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def bytes_read() -> Callable[[], int]:
    """Return how many bytes this process has read so far, as the kernel counts them."""
    counters = Path("/proc/self/io")
    if not counters.exists():
        pytest.skip("needs /proc/self/io to count what is read")

    def count() -> int:
        return int(counters.read_text().split()[1])  # rchar: 123

    return count


@pytest.fixture
def three(tmp_path: Path, gif: Callable[[int], bytes]) -> Path:
    """A folder with a.gif, in/b.gif and in/c."""
    (tmp_path / "in").mkdir()
    for number, name in enumerate(["a.gif", "in/b.gif", "in/c"]):
        (tmp_path / name).write_bytes(gif(number))
    return tmp_path
