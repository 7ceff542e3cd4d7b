"""A signal to the process group of a run, as Ctrl-C and schedulers send it, reaches no worker of a local engine."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

WHO_SHARES_THE_GROUP = """
import json, os, sys
import psutil
from prefect import flow, task
from flows.engines import open_engine
from pipeline.config import CurateConfig

@task
def work():
    return os.getpid()

@flow
def ask():
    asked = work.submit().result()
    started = psutil.Process().children(recursive=True)
    sharing = [" ".join(each.cmdline()) for each in started if os.getpgid(each.pid) == os.getpgid(0)]
    print(json.dumps([asked in [each.pid for each in started], os.getpgid(asked) != os.getpgid(0), sharing]))

if __name__ == "__main__":
    config = CurateConfig(root=sys.argv[2], source={"path": "gifs"}, engine={"name": sys.argv[1], "workers": 1})
    with open_engine(config) as runner:
        ask.with_options(task_runner=runner)()
"""


@pytest.mark.parametrize("engine", ["processes", "dask", "ray"])
def test_no_worker_is_in_the_group_of_the_run(engine: str, prefect_url: str, tmp_path: Path) -> None:
    if engine != "processes":
        pytest.importorskip(f"prefect_{engine}", reason=f"pip install 'mobius[{engine}]'")
    (tmp_path / "ask.py").write_text(WHO_SHARES_THE_GROUP)
    done = subprocess.run(
        [sys.executable, str(tmp_path / "ask.py"), engine, str(tmp_path / "root")],
        env={**os.environ, "PREFECT_API_URL": prefect_url, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        start_new_session=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    is_child, has_left, sharing = json.loads(done.stdout.splitlines()[-1])
    assert is_child
    assert has_left
    assert [each for each in sharing if "resource_tracker" not in each] == []  # which ignores these signals itself
