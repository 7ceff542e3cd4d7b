"""Lease: at most one run has a folder of an object store, which knows no locks; a dead holder's goes stale in seconds.

Every run writes an object of its own and writes it again every few seconds. The oldest name among the living ones has
the folder. Ages are differences of times that the store gives, so clocks of machines do not matter.
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
from datetime import datetime
from typing import Any

from schemas import object_store
from schemas.errors import MachineFault, UserError
from schemas.location import ObjectPath
from schemas.storage import remove_files, write_text

SUFFIX = ".lease"
TAKEN = ".taken"  # after the name of a lease: whoever wrote it has taken the folder from its holder
RENEW_SECONDS = 4.0
STALE_SECONDS = 16.0
LOOK_SECONDS = 1.0
NOTE_SECONDS = 3600.0  # whoever has not found the note by then has ended


@contextmanager
def leased(folder: ObjectPath, *, busy: str, on_lost: Callable[[], None]) -> Iterator[None]:
    """Hold a folder. `on_lost` is called, from a thread, if another run took it because we could not renew in time.

    Raises UserError(busy) if a living run has it. One that died is waited for until its lease is stale.
    """
    mine = folder / f"{time.time_ns():020d}-{secrets.token_hex(4)}{SUFFIX}"
    ended = threading.Event()
    _renew(mine)
    try:
        _wait_for_turn(folder, mine, busy)
        threading.Thread(target=_keep, args=(mine, ended, on_lost), daemon=True).start()
        yield
    finally:
        ended.set()
        with contextlib.suppress(MachineFault):
            remove_files([mine])


def _wait_for_turn(folder: ObjectPath, mine: ObjectPath, busy: str) -> None:
    first_seen: dict[str, Any] = {}
    while True:
        leases = {each["name"]: each for each in _list_leases(folder)}
        now = leases[mine.name]["modified"] if mine.name in leases else None
        if now is None:
            _renew(mine)
            continue
        others = [each for name, each in leases.items() if name < mine.name]
        living = [each for each in others if (now - each["modified"]).total_seconds() < STALE_SECONDS]
        living = [each for each in living if not _is_dead_neighbour(folder / each["name"])]
        _take(folder, [each["name"] for each in others if each not in living])
        if not living:
            _remove_old_notes(folder, now)
            return
        for each in living:
            if first_seen.setdefault(each["name"], each["modified"]) != each["modified"]:
                raise UserError(busy)  # it was renewed while we looked
        time.sleep(LOOK_SECONDS)
        _renew(mine)


def _take(folder: ObjectPath, names: list[str]) -> None:
    """Remove leases of the dead. One that only seemed dead finds the note, even if it writes its lease once more."""
    for name in names:
        write_text(folder / f"{name}{TAKEN}", "")
    remove_files([folder / name for name in names])


def _remove_old_notes(folder: ObjectPath, now: datetime) -> None:
    listed = object_store.list_folder(folder.protocol, folder.key)
    notes = [each for each in listed if each["name"].endswith(TAKEN)]
    remove_files([folder / each["name"] for each in notes if (now - each["modified"]).total_seconds() > NOTE_SECONDS])


def _keep(mine: ObjectPath, ended: threading.Event, on_lost: Callable[[], None]) -> None:
    while not ended.wait(RENEW_SECONDS):
        with contextlib.suppress(MachineFault):  # the store is away: so it is for others
            if not mine.exists() or mine.with_name(f"{mine.name}{TAKEN}").exists():
                if not ended.is_set():
                    on_lost()
                return
            _renew(mine)


def _renew(mine: ObjectPath) -> None:
    holder = {"host": socket.gethostname(), "boot": _boot_id(), "pid": os.getpid()}
    write_text(mine, json.dumps(holder) + "\n")


def _list_leases(folder: ObjectPath) -> list[dict[str, Any]]:
    listed = object_store.list_folder(folder.protocol, folder.key)
    return [each for each in listed if each["name"].endswith(SUFFIX)]


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
