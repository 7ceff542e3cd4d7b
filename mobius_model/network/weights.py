"""Weights: a diffusers UNet3DConditionModel -> the 2D UNet inside it and the names its temporal layers have here."""

import re
from typing import Any

from diffusers import UNet2DConditionModel, UNet3DConditionModel
from torch import Tensor

TEMPORAL = (
    (re.compile(r"(down|up)_blocks\.(\d+)\.temp_convs\.(\d+)\."), r"temporal.\1_\2_\3.conv."),
    (re.compile(r"(down|up)_blocks\.(\d+)\.temp_attentions\.(\d+)\."), r"temporal.\1_\2_\3.attention."),
    (re.compile(r"mid_block\.temp_convs\.(\d+)\."), r"temporal.mid_\1.conv."),
    (re.compile(r"mid_block\.temp_attentions\.(\d+)\."), r"temporal.mid_\1.attention."),
    (re.compile(r"transformer_in\."), "transformer_in."),
)


def split_unet3d(unet: UNet3DConditionModel) -> tuple[dict[str, Any], dict[str, Tensor], dict[str, Tensor]]:
    """Return config and weights of the 2D UNet inside a 3D one, and its temporal weights under our names."""
    config = _config_2d(unet)
    shapes = {name: weight.shape for name, weight in UNet2DConditionModel.from_config(config).named_parameters()}
    spatial: dict[str, Tensor] = {}
    temporal: dict[str, Tensor] = {}
    for name, weight in unet.state_dict().items():
        ours = _temporal_name(name)
        if ours is not None:
            temporal[ours] = weight
        else:
            spatial[name] = weight.reshape(shapes[name])  # the middle block's projections are linear there, 1 x 1 here
    return config, spatial, temporal


def _temporal_name(name: str) -> str | None:
    for pattern, ours in TEMPORAL:
        if pattern.match(name):
            return pattern.sub(ours, name)
    return None


def _config_2d(unet: UNet3DConditionModel) -> dict[str, Any]:
    config = unet.config
    head_dims = config.attention_head_dim
    if isinstance(head_dims, int):
        head_dims = [head_dims] * len(config.block_out_channels)
    return {
        "sample_size": config.sample_size,
        "in_channels": config.in_channels,
        "out_channels": config.out_channels,
        "down_block_types": [name.replace("3D", "2D") for name in config.down_block_types],
        "up_block_types": [name.replace("3D", "2D") for name in config.up_block_types],
        "block_out_channels": list(config.block_out_channels),
        "layers_per_block": config.layers_per_block,
        "downsample_padding": config.downsample_padding,
        "mid_block_scale_factor": config.mid_block_scale_factor,
        "act_fn": config.act_fn,
        "norm_num_groups": config.norm_num_groups,
        "norm_eps": config.norm_eps,
        "cross_attention_dim": config.cross_attention_dim,
        # the 2D class calls the number of heads attention_head_dim, the 3D class means it
        "attention_head_dim": [
            channels // dim for channels, dim in zip(config.block_out_channels, head_dims, strict=True)
        ],
    }
