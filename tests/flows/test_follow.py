"""Chunks are waited for at a constant cost, and what one of them fails with is not kept back until the last is done."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from prefect.futures import PrefectConcurrentFuture
from prefect.states import Completed, Failed

from flows import follow as following
from flows.chunk_log import ChunkDone
from flows.follow import follow, look_once
from flows.running import CurateRun
from flows.runs import RunRecord
from flows.stopping import Stopping
from flows.watch import RunWatch
from pipeline.chunk import ChunkCount
from pipeline.config import CurateConfig
from pipeline.root import DatasetRoot
from pipeline.stop_sign import StopSign
from schemas.errors import MachineFault, StageBroken, Stopped

NUM_LOOKS = 5


@pytest.fixture
def run(tmp_path: Path) -> CurateRun:
    config = CurateConfig(root=str(tmp_path / "root"), source={"path": "gifs"})
    record = RunRecord(DatasetRoot(config.root_path), config)
    return CurateRun(record, Stopping(StopSign(record.root, record.identity)), RunWatch(config))


def future() -> PrefectConcurrentFuture[Any]:
    return PrefectConcurrentFuture(uuid4(), Future())


def complete(each: PrefectConcurrentFuture[Any], num_ok: int = 1) -> None:
    each.wrapped_future.set_result(Completed(data=ChunkDone(ChunkCount(num_ok), "here", 1, 1.0, 0)))


def fail(each: PrefectConcurrentFuture[Any], error: Exception) -> None:
    each.wrapped_future.set_result(Failed(data=error, message=str(error)))


def callbacks_of(each: PrefectConcurrentFuture[Any]) -> int:
    return len(each.wrapped_future._done_callbacks)


def test_looking_again_adds_nothing_to_a_future(run: CurateRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "SECONDS_BETWEEN_LOOKS", 0.0)
    futures = [future() for _ in range(3)]
    before, seen = callbacks_of(futures[0]), []

    def look() -> None:
        seen.append(callbacks_of(futures[0]))
        if len(seen) == NUM_LOOKS:
            for each in futures:
                complete(each, num_ok=2)

    assert follow("text", futures, run, look).num_ok == 6
    assert len(seen) >= NUM_LOOKS
    assert set(seen) == {before + 1}


def test_a_chunk_that_our_code_fails_stops_the_others_at_once(run: CurateRun) -> None:
    first, second = future(), future()
    sign = run.record.root.stop_sign_path(run.record.identity)
    fail(first, StageBroken("twenty in a row"))

    def stop_like_a_worker() -> None:
        until(sign.exists)
        fail(second, Stopped("told to"))

    worker = threading.Thread(target=stop_like_a_worker)
    worker.start()
    with pytest.raises(StageBroken, match="twenty in a row"):
        follow("text", [second, first], run, lambda: None)
    worker.join()


def test_what_the_machine_does_to_a_chunk_leaves_the_others_alone(run: CurateRun) -> None:
    first, second = future(), future()
    counted: list[int] = []

    def count(done: ChunkCount) -> None:
        counted.append(done.num_ok)
        if len(counted) == 1:
            complete(second)

    fail(first, MachineFault("no memory"))
    with pytest.raises(MachineFault, match="no memory"):
        follow("text", [first, second], run, lambda: None, count)
    assert counted == [0, 1]
    assert not run.record.root.stop_sign_path(run.record.identity).exists()


def test_a_look_that_takes_long_is_seldom_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([100.0, 100.001, 200.0, 203.0])
    monkeypatch.setattr(following.time, "monotonic", lambda: next(clock))
    assert look_once(lambda: None) == 101.001
    assert look_once(lambda: None) == 263.0


def until(claim: Callable[[], bool], *, num_tries: int = 3000) -> None:
    """Wait until a claim is true, with a generous limit."""
    for _ in range(num_tries):
        if claim():
            return
        threading.Event().wait(0.01)
    raise AssertionError("waited for in vain")
