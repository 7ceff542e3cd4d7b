"""A lease on a folder of a store: one holder, the dead make way, and who loses it is told."""

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from schemas import lease
from schemas.errors import UserError
from schemas.lease import leased
from schemas.location import ObjectPath
from schemas.storage import list_sizes, remove_files, write_text
from tests.s3 import S3Server

BUSY = "another run has this root"
OLDEST = f"{0:020d}-00000000{lease.SUFFIX}"
YOUNGEST = f"{10**20 - 1:020d}-00000000{lease.SUFFIX}"
LONG_SECONDS = 60


@pytest.fixture
def folder(bucket: Path, s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> ObjectPath:
    monkeypatch.setattr(lease, "RENEW_SECONDS", 0.2)
    monkeypatch.setattr(lease, "LOOK_SECONDS", 0.2)
    return ObjectPath("s3", bucket.name) / "root"


def nobody_cares() -> None:
    """Losing the lease is not what the test is about."""


def holder_of(host: str, pid: int) -> str:
    return json.dumps({"host": host, "boot": lease._boot_id(), "pid": pid})


def dead_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_second_run_is_refused_and_lets_the_first_be(folder: ObjectPath) -> None:
    with leased(folder, busy=BUSY, on_lost=nobody_cares):
        (first,) = list_sizes(folder)
        with pytest.raises(UserError, match=BUSY), leased(folder, busy=BUSY, on_lost=nobody_cares):
            pass
        assert list(list_sizes(folder)) == [first]
    assert list_sizes(folder) == {}


def test_whoever_comes_after_the_first_has_left_holds_the_folder(folder: ObjectPath) -> None:
    for _ in range(2):
        with leased(folder, busy=BUSY, on_lost=nobody_cares):
            assert len(list_sizes(folder)) == 1


def test_a_dead_process_of_this_machine_makes_way_at_once(folder: ObjectPath) -> None:
    write_text(folder / OLDEST, holder_of(lease.socket.gethostname(), dead_pid()))
    with leased(folder, busy=BUSY, on_lost=nobody_cares):
        assert OLDEST not in list_sizes(folder)


def test_a_process_of_another_machine_makes_way_when_it_was_silent_long_enough(
    folder: ObjectPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "STALE_SECONDS", 1.5)
    write_text(folder / OLDEST, holder_of("elsewhere", dead_pid()))
    looked: list[float] = []
    monkeypatch.setattr(lease.time, "sleep", lambda seconds: looked.append(seconds) or threading.Event().wait(seconds))
    with leased(folder, busy=BUSY, on_lost=nobody_cares):
        assert OLDEST not in list_sizes(folder)
    assert looked  # it did wait: the number of a process says nothing about another machine


def test_a_lease_that_nobody_can_read_is_a_living_one_until_it_is_stale(
    folder: ObjectPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "STALE_SECONDS", 1.5)
    write_text(folder / OLDEST, "{")
    with leased(folder, busy=BUSY, on_lost=nobody_cares):
        assert OLDEST not in list_sizes(folder)


def test_a_younger_lease_does_not_hinder(folder: ObjectPath) -> None:
    write_text(folder / YOUNGEST, holder_of("elsewhere", 1))
    with leased(folder, busy=BUSY, on_lost=nobody_cares):
        assert YOUNGEST in list_sizes(folder)


def test_other_objects_of_the_folder_are_no_leases(folder: ObjectPath) -> None:
    write_text(folder / "manifest.json", "{}")
    with leased(folder, busy=BUSY, on_lost=nobody_cares):
        pass
    assert list(list_sizes(folder)) == ["manifest.json"]


def test_who_loses_the_lease_is_told(folder: ObjectPath) -> None:
    lost = threading.Event()
    with leased(folder, busy=BUSY, on_lost=lost.set):
        remove_files([folder / name for name in list_sizes(folder)])
        assert lost.wait(LONG_SECONDS)


def test_a_store_that_is_away_for_a_while_takes_nobody_the_lease(folder: ObjectPath, s3: S3Server) -> None:
    lost = threading.Event()
    with leased(folder, busy=BUSY, on_lost=lost.set):
        (mine,) = list_sizes(folder)
        s3.kill()
        s3.start()
        with pytest.raises(UserError, match=BUSY), leased(folder, busy=BUSY, on_lost=nobody_cares):
            pass
        assert list(list_sizes(folder)) == [mine]
    assert not lost.is_set()
