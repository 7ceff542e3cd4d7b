"""Image captions: straight-alpha images -> what each shows, by any model that takes a picture and words.

Shapes: H height, W width; 4 = straight RGBA, uint8.
"""

from collections.abc import Sequence

import numpy as np
import transformers
from numpy.typing import NDArray

from pipeline.models.hf.config import HfImageCaptionConfig
from pipeline.models.hf.generation import Generator, Prepared
from pipeline.models.hf.identity import find_model, identify_hf, row_identity
from pipeline.models.hf.opening import open_weights
from pipeline.models.hf.picture_reader import Asked, PictureReader, open_picture_reader
from pipeline.models.hf.pictures import over_white
from pipeline.models.hf.prompts import fill_label
from pipeline.models.hf.usage import Usage


class ImageTextCaptioner:
    """An ImageCaptioner, LLaVA or any other model of AutoModelForImageTextToText."""

    def __init__(self, config: HfImageCaptionConfig) -> None:
        folder = find_model(config)
        self.identity = row_identity(config)
        self._prompt = config.prompt
        model = open_weights(transformers.AutoModelForImageTextToText, folder, config)
        self._reader: PictureReader = open_picture_reader(folder, model.config)
        self._generator: Generator[Asked] = Generator(
            model, self._reader.tokenizer, self._reader.encode, max_new_tokens=config.max_new_tokens
        )

    @property
    def usage(self) -> Usage:
        """What was generated so far."""
        return self._generator.usage

    def caption_images(self, images: Sequence[NDArray[np.uint8]], labels: Sequence[str | None]) -> list[str]:
        """Say in English what each straight-alpha image (H, W, 4) shows, over white."""
        return self.caption_prepared(self.prepare(images, labels))

    def prepare(self, images: Sequence[NDArray[np.uint8]], labels: Sequence[str | None]) -> Prepared[Asked]:
        """Do what needs no GPU: one other thread may do it ahead."""
        asked = [
            Asked((over_white(image),), fill_label(self._prompt, label, self._reader.tokenizer))
            for image, label in zip(images, labels, strict=True)
        ]
        return self._generator.prepare(asked)

    def caption_prepared(self, prepared: Prepared[Asked]) -> list[str]:
        """Caption what `prepare` returned."""
        return self._generator.answer(prepared)


def open_hf_image_captioner(config: HfImageCaptionConfig) -> ImageTextCaptioner:
    """Load the model; one captioner serves one thread at a time. Raises UserError, MachineFault."""
    return ImageTextCaptioner(config)


def identify_hf_image_captioner(config: HfImageCaptionConfig) -> str:
    """Name everything that decides the captions, without opening the model. Raises UserError."""
    return identify_hf(config)
