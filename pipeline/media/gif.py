"""Frames and delays -> a GIF of the same frames and delays, as far as GIF can say them (GIF89a specification).

What GIF cannot say: a pixel is opaque or not there (alpha below 128 goes), a frame paints at most 256 colours (255
where something is transparent), a delay is whole hundredths of a second. A frame paints only what has changed, so what
stands still costs nothing and never flickers, whatever became of its colours.

Shapes: T stored frames, D distinct frames, H height, W width, N pixels to paint, P colours; 4 = straight RGBA.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.media.canonical import LOWEST_VISIBLE, packed
from pipeline.media.few_colours import few_colours, red_green_blue
from schemas.clip import MIN_EFFECTIVE_DELAY_MS, Clip

NUM_COLOURS = 256
LOWEST_SHOWN = LOWEST_VISIBLE * 128  # as little-endian uint32, a pixel below this has alpha below 128
KEEP, CLEAR = 1, 2  # disposal: what a frame painted stays, or its rectangle is cleared before the next
CODE_BITS = 8
MIN_DELAY_CS = MIN_EFFECTIVE_DELAY_MS // 10
MAX_DELAY_CS = MAX_LOOPS = 65535
TRAILER = b"\x3b"

Canvas = NDArray[np.uint32]  # H W, little-endian RGBA; 0 where nothing is


@dataclass(slots=True)
class _GlobalPalette:
    """The colours that frames share, in the order of their coming; one that does not fit brings its own."""

    colours: NDArray[np.uint32] = field(default_factory=lambda: np.empty(0, np.uint32))

    def take_in(self, colours: NDArray[np.uint32]) -> bool:
        """Add what is missing if all of it fits."""
        missing = colours[~np.isin(colours, self.colours)]
        fits = len(self.colours) + len(missing) < NUM_COLOURS  # the last number means "transparent"
        if fits:
            self.colours = np.concatenate([self.colours, missing])
        return fits

    def places(self, colours: NDArray[np.uint32]) -> NDArray[np.intp]:
        """Return the numbers of colours that were taken in."""
        order = np.argsort(self.colours)
        return order[np.searchsorted(self.colours, colours, sorter=order)]


@dataclass(frozen=True, slots=True)
class _Rect:
    top: int
    left: int
    height: int
    width: int

    @property
    def area(self) -> tuple[slice, slice]:
        return slice(self.top, self.top + self.height), slice(self.left, self.left + self.width)


def encode_gif(clip: Clip, *, loop_count: int | None) -> bytes:
    """Encode a clip with all its stored frames; read back, those of at most 255 colours are equal to the bit.

    loop_count: 0 forever, n extra rounds, None: the file does not say.
    """
    stored = [number for number, length in enumerate(clip.run_lengths) for _ in range(length)]  # T
    has_holes = any(bool((packed(frame) < LOWEST_SHOWN).any()) for frame in clip.frames)
    palette = _GlobalPalette()
    blocks = []
    frame = _one_bit_alpha(clip.frames[0])
    canvas = np.zeros_like(frame)
    for number, after, delay_cs in zip(stored, [*stored[1:], stored[-1]], _delays_cs(clip.delays_ms), strict=True):
        next_frame = frame if after == number else _one_bit_alpha(clip.frames[after])
        painted = frame != canvas
        vanishing = (frame != 0) & (next_frame == 0)
        rect = _around(painted | vanishing)
        disposal = CLEAR if vanishing.any() else KEEP
        blocks.append(_frame_block(frame, painted, rect, palette, disposal, delay_cs, has_holes=has_holes))
        canvas = frame.copy()
        if disposal == CLEAR:
            canvas[rect.area] = 0
        frame = next_frame
    height, width = frame.shape
    table = _colour_table(np.pad(palette.colours, (0, NUM_COLOURS - len(palette.colours))))
    header = b"GIF89a" + struct.pack("<HHBBB", width, height, 0xF0 | _table_bits(table), NUM_COLOURS - 1, 0) + table
    return b"".join([header, _loop_block(loop_count), *blocks, TRAILER])


def _one_bit_alpha(frame: NDArray[np.uint8]) -> Canvas:
    """Return a frame as opaque colours, and 0 where it shows nothing."""
    pixels = packed(frame)
    return np.where(pixels >= LOWEST_SHOWN, pixels | np.uint32(0xFF000000), np.uint32(0))


def _delays_cs(delays_ms: Sequence[int]) -> Iterator[int]:
    """Yield delays in hundredths of a second; what rounding takes from one it gives to the next.

    Below 20 ms, which players show as 100 ms, stays below; 20 ms and more never falls below.
    """
    owed_ms = 0
    for delay_ms in delays_ms:
        if delay_ms < MIN_EFFECTIVE_DELAY_MS:
            yield delay_ms // 10
            continue
        delay_cs = min(max((delay_ms + owed_ms + 5) // 10, MIN_DELAY_CS), MAX_DELAY_CS)
        owed_ms = max(-5, min(delay_ms + owed_ms - 10 * delay_cs, 5))
        yield delay_cs


def _around(mask: NDArray[np.bool_]) -> _Rect:
    """Return the smallest rectangle with everything that is true in it; one pixel if nothing is."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return _Rect(0, 0, 1, 1)
    top, left = int(rows[0]), int(columns[0])
    return _Rect(top, left, int(rows[-1]) - top + 1, int(columns[-1]) - left + 1)


def _frame_block(
    frame: Canvas,
    painted: NDArray[np.bool_],
    rect: _Rect,
    palette: _GlobalPalette,
    disposal: int,
    delay_cs: int,
    *,
    has_holes: bool,
) -> bytes:
    """Encode the pixels to paint inside a rectangle; the others are transparent, so what is there stays."""
    wanted = painted[rect.area] & (frame[rect.area] != 0)
    is_transparent = has_holes or not bool(wanted.all())
    colours, numbers = few_colours(frame[rect.area][wanted], NUM_COLOURS - is_transparent)
    if palette.take_in(colours):
        places, table, transparent = palette.places(colours), b"", NUM_COLOURS - 1
    else:
        places, table, transparent = np.arange(len(colours)), _colour_table(colours), len(colours) % NUM_COLOURS
    indices = np.full(wanted.shape, transparent, np.uint8)
    indices[wanted] = places[numbers]
    flags = 0x80 | _table_bits(table) if table else 0
    return b"".join(
        [
            struct.pack("<4BHBB", 0x21, 0xF9, 4, disposal << 2 | is_transparent, delay_cs, transparent, 0),
            struct.pack("<B4HB", 0x2C, rect.left, rect.top, rect.width, rect.height, flags),
            table,
            bytes([CODE_BITS]),
            Image.fromarray(indices).tobytes("gif", "L", CODE_BITS, 0),
            b"\0",
        ]
    )


def _colour_table(colours: NDArray[np.uint32]) -> bytes:
    """Write colours as a table; GIF wants 2, 4, 8, ... 256 of them, and one more than there are if any is free."""
    size = 2
    while size < min(len(colours) + 1, NUM_COLOURS):
        size *= 2
    table = np.zeros((size, 3), np.uint8)
    table[: len(colours)] = red_green_blue(colours)
    return table.tobytes()


def _table_bits(table: bytes) -> int:
    """Return how the size of a table is written: n for 2 to the power of n + 1."""
    return (len(table) // 3).bit_length() - 2


def _loop_block(loop_count: int | None) -> bytes:
    if loop_count is None:
        return b""
    return b"\x21\xff\x0bNETSCAPE2.0" + struct.pack("<BBHB", 3, 1, min(loop_count, MAX_LOOPS), 0)
