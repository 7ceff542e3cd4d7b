"""Whoever is asked to stop ends soon, whatever holds it, and a process that came to rest by itself is left alone."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil

from tests.conftest import ROOT
from tests.flows.mobius import Mobius, curate_arguments
from tests.media.gifs import GREEN, RED, encode_gif

STORE_THAT_HANGS = """
import sys, threading
from pathlib import Path
from flows import stopping
from pipeline.root import DatasetRoot
from pipeline.stop_sign import StopSign
from schemas.errors import Stopped

stopping.GRACE_SECONDS = stopping.LAST_ACTS_SECONDS = 0.2
stop = stopping.Stopping(StopSign(DatasetRoot(Path(sys.argv[1])), "run"))
stop.before_hard_end(threading.Event().wait)
{with_rest}
    stop.ask(Stopped("a test"), exit_code=143)
threading.Event().wait({wait})
sys.exit(7)
"""


def run_script(text: str, folder: Path) -> int:
    return subprocess.run([sys.executable, "-c", text, str(folder)], cwd=ROOT, timeout=120, check=False).returncode


def test_a_store_that_hangs_does_not_hold_the_hard_end(tmp_path: Path) -> None:
    assert run_script(STORE_THAT_HANGS.format(with_rest="if True:", wait=60), tmp_path) == 143


def test_the_clock_stands_still_once_the_run_came_to_rest(tmp_path: Path) -> None:
    assert run_script(STORE_THAT_HANGS.format(with_rest="with stop.until_rest():", wait=2), tmp_path) == 7


def test_a_signal_while_the_own_server_starts_ends_the_command_with_its_sentence(tmp_path: Path) -> None:
    own = {"PREFECT_API_URL": "", "PREFECT_HOME": str(tmp_path / "none"), "PREFECT_PROFILE": ""}
    (tmp_path / "source" / "cats").mkdir(parents=True)
    (tmp_path / "source" / "cats" / "1.gif").write_bytes(encode_gif([RED, GREEN]))
    with Mobius({}, ROOT).start(*curate_arguments(tmp_path / "root", tmp_path / "source"), **own) as process:
        server = wait_for_server(process)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 143
    assert errors == "mobius: stopped: asked to stop by SIGTERM; run the same command again to go on\n"
    _, alive = psutil.wait_procs([server], 60)  # it looks once a second whether its run is still there
    assert not alive


def wait_for_server(process: "subprocess.Popen[str]") -> psutil.Process:
    """Wait until the command has started its Prefect server, which then takes seconds to be ready."""
    while process.poll() is None:
        for child in psutil.Process(process.pid).children():
            if "flows.own_server" in child.cmdline():
                return child
        os.sched_yield()
    raise AssertionError("ended before it started a server")
