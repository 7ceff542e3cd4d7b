"""Examine: a config -> a report of every model its stages use, by a look alone or with one sample answered by each."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from pipeline.config import CurateConfig
from pipeline.doctor.devices import device_name
from pipeline.doctor.look_builtin import look_at_embedded, look_at_opencv, look_at_rapid_ocr
from pipeline.doctor.look_files import look_at_lama, look_at_paddle_ocr
from pipeline.doctor.look_hf import look_at_hf
from pipeline.doctor.look_served import look_at_served
from pipeline.doctor.report import ModelReport, told
from pipeline.doctor.trial import LIMIT_SECONDS, try_stage
from schemas.errors import UserError

MODEL_STAGES = ("text", "clean", "image_caption", "video_caption", "summary", "translation")

WRITTEN_FOR_TRANSLATION = ("image_caption", "video_caption", "summary")
OF_TORCH = ("hf", "lama")
WEIGHTS_IN_IDENTITY = re.compile(r"@([0-9a-f]{12})( prompt [0-9a-f]{12})?$")

LOOKS: dict[str, Callable[[str, CurateConfig], ModelReport]] = {  # by engine: (stage, config) -> what can be seen
    "rapidocr": look_at_rapid_ocr,
    "paddleocr": look_at_paddle_ocr,
    "opencv": look_at_opencv,
    "lama": look_at_lama,
    "embedded": look_at_embedded,
    "hf": look_at_hf,
    "served": look_at_served,
}


def examine(config: CurateConfig, *, run_sample: bool, limit_seconds: float = LIMIT_SECONDS) -> Iterator[ModelReport]:
    """Yield a report of each model, in the order of the stages.

    run_sample: also open each that is here and have it answer one sample, in a process of its own.
    limit_seconds: how long one may take to open, and to answer.
    """
    for stage in MODEL_STAGES:
        report = look_at(stage, config)
        if report.trouble is not None:
            yield replace(report, ran=False) if run_sample else report
        elif run_sample:
            yield try_model(report, config, limit_seconds=limit_seconds)
        else:
            yield replace(report, device=device_name("auto")) if report.device == "auto" else report


def look_at(stage: str, config: CurateConfig) -> ModelReport:
    """Report what can be seen of the model of a stage without opening it."""
    return LOOKS[engine_of(stage, config)](stage, config)


def engine_of(stage: str, config: CurateConfig) -> str:
    """Return the name of the engine that a config chooses for a stage."""
    if stage == "text":
        return config.text.reader.engine
    if stage == "clean":
        return config.clean.inpainter
    return str(getattr(config, stage).engine)


def require_models(config: CurateConfig, stages: Iterable[str] = MODEL_STAGES) -> None:
    """Look at the models of some stages before they are used.

    Raises UserError with all that is wrong, two lines for each: what it is, and what to do about it.
    """
    require_translatable(config)
    reports = [look_at(stage, config) for stage in stages]
    lines = [told(each) for each in reports if each.trouble is not None]
    if lines:
        raise UserError("\n".join(["not every model is ready", *lines]))


def require_translatable(config: CurateConfig) -> None:
    """Raise UserError where the embedded translator would get texts that no embedded model wrote."""
    others = [name for name in WRITTEN_FOR_TRANSLATION if engine_of(name, config) != "embedded"]
    if others and config.translation.engine == "embedded":
        raise UserError(
            f"translation.engine = 'embedded' translates what embedded models write only, {others[0]}.engine is "
            f"{engine_of(others[0], config)!r}; expected translation.engine 'hf' or 'served'"
        )


def try_model(report: ModelReport, config: CurateConfig, *, limit_seconds: float) -> ModelReport:
    """Return the report of a model with what came of opening it and of one sample."""
    trial = try_stage(config, report.stage, limit_seconds=limit_seconds)
    if trial.measured is None:
        return replace(report, ran=False).with_trouble(trial.trouble)
    found = trial.measured
    opened = replace(
        report,
        ran=trial.trouble is None,
        revision=report.revision or _revision_in(found.identity, report.engine),
        device=found.device if report.engine in OF_TORCH and found.device is not None else report.device,
        seconds_to_open=found.seconds_to_open,
        seconds_per_sample=found.seconds_per_sample,
        memory_bytes=found.memory_bytes,
        gpu_memory_bytes=found.gpu_memory_bytes,
    )
    return opened.with_trouble(trial.trouble)


def _revision_in(identity: str, engine: str) -> str | None:
    """Return the digest of the weights in what a model of a local folder calls itself."""
    match = WEIGHTS_IN_IDENTITY.search(identity) if engine == "hf" else None
    return None if match is None else f"weights {match[1]}"
