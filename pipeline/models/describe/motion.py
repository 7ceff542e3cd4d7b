"""Motion: a clip -> the facts a caption may state about what happens in it.

Shapes: D distinct frames, h w plate; lengths are fractions of the canvas, times milliseconds.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.models.describe.facts import (
    MAX_PICTURES,
    MAX_TENTHS,
    Blink,
    Length,
    Loop,
    Motion,
    Path,
    Pulse,
    Still,
    Stir,
    Subject,
)
from pipeline.models.describe.hues import find_hues
from pipeline.models.describe.picture import main_part
from pipeline.models.describe.plates import shrink_frames
from pipeline.models.describe.rhythm import find_rate, jumps_at_the_end, one_way_direction
from pipeline.models.describe.shifts import Shifts, find_shifts
from pipeline.models.describe.stir import find_stir
from pipeline.models.describe.tracks import Tracks, measure_tracks
from pipeline.models.describe.travel import Way, find_travel
from pipeline.models.describe.turning import find_turn
from schemas.clip import Clip

MAX_SMOOTH_STEP = 1.25  # last to first frame, against the larger steps inside the clip
MIN_JUMP_STEP = 2.5  # last to first frame, against the largest step inside the clip
MIN_GROWTH = 1.25  # largest against smallest area
MIN_BOX_GROWTH = 1.08  # largest against smallest box, both sides
MAX_SHAPE_CHANGE = 0.04  # of the overlap that a figure of the same shape and another size would have
MIN_SIDE_CORRELATION = 0.5  # of either side of the box with the area
MIN_FLASH = 18.0  # L* between the darkest and the brightest frame


def measure_motion(clip: Clip) -> Motion | Still:
    """Return what is true of the motion in a clip."""
    if not clip.is_animated:
        return Still()
    plates = shrink_frames(clip.frames)
    tracks = measure_tracks(plates)
    length = Length(min(MAX_PICTURES, len(plates)), min(MAX_TENTHS, round(sum(clip.durations_ms) / 100)))
    stir = find_stir(tracks.stirred)
    if tracks.ground.name is None or not tracks.shown.any():
        hues = find_hues(tracks, clip.durations_ms)
        blink = None if hues else _find_flash(tracks)
        rate = find_rate(tracks.lightness, clip.durations_ms) if blink else None
        loop = find_loop(tracks, None)
        return Motion(Subject.PICTURE, blink=blink, hues=hues, rate=rate, stir=stir, loop=loop, length=length)
    return _measure_figure(tracks, clip.durations_ms, stir, length)


def _measure_figure(tracks: Tracks, durations_ms: tuple[int, ...], stir: Stir | None, length: Length) -> Motion:
    shown = tracks.shown
    masks = _main_masks(tracks.masks[shown])
    shown_ms = [ms for ms, is_shown in zip(durations_ms, shown, strict=True) if is_shown]
    shifts = find_shifts(masks)
    way, rotation = find_travel(shifts, *masks.shape[1:]), find_turn(masks)
    pulse = find_pulse(masks, shifts) if shown.all() else None
    hues = find_hues(tracks, durations_ms)
    blink = find_blink(tracks, has_hues=hues is not None)
    is_told = pulse is not None or rotation is not None or not shown.all()
    if is_told and way is not None and way.travel.path is Path.RESHAPE:
        way = None
    rate = None  # of what is said first
    if way is not None and way.travel.path is not Path.NONE:
        rate = find_rate(way.signal, shown_ms)
    elif pulse is not None:
        rate = find_rate(shifts.growth, shown_ms)
    elif rotation is not None:
        rate = find_rate(rotation.signal, shown_ms)
    elif blink is not None:
        signal = tracks.lightness if blink is Blink.BRIGHTNESS else shown.astype(np.float64)
        rate = find_rate(signal, durations_ms)
    return Motion(
        Subject.FIGURE if main_part(masks[0]) is not None else Subject.GROUP,
        travel=way.travel if way else None,
        pulse=pulse,
        turn=rotation.turn if rotation else None,
        blink=blink,
        hues=hues,
        rate=rate,
        stir=stir,
        loop=find_loop(tracks, way),
        length=length,
    )


def _main_masks(masks: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The figure itself, without what flies around it (D, h, w), if every frame has one; else everything."""
    mains = [main_part(mask) for mask in masks]
    figures = [main for main in mains if main is not None]
    return np.stack(figures) if len(figures) == len(masks) else masks


def find_loop(tracks: Tracks, way: Way | None) -> Loop | None:
    """Compare the step from the last frame back to the first with the steps inside."""
    *inside, closing = tracks.steps
    if len(inside) < 2:
        return None
    if closing > MIN_JUMP_STEP * max(inside) or (
        way is not None and way.travel.path.is_way and jumps_at_the_end(way.signal)
    ):
        return Loop.JUMP
    return Loop.SMOOTH if closing <= MAX_SMOOTH_STEP * float(np.quantile(inside, 0.9)) else None


def find_pulse(masks: NDArray[np.bool_], shifts: Shifts) -> Pulse | None:
    """Return how the size of the figure (D, h, w) changes while its shape stays."""
    growth = shifts.growth
    if growth.min() == 0 or growth.max() < MIN_GROWTH * growth.min():
        return None
    scaled = np.minimum(growth, 1 / growth)
    if (2 * scaled / (1 + scaled) - shifts.overlap).max() > MAX_SHAPE_CHANGE:
        return None
    for side in (masks.any(axis=1).sum(axis=1), masks.any(axis=2).sum(axis=1)):
        if side.max() < MIN_BOX_GROWTH * side.min() or np.corrcoef(side, growth)[0, 1] < MIN_SIDE_CORRELATION:
            return None
    return {0: Pulse.BOTH, 1: Pulse.GROWS, -1: Pulse.SHRINKS}[one_way_direction(growth)]


def find_blink(tracks: Tracks, *, has_hues: bool) -> Blink | None:
    """Return whether the figure comes and goes, or its brightness changes while its colours stay."""
    if tracks.shown.all():
        return None if has_hues else _find_flash(tracks)
    turns = int(np.count_nonzero(np.diff(tracks.shown)))
    if turns > 1:
        return Blink.BOTH
    return Blink.APPEARS if tracks.shown[-1] else Blink.VANISHES


def _find_flash(tracks: Tracks) -> Blink | None:
    lightness = tracks.lightness[tracks.shown]
    return Blink.BRIGHTNESS if len(lightness) and float(np.ptp(lightness)) >= MIN_FLASH else None
