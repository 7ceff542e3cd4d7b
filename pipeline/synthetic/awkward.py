"""Seed -> files as a real pile holds them: copies, stumps, stills, other formats, no picture at all."""

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from PIL import Image

from pipeline.synthetic.drawing import draw_sticker
from pipeline.synthetic.gif import encode_gif
from pipeline.synthetic.plan import COMMON_LABELS, RARE_LABELS, Plan, plan_labelled
from pipeline.synthetic.sticker import Sticker

FIRST_NUMBER = 1_000_000
"""Numbers from here on are for awkward stickers, so that none equals an ordinary one."""
NUM_DUPLICATES = 3
SHORT_LENGTHS = (3, 4, 3, 4)
LARGE_TEXTS = (("angry", "zh", "真的很\n生气啊"), ("surprised", "en", "NO\nWAY!"))
HTML_PAGE = b"""<!DOCTYPE html>
<html><head><title>404 Not Found</title></head>
<body><h1>Not Found</h1><p>The sticker you asked for has gone.</p></body></html>
"""


@dataclass(frozen=True, slots=True, eq=False)
class MediaFile:
    """One file to write: its name, its bytes, its label.

    sticker: what is drawn in it, None if nothing; has_truth: whether decoding gives that sticker's frames.
    """

    path: str
    media: bytes
    label: str
    sticker: Sticker | None
    has_truth: bool = False


def gif_file(sticker: Sticker) -> MediaFile:
    """Return the ordinary case: the GIF of a sticker, under its own name and label."""
    media = encode_gif(sticker.frames, sticker.delays_ms)
    return MediaFile(f"{sticker.name}.gif", media, sticker.label, sticker, has_truth=True)


def awkward_files(ordinary: Sequence[MediaFile], *, seed: int) -> Iterator[MediaFile]:
    """Yield every awkward file; the first three of `ordinary` come again under another label."""
    for file in ordinary[:NUM_DUPLICATES]:
        other = next(label for label in COMMON_LABELS if label != file.label)
        yield replace(file, path=f"again-{file.path}", label=other, has_truth=False)
    yield from _short(seed)
    yield from _rare(seed)
    yield from _large_text(seed)
    yield from _truncated(seed)
    yield from _other_formats(seed)
    yield MediaFile("gone.gif", HTML_PAGE, COMMON_LABELS[0], None)


def _plan(name: str, number: int, *, seed: int, has_text: bool = False, label: str | None = None) -> Plan:
    """Plan an awkward sticker that surely moves in every frame."""
    chosen = label or COMMON_LABELS[number % len(COMMON_LABELS)]
    plan = plan_labelled(chosen, FIRST_NUMBER + number, seed=seed, has_text=has_text)
    return replace(plan, name=name, motion="pulse", turns=1)


def _short(seed: int) -> Iterator[MediaFile]:
    """Clips of 3 or 4 frames."""
    for number, length in enumerate(SHORT_LENGTHS):
        plan = _plan(f"short-{number}", number, seed=seed)
        yield gif_file(draw_sticker(replace(plan, delays_ms=(100,) * length)))


def _rare(seed: int) -> Iterator[MediaFile]:
    """One sticker of every label that hardly occurs."""
    for number, label in enumerate(RARE_LABELS):
        yield gif_file(draw_sticker(_plan(f"rare-{label}", 10 + number, seed=seed, label=label)))


def _large_text(seed: int) -> Iterator[MediaFile]:
    """Stickers that are mostly lettering."""
    for number, (label, language, text) in enumerate(LARGE_TEXTS):
        plan = _plan(f"large-text-{number}", 20 + number, seed=seed, has_text=True, label=label)
        assert plan.lettering is not None, "planned with text"
        large = replace(plan.lettering, text=text, language=language, size=plan.height, place="over", mode="static")
        yield gif_file(draw_sticker(replace(plan, width=180, height=180, lettering=large)))


def _truncated(seed: int) -> Iterator[MediaFile]:
    """GIFs whose download broke off: one within the first frame, one half way."""
    for number, keep in enumerate((0.03, 0.5)):
        file = gif_file(draw_sticker(_plan(f"broken-{number}", 30 + number, seed=seed)))
        yield replace(file, media=file.media[: int(len(file.media) * keep)], has_truth=False)


def _other_formats(seed: int) -> Iterator[MediaFile]:
    """A still PNG, a GIF of one frame, an animated WebP and an APNG."""
    for number, (path, encode) in enumerate(ENCODERS.items()):
        sticker = draw_sticker(_plan(path.split(".")[0], 40 + number, seed=seed))
        yield MediaFile(path, encode(sticker), sticker.label, sticker)


def _still_png(sticker: Sticker) -> bytes:
    file = io.BytesIO()
    Image.fromarray(sticker.frames[0]).save(file, "PNG")
    return file.getvalue()


def _still_gif(sticker: Sticker) -> bytes:
    return encode_gif(sticker.frames[:1], sticker.delays_ms[:1])


def _moving_webp(sticker: Sticker) -> bytes:
    return _animated(sticker, "WEBP")


def _moving_png(sticker: Sticker) -> bytes:
    return _animated(sticker, "PNG")


def _animated(sticker: Sticker, format_name: str) -> bytes:
    first, *rest = [Image.fromarray(frame) for frame in sticker.frames]
    file = io.BytesIO()
    options = {"lossless": True} if format_name == "WEBP" else {}
    delays = list(sticker.delays_ms)
    first.save(file, format_name, save_all=True, append_images=rest, duration=delays, loop=0, **options)
    return file.getvalue()


ENCODERS: dict[str, Callable[[Sticker], bytes]] = {
    "still-0.png": _still_png,
    "still-1.gif": _still_gif,
    "moving-0.webp": _moving_webp,
    "moving-1.png": _moving_png,
}
