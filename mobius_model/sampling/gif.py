"""GIF: the frames of a clip -> an animated file, by its suffix: GIF, WebP, APNG, MP4, or a folder of PNGs.

Shapes: F frames, H W height and width.
"""

import io
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import imageio.v3 as iio
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mobius_model.sampling.palette import make_palette, to_indices
from schemas.errors import UserError
from schemas.folders import folder_written_aside
from schemas.storage import written_aside

Frames = NDArray[np.uint8]  # F H W 3

MAX_COLOURS = 255  # one number more means "as before"
MIN_DELAY_CS = 2  # browsers play shorter delays as 10 cs
MAX_GIF_CS = 65535
FRAME_NAME = "frame-{:04d}.png"


@dataclass(frozen=True)
class Playback:
    """How frames are shown: fps; loop count as the format writes it (0: forever); whether few colours are dithered."""

    fps: float
    loop: int = 0
    dither: bool = False


def write_gif(path: Path, frames: Frames, *, fps: float, dither: bool = False, loop: int = 0) -> None:
    """Write frames, uint8 (F, H, W, 3), as a GIF with one palette for the clip.

    Delays are whole centiseconds with the rounding error carried on, so the clip lasts as long as it should; above
    50 fps frames are left out, since no delay below 2 cs is played as written. loop: 0 is forever.
    Raises ValueError for frames of another shape or type, fps that is not positive, a clip above 655 s.
    """
    _write(path, encode_gif(_checked(frames, fps), Playback(fps, loop, dither)))


def write_animation(path: Path, frames: Frames, *, fps: float, dither: bool = False, loop: int = 0) -> None:
    """Write frames, uint8 (F, H, W, 3), as the suffix says: .gif .webp .png .apng .mp4, or none: a folder of PNGs.

    WebP and PNG are lossless; MP4 gets even sides and no loop count. What has the name already is replaced.
    Raises UserError for another suffix, and for a folder that holds anything but frames; ValueError as write_gif.
    """
    check_target(path)
    playback = Playback(fps, loop, dither)
    frames = _checked(frames, fps)
    if path.suffix:
        _write(path, ENCODERS[path.suffix.lower()](frames, playback))
    else:
        _write_folder(path, frames)


def check_target(path: Path) -> None:
    """Raise UserError for a path that write_animation cannot write to, before anything is computed."""
    if path.suffix and path.suffix.lower() not in ENCODERS:
        known = ", ".join(ENCODERS)
        raise UserError(f"{path}: suffix {path.suffix!r}, expected {known}, or none for a folder of PNG frames")
    existing = next(folder for folder in path.absolute().parents if folder.exists())
    if not (existing.is_dir() and os.access(existing, os.W_OK)):
        raise UserError(f"{path}: {existing} cannot be written, expected a folder that can")
    if path.suffix and path.is_dir():
        raise UserError(f"{path}: a folder, expected a file")
    if not path.suffix and path.exists():
        strange = None if path.is_dir() else path
        for found in path.iterdir() if path.is_dir() else ():
            strange = strange or (None if found.match("frame-[0-9]*.png") else found)
        if strange is not None:
            raise UserError(f"{strange}: expected {path} to be new, or a folder of frame-*.png and nothing else")


def plan_frames(num_frames: int, fps: float, *, ticks: int, min_delay: int = 1) -> list[tuple[int, int]]:
    """Return which frames are shown and for how many ticks each (`ticks` per second).

    Every frame ends at the tick nearest to its true end (down where two are as near), so errors never add up. A
    frame that would show for less than `min_delay` gives way.
    """
    most = ticks // min_delay
    shown = Fraction(fps)
    indices = list(range(num_frames))
    if shown > most:
        num_shown = max(1, round(num_frames * most / shown))
        indices, shown = [int(number * shown / most) for number in range(num_shown)], Fraction(most)
    ends = [math.ceil(Fraction(ticks * (number + 1)) / shown - Fraction(1, 2)) for number in range(len(indices))]
    return [(index, end - start) for index, end, start in zip(indices, ends, [0, *ends], strict=False)]


def encode_gif(frames: Frames, playback: Playback) -> bytes:
    """Encode as GIF89a: one global palette, no local ones; unchanged pixels are left as they were."""
    plan = plan_frames(len(frames), playback.fps, ticks=100, min_delay=MIN_DELAY_CS)
    if sum(delay for _, delay in plan) > MAX_GIF_CS:
        raise ValueError(f"fps = {playback.fps}: {len(frames)} frames last longer than a GIF's {MAX_GIF_CS} cs")
    shown = frames[[index for index, _ in plan]]
    palette = make_palette(shown, max_colours=MAX_COLOURS)
    unchanged = len(palette)
    colours = [*palette.flatten().tolist(), *_absent_colour(palette)]
    images = []
    for indices in to_indices(shown, palette, dither=playback.dither):
        image = Image.fromarray(indices)
        image.putpalette(colours)  # makes it mode P
        images.append(image)
    return _saved(
        images,
        "GIF",
        duration=[10 * delay for _, delay in plan],
        loop=playback.loop,
        palette=bytes(colours),
        transparency=unchanged,
        optimize=True,  # lets Pillow write unchanged pixels as transparent
        disposal=1,
    )


def encode_webp(frames: Frames, playback: Playback) -> bytes:
    """Encode as lossless animated WebP."""
    plan = plan_frames(len(frames), playback.fps, ticks=1000)
    images = [Image.fromarray(frames[index]) for index, _ in plan]
    return _saved(images, "WEBP", duration=[delay for _, delay in plan], loop=playback.loop, lossless=True, method=4)


def encode_apng(frames: Frames, playback: Playback) -> bytes:
    """Encode as APNG (a plain PNG for one frame)."""
    plan = plan_frames(len(frames), playback.fps, ticks=1000)
    images = [Image.fromarray(frames[index]) for index, _ in plan]
    return _saved(images, "PNG", duration=[delay for _, delay in plan], loop=playback.loop)


def encode_mp4(frames: Frames, playback: Playback) -> bytes:
    """Encode as H.264 in MP4; odd sides get one more row or column, a copy of the last."""
    height, width = frames.shape[1:3]
    even = np.pad(frames, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    encoded: bytes = iio.imwrite(
        "<bytes>",
        even,
        extension=".mp4",
        plugin="pyav",
        codec="libx264",
        fps=playback.fps,
        out_pixel_format="yuv420p",
    )
    return encoded


ENCODERS: dict[str, Callable[[Frames, Playback], bytes]] = {
    ".gif": encode_gif,
    ".webp": encode_webp,
    ".png": encode_apng,
    ".apng": encode_apng,
    ".mp4": encode_mp4,
}


def _absent_colour(palette: NDArray[np.uint8]) -> tuple[int, int, int]:
    """Return a colour the palette does not have; Pillow tells entries apart by their colour."""
    taken = {tuple(colour) for colour in palette.tolist()}
    return next((grey, grey, grey) for grey in range(256) if (grey, grey, grey) not in taken)


def _saved(images: Sequence[Image.Image], format_name: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    images[0].save(buffer, format_name, save_all=True, append_images=images[1:], **options)
    return buffer.getvalue()


def _write(path: Path, encoded: bytes) -> None:
    with written_aside(path) as aside:
        aside.write_bytes(encoded)


def _write_folder(path: Path, frames: Frames) -> None:
    with folder_written_aside(path) as aside:
        for number, frame in enumerate(frames):
            Image.fromarray(frame).save(aside / FRAME_NAME.format(number), "PNG")


def _checked(frames: Frames, fps: float) -> Frames:
    if frames.ndim != 4 or frames.shape[-1] != 3 or frames.dtype != np.uint8 or not frames.size:
        raise ValueError(f"frames {frames.dtype} {frames.shape}: expected uint8 (F, H, W, 3)")
    if not (math.isfinite(fps) and fps > 0):
        raise ValueError(f"fps = {fps}: expected more than 0")
    return frames
