"""Clips with text drawn in code, and readers for tests."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from schemas.clip import Clip

SIZE = (160, 120)  # width, height
WORD = "HELLO"
FONT = ImageFont.load_default(26)

Draw = Callable[[ImageDraw.ImageDraw, int], None]


def draw_clip(num_frames: int, draw: Draw, *, background: tuple[int, int, int, int] = (235, 225, 200, 255)) -> Clip:
    """Draw each frame on a flat background; equal neighbours are the caller's to avoid."""
    frames = []
    for index in range(num_frames):
        image = Image.new("RGBA", SIZE, background)
        draw(ImageDraw.Draw(image), index)
        frames.append(np.asarray(image))
    return Clip(np.stack(frames), (1,) * num_frames, (100,) * num_frames)


def ball(pen: ImageDraw.ImageDraw, index: int) -> None:
    """A ball that moves along the lower edge, away from the text."""
    pen.ellipse((4 + 6 * index, 90, 24 + 6 * index, 110), fill=(200, 60, 40, 255))


def word(pen: ImageDraw.ImageDraw, left: int, top: int) -> None:
    pen.text((left, top), WORD, font=FONT, fill=(20, 20, 30, 255), stroke_width=2, stroke_fill=(255, 255, 255, 255))


def word_on(frames: Sequence[int], *, left: int = 30, top: int = 20) -> Draw:
    """The ball on every frame, the word on some of them."""

    def draw(pen: ImageDraw.ImageDraw, index: int) -> None:
        ball(pen, index)
        if index in frames:
            word(pen, left, top)

    return draw


def changed(one: Clip, other: Clip) -> NDArray[np.bool_]:
    """Return where two clips differ: (T, H, W)."""
    stored = [np.repeat(clip.frames, clip.run_lengths, axis=0) for clip in (one, other)]
    return np.asarray((stored[0] != stored[1]).any(axis=3), np.bool_)
