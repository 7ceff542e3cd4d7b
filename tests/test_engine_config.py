"""What the config says of engines: how amounts are written, how work is cut, and that no result depends on it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from flows.load import read_config
from pipeline.chunks import CHUNKS_PER_WORKER, MAX_CHUNKS, num_chunks_of
from pipeline.config import CurateConfig
from pipeline.engine_config import EngineConfig
from pipeline.gpus import gpus_per_task, is_numbered, may_use_gpu, num_gpu_tasks
from pipeline.plan import plan_stages
from schemas.memory import parse_memory
from tests.conftest import ROOT

ENGINES = (
    {"name": "threads", "workers": 1},
    {"name": "processes", "workers": 7, "gpus": 3},
    {"name": "dask", "workers": 64, "dask": {"address": "tcp://10.0.0.7:8786", "grows": True}},
    {"name": "ray", "ray": {"address": "auto"}, "resources": {"text": {"gpus": 0.25, "cpus": 2, "memory": "4GiB"}}},
)


def config_with(engine: dict[str, object], **others: object) -> CurateConfig:
    return CurateConfig.model_validate({"root": "r", "source": {"path": "s"}, "engine": engine, **others})


@pytest.mark.parametrize(
    ("written", "size_bytes"),
    [("4GiB", 4 * 2**30), ("512 MB", 512 * 10**6), ("1.5gib", 3 * 2**29), ("2TB", 2 * 10**12), ("7B", 7), (9, 9)],
)
def test_memory_is_written_with_a_unit(written: str | int, size_bytes: int) -> None:
    assert parse_memory(written) == size_bytes


@pytest.mark.parametrize("written", ["4", "4 gigs", "GiB", "-1GiB", "4GiB 2", ""])
def test_memory_written_otherwise_is_refused_with_an_example(written: str) -> None:
    with pytest.raises(ValidationError, match="expected a number with a unit, such as '4GiB'"):
        EngineConfig.model_validate({"resources": {"text": {"memory": written}}})


def test_a_config_that_went_through_json_is_the_same() -> None:
    for engine in ENGINES:
        config = config_with(engine)
        assert CurateConfig.model_validate_json(config.model_dump_json()) == config


def test_fingerprints_do_not_depend_on_the_engine() -> None:
    seen = {tuple(plan.fingerprint for plan in plan_stages(config_with(each)).values()) for each in ENGINES}
    assert len(seen) == 1
    changed = plan_stages(config_with(ENGINES[0], text={"max_frames_read": 1}))
    assert tuple(plan.fingerprint for plan in changed.values()) not in seen


def test_a_stage_takes_a_gpu_where_its_model_may_run_on_one() -> None:
    plain = config_with({"name": "ray"})
    assert {gpus_per_task(plain.engine, plan) for plan in plan_stages(plain).values()} == {0.0}
    told = config_with({"name": "ray", "resources": {"text": {"gpus": 0.5}}})
    assert {name for name, plan in plan_stages(told).items() if gpus_per_task(told.engine, plan)} == {"text"}


@given(workers=st.integers(1, 1024), gpus=st.integers(1, 1024), share=st.sampled_from([None, 0.1, 0.25, 0.5, 1.0]))
def test_a_cluster_gets_a_chunk_for_each_gpu_at_least_and_never_too_many(
    workers: int, gpus: int, share: float | None
) -> None:
    engine = {"name": "ray", "workers": workers, "gpus": gpus, "resources": {"text": {"gpus": share}}}
    config = config_with(engine)
    plan = plan_stages(config)["text"]
    assert not is_numbered(config.engine, plan), "Ray places its tasks itself"
    num_chunks = num_chunks_of(config.engine, plan, num_workers=workers, on_gpus=False)
    at_a_time = max(workers, num_gpu_tasks(config.engine, plan))
    assert num_chunks == min(MAX_CHUNKS, CHUNKS_PER_WORKER * at_a_time)


def test_tasks_on_this_machines_gpus_are_as_many_as_fit() -> None:
    for share, num_tasks in ((1.0, 2), (0.5, 4), (0.3, 6)):
        config = config_with({"gpus": 2, "resources": {"text": {"gpus": share}}})
        plan = plan_stages(config)["text"]
        assert num_chunks_of(config.engine, plan, num_workers=8, on_gpus=True) == num_tasks


def test_the_cluster_of_the_example_is_placed_as_its_comments_say() -> None:
    config = read_config(CurateConfig, ROOT / "flows" / "configs" / "cluster.toml")
    assert config.engine.ray.address == "auto"
    assert config.engine.resources.text.memory == 4 * 2**30
    shares = {stage: config.engine.resources.of(stage).gpus for stage in ("text", "image_caption", "summary")}
    assert shares == {"text": 0.25, "image_caption": 1.0, "summary": None}
    assert may_use_gpu(config.stage_config("text"))
    assert may_use_gpu(config.stage_config("clean"))
    assert may_use_gpu(config.stage_config("summary")), "which so gets a GPU of its own"
