"""Faults: what may happen to a run, by name; each returns true if it could be done."""

import contextlib
import os
import signal
import subprocess
import time

import psutil

from tests.flows.chaos.campaign import Campaign, Fault
from tests.flows.chaos.places import DISK, STORE

STOP_SECONDS = 30.0  # a SIGTERM must have ended the run by then
ORPHAN_SECONDS = 120.0  # no process may outlive its killed run for longer; Ray's agents call for their head for 60
FULL_SECONDS = 8.0  # for which a full disk stays full


def kill_worker(campaign: Campaign, process: "subprocess.Popen[str]") -> bool:
    workers = [each for each in descendants(process) if is_worker(each, campaign.engine)]
    if not workers:
        return False
    with contextlib.suppress(psutil.NoSuchProcess):
        campaign.random.choice(workers).kill()
    return True


def kill_run(campaign: Campaign, process: "subprocess.Popen[str]") -> bool:
    family = descendants(process)
    process.kill()
    process.wait()
    _, alive = psutil.wait_procs(family, ORPHAN_SECONDS)
    assert not alive, f"outlived their run by {ORPHAN_SECONDS:.0f} s: {[each.cmdline() for each in alive]}"
    return True


def kill_server(campaign: Campaign, process: "subprocess.Popen[str]") -> bool:
    servers = [each for each in descendants(process) if "flows.own_server" in command_of(each)]
    for server in servers:
        with contextlib.suppress(psutil.NoSuchProcess):
            server.kill()
    return bool(servers)


def break_database(campaign: Campaign, process: "subprocess.Popen[str]") -> bool:
    """Leave the Prefect server nothing of its database, as a full disk may: it answers every request with an error."""
    found = list(campaign.folder.glob("*/prefect.db"))
    for database in found:
        os.truncate(database, 0)
    return bool(found)


def kill_store(campaign: Campaign, process: "subprocess.Popen[str]") -> bool:
    assert campaign.store is not None
    campaign.store.kill()
    time.sleep(campaign.down_seconds)
    campaign.store.start()
    return True


def fill_disk(campaign: Campaign, process: "subprocess.Popen[str]") -> bool:
    """Fill the disk until the run gives up, or has had time enough to meet it and try again."""
    ballast = campaign.folder / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(1 << 16))
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(FULL_SECONDS)
    ballast.unlink()
    return True


def terminate_run(campaign: Campaign, process: "subprocess.Popen[str]") -> bool:
    """Send SIGTERM to the whole group, as Prefect does to cancel; the run leads a group of its own."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    process.wait(STOP_SECONDS)  # raises TimeoutExpired
    assert process.returncode in (143, 0), f"exit code {process.returncode} after SIGTERM"
    return process.returncode == 143


def terminate_without_store(campaign: Campaign, process: "subprocess.Popen[str]") -> bool:
    assert campaign.store is not None
    campaign.store.kill()
    try:
        return terminate_run(campaign, process)
    finally:
        campaign.store.start()


FAULTS: dict[str, Fault] = {
    "worker killed": kill_worker,
    "run killed": kill_run,
    "Prefect server killed": kill_server,
    "Prefect's database broken": break_database,
    "store away": kill_store,
    "disk full": fill_disk,
    "run terminated": terminate_run,
    "run terminated, store away": terminate_without_store,
}
ONLY_IN = {"store away": STORE, "run terminated, store away": STORE, "disk full": DISK}


def faults_for(engine: str, place: str) -> list[str]:
    """The faults that make sense: threads have no worker process, and a disk is no server."""
    names = [name for name in FAULTS if ONLY_IN.get(name, place) == place]
    return [name for name in names if not (engine == "threads" and name == "worker killed")]


def descendants(process: "subprocess.Popen[str]") -> list[psutil.Process]:
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(process.pid).children(recursive=True)
    return []


def command_of(process: psutil.Process) -> str:
    with contextlib.suppress(psutil.Error):
        return " ".join(process.cmdline())
    return ""


def is_worker(process: psutil.Process, engine: str) -> bool:
    """True for a process that runs tasks, as its command line shows."""
    command = command_of(process)
    if engine == "ray":
        return command.startswith("ray::")
    return "spawn_main" in command
