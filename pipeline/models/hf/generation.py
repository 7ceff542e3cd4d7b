"""Generation: a batch of samples -> one text each, in order; where memory runs out, in smaller batches.

Shapes: B batch, P tokens of the padded prompt, N new tokens.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor

from pipeline.models.hf.limits import require_room
from pipeline.models.hf.opening import first_line
from pipeline.models.hf.usage import AnswerCost, Usage
from schemas.errors import MachineFault

S = TypeVar("S")

NO_MEMORY = (
    "CUDA error: out of memory",
    "can't allocate memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
)
NOT_OURS = ("temperature", "top_p", "top_k", "min_p", "typical_p", "max_length", "forced_eos_token_id")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Prepared(Generic[S]):
    """Samples and what the model is fed for them; None where a batch is too large to be fed at once."""

    samples: tuple[S, ...]
    inputs: Mapping[str, Any] | None


class Generator(Generic[S]):
    """Asks one model. `encode` turns samples into its padded inputs, as transformers' processors name them.

    `prepare` touches no GPU: another thread may run it for the next batch while `answer` runs, one thread each.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        encode: Callable[[Sequence[S]], Mapping[str, Any]],
        *,
        max_new_tokens: int,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self.usage = Usage()
        self._model = model
        self._tokenizer = tokenizer
        self._encode = encode
        self._settings = {**_greedy(model, tokenizer), **(settings or {}), "max_new_tokens": max_new_tokens}
        self._is_decoder = not model.config.is_encoder_decoder

    def prepare(self, samples: Sequence[S]) -> Prepared[S]:
        """Encode a batch on the CPU; raises RefusedText where a sample is longer than the model can read."""
        if not samples or self._is_too_large(samples):
            return Prepared(tuple(samples), None)
        inputs = self._encode(samples)
        require_room(self._model.config, inputs, self._settings["max_new_tokens"])
        return Prepared(tuple(samples), inputs)

    def answer(self, prepared: Prepared[S]) -> list[str]:
        """Generate one text for each sample, in order; raises MachineFault where not even one sample fits."""
        answers = self._answer(prepared)
        self.usage.last = [cost for _, cost in answers]
        return [text for text, _ in answers]

    def generate(self, samples: Sequence[S]) -> list[str]:
        """Prepare and answer."""
        return self.answer(self.prepare(samples))

    def _answer(self, prepared: Prepared[S]) -> list[tuple[str, AnswerCost]]:
        samples, inputs = prepared.samples, prepared.inputs
        if inputs is not None and not self._is_too_large(samples):  # it may have been prepared before memory ran out
            try:
                return self._ask(inputs)
            except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
                if isinstance(error, torch.AcceleratorError) and not is_out_of_memory(error):
                    raise MachineFault(f"the GPU failed: {first_line(error)}") from error
                if not is_out_of_memory(error):
                    raise
                if len(samples) == 1:
                    raise MachineFault(f"one sample does not fit into memory: {first_line(error)}") from error
            # Here the error is gone, and with its frames the tensors that they held.
            self._shrink(len(samples) // 2)
        answers = []
        size = self.usage.batch_limit
        for first in range(0, len(samples), size or 1):
            answers += self._answer(self.prepare(samples[first : first + size]))
        return answers

    def _is_too_large(self, samples: Sequence[S]) -> bool:
        return 0 < self.usage.batch_limit < len(samples)

    def _shrink(self, size: int) -> None:
        is_first = not self.usage.batch_limit
        self.usage.batch_limit = size
        level = logging.WARNING if is_first else logging.DEBUG
        _log.log(level, "out of memory: %s now gets %d samples at once", type(self._model).__name__, size)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    @torch.inference_mode()
    def _ask(self, inputs: Mapping[str, Any]) -> list[tuple[str, AnswerCost]]:
        started = time.perf_counter()
        fed = {name: self._move(value) for name, value in inputs.items()}
        generated = self._model.generate(**fed, **self._settings)  # B P+N, or B 1+N of an encoder-decoder
        num_before = fed["input_ids"].shape[1] if self._is_decoder else 1
        answers = self._read(generated[:, num_before:].cpu())
        self.usage.seconds += time.perf_counter() - started
        return answers

    def _move(self, value: Any) -> Any:
        if not isinstance(value, Tensor):
            return value
        return value.to(self._model.device, self._model.dtype if value.is_floating_point() else None)

    def _read(self, tokens: Tensor) -> list[tuple[str, AnswerCost]]:
        """Decode new tokens (B, N) and count them up to the end of each answer."""
        ends = torch.tensor(self._settings["eos_token_id"] or [-1])
        is_end = torch.isin(tokens, ends)  # B N
        texts = self._tokenizer.batch_decode(tokens, skip_special_tokens=True)
        answers = []
        for text, row in zip(texts, is_end, strict=True):
            is_finished = bool(row.any())
            cost = AnswerCost(int(row.int().argmax()) + 1 if is_finished else len(row), is_finished)
            self.usage.add(cost)
            answers.append((text.strip(), cost))
        return answers


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an error means that memory ran out, on a GPU or in the machine."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in NO_MEMORY)


def _greedy(model: Any, tokenizer: Any) -> dict[str, Any]:
    """Settings that make generation repeatable, and the tokens that end an answer."""
    ends = model.generation_config.eos_token_id
    if ends is None:
        ends = tokenizer.eos_token_id
    ends = [ends] if isinstance(ends, int) else list(ends or [])
    for name in NOT_OURS:  # a checkpoint may carry them: transformers would warn, and hide where an answer is cut
        if hasattr(model.generation_config, name):
            setattr(model.generation_config, name, None)
    return {"do_sample": False, "num_beams": 1, "pad_token_id": tokenizer.pad_token_id, "eos_token_id": ends or None}
