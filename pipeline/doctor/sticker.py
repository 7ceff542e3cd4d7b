"""Sticker: a drawn clip with burnt-in text, and what the earlier stages say of it, for a stage to be tried on.

The text stands on a ground of many colours and never moves: what is under it must be invented, so an inpainter works.
Shapes: D distinct frames, H height, W width; 4 = straight RGBA, uint8.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from pipeline.clean.clean import NO_TEXT
from pipeline.media.encode import encode_webp
from pipeline.media.limits import LimitsConfig
from pipeline.stages.probe import probe_media
from pipeline.stages.stage import StageInput
from schemas.answers import (
    Answer,
    ImageCaptionAnswer,
    SummaryAnswer,
    TextAnswer,
    TranslationAnswer,
    VideoCaptionAnswer,
)
from schemas.sample import Sample, sample_key
from schemas.text import TextPlace, TextTrack

SIDE, NUM_FRAMES, FRAME_MS = 240, 6, 120  # pixels, distinct frames, milliseconds
TEXT, TEXT_CENTRE, TEXT_HEIGHT = "HELLO", (120, 190), 48
TEXT_POLYGON = [41.5, 168.5, 197.5, 168.5, 197.5, 212.5, 41.5, 212.5]
DRAWN = "drawn"  # stands for the model of each earlier answer


def sticker_input() -> StageInput:
    """Return the drawn sticker with an answer of every stage, chosen for both training sets."""
    media = encode_webp(draw_sticker(), [FRAME_MS] * NUM_FRAMES)
    sample = Sample(
        key=sample_key("doctor", b"sticker"),
        source="doctor",
        path="sticker.webp",
        label="joy",
        extra="{}",
        media=media,
        size_bytes=len(media),
    )
    return StageInput(sample, _plain_answers(media), wants_video=True)


def draw_sticker() -> NDArray[np.uint8]:
    """Draw the frames (D, H, W, 4): a ball that crosses a shaded ground, above a word."""
    return np.stack([_draw_frame(number) for number in range(NUM_FRAMES)])


def _draw_frame(number: int) -> NDArray[np.uint8]:
    down, across = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    ground = np.stack([255 - 60 * down, 200 + 50 * across * down, 120 + 100 * across], axis=-1)  # H W 3
    picture = Image.fromarray(ground.astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    left = 20 + 28 * number
    draw.ellipse((left, 40, left + 60, 100), fill=(220, 40, 40), outline=(60, 10, 10), width=3)
    font = ImageFont.load_default(TEXT_HEIGHT)
    draw.text(TEXT_CENTRE, TEXT, font=font, fill="white", stroke_width=3, stroke_fill="black", anchor="mm")
    return np.asarray(picture.convert("RGBA"))


def _plain_answers(media: bytes) -> dict[str, Answer]:
    """Answer for every stage; captions are in the words of the embedded captioners, which every translator knows."""
    probe = probe_media(media, limits=LimitsConfig())
    place = TextPlace(first=0, last=NUM_FRAMES - 1, polygon=TEXT_POLYGON)
    track = TextTrack(TEXT, "en", 1.0, first_frame=0, last_frame=NUM_FRAMES - 1, places=[place])
    text = TextAnswer(text=TEXT, text_area=0.12, num_frames_read=NUM_FRAMES, tracks=[track], ocr_model=DRAWN)
    clean = replace(NO_TEXT, inpaint_model=DRAWN)
    return {
        "probe": probe,
        "text": text,
        "clean": clean,
        "image_caption": ImageCaptionAnswer('A medium square sticker tagged "joy": a beige scene with yellow.', DRAWN),
        "video_caption": VideoCaptionAnswer(
            "The picture changes, with changes over a fifth of the canvas, mostly at the top; "
            "6 pictures in 0.7 seconds.",
            DRAWN,
        ),
        "summary": SummaryAnswer(
            'A medium sticker tagged "joy": a beige scene with yellow. The picture changes, with changes over a fifth '
            "of the canvas, mostly at the top.",
            DRAWN,
        ),
        "translation": TranslationAnswer("中号方形贴图“joy”：米色画面，带黄色。", None, None, DRAWN),
    }
