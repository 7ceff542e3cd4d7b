"""Whoever may use a GPU takes a slot, and hears of a stop while it waits; only a missing limit is the user's error."""

import json
import os
import socket
import subprocess
import sys
import urllib.request

import pytest

from flows.gpu_limit import limit_of
from flows.load import read_config
from pipeline.config import CurateConfig
from tests.conftest import ROOT

LIMIT = "one-gpu"
WAIT_FOR_A_SLOT = """
import sys
from flows import gpu_limit
from schemas.errors import MobiusError, Stopped

gpu_limit.SECONDS_BETWEEN_CHECKS = 0.5
checks = []

def check():
    checks.append(1)
    if len(checks) == 4:
        raise Stopped("told to")

try:
    with gpu_limit.gpu_slot(sys.argv[1], check), gpu_limit.gpu_slot(sys.argv[1], check):
        print("two hold one slot")
except MobiusError as error:
    print(type(error).__name__, len(checks))
"""


def wait_for_a_slot(limit: str, url: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", WAIT_FOR_A_SLOT, limit],
        cwd=ROOT,
        env={**os.environ, "PREFECT_API_URL": url, "PREFECT_CLIENT_MAX_RETRIES": "0"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.strip()


def test_who_waits_for_a_slot_is_stopped(prefect_url: str) -> None:
    body = json.dumps({"name": LIMIT, "limit": 1}).encode()
    headers = {"Content-Type": "application/json"}
    urllib.request.urlopen(urllib.request.Request(f"{prefect_url}/v2/concurrency_limits/", body, headers)).close()
    assert wait_for_a_slot(LIMIT, prefect_url) == "Stopped 4"


def test_a_limit_that_nobody_made_is_the_users_error(prefect_url: str) -> None:
    assert wait_for_a_slot("no-such-limit", prefect_url) == "UserError 1"


def test_a_server_that_is_away_is_waited_for_until_the_run_is_stopped() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        assert wait_for_a_slot(LIMIT, f"http://127.0.0.1:{nobody.getsockname()[1]}/api") == "Stopped 4"


@pytest.mark.parametrize(("stage", "limit"), [("summary", LIMIT), ("text", LIMIT), ("probe", None)])
def test_a_stage_whose_model_may_use_a_gpu_takes_a_slot_numbered_or_not(stage: str, limit: str | None) -> None:
    config = read_config(CurateConfig, ROOT / "flows" / "configs" / "cluster.toml", [f"engine.gpu_limit={LIMIT}"])
    assert limit_of(config, stage) == limit
