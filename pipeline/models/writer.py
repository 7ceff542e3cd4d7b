"""Writer: what the stages that ask a language model have in common: who answers, how many at once, what is checked."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Literal, Self, TypeVar

from pydantic import Field, model_validator

from pipeline.captions import CaptionCheckConfig, check_caption, identify_checks, require_checks, run_canary
from pipeline.captions.config import Language
from pipeline.models.usage import usage_of
from schemas.config import StrictConfig
from schemas.errors import AnswerTruncated, SampleError, UserError

Sample = TypeVar("Sample")


class WriterConfig(StrictConfig):
    """Who answers: the embedded model, one in process (`hf`), or one behind a server (`served`).

    The settings of the latter two stand in a section of their name, and both may be there: `engine` chooses.
    """

    batch_sizes: ClassVar[dict[str, int]] = {"embedded": 64, "hf": 8, "served": 128}

    engine: Literal["embedded", "hf", "served"] = "embedded"
    batch_size: int | None = Field(None, ge=1)  # samples at once; none: as suits the engine
    check: CaptionCheckConfig = CaptionCheckConfig()  # of what hf and served write

    @model_validator(mode="after")
    def _has_its_section(self) -> Self:
        if self.engine != "embedded" and getattr(self, self.engine) is None:
            raise ValueError(f"engine {self.engine!r} needs a section {self.engine}, such as {self.engine}.model")
        return self

    @property
    def identified(self) -> dict[str, Any]:
        of_check = {"tokenizer"} if self.is_checked else True
        return {"engine": True, "hf": True, "served": True, "batch_size": True, "check": of_check}

    @property
    def samples_at_once(self) -> int:
        """How many samples the model is asked about at once."""
        return self.batch_size or self.batch_sizes[self.engine]

    @property
    def chosen(self) -> Any:
        """The section of the engine; None for the embedded one."""
        return getattr(self, self.engine, None)

    @property
    def is_checked(self) -> bool:
        """True where a model may write anything; what the embedded ones write follows a grammar."""
        return self.engine != "embedded"


def identify(config: WriterConfig, *, embedded: str) -> str:
    """Name everything that decides which answers are stored: model, settings, checks. Nothing is opened.

    embedded: the name of the embedded model. Raises UserError where the configured one is not on this machine.
    """
    if config.engine == "hf":
        from pipeline.models.hf.identity import identify_hf

        return f"{identify_hf(config.chosen)} {identify_checks(config.check)}"
    if config.engine == "served":
        from pipeline.models.served.identity import identify_served

        return f"{identify_served(config.chosen)} {identify_checks(config.check)}"
    return embedded


def checked(texts: Sequence[str], config: WriterConfig, language: Language, *, model: Any) -> list[str | SampleError]:
    """Return each text as it is stored, or what is wrong with it; `model` has just written them."""
    if not config.is_checked:
        return list(texts)
    usage = usage_of(model)
    finished = (None if usage is None else usage.last_finished) or [True] * len(texts)
    limit = config.chosen.max_new_tokens
    return [
        _check(text, config, language)
        if is_finished
        else AnswerTruncated(f"cut after max_new_tokens = {limit}: {text[:79]!r}")
        for text, is_finished in zip(texts, finished, strict=True)
    ]


def try_out(
    model: Any, config: WriterConfig, samples: Sequence[Sample], ask: Callable[[Sequence[Sample]], Sequence[str]]
) -> None:
    """Find out at once whether an opened model, and what checks its answers, is fit for a whole run.

    Raises UserError for what is missing, a model that looks at no pictures, or one that has no answer to plain
    samples; StageBroken where it answers a batch otherwise than its samples one by one; MachineFault.
    """
    if not config.is_checked:
        return
    try:
        require_checks(config.check)
        if config.engine == "served":
            model.check()
        if config.samples_at_once > 1:
            run_canary(lambda some: _ask_afresh(model, ask, some), samples)
        else:
            ask(samples[:1])
    except SampleError as error:
        close(model)
        raise UserError(f"{model.identity}: even a plain sample is not answered ({error.reason}): {error}") from error
    except BaseException:
        close(model)
        raise


def close(model: Any) -> None:
    """Close the connections of a model that has any."""
    if hasattr(model, "close"):
        model.close()


def _ask_afresh(model: Any, ask: Callable[[Sequence[Sample]], Sequence[str]], some: Sequence[Sample]) -> Sequence[str]:
    """Ask without answers that are remembered from the time before."""
    if hasattr(model, "forget"):
        model.forget()
    return ask(some)


def _check(text: str, config: WriterConfig, language: Language) -> str | SampleError:
    try:
        return check_caption(text, config.check, language)
    except SampleError as error:
        return error
