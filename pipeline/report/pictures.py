"""Pictures: the bytes of a sample -> files that the page shows: as found, still, cleaned, and the mask in colour.

Only files that the probe decoded are shown as found. Of what it refused, no byte gets near a browser.
"""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from pipeline.media.decode import decode_clip, decode_first_frame
from pipeline.media.encode import encode_webp
from pipeline.media.limits import TRUSTED
from pipeline.media.sniff import sniff_format
from schemas.errors import SampleError

SHOWN_AS_FOUND = {"gif": "gif", "png": "png", "webp": "webp", "jpeg": "jpg"}
MAX_FOUND_BYTES = 12 << 20  # a larger file is shown as its first frame alone
MAX_STILL_SIDE = 320  # pixels
STILL_QUALITY = 82
MASK_COLOUR = (214, 0, 122, 190)


@dataclass(frozen=True, slots=True)
class Pictures:
    """Names of files in the folder of media; None for what there is not."""

    found: str | None = None
    still: str | None = None
    cleaned: str | None = None
    mask: str | None = None


def write_pictures(
    folder: Path, key: str, media: bytes, *, cleaned: bytes | None = None, mask: bytes | None = None
) -> Pictures:
    """Write the files of one sample that passed the probe. What cannot be decoded any more is not shown."""
    try:
        first = decode_first_frame(media, limits=TRUSTED)
        found, kind = _as_found(media)
    except SampleError:
        return Pictures()
    still = Image.fromarray(first)
    still.thumbnail((MAX_STILL_SIDE, MAX_STILL_SIDE))
    return Pictures(
        found=_write(folder, f"{key}.{kind}", found) if len(found) <= MAX_FOUND_BYTES else None,
        still=_write(folder, f"{key}.still.webp", _encoded(still, "WEBP", quality=STILL_QUALITY)),
        cleaned=_write(folder, f"{key}.clean.webp", cleaned) if cleaned else None,
        mask=_write(folder, f"{key}.mask.png", _coloured(mask)) if mask else None,
    )


def _as_found(media: bytes) -> tuple[bytes, str]:
    """Return what a browser shows as a picture: the bytes themselves, or a clip of a video as animated WebP."""
    kind = sniff_format(media)
    if kind in SHOWN_AS_FOUND:
        return media, SHOWN_AS_FOUND[kind]
    clip = decode_clip(media, limits=TRUSTED)
    return encode_webp(clip.frames, clip.durations_ms), "webp"


def _coloured(mask: bytes) -> bytes:
    """Turn a mask of 0 and 255 into a see-through picture that is coloured where something was painted over."""
    with Image.open(io.BytesIO(mask), formats=["PNG"]) as image:
        is_masked = np.asarray(image.convert("L")) > 0
    coloured = np.zeros((*is_masked.shape, 4), np.uint8)
    coloured[is_masked] = MASK_COLOUR
    return _encoded(Image.fromarray(coloured), "PNG")


def _encoded(image: Image.Image, kind: str, **settings: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **settings)
    return buffer.getvalue()


def _write(folder: Path, name: str, content: bytes) -> str:
    (folder / name).write_bytes(content)
    return name
