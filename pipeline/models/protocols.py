"""What a stage asks of a model: one Protocol per ability.

Shapes: H height, W width, D distinct frames; 3 = RGB, 4 = straight RGBA, uint8 unless said otherwise.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from schemas.clip import Clip
from schemas.text import TextBox


class Model(Protocol):
    """What all models have in common: a name with revision for the rows, and a digest for the fingerprint."""

    @property
    def identity(self) -> str:
        """Name and revision, as written into every row this model answers, such as `rapidocr/3.10.0`."""


class TextReader(Model, Protocol):
    def read(self, image: NDArray[np.uint8]) -> list[TextBox]:
        """Find and recognise text in one RGB image (H, W, 3)."""


class Inpainter(Model, Protocol):
    def inpaint(self, image: NDArray[np.uint8], mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
        """Return the RGB image (H, W, 3) with the pixels of the mask (H, W) invented from what surrounds them."""


class ImageCaptioner(Model, Protocol):
    """Images are straight-alpha (H, W, 4). `prepare` may run in one other thread while captions are written."""

    def prepare(self, images: Sequence[NDArray[np.uint8]], labels: Sequence[str | None]) -> Any:
        """Do what can be done before the model is free."""

    def caption_prepared(self, prepared: Any) -> list[str]:
        """Say in English what each image shows."""


class VideoCaptioner(Model, Protocol):
    """`prepare` may run in one other thread while captions are written; it holds one clip decoded at a time."""

    def prepare(self, clips: Iterable[Clip], labels: Sequence[str | None]) -> Any:
        """Do what can be done before the model is free."""

    def caption_prepared(self, prepared: Any) -> list[str]:
        """Say in English what happens in each clip."""


class Summarizer(Model, Protocol):
    def summarize(self, captions: Sequence[Sequence[str]], max_tokens: int) -> list[str]:
        """Merge each sample's captions into one English sentence or two of at most `max_tokens` tokens."""


class Translator(Model, Protocol):
    def translate(self, texts: Sequence[str]) -> list[str]:
        """Translate each English text to simplified Chinese; raises RefusedText for one it cannot translate."""
