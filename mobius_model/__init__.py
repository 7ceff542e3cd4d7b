"""The trainer: curated shards -> text-to-image, then text-to-video with the Mobius parallel UNet, then GIFs.

The three classes that a saved model folder is made of can be had from here by name; nothing heavy is imported
before one of them is asked for.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mobius_model.base_model.codec import SpaceToDepth
    from mobius_model.network.unet import MobiusUNet
    from mobius_model.sampling.sampler import MobiusPipeline

__all__ = ["MobiusPipeline", "MobiusUNet", "SpaceToDepth"]

_HOMES = {
    "MobiusPipeline": "mobius_model.sampling.sampler",
    "MobiusUNet": "mobius_model.network.unet",
    "SpaceToDepth": "mobius_model.base_model.codec",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
