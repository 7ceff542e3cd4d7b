"""A real deployment: PostgreSQL, server, worker; deploy, run over the API, cancel, run again, be told of a failure."""

import http.server
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest

from flows.gpu_limit import LEASE_SECONDS
from pipeline.synthetic import write_stickers
from tests.conftest import ROOT
from tests.flows.deployed import (
    Deployed,
    client_environment,
    find_initdb,
    running_postgres,
    running_server,
    running_worker,
    wait_for,
)
from tests.flows.mobius import Mobius, exported_hashes

CURATE = "mobius-curate/curate"
STOP_SECONDS = 30
MAX_TASK_RUNS = 256
SETTINGS = [
    "select.min_label_count=1",
    "ingest.max_row_group_samples=4",
    "engine.flush.samples=1",
    "text.max_frames_read=64",  # every frame: some seconds per file
]
HOLD_A_SLOT = """
import sys
from flows.gpu_limit import gpu_slot

with gpu_slot(sys.argv[1]):
    print("has it", flush=True)
    sys.stdin.readline()
"""

pytestmark = pytest.mark.skipif(
    find_initdb() is None, reason="no initdb in PATH or /usr/lib/postgresql: apt-get install postgresql"
)


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """PostgreSQL, a server on it, a worker, and the deployments of prefect.yaml."""
    folder = tmp_path_factory.mktemp("deployed")
    with (
        running_postgres(folder) as database,
        running_server(folder, database) as url,
        running_worker(folder, url),  # makes its pool
        httpx.Client(base_url=url, timeout=60) as api,
    ):
        found = Deployed(api, client_environment(folder, url), folder)
        wait_for(lambda: api.get("/work_pools/mobius").is_success, "work pool")
        found.prefect("deploy", "--all")
        yield found


@pytest.fixture(scope="module")
def stickers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stickers")
    write_stickers(folder, num=6, seed=5)
    return folder / "media"


def test_form_says_what_each_parameter_is(deployed: Deployed) -> None:
    schema = deployed.get(f"/deployments/name/{CURATE}")["parameter_openapi_schema"]
    fields = schema["properties"]
    assert schema["required"] == ["config"]
    assert all(field["description"] for field in fields.values())
    assert {"processes", "threads"} <= set(fields["engine"]["anyOf"][0]["enum"])
    assert deployed.get("/deployments/name/mobius-train/train")["parameter_openapi_schema"]["properties"]["stage"]


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        ({"engine": "abacus"}, "'abacus' is not one of"),
        ({"workers": 0}, "0 is less than the minimum of 1"),
        ({"overrides": ["not a setting"]}, "does not match"),
        ({"overrides": ["translation.served.api_key=1"]}, "should not be valid under"),
    ],
)
def test_parameters_of_a_wrong_kind_are_refused_before_a_run_exists(
    deployed: Deployed, parameters: dict[str, Any], why: str
) -> None:
    found = deployed.get(f"/deployments/name/{CURATE}")
    before = deployed.post("/flow_runs/count", {})
    answer = deployed.api.post(f"/deployments/{found['id']}/create_flow_run", json={"parameters": parameters})
    assert answer.status_code == httpx.codes.CONFLICT
    assert why in answer.json()["detail"]
    assert deployed.post("/flow_runs/count", {}) == before


def test_run_is_watched_cancelled_started_again_and_equals_the_command(
    deployed: Deployed, stickers: Path, tmp_path: Path
) -> None:
    root = tmp_path / "dataset"
    asked = {"root": str(root), "source": str(stickers), "engine": "processes", "workers": 2, "overrides": SETTINGS}

    first = deployed.start(CURATE, **asked)
    while not list(root.glob("stages/text-*/*.parquet")):
        deployed.await_state(first, "RUNNING")
        time.sleep(0.2)
    deployed.post(f"/flow_runs/{first}/set_state", {"state": {"type": "CANCELLING", "name": "Cancelling"}})
    deployed.await_state(first, "CANCELLED")
    assert seconds_to_stop(deployed, first) <= STOP_SECONDS
    record = json.loads(next(root.glob("runs/*.json")).read_text())
    assert record["outcome"] == "stopped"
    kept = {path: path.read_bytes() for path in root.glob("stages/*/*.parquet")}
    assert kept
    assert sum(pq.read_metadata(path).num_rows for path in kept) >= 1
    assert not list(root.rglob(".*")), "nothing half-written is left"
    assert not (root / "t2v").exists()

    second = deployed.start(CURATE, **asked)
    state = deployed.await_state(second, "COMPLETED")
    assert state["message"].endswith("the sums agree")
    assert all(path.read_bytes() == before for path, before in kept.items()), "what was there is not done again"
    wait_for(lambda: "Finished in state Completed" in deployed.logs(second), "last line of the log")
    inner = deployed.post("/flow_runs/filter", {"flow_runs": {"parent_flow_run_id": {"any_": [second]}}})
    assert [run["name"] for run in inner] == [f"curate {root}"]
    tasks = deployed.post("/task_runs/filter", {"flow_runs": {"id": {"any_": [inner[0]["id"]]}}})
    assert 0 < len(tasks) <= MAX_TASK_RUNS
    assert "answer translation 1/" in " ".join(task["name"] for task in tasks)

    artifacts = deployed.post("/artifacts/filter", {"artifacts": {"flow_run_id": {"any_": [inner[0]["id"]]}}})
    ledger = next(each for each in artifacts if each["key"] == "curate-ledger")
    assert "The sums agree." in ledger["data"]
    assert {each["key"] for each in artifacts} == {"curate-ledger", "curate-sweep"}

    mobius = Mobius(deployed.environment, ROOT)
    other = tmp_path / "by-hand"
    assert mobius.curate(other, stickers, *SETTINGS)["balanced"]
    assert exported_hashes(root) == exported_hashes(other)


def seconds_to_stop(deployed: Deployed, run: str) -> float:
    """Return the time from the request to the end, by the server's clock."""
    states = deployed.get(f"/flow_run_states/?flow_run_id={run}")
    moments = {state["type"]: datetime.fromisoformat(state["timestamp"]) for state in states}
    return (moments["CANCELLED"] - moments["CANCELLING"]).total_seconds()


def test_failed_run_says_why_in_a_sentence_and_somebody_is_told(
    deployed: Deployed, stickers: Path, tmp_path: Path
) -> None:
    with listening() as (url, heard):
        block = subprocess.run(
            [sys.executable, "-m", "flows.alert"],
            cwd=ROOT,
            env={**deployed.process_environment(), "MOBIUS_ALERT_URL": url},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        automation = tmp_path / "automation.yaml"
        example = (ROOT / "docs" / "tell-when-a-run-fails.yaml").read_text()
        automation.write_text(example.replace("BLOCK_ID", block))
        deployed.prefect("automation", "create", "--from-file", str(automation))
        run = deployed.start(CURATE, root=str(stickers / "inside"), source=str(stickers))
        state = deployed.await_state(run, "FAILED")
        assert "lies inside source.path, expected a folder that is no input itself" in state["message"]
        assert "\n" not in state["message"]
        told = json.loads(wait_for(lambda: heard, "call of the webhook")[0])
    assert state["message"] in told["text"]


class listening:  # noqa: N801, a context manager
    """Serve on loopback and keep the bodies of what is posted."""

    def __enter__(self) -> tuple[str, list[bytes]]:
        heard: list[bytes] = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                heard.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self._server.server_port}/alert", heard

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def test_two_flows_do_not_hold_one_gpu_and_a_killed_one_lets_go(deployed: Deployed) -> None:
    limit = "mobius-gpu"
    deployed.post("/v2/concurrency_limits/", {"name": limit, "limit": 1})
    with holder(deployed, limit) as first, holder(deployed, limit) as second:
        assert first.stdout is not None
        assert second.stdout is not None
        said = {first: threading.Event(), second: threading.Event()}
        for process, event in said.items():
            threading.Thread(target=lambda p=process, e=event: p.stdout.readline() and e.set(), daemon=True).start()
        owner = wait_for(lambda: next((each for each, event in said.items() if event.is_set()), None), "slot")
        waiting = second if owner is first else first
        assert deployed.get(f"/v2/concurrency_limits/{limit}")["active_slots"] == 1
        owner.kill()
        owner.wait()
        assert not said[waiting].is_set()
        wait_for(said[waiting].is_set, f"slot after a lease of {LEASE_SECONDS:g} s")
        waiting.communicate("\n", timeout=60)
        assert waiting.returncode == 0
    assert wait_for(lambda: deployed.get(f"/v2/concurrency_limits/{limit}")["active_slots"] == 0, "free slot")


def test_gpu_limit_that_nobody_made_is_an_error(deployed: Deployed) -> None:
    with holder(deployed, "no-such-limit") as process:
        _, errors = process.communicate(timeout=180)
    assert process.returncode != 0
    assert "engine.gpu_limit = 'no-such-limit': Prefect's server has no such limit" in errors


def holder(deployed: Deployed, limit: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", HOLD_A_SLOT, limit],
        cwd=ROOT,
        env=deployed.process_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
