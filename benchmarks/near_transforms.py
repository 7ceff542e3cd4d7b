"""Near transforms: frames and delays -> the same animation, as others present it. Drawn by seed."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Frames = NDArray[np.uint8]
Delays = list[int]
Draw = np.random.Generator
WORDS = ("LOL", "so happy", "why not?", "good morning", "OK", "see you soon", "no way!", "thank you")


def shift(frames: Frames, delays: Delays, draw: Draw) -> tuple[Frames, Delays]:
    start = int(draw.integers(0, len(frames)))
    return np.roll(frames, start, 0), delays[-start:] + delays[:-start] if start else delays


def faster(frames: Frames, delays: Delays, draw: Draw) -> tuple[Frames, Delays]:
    return frames, [max(20, each // 2) for each in delays]


def drop(frames: Frames, delays: Delays, draw: Draw) -> tuple[Frames, Delays]:
    """Every second frame is missing, if there are four."""
    if len(frames) < 4:
        return frames, delays
    return frames[::2], [sum(delays[place : place + 2]) for place in range(0, len(delays), 2)]


def mirror(frames: Frames, delays: Delays, draw: Draw) -> tuple[Frames, Delays]:
    return frames[:, :, ::-1], delays


def pad(frames: Frames, delays: Delays, draw: Draw) -> tuple[Frames, Delays]:
    """Transparent margins, on each side another."""
    height, width = frames.shape[1:3]
    top, bottom, left, right = (draw.uniform(0.03, 0.25, 4) * [height, height, width, width]).astype(int)
    return np.pad(frames, ((0, 0), (top, bottom), (left, right), (0, 0))), delays


def margin(frames: Frames, delays: Delays, draw: Draw) -> tuple[Frames, Delays]:
    """White ground, and a margin of any colour around."""
    size = max(2, round(0.1 * max(frames.shape[1:3])))
    framed = np.pad(over_white(frames), ((0, 0), (size, size), (size, size), (0, 0)))
    around = np.ones(framed.shape[1:3], bool)
    around[size:-size, size:-size] = False
    framed[:, around] = [*draw.integers(0, 256, 3), 255]
    return framed, delays


def caption_over(frames: Frames, delays: Delays, draw: Draw) -> tuple[Frames, Delays]:
    """White letters with a black rim over the upper or lower 22 percent of the picture."""
    frames = _readable(frames)
    height, width = frames.shape[1:3]
    high = int(height * 0.22)
    top = 0 if draw.random() < 0.5 else height - high
    return lay(frames, write_words(width, height, top, top + high, draw, (255, 255, 255))), delays


def caption_strip(frames: Frames, delays: Delays, draw: Draw) -> tuple[Frames, Delays]:
    """Letters in a strip added above or below, black on white or white on black."""
    frames = over_white(_readable(frames))
    height, width = frames.shape[1:3]
    high = height // 4 + 2
    is_above, is_dark = draw.random() < 0.5, draw.random() < 0.3
    longer = np.pad(frames, ((0, 0), (high, 0) if is_above else (0, high), (0, 0), (0, 0)), constant_values=255)
    top = 0 if is_above else height
    longer[:, top : top + high, :, :3] = 0 if is_dark else 255
    ink = (255, 255, 255) if is_dark else (0, 0, 0)
    return lay(longer, write_words(width, height + high, top, top + high, draw, ink, rim=False)), delays


def scale(frames: Frames, delays: Delays, draw: Draw) -> tuple[Frames, Delays]:
    """Large ones smaller, small ones larger; alpha on or off, as a GIF has it."""
    height, width = frames.shape[1:3]
    factor = draw.uniform(0.5, 0.9) if min(height, width) >= 48 else draw.uniform(1.5, 3)
    size = max(8, round(width * factor)), max(8, round(height * factor))
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    alpha = frames[..., 3:].astype(np.float32) / 255
    thick = np.concatenate([frames[..., :3] * alpha, alpha], -1)
    small = np.stack([cv2.resize(each, size, interpolation=how) for each in thick])
    colour = (small[..., :3] / np.maximum(small[..., 3:], 1e-3)).round().clip(0, 255)
    return with_alpha(colour.astype(np.uint8), small[..., 3] >= 0.5), delays


def palette(frames: Frames, delays: Delays, draw: Draw) -> tuple[Frames, Delays]:
    """24 colours for each frame, dithered."""
    shown = over_white(frames)[..., :3]
    few = [Image.fromarray(each).quantize(24, dither=Image.Dither.FLOYDSTEINBERG).convert("RGB") for each in shown]
    return with_alpha(np.stack([np.asarray(each) for each in few]), frames[..., 3] >= 128), delays


def jpeg(frames: Frames, delays: Delays, draw: Draw) -> tuple[Frames, Delays]:
    """Quality 40 on white."""
    written = []
    for each in over_white(frames)[..., 2::-1]:
        _, media = cv2.imencode(".jpg", np.ascontiguousarray(each), [cv2.IMWRITE_JPEG_QUALITY, 40])
        written.append(cv2.imdecode(media, cv2.IMREAD_COLOR)[..., ::-1])
    return with_alpha(np.stack(written), np.ones(frames.shape[:3], bool)), delays


def white(frames: Frames, delays: Delays, draw: Draw) -> tuple[Frames, Delays]:
    return over_white(frames), delays


def several(frames: Frames, delays: Delays, draw: Draw) -> tuple[Frames, Delays]:
    """Shift, mirror, scale, palette, margins; every second with a caption in a strip."""
    chosen = [shift, mirror, scale, palette, pad, *([caption_strip] if draw.random() < 0.5 else [])]
    for transform in chosen:
        frames, delays = transform(frames, delays, draw)
    return frames, delays


TRANSFORMS: dict[str, Callable[[Frames, Delays, Draw], tuple[Frames, Delays]]] = {
    "loop starts elsewhere": shift,
    "twice as fast": faster,
    "every second frame": drop,
    "mirrored": mirror,
    "transparent margins": pad,
    "coloured margin": margin,
    "caption over the picture": caption_over,
    "caption in a strip": caption_strip,
    "scaled": scale,
    "24 colours, dithered": palette,
    "JPEG, quality 40": jpeg,
    "on white": white,
    "five or six of these": several,
}


def over_white(frames: Frames) -> Frames:
    alpha = frames[..., 3:].astype(np.float32) / 255
    shown = (frames[..., :3] * alpha + 255 * (1 - alpha)).round().astype(np.uint8)
    return with_alpha(shown, np.ones(frames.shape[:3], bool))


def with_alpha(colour: Frames, is_seen: NDArray[np.bool_]) -> Frames:
    """Return straight RGBA, zero where nothing is seen."""
    return np.concatenate([colour, np.full((*colour.shape[:3], 1), 255, np.uint8)], -1) * is_seen[..., None]


def write_words(
    width: int, height: int, top: int, bottom: int, draw: Draw, ink: tuple[int, int, int], *, rim: bool = True
) -> Frames:
    """Return a transparent canvas (H, W, 4) with words in some of its rows."""
    image = Image.new("RGBA", (width, height))
    pen = ImageDraw.Draw(image)
    word = WORDS[int(draw.integers(len(WORDS)))]
    size = max(6, int((bottom - top) * 0.8))
    while size > 6 and pen.textlength(word, ImageFont.load_default(size)) > 0.96 * width:
        size -= 1
    stroke = max(1, size // 10) if rim else 0
    middle = (width / 2, (top + bottom) / 2)
    font = ImageFont.load_default(size)
    pen.text(middle, word, font=font, fill=ink, anchor="mm", stroke_width=stroke, stroke_fill=(0, 0, 0))
    return np.asarray(image)


def lay(frames: Frames, layer: Frames) -> Frames:
    """Lay one picture (H, W, 4) over all frames."""
    over, under = layer[..., 3:].astype(np.float32) / 255, frames[..., 3:].astype(np.float32) / 255
    alpha = over + under * (1 - over)
    colour = (layer[..., :3] * over + frames[..., :3] * under * (1 - over)) / np.maximum(alpha, 1e-6)
    return np.concatenate([colour.round(), (255 * alpha).round()], -1).astype(np.uint8)


def _readable(frames: Frames) -> Frames:
    """Enlarge the smallest four times, so that letters have room."""
    return frames if frames.shape[1] >= 24 else frames.repeat(4, axis=1).repeat(4, axis=2)
