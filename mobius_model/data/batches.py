"""Batches: what the trainer gets, either pixels or latents.

Shapes: B batch, F frames, C latent channels, H W latent height and width, S pixels, L tokens, D text width.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from torch import Tensor

from mobius_model.data.draws import Draw
from mobius_model.data.row_groups import RowGroupReader


@dataclass(frozen=True, slots=True)
class PixelBatch:
    """keys (B); pixels float32 (B, F, 3, S, S) in [-1, 1]; captions (B), "" where the caption was dropped."""

    keys: list[str]
    pixels: Tensor
    captions: list[str]


@dataclass(frozen=True, slots=True)
class LatentBatch:
    """keys (B); mean and std of scaled latents, float32 (B, C, F, H, W); encoder_hidden_states float32 (B, L, D)."""

    keys: list[str]
    mean: Tensor
    std: Tensor
    encoder_hidden_states: Tensor


Batch = PixelBatch | LatentBatch


class DrawnSample(NamedTuple):
    """Where a sample lies, and what chance decided about it."""

    row_group: int
    row: int
    draw: Draw


class Source(Protocol):
    """Where batches come from; goes to the loader's processes."""

    @property
    def reader(self) -> RowGroupReader: ...

    def batch(self, samples: Sequence[DrawnSample]) -> Batch: ...
