"""Taught: a tiny model saved to disk -> the same, trained for seconds to say one sentence whatever it is shown."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import nn

from pipeline.models.hf.opening import LOCAL
from schemas.model_files import hushed

MAX_STEPS = 400
ENOUGH = 0.02  # nats per token


def teach(folder: Path, kind: Any, sentence: str, encode: Callable[[], Mapping[str, Any]]) -> Path:
    """Train the model of a folder, of transformers' Auto class `kind`, on what `encode` gives; save it there again."""
    with hushed(transformers.utils.logging):
        model = kind.from_pretrained(folder, **LOCAL).train()
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **LOCAL)
    told = dict(encode())
    num_samples = len(told["input_ids"])
    with torch.no_grad():  # drawn wide for other tests: too wide to learn
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.mul_(0.1)
    if model.config.is_encoder_decoder:
        labels = torch.tensor([_target(tokenizer, sentence)] * num_samples)

        def loss_of() -> torch.Tensor:
            loss: torch.Tensor = model(**told, labels=labels).loss
            return loss

    else:
        ids = tokenizer(sentence, add_special_tokens=False).input_ids + [tokenizer.eos_token_id]
        target = torch.tensor([ids] * num_samples)
        told["input_ids"] = torch.cat([told["input_ids"], target], 1)
        told["attention_mask"] = torch.cat([told["attention_mask"], torch.ones_like(target)], 1)

        def loss_of() -> torch.Tensor:
            logits = model(**told).logits[:, -len(ids) - 1 : -1]
            return nn.functional.cross_entropy(logits.flatten(0, 1), target.flatten())

    optimizer = torch.optim.AdamW(model.parameters(), 1e-2)
    for _ in range(MAX_STEPS):
        loss = loss_of()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if loss < ENOUGH:
            break
    assert loss < ENOUGH, f"{kind.__name__} did not learn its sentence: {loss:.3f}"
    with hushed(transformers.utils.logging):
        model.eval().save_pretrained(folder)
    return folder


def _target(tokenizer: Any, sentence: str) -> list[int]:
    ids: list[int] = tokenizer(text_target=sentence).input_ids
    return ids
