"""LaMa: an RGB image and a mask -> the image with the mask painted by a network, from weights whose digest is known.

The weights are TorchScript, that is a program: none is loaded whose sha256 is neither given nor known here.

Shapes: H height, W width; 3 = RGB, uint8.
"""

import contextlib
import os
import threading
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from schemas.config import StrictConfig
from schemas.errors import MachineFault, UserError
from schemas.home_path import HomePath
from schemas.storage import file_sha256

Image = NDArray[np.uint8]
Mask = NDArray[np.bool_]

BIG_LAMA_SHA256 = "344c77bbcb158f17dd143070d1e789f38a66c04202311ae3a258ef66667a9ea9"
"""Of big-lama.pt, 205,669,692 bytes, as IOPaint publishes it (Sanster/models, release add_big_lama)."""

MODULO = 8  # pixels: the network halves three times
MARGIN = 8  # pixels of mirrored picture on each side at least, so that no hole ends where the picture does
SMALLEST_SIDE = 64  # pixels: below it the network's own borders are all it sees
OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")  # CUDA, CPU on Linux, CPU on Windows
NOT_INSTALLED = "LaMa is not installed: pip install 'mobius[lama]', then pip install --no-deps simple-lama-inpainting"

_ENVIRONMENT = threading.Lock()


class LamaConfig(StrictConfig):
    """Which weights paint, and where."""

    weights: HomePath  # big-lama.pt, or another TorchScript file of its kind
    sha256: str | None = Field(None, pattern="^[0-9a-f]{64}$")  # of the weights; not needed for big-lama.pt
    device: Literal["auto", "cpu", "cuda"] = "auto"
    max_side: int = Field(1024, ge=64, le=4096)  # pixels: what is larger is painted at that size and enlarged


class Lama:
    """An Inpainter; one serves one thread at a time."""

    def __init__(self, config: LamaConfig) -> None:
        self.identity = identify_lama(config)
        self._config = config
        self._model = _load(config)

    def inpaint(self, image: Image, mask: Mask) -> Image:
        """Fill the mask (H, W) of an RGB image (H, W, 3); if nothing is known, the image comes back as it was.

        Raises MachineFault where the device is out of memory.
        """
        if not mask.any() or mask.all():
            return image.copy()
        height, width = mask.shape
        scale = min(1.0, self._config.max_side / max(height, width))
        if scale == 1.0:
            return np.where(mask[..., None], self._paint(image, mask), image).astype(np.uint8)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        hole = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        painted = cv2.resize(self._paint(np.asarray(small, np.uint8), hole), (width, height))
        return np.where(mask[..., None], painted, image).astype(np.uint8)

    def _paint(self, image: Image, mask: Mask) -> Image:
        """Show the network a mirrored, wider picture without what the mask hides; return the part asked for."""
        shown, (top, left) = _pad(np.where(mask[..., None], np.uint8(0), image), mask)
        try:
            painted = self._model(*shown)
        except RuntimeError as error:  # TorchScript gives every error of its own this one class
            if not any(words in str(error) for words in OUT_OF_MEMORY):
                raise
            raise MachineFault(f"LaMa: out of memory on {image.shape[1]} x {image.shape[0]} pixels") from error
        height, width = mask.shape
        return np.asarray(painted, np.uint8)[top : top + height, left : left + width]


def open_lama(config: LamaConfig) -> Lama:
    """Check the weights, then load them.

    Raises UserError where they are missing or another file than they should be, or where the library is missing.
    """
    return Lama(config)


def identify_lama(config: LamaConfig) -> str:
    """Name and version of the library, and the weights; these are read to check them, not loaded. Raises UserError."""
    try:
        version = metadata.version("simple-lama-inpainting")
    except metadata.PackageNotFoundError as error:
        raise UserError(NOT_INSTALLED) from error
    return f"lama/{version} {_check_weights(config)[:12]}"


def _check_weights(config: LamaConfig) -> str:
    """Return the sha256 of the weights in hex; raises UserError unless it is the one given, or a known one."""
    path = config.weights
    if not path.is_file():
        raise UserError(f"lama.weights: {path} is not there, expected big-lama.pt, or another file and its lama.sha256")
    expected = config.sha256 or BIG_LAMA_SHA256
    found = _digest(path, path.stat().st_mtime_ns)
    if found != expected:
        whose = "lama.sha256" if config.sha256 else "big-lama.pt (any other file needs lama.sha256)"
        raise UserError(f"lama.weights: {path} has sha256 {found}, not {expected}, that of {whose}; it was not loaded")
    return found


@cache
def _digest(path: Path, mtime_ns: int) -> str:
    return file_sha256(path)


def _load(config: LamaConfig) -> Any:
    import torch

    try:
        from simple_lama_inpainting import SimpleLama
    except ImportError as error:
        raise UserError(f"{NOT_INSTALLED} ({error})") from error
    is_cuda = config.device == "cuda" or (config.device == "auto" and torch.cuda.is_available())
    with _weights_at(config.weights):
        try:
            return SimpleLama(device=torch.device("cuda" if is_cuda else "cpu"))
        except (RuntimeError, ValueError) as error:
            raise UserError(f"lama.weights: {config.weights} is no TorchScript file that loads: {error}") from error


@contextlib.contextmanager
def _weights_at(path: Path) -> Iterator[None]:
    """Name the weights to the library, which knows them by an environment variable and would download them else.

    The environment is the process's: two threads that open at once wait for each other.
    """
    with _ENVIRONMENT:
        before = os.environ.get("LAMA_MODEL")
        os.environ["LAMA_MODEL"] = str(path)
        try:
            yield
        finally:
            if before is None:
                del os.environ["LAMA_MODEL"]
            else:
                os.environ["LAMA_MODEL"] = before


def _pad(image: Image, mask: Mask) -> tuple[tuple[Image, Image], tuple[int, int]]:
    """Mirror an image (H, W, 3) and its mask (H, W) on all sides; return both and the padding above and to the left.

    The hole is mirrored with the picture, for what it hides must not be known in the margin either.
    """
    before, after = zip(*map(_margins, mask.shape), strict=True)
    widths = tuple(zip(before, after, strict=True))
    shown = np.pad(image, (*widths, (0, 0)), mode="symmetric")
    return (shown, np.pad(mask.astype(np.uint8) * 255, widths, mode="symmetric")), (before[0], before[1])


def _margins(length: int) -> tuple[int, int]:
    wanted = max(length + 2 * MARGIN, SMALLEST_SIDE)
    wanted = -(-wanted // MODULO) * MODULO
    before = (wanted - length) // 2
    return before, wanted - length - before
