"""Peers: the shape of a 2D UNet -> diffusers' own UNet3DConditionModel trained as our serial mode is."""

from functools import partial
from typing import Any

from diffusers import UNet3DConditionModel
from torch import nn
from torch.utils.checkpoint import checkpoint

TEMPORAL = ("transformer_in", "temp_convs", "temp_attentions")
CHECKPOINTED = ("resnets", "temp_convs", "attentions", "temp_attentions")


def diffusers_3d(unet2d: dict[str, Any]) -> UNet3DConditionModel:
    """Make diffusers' 3D UNet around a 2D UNet of this shape; everything is trained (our `full`)."""
    heads = unet2d["attention_head_dim"]  # of the 2D class: the number of heads per level
    dims = {width // count for width, count in zip(unet2d["block_out_channels"], heads, strict=True)}
    assert len(dims) == 1, "the 3D class knows one width of heads"
    return UNet3DConditionModel(
        sample_size=unet2d["sample_size"],
        in_channels=unet2d["in_channels"],
        out_channels=unet2d["out_channels"],
        down_block_types=[name.replace("2D", "3D") for name in unet2d["down_block_types"]],
        up_block_types=[name.replace("2D", "3D") for name in unet2d["up_block_types"]],
        block_out_channels=unet2d["block_out_channels"],
        layers_per_block=unet2d["layers_per_block"],
        cross_attention_dim=unet2d["cross_attention_dim"],
        norm_num_groups=unet2d["norm_num_groups"],
        attention_head_dim=dims.pop(),
    )


def diffusers_serial(unet2d: dict[str, Any]) -> UNet3DConditionModel:
    """Make the same with the 2D weights frozen (our `serial`)."""
    unet = diffusers_3d(unet2d)
    for name, weight in unet.named_parameters():
        weight.requires_grad_(any(part in TEMPORAL for part in name.split(".")))
    return unet


def diffusers_checkpointed(unet2d: dict[str, Any]) -> UNet3DConditionModel:
    """Make the serial one with every resnet, temporal convolution and transformer checkpointed on its own."""
    unet = diffusers_serial(unet2d)
    for name, module in unet.named_modules():
        group = name.rpartition(".")[0]
        is_listed = group.rpartition(".")[2] in CHECKPOINTED
        if name == "transformer_in" or is_listed:
            _checkpoint(module)
    return unet


def _checkpoint(module: nn.Module) -> None:
    module.forward = partial(checkpoint, module.forward, use_reentrant=False)
