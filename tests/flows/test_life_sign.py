"""A run that lives is told from one that is gone, by a file alone."""

import os
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from flows.life_sign import DEAD_AFTER_SECONDS, LifeSign, giving_life_signs, read_life_sign
from pipeline.root import DatasetRoot

HERE = LifeSign(stage="text", done=3, total=9, rate=1.5, host=socket.gethostname(), pid=os.getpid())


def test_a_sign_is_there_while_the_run_is_and_says_what_the_run_says(tmp_path: Path) -> None:
    root = DatasetRoot(tmp_path)
    with giving_life_signs(root, "run-1", lambda: LifeSign(stage="text", done=3, total=9, unmeasured=("clean",))):
        sign = read_life_sign(root, "run-1")
        assert sign is not None
        assert (sign.stage, sign.done, sign.unmeasured, sign.pid) == ("text", 3, ("clean",), os.getpid())
        assert sign.is_alive
    assert read_life_sign(root, "run-1") is None
    assert list((tmp_path / "runs").iterdir()) == [], "nothing is left of it"


def test_a_place_that_cannot_be_written_costs_the_sign_and_not_the_run(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file where the folder should be")
    done = False
    with giving_life_signs(DatasetRoot(tmp_path), "run-1", LifeSign):
        done = True
    assert done


def test_an_old_sign_and_one_of_a_dead_process_of_this_machine_are_those_of_the_dead() -> None:
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    assert replace(HERE, time=time.time()).is_alive
    assert not replace(HERE, time=time.time() - DEAD_AFTER_SECONDS - 1).is_alive
    assert not replace(HERE, time=time.time(), pid=int(ended.stdout)).is_alive
    assert replace(HERE, time=time.time(), host="another-machine", pid=int(ended.stdout)).is_alive


def test_what_is_no_sign_is_none(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "run-1.life").write_text("{half")
    assert read_life_sign(DatasetRoot(tmp_path), "run-1") is None
