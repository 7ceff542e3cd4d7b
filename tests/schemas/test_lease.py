"""A lease on a folder of a store: one holder, the dead make way, and who loses it is told."""

import json
import subprocess
import sys
import threading

import pytest

from schemas import lease
from schemas.errors import UserError
from schemas.lease import leased
from schemas.location import ObjectPath
from schemas.storage import list_sizes, remove_files, write_text
from tests.weed import WeedServer

BUSY = "another run has this root"
OLDEST = f"{0:020d}-00000000{lease.SUFFIX}"
YOUNGEST = f"{10**20 - 1:020d}-00000000{lease.SUFFIX}"
OLDEST_WAITING = f"{0:020d}-00000000{lease.WAITING}"
YOUNGEST_WAITING = f"{10**20 - 1:020d}-00000000{lease.WAITING}"
LONG_SECONDS = 60


@pytest.fixture
def folder(place: ObjectPath, monkeypatch: pytest.MonkeyPatch) -> ObjectPath:
    monkeypatch.setattr(lease, "RENEW_SECONDS", 0.2)
    monkeypatch.setattr(lease, "LOOK_SECONDS", 0.2)
    return place


def nobody_cares(why: str) -> None:
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


@pytest.mark.parametrize("holder", [holder_of("elsewhere", 1), "{"])
def test_a_process_of_another_machine_makes_way_when_it_was_silent_long_enough(
    folder: ObjectPath, monkeypatch: pytest.MonkeyPatch, holder: str
) -> None:
    """The number of a process says nothing about another machine, and neither does a lease that nobody can read."""
    monkeypatch.setattr(lease, "STALE_SECONDS", 1000.0)
    looked: list[float] = []

    def look_when_it_is_stale(seconds: float) -> None:
        looked.append(seconds)
        monkeypatch.setattr(lease, "STALE_SECONDS", -1000.0)  # as if the time had passed

    write_text(folder / OLDEST, holder)
    monkeypatch.setattr(lease.time, "sleep", look_when_it_is_stale)
    with leased(folder, busy=BUSY, on_lost=nobody_cares):
        assert OLDEST not in list_sizes(folder)
    assert len(looked) == 1


def test_whoever_holds_is_yielded_to_whatever_its_name(folder: ObjectPath, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock of its machine may be ahead of ours: its name says nothing."""

    def look_again(seconds: float) -> None:
        threading.Event().wait(seconds)
        write_text(folder / YOUNGEST, holder_of("elsewhere", 1))

    write_text(folder / YOUNGEST, holder_of("elsewhere", 1))
    monkeypatch.setattr(lease.time, "sleep", look_again)
    with pytest.raises(UserError, match=BUSY), leased(folder, busy=BUSY, on_lost=nobody_cares):
        pass
    assert list(list_sizes(folder)) == [YOUNGEST]


def test_who_has_waited_for_longer_comes_first_until_it_is_gone(
    folder: ObjectPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[float] = []

    def look_again(seconds: float) -> None:
        looked.append(seconds)
        assert not any(name.endswith(lease.SUFFIX) and not name.endswith(lease.WAITING) for name in list_sizes(folder))
        remove_files([folder / OLDEST_WAITING])

    write_text(folder / OLDEST_WAITING, holder_of("elsewhere", 1))
    write_text(folder / YOUNGEST_WAITING, holder_of("elsewhere", 1))
    monkeypatch.setattr(lease.time, "sleep", look_again)
    with leased(folder, busy=BUSY, on_lost=nobody_cares):
        assert looked
        assert YOUNGEST_WAITING in list_sizes(folder)


def test_of_two_that_want_to_hold_at_once_whoever_lists_later_steps_back(
    folder: ObjectPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newcomer with an older name writes that it holds after we looked, and before we write the same."""
    renew = lease._renew
    met: list[str] = []

    def renew_after_another(mine: ObjectPath) -> None:
        if not met and not mine.name.endswith(lease.WAITING):
            write_text(folder / OLDEST, holder_of("elsewhere", 1))
            met.append(mine.name)
        renew(mine)

    def look_again(seconds: float) -> None:
        assert met[0] not in list_sizes(folder)
        remove_files([folder / OLDEST])

    monkeypatch.setattr(lease, "_renew", renew_after_another)
    monkeypatch.setattr(lease.time, "sleep", look_again)
    with leased(folder, busy=BUSY, on_lost=nobody_cares):
        (mine,) = list_sizes(folder)
        assert mine != met[0], "it waited until the other had left"


def test_who_was_taken_for_dead_before_it_held_does_not_hold(
    folder: ObjectPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its machine stood still between writing that it holds and looking whether another does."""
    renew = lease._renew
    taken: list[str] = []

    def renew_and_sleep_long(mine: ObjectPath) -> None:
        renew(mine)
        if not taken and not mine.name.endswith(lease.WAITING):
            taken.append(mine.name)
            lease._take(folder, [mine.name])
            renew(mine)  # a request of ours that comes late

    monkeypatch.setattr(lease, "_renew", renew_and_sleep_long)
    with leased(folder, busy=BUSY, on_lost=nobody_cares):
        held = [name for name in list_sizes(folder) if name.endswith(lease.SUFFIX)]
        assert len(held) == 1
        assert held != taken


def test_a_refusal_while_it_is_renewed_is_told(folder: ObjectPath, monkeypatch: pytest.MonkeyPatch) -> None:
    """An expired token, a bucket that was removed: nobody renews the lease, so nobody holds it."""
    renew = lease._renew
    told: list[str] = []
    lost = threading.Event()

    def refuse(mine: ObjectPath) -> None:
        if threading.current_thread() is threading.main_thread():
            renew(mine)
        else:
            raise UserError("the token has expired")

    monkeypatch.setattr(lease, "_renew", refuse)
    with leased(folder, busy=BUSY, on_lost=lambda why: (told.append(why), lost.set())):
        assert lost.wait(LONG_SECONDS)
    assert "the token has expired" in told[0]


def test_other_objects_of_the_folder_are_no_leases(folder: ObjectPath) -> None:
    write_text(folder / "manifest.json", "{}")
    with leased(folder, busy=BUSY, on_lost=nobody_cares):
        pass
    assert list(list_sizes(folder)) == ["manifest.json"]


def test_who_loses_the_lease_is_told(folder: ObjectPath) -> None:
    lost = threading.Event()
    with leased(folder, busy=BUSY, on_lost=lambda why: lost.set()):
        (mine,) = list_sizes(folder)
        lease._take(folder, [mine])
        assert lost.wait(LONG_SECONDS)


def test_a_holder_that_writes_its_lease_while_it_is_taken_is_told_too(folder: ObjectPath) -> None:
    lost = threading.Event()
    with leased(folder, busy=BUSY, on_lost=lambda why: lost.set()):
        (mine,) = list_sizes(folder)
        lease._take(folder, [mine])
        lease._renew(folder / mine)  # it had just looked
        assert lost.wait(LONG_SECONDS)


def test_a_store_that_is_away_for_a_while_takes_nobody_the_lease(folder: ObjectPath, weed: WeedServer) -> None:
    lost = threading.Event()
    with leased(folder, busy=BUSY, on_lost=lambda why: lost.set()):
        (mine,) = list_sizes(folder)
        weed.kill()
        weed.start()
        with pytest.raises(UserError, match=BUSY), leased(folder, busy=BUSY, on_lost=nobody_cares):
            pass
        assert list(list_sizes(folder)) == [mine]
    assert not lost.is_set()
