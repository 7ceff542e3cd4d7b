"""Layout: a 2D UNet -> its layers and resamplers in the order they run, so that every mode walks the same list."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from diffusers import UNet2DConditionModel
from diffusers.models.downsampling import Downsample2D
from diffusers.models.resnet import ResnetBlock2D
from diffusers.models.transformers.transformer_2d import Transformer2DModel
from diffusers.models.upsampling import Upsample2D

DOWN_BLOCKS = ("CrossAttnDownBlock2D", "DownBlock2D")
MID_BLOCK = "UNetMidBlock2DCrossAttn"
UP_BLOCKS = ("CrossAttnUpBlock2D", "UpBlock2D")
WITHOUT = (
    "class_embed_type",
    "num_class_embeds",
    "addition_embed_type",
    "encoder_hid_dim",
    "encoder_hid_dim_type",
    "time_cond_proj_dim",
    "timestep_post_act",
)


@dataclass(frozen=True, slots=True)
class Layer:
    """One SC and the SA after it (paper, Table 1); SA is missing on the levels without attention.

    resnet takes `in_channels` and, in the up path, the `skip_channels` of a skip beside them.
    """

    name: str
    resnet: ResnetBlock2D
    attention: Transformer2DModel | None
    in_channels: int
    skip_channels: int
    out_channels: int
    pushes_skip: bool = False

    @property
    def pops_skip(self) -> bool:
        """True in the up path."""
        return self.skip_channels > 0


@dataclass(frozen=True, slots=True)
class Resampler:
    """A frozen sampler between two levels; going down, what it gives is a skip too."""

    name: str
    module: Downsample2D | Upsample2D
    channels: int

    @property
    def goes_down(self) -> bool:
        """True for the down path."""
        return isinstance(self.module, Downsample2D)

    @property
    def pushes_skip(self) -> bool:
        """True for the down path."""
        return self.goes_down


def walk(unet: UNet2DConditionModel) -> Iterator[Layer | Resampler]:
    """Yield what lies between conv_in and the output head, in order."""
    for number, block in enumerate(unet.down_blocks):
        yield from _down(f"down_{number}", block)
    yield from _mid(unet.mid_block)
    skips = list(_skip_channels(unet))
    for number, block in enumerate(unet.up_blocks):
        yield from _up(f"up_{number}", block, skips)


def check_supported(unet: UNet2DConditionModel) -> None:
    """Raise ValueError for a 2D UNet that is not made like Stable Diffusion's."""
    config = unet.config
    found = [config.mid_block_type, *config.down_block_types, *config.up_block_types]
    unknown = [name for name in found if name not in (MID_BLOCK, *DOWN_BLOCKS, *UP_BLOCKS)]
    if unknown:
        raise ValueError(f"2D UNet: block {unknown[0]}, expected {', '.join((*DOWN_BLOCKS, MID_BLOCK, *UP_BLOCKS))}")
    if config.center_input_sample:
        raise ValueError("2D UNet: center_input_sample = True, expected False")
    for key in WITHOUT:
        if config.get(key) is not None:
            raise ValueError(f"2D UNet: {key} = {config[key]!r}, expected none")


def _down(name: str, block: Any) -> Iterator[Layer | Resampler]:
    for number, (resnet, attention) in enumerate(_pairs(block)):
        yield Layer(f"{name}_{number}", resnet, attention, resnet.in_channels, 0, resnet.out_channels, pushes_skip=True)
    for sampler in block.downsamplers or ():
        yield Resampler(name, sampler, sampler.channels)


def _mid(block: Any) -> Iterator[Layer]:
    attentions = [*block.attentions, None]
    for number, (resnet, attention) in enumerate(zip(block.resnets, attentions, strict=True)):
        yield Layer(f"mid_{number}", resnet, attention, resnet.in_channels, 0, resnet.out_channels)


def _up(name: str, block: Any, skips: list[int]) -> Iterator[Layer | Resampler]:
    for number, (resnet, attention) in enumerate(_pairs(block)):
        skip = skips.pop()
        yield Layer(f"{name}_{number}", resnet, attention, resnet.in_channels - skip, skip, resnet.out_channels)
    for sampler in block.upsamplers or ():
        yield Resampler(name, sampler, sampler.channels)


def _pairs(block: Any) -> Iterator[tuple[ResnetBlock2D, Transformer2DModel | None]]:
    attentions = getattr(block, "attentions", [None] * len(block.resnets))
    return zip(block.resnets, attentions, strict=True)


def _skip_channels(unet: UNet2DConditionModel) -> Iterator[int]:
    """Yield the width of every skip in the order in which it is made."""
    yield unet.conv_in.out_channels
    for block in unet.down_blocks:
        for resnet in block.resnets:
            yield resnet.out_channels
        for sampler in block.downsamplers or ():
            yield sampler.out_channels
