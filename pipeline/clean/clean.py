"""Clean: a clip and the text found in it -> the clip without text, or the reason why it was left as it is.

Shapes: D distinct frames, H height, W width; 4 = straight RGBA, uint8.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pipeline.clean.config import CleanConfig
from pipeline.clean.fill import Filled, fill_masks
from pipeline.clean.flicker import measure_flicker
from pipeline.clean.gate import residual_text
from pipeline.clean.mask import box_masks, ink_masks, polygon_masks
from pipeline.clean.store import comes_back, store_frames
from pipeline.media.encode import encode_png_mask
from pipeline.models.protocols import Inpainter, TextReader
from schemas.answers import CleanAnswer, TextAnswer
from schemas.clip import Clip

Mask = NDArray[np.bool_]

NO_TEXT = CleanAnswer(
    clean_outcome="no_text",
    clean_reason=None,
    clean_media=None,
    clean_run_lengths=[],
    clean_mask=None,
    masked_pixels=0,
    recovered_pixels=0,
    flat_pixels=0,
    invented_pixels=0,
    residual_text="",
    flicker=0.0,
    inpaint_model="",
)


def clean_clip(
    clip: Clip, answer: TextAnswer, *, config: CleanConfig, reader: TextReader, inpainter: Inpainter
) -> CleanAnswer:
    """Paint out every track of the answer; what does not pass the gate is kept as it was.

    Two masks are tried: the strokes, which keep most of the picture, then whole polygons.
    Reasons: text_too_large | too_much_invented | residual_text | flicker | pixels_changed.
    """
    if not answer.tracks:
        return replace(NO_TEXT, inpaint_model=inpainter.identity)
    largest = polygon_masks(clip.frames, answer.tracks, growth=0.0).mean(axis=(1, 2)).max()
    if largest > config.max_text_area:
        return replace(
            NO_TEXT,
            clean_outcome="kept_original",
            clean_reason="text_too_large",
            inpaint_model=inpainter.identity,
        )
    ink = ink_masks(clip.frames, answer.tracks, dilation=config.dilation)
    tried = _try(clip, answer, ink, config=config, reader=reader, inpainter=inpainter)
    if tried.clean_reason in (None, "too_much_invented"):
        return tried
    wider = ink | box_masks(clip.frames, answer.tracks)
    return _try(clip, answer, wider, config=config, reader=reader, inpainter=inpainter)


def _try(
    clip: Clip,
    answer: TextAnswer,
    masks: Mask,
    *,
    config: CleanConfig,
    reader: TextReader,
    inpainter: Inpainter,
) -> CleanAnswer:
    """Clean with one set of masks (D, H, W) and put the result through the gate."""
    filled = fill_masks(
        clip.frames,
        masks,
        inpainter=inpainter,
        same_ring=config.same_ring,
        flat_tolerance=config.flat_tolerance,
    )
    attempt = _account(filled, masks, measure_flicker(filled.frames, masks, filled.invented), inpainter)
    if filled.invented.mean(axis=(1, 2)).max() > config.max_invented_area:
        return replace(attempt, clean_reason="too_much_invented")
    left = residual_text(filled.frames, clip.frames, answer.tracks, reader=reader, limit=config.max_frames_checked)
    if left:
        return replace(attempt, clean_reason="residual_text", residual_text=left)
    if attempt.flicker > config.max_flicker:
        return replace(attempt, clean_reason="flicker")
    stored = store_frames(filled.frames, clip)
    if not comes_back(stored, clip, filled.frames, masks):
        return replace(attempt, clean_reason="pixels_changed")
    return replace(
        attempt,
        clean_outcome="cleaned",
        clean_media=stored.media,
        clean_run_lengths=stored.run_lengths,
    )


def _account(filled: Filled, masks: Mask, flicker: float, inpainter: Inpainter) -> CleanAnswer:
    """Return the account of one attempt that no check has passed yet."""
    masked = int(masks.sum())
    return replace(
        NO_TEXT,
        clean_outcome="kept_original",
        clean_mask=encode_png_mask(np.asarray(masks.any(axis=0), np.bool_)),
        masked_pixels=masked,
        recovered_pixels=filled.recovered_pixels,
        flat_pixels=filled.flat_pixels,
        invented_pixels=masked - filled.recovered_pixels - filled.flat_pixels,
        flicker=round(flicker, 3),
        inpaint_model=inpainter.identity,
    )
