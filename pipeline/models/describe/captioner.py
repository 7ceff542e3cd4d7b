"""Captioner: images and clips -> sentences of measured facts; no model, nothing invented."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.models.describe.facts import Caption
from pipeline.models.describe.grammar import render_english
from pipeline.models.describe.motion import measure_motion
from pipeline.models.describe.picture import measure_picture
from pipeline.models.describe.shortening import shorten
from pipeline.text_tokens import MAX_TEXT_TOKENS, count_tokens
from schemas.clip import Clip

IDENTITY = "embedded/describe-1"


class PictureDescriber:
    """An ImageCaptioner. The label stands in its captions only, as a summary joins the two.

    Captions are kept to the length of the text encoder by leaving out the facts that matter least.
    """

    identity = IDENTITY

    def prepare(
        self, images: Sequence[NDArray[np.uint8]], labels: Sequence[str | None]
    ) -> list[tuple[NDArray[np.uint8], str | None]]:
        """Put each image beside its label."""
        return list(zip(images, labels, strict=True))

    def caption_prepared(self, prepared: Sequence[tuple[NDArray[np.uint8], str | None]]) -> list[str]:
        """Say what is measured of each image (H, W, 4): size, figure, colours, place, background."""
        return [_render(Caption(picture=measure_picture(image, label))) for image, label in prepared]

    def caption_images(self, images: Sequence[NDArray[np.uint8]], labels: Sequence[str | None]) -> list[str]:
        """Say what is measured of each image."""
        return self.caption_prepared(self.prepare(images, labels))


class MotionDescriber:
    """A VideoCaptioner; captions are kept short as those of pictures are."""

    identity = IDENTITY

    def prepare(self, clips: Iterable[Clip], labels: Sequence[str | None]) -> list[Clip]:
        """Return the clips: all their frames are measured, so a batch is one clip."""
        return [clip for clip, _ in zip(clips, labels, strict=True)]

    def caption_prepared(self, prepared: Sequence[Clip]) -> list[str]:
        """Say what is measured of the motion in each clip, or that nothing moves."""
        return [_render(Caption(motion=measure_motion(clip))) for clip in prepared]

    def caption_clips(self, clips: Sequence[Clip], labels: Sequence[str | None]) -> list[str]:
        """Say what is measured of the motion in each clip."""
        return self.caption_prepared(self.prepare(clips, labels))


def _render(caption: Caption) -> str:
    return render_english(shorten(caption, lambda said: count_tokens(render_english(said)) <= MAX_TEXT_TOKENS))
