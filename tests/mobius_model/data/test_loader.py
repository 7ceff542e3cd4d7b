"""The loader's processes: errors pass through them unchanged, and they end with the trainer."""

import itertools
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from mobius_model.data.loader import load_ahead
from schemas.errors import UserError
from tests.conftest import ROOT

KILLED_TRAINER = """
import itertools, os, signal, psutil
from mobius_model.data.loader import load_ahead
if __name__ == "__main__":
    numbers = load_ahead(abs, itertools.count(), num_workers=2)
    next(numbers)
    print(*(child.pid for child in psutil.Process().children(recursive=True)), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def refuse_three(number: int) -> int:
    if number == 3:
        raise UserError("three")
    return number


def worker_of(number: int) -> int:
    return os.getpid()


@pytest.mark.parametrize("num_workers", [0, 2])
def test_numbers_come_in_order_until_one_is_refused(num_workers: int) -> None:
    made = load_ahead(refuse_three, itertools.count(), num_workers=num_workers)
    assert [next(made) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(UserError, match=r"^three$"):
        next(made)


def test_workers_end_with_their_iterator() -> None:
    made = load_ahead(worker_of, itertools.count(), num_workers=2)
    workers = [psutil.Process(pid) for pid in {next(made), next(made)}]
    assert len(workers) == 2
    made.close()
    assert running(workers) == []


def test_workers_end_with_a_killed_trainer(tmp_path: Path) -> None:
    script = tmp_path / "trainer.py"
    script.write_text(KILLED_TRAINER)
    done = subprocess.run(
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == -9, done.stderr
    pids = [int(pid) for pid in done.stdout.split()]
    assert len(pids) >= 3
    assert running([psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]) == []


def running(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Wait a minute at most for processes to end; where nobody reaps them they stay as zombies, which will do."""
    for _ in range(600):
        processes = [each for each in processes if is_alive(each)]
        if not processes:
            break
        psutil.wait_procs(processes, timeout=0.1)
    return processes


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
