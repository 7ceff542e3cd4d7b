"""Four engines, one result; clusters that are there outlive a run, and those of a run do not outlive it."""

import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from pipeline.synthetic import write_stickers
from schemas.errors import UserError
from tests.conftest import ROOT
from tests.flows.mobius import Mobius, curate_arguments, exported_hashes
from tests.media.gifs import encode_gif

pytest.importorskip("prefect_dask", reason="pip install 'mobius[dask]'")
pytest.importorskip("prefect_ray", reason="pip install 'mobius[ray]'")

NUM_STICKERS, NUM_PLAIN = 4, 14
SETTINGS = ("select.min_label_count=2", "ingest.max_row_group_samples=3", "text.max_frames_read=1")
START_SECONDS = 120
LONG = pytest.mark.skipif("MOBIUS_LONG" not in os.environ, reason="`make test-long`: two minutes each")
"""Each engine is tested otherwise too: Ray on a cluster that is there, Dask on one of its own."""

AUDIT = """
import os, sys

LOG = os.open(os.environ["MOBIUS_AUDIT_LOG"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)

def hook(event, arguments):
    if event in ("mobius.answered", "mobius.opened"):
        os.write(LOG, f"{event} {arguments[0]} {os.getpid()}\\n".encode())

sys.addaudithook(hook)
"""
RAY_ON_LOOPBACK = {
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # else Ray takes 127.0.0.1 for the machine's own address
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": secrets.token_hex(32),
}

DASK_CLUSTER = """
import sys
from distributed import LocalCluster

if __name__ == "__main__":
    with LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, resources={"GPU": 1}
    ) as cluster:
        print(cluster.scheduler_address, *(each.pid for each in cluster.workers.values()), flush=True)
        sys.stdin.read()
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("engines") / "source"
    write_stickers(folder.parent / "drawn", num=NUM_STICKERS, seed=5)
    shutil.copytree(folder.parent / "drawn" / "media", folder)
    (folder / "plain").mkdir()
    for number in range(NUM_PLAIN):
        colours = [(10 * number, 200, 40 * step) for step in range(6)]
        (folder / "plain" / f"{number:02d}.gif").write_bytes(encode_gif(colours, size=24))
    return folder


@pytest.fixture(scope="module")
def expected(mobius: Mobius, source: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What threads export."""
    root = tmp_path_factory.mktemp("threads") / "dataset"
    mobius.curate(root, source, *SETTINGS, "engine.name=threads")
    hashes = exported_hashes(root)
    assert len(hashes) == 2
    return hashes


def test_any_number_of_processes_exports_the_same(
    mobius: Mobius, source: Path, expected: dict[str, str], tmp_path: Path
) -> None:
    mobius.curate(tmp_path / "dataset", source, *SETTINGS, "engine.name=processes", "engine.workers=3")
    assert exported_hashes(tmp_path / "dataset") == expected


@pytest.mark.parametrize("engine", ["dask", pytest.param("ray", marks=LONG)])
def test_a_local_cluster_dies_with_its_run_and_the_next_run_ends_with_the_same(
    mobius: Mobius, source: Path, expected: dict[str, str], tmp_path: Path, engine: str
) -> None:
    """SIGKILL of the run's own process alone, while its workers answer; then the same command to the end."""
    (tmp_path / "sitecustomize.py").write_text(AUDIT)
    log = tmp_path / "audit.log"
    environment = {"MOBIUS_AUDIT_LOG": str(log), "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    settings = (*SETTINGS, f"engine.name={engine}", "engine.workers=1")
    command = (*curate_arguments(tmp_path / "dataset", source, *settings), "--json")
    first = mobius.start(*command, **environment)
    wait_for(log, "mobius.answered", first)
    family = psutil.Process(first.pid).children(recursive=True)
    assert family
    first.send_signal(signal.SIGKILL)
    first.communicate()
    assert psutil.wait_procs(family, START_SECONDS)[1] == [], "nothing outlives the run"

    log.write_text("")
    done = mobius.run(*command, **environment)
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout)["balanced"]
    assert exported_hashes(tmp_path / "dataset") == expected
    assert not [line for line in done.stderr.splitlines() if re.search("Traceback|nanobind|Error|WARN", line)]
    events = Counter(tuple(line.split()[:2]) for line in log.read_text().splitlines())
    assert events["mobius.answered", "image_caption"] > 2 * 5, "three chunks, of five samples at least"
    assert events["mobius.opened", "image_caption"] < 3, "a worker keeps its model from chunk to chunk"


@LONG
def test_a_dask_cluster_outlives_two_runs(
    mobius: Mobius, source: Path, expected: dict[str, str], tmp_path: Path
) -> None:
    script = tmp_path / "cluster.py"
    script.write_text(DASK_CLUSTER)
    with subprocess.Popen(
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as cluster:
        assert cluster.stdout is not None
        address, *workers = cluster.stdout.readline().split()
        settings = (*SETTINGS, "engine.name=dask", f"engine.dask.address={address}", "engine.resources.text.gpus=1")
        mobius.curate(tmp_path / "dataset", source, *settings)
        assert exported_hashes(tmp_path / "dataset") == expected
        assert mobius.curate(tmp_path / "dataset", source, *settings, "select.min_frames=2")["balanced"]
        assert all(psutil.pid_exists(int(pid)) for pid in workers)

        too_much = (*settings, "engine.resources.clean.memory=1TiB")
        done = mobius.run(*curate_arguments(tmp_path / "dataset", source, *too_much))
        assert done.returncode == 2
        assert "engine.resources.clean: no worker of the cluster offers memory = " in done.stderr
        cluster.communicate("")


def test_a_ray_cluster_outlives_two_runs_and_its_gpus_are_shared_out(
    mobius: Mobius, source: Path, expected: dict[str, str], tmp_path: Path
) -> None:
    mobius = Mobius({**mobius.environment, **RAY_ON_LOOPBACK}, mobius.folder)
    with ray_head(num_gpus=2) as address:
        settings = (*SETTINGS, "engine.name=ray", f"engine.ray.address={address}", "engine.resources.text.gpus=0.5")
        mobius.curate(tmp_path / "dataset", source, *settings)
        assert exported_hashes(tmp_path / "dataset") == expected
        assert mobius.curate(tmp_path / "dataset", source, *settings, "select.min_frames=2")["balanced"]

        script = tmp_path / "gpus.py"
        script.write_text(GPUS_OF_TASKS)
        settings_json = json.dumps({"name": "ray", "ray": {"address": address}, "resources": {"clean": {"gpus": 1}}})
        done = subprocess.run(
            [sys.executable, str(script), settings_json],
            env={**os.environ, **RAY_ON_LOOPBACK, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        shown = json.loads(done.stdout)
        assert shown["probe"] == [[None, "", False]] * 4, "without a GPU of its own a task sees none"
        assert {number for number, *_ in shown["clean"]} == {0, 1}
        assert all(visible is None for _, visible, _ in shown["clean"]), "the number counts all of the node's"


GPUS_OF_TASKS = """
import json, os, sys, time

import ray
from prefect_ray.context import RemoteOptionsContext

from flows.engines import open_engine, with_resources
from flows.ray_engine import gpu_of_ray_task
from pipeline.config import CurateConfig


def look(number):
    time.sleep(0.5)  # so that two run at the same time
    return gpu_of_ray_task(), os.environ.get("CUDA_VISIBLE_DEVICES"), bool(ray.get_gpu_ids())


engine = json.loads(sys.argv[1])
config = CurateConfig.model_validate({"root": "r", "source": {"path": "s"}, "engine": engine})
shown = {}
with open_engine(config):
    for stage in ("probe", "clean"):
        with with_resources(config, stage):
            options = RemoteOptionsContext.get().current_remote_options
        shown[stage] = ray.get([ray.remote(**options)(look).remote(number) for number in range(4)])
print(json.dumps(shown))
"""


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (("engine.name=ray", "engine.ray.address=ray://head:10001"), "ray job submit --address http://HEAD:8265"),
        (("engine.name=ray", "engine.ray.address=127.0.0.1:9"), "engine.ray.address = '127.0.0.1:9': no such cluster"),
        (("engine.name=dask", "engine.dask.address=tcp://127.0.0.1:9"), "no such cluster answers there"),
        (("engine.resources.letters.gpus=1",), "engine.resources.letters: unknown key, expected one of clean, export"),
        (("engine.resources.text.memory=4gigs",), "engine.resources.text.memory: '4gigs' is no amount of memory"),
        (("engine.resources.text.gpus=2",), "engine.resources.text.gpus = 2: input should be less than or equal to 1"),
    ],
)
def test_a_wrong_setting_of_an_engine_is_one_sentence(
    mobius: Mobius, source: Path, tmp_path: Path, settings: tuple[str, ...], sentence: str
) -> None:
    done = mobius.run(*curate_arguments(tmp_path / "dataset", source, *settings))
    assert done.returncode == 2
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(("engine", "package"), [("dask", "distributed"), ("ray", "ray")])
def test_an_engine_that_is_not_installed_is_one_sentence(
    mobius: Mobius, source: Path, tmp_path: Path, engine: str, package: str
) -> None:
    """A package whose import fails as that of one that is not there."""
    (tmp_path / f"{package}.py").write_text(f"raise ModuleNotFoundError('No module', name='{package}')\n")
    path = f"{tmp_path}{os.pathsep}{ROOT}"
    command = curate_arguments(tmp_path / "dataset", source, f"engine.name={engine}")
    done = mobius.run(*command, PYTHONPATH=path)
    assert done.returncode == 2
    assert f"{package} is not installed, expected: pip install 'mobius[{engine}]'" in done.stderr


def test_workers_on_other_machines_need_a_server_they_can_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    from prefect.settings import PREFECT_API_URL, temporary_settings

    from flows.cluster import require_reachable_server

    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:4200/api"}):
        require_reachable_server(["127.0.0.1"])
        with pytest.raises(UserError, match=r"workers on 192\.0\.2\.77 cannot reach it"):
            require_reachable_server(["127.0.0.1", "192.0.2.77"])
    with temporary_settings({PREFECT_API_URL: "http://prefect.example:4200/api"}):
        require_reachable_server(["127.0.0.1", "192.0.2.77"])


def wait_for(log: Path, event: str, process: subprocess.Popen[str]) -> None:
    """Wait until a line of the log begins so; the process must live so long."""
    while not (log.exists() and event in log.read_text()):
        if process.poll() is not None:
            raise AssertionError(f"ended too soon: {process.communicate()[1][-3000:]}")
        time.sleep(0.05)


@contextmanager
def ray_head(*, num_gpus: int) -> Iterator[str]:
    """Run the head of a Ray cluster of two processors and some GPUs that it only believes in."""
    environment = {**os.environ, **RAY_ON_LOOPBACK, "RAY_USAGE_STATS_ENABLED": "0", "PYTHONPATH": str(ROOT)}
    ray = str(Path(sys.executable).parent / "ray")
    folder = tempfile.mkdtemp(prefix="mr-")  # short: sockets lie in it
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [ray, "start", "--head", "--block", "--num-cpus=2", f"--num-gpus={num_gpus}", f"--port={port}"]
    command += [
        "--include-dashboard=false",
        "--object-store-memory=83886080",
        "--disable-usage-stats",
        f"--temp-dir={folder}",
    ]
    head = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        wait_for_node(head, port)
        yield f"127.0.0.1:{port}"
        assert head.poll() is None, "the cluster outlives its users"
    finally:
        family = [psutil.Process(head.pid), *psutil.Process(head.pid).children(recursive=True)]
        head.terminate()
        for each in psutil.wait_procs(family, 30)[1]:
            each.kill()
        head.wait()
        shutil.rmtree(folder, ignore_errors=True)


def wait_for_node(head: subprocess.Popen[bytes], port: int) -> None:
    """Wait until the head listens and has a raylet; who connects waits for the rest."""
    while True:
        assert head.poll() is None, "no head of a Ray cluster"
        names = {each.name() for each in psutil.Process(head.pid).children(recursive=True)}
        with socket.socket() as probe:
            if "raylet" in names and probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
