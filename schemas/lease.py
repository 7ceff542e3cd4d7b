"""Lease: at most one run has a folder of an object store, which knows no locks; a dead holder's goes stale in seconds.

Every run writes an object of its own and writes it again every few seconds. Its name says whether the run waits or
holds, so that one listing tells both, of all runs, at one moment. A run yields to every living one that holds, whatever
its name; names only order those who wait.

Why no two get in: whoever wants to hold first writes that it holds and then lists, and steps back if it sees another.
Of two that did so, the one that listed later began to list after the other had written. It sees the other, unless the
other's object was removed by someone to whom it seemed dead; then a note lies there, which its owner heeds.

Ages are differences of times that the store gives, so clocks of machines do not matter.
"""

import contextlib
import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from schemas import object_store
from schemas.errors import MachineFault, MobiusError, UserError
from schemas.location import ObjectPath
from schemas.storage import remove_files, write_text

SUFFIX = ".lease"
WAITING = f".waiting{SUFFIX}"  # any other lease is held
TAKEN = ".taken"  # after the name of a lease: whoever wrote it has taken the folder from its holder
RENEW_SECONDS = 4.0
STALE_SECONDS = 16.0
LOOK_SECONDS = 1.0
NOTE_SECONDS = 3600.0  # whoever has not found the note by then has ended
LOST = "another run has taken over: ours could not renew {} in time"


@contextmanager
def leased(folder: ObjectPath, *, busy: str, on_lost: Callable[[str], None]) -> Iterator[None]:
    """Hold a folder. `on_lost` is told, from a thread, why we hold it no more: taken over, or the store refuses us.

    Raises UserError(busy) if a living run has it. One that died is waited for until its lease is stale.
    """
    waiting = folder / f"{_new_name()}{WAITING}"
    ended = threading.Event()
    keeper: threading.Thread | None = None
    held: ObjectPath | None = None
    try:
        held = _wait_for_turn(folder, waiting, busy)
        remove_files([waiting])
        keeper = threading.Thread(target=_keep, args=(held, ended, on_lost), daemon=True)
        keeper.start()
        yield
    finally:
        ended.set()
        if keeper is not None:
            keeper.join(RENEW_SECONDS)  # it may be writing the lease that is removed now
        with contextlib.suppress(MobiusError):
            remove_files([waiting, *([held] if held else [])])


@dataclass(frozen=True, slots=True)
class _Lease:
    name: str
    modified: datetime  # on the store's clock
    is_taken: bool

    @property
    def is_waiting(self) -> bool:
        return self.name.endswith(WAITING)


def _wait_for_turn(folder: ObjectPath, waiting: ObjectPath, busy: str) -> ObjectPath:
    """Return the lease that we hold, once nobody else holds one and nobody waits for longer."""
    first_seen: dict[str, datetime] = {}
    while True:
        _renew(waiting)
        others = _living_others(folder, waiting)
        if others is not None and all(each.is_waiting and each.name > waiting.name for each in others):
            held = _try_to_hold(folder, waiting)
            if held is not None:
                return held
        for each in others or ():
            was_renewed = first_seen.setdefault(each.name, each.modified) != each.modified
            if was_renewed and not each.is_waiting and not each.is_taken:
                raise UserError(busy)
        time.sleep(LOOK_SECONDS)


def _try_to_hold(folder: ObjectPath, waiting: ObjectPath) -> ObjectPath | None:
    """Write that we hold the folder; step back, and return None, if by then another does, or took us for dead."""
    held = folder / f"{_new_name()}{SUFFIX}"
    is_ours = False
    try:
        _renew(held)
        others = _living_others(folder, held)
        is_ours = others is not None and all(each.is_waiting for each in others)
    finally:
        if not is_ours:
            with contextlib.suppress(MobiusError):  # then it goes stale
                remove_files([held])
    return held if is_ours else None


def _living_others(folder: ObjectPath, mine: ObjectPath) -> list[_Lease] | None:
    """Return the other leases of the living and remove those of the dead; None if ours was taken for one of these."""
    listed = {each["name"]: each["modified"] for each in object_store.list_folder(folder.protocol, folder.key)}
    now = listed.get(mine.name)
    if now is None or f"{mine.name}{TAKEN}" in listed:
        return None
    living, dead = [], []
    for name, modified in listed.items():
        if name.endswith(SUFFIX) and name != mine.name:
            is_stale = (now - modified).total_seconds() >= STALE_SECONDS
            if is_stale or _is_dead_neighbour(folder / name):
                dead.append(name)
            else:
                living.append(_Lease(name, modified, f"{name}{TAKEN}" in listed))
    notes = [name for name in listed if name.endswith(TAKEN)]
    remove_files([folder / name for name in notes if (now - listed[name]).total_seconds() > NOTE_SECONDS])
    _take(folder, dead)
    return living


def _take(folder: ObjectPath, names: list[str]) -> None:
    """Remove leases of the dead. One that only seemed dead finds the note, even if it writes its lease once more."""
    for name in names:
        write_text(folder / f"{name}{TAKEN}", "")
    remove_files([folder / name for name in names])


def _keep(mine: ObjectPath, ended: threading.Event, on_lost: Callable[[str], None]) -> None:
    """Write the lease again and again, until it is taken, or cannot be written and waiting would not help."""
    lost = ""
    while not lost and not ended.wait(RENEW_SECONDS):
        try:
            if not mine.exists() or mine.with_name(f"{mine.name}{TAKEN}").exists():
                lost = LOST.format(mine)
            else:
                _renew(mine)
        except MachineFault:
            continue  # the store is away: so it is for others
        except Exception as error:  # whatever it is: a lease that nobody renews is not held
            lost = f"{mine} cannot be renewed: {error}"
    if not ended.is_set():
        on_lost(lost)


def _new_name() -> str:
    return f"{time.time_ns():020d}-{secrets.token_hex(4)}"


def _renew(mine: ObjectPath) -> None:
    holder = {"host": socket.gethostname(), "boot": _boot_id(), "pid": os.getpid()}
    write_text(mine, json.dumps(holder) + "\n")


def _is_dead_neighbour(lease: ObjectPath) -> bool:
    """True if the holder ran on this very machine and its process is gone."""
    try:
        holder = json.loads(lease.read_bytes())
        if (holder["host"], holder["boot"]) != (socket.gethostname(), _boot_id()):
            return False
        os.kill(int(holder["pid"]), 0)
    except ProcessLookupError:
        return True
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return False


def _boot_id() -> str:
    """What tells this start of this machine, or of this container's host, from all others."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            namespace = os.readlink("/proc/self/ns/pid")
            return f"{file.read().strip()} {namespace}"
    except OSError:
        return secrets.token_hex(16)  # equal to no other: never taken for a neighbour's
