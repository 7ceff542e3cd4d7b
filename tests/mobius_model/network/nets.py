"""Tiny real networks for tests: two levels, one with attention, as diffusers makes them."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from diffusers import UNet2DConditionModel, UNet3DConditionModel
from torch import Tensor, nn

CHANNELS = (16, 32)
TEXT_WIDTH = 12

SHARED: dict[str, Any] = {
    "sample_size": 8,
    "in_channels": 4,
    "out_channels": 4,
    "block_out_channels": CHANNELS,
    "layers_per_block": 2,
    "cross_attention_dim": TEXT_WIDTH,
    "attention_head_dim": 4,
    "norm_num_groups": 8,
}


def unet2d(**changes: Any) -> UNet2DConditionModel:
    """Return a 2D UNet with random weights, in eval mode."""
    torch.manual_seed(1)
    kinds = {
        "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
    }
    return UNet2DConditionModel(**{**SHARED, **kinds, **changes}).eval()


def unet3d() -> UNet3DConditionModel:
    """Return a 3D UNet whose temporal layers do something: none of their weights is zero."""
    torch.manual_seed(2)
    kinds = {
        "down_block_types": ("CrossAttnDownBlock3D", "DownBlock3D"),
        "up_block_types": ("UpBlock3D", "CrossAttnUpBlock3D"),
    }
    return awakened(UNet3DConditionModel(**SHARED, **kinds)).eval()


def awakened(model: nn.Module) -> Any:
    """Fill weights that start at zero with small noise."""
    torch.manual_seed(3)
    for weight in model.parameters():
        if not weight.any():
            nn.init.normal_(weight, std=0.05)
    return model


@contextmanager
def saved_beside(known: Iterable[Tensor]) -> Iterator[dict[int, int]]:
    """Collect storages handed over to the backward pass, address -> bytes, but for those of the known tensors."""
    own = {tensor.untyped_storage().data_ptr() for tensor in known}
    saved: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            saved[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        yield saved


def inputs(*, batch: int = 2, num_frames: int = 3, size: int = 8) -> tuple[Tensor, Tensor, Tensor]:
    """Return noisy latents (B, 4, F, size, size), one timestep per clip, and text (B, 5, TEXT_WIDTH)."""
    generator = torch.Generator().manual_seed(4)
    latents = torch.randn(batch, 4, num_frames, size, size, generator=generator)
    return latents, torch.arange(batch) * 371 + 5, torch.randn(batch, 5, TEXT_WIDTH, generator=generator)


def frame_by_frame(unet: UNet2DConditionModel, latents: Tensor, timesteps: Tensor, text: Tensor) -> Tensor:
    """Run a 2D UNet on every frame of the clips: B C F H W -> B C F H W."""
    batch, channels, num_frames, height, width = latents.shape
    frames = latents.transpose(1, 2).reshape(-1, channels, height, width)
    out = unet(frames, timesteps.repeat_interleave(num_frames), text.repeat_interleave(num_frames, 0)).sample
    return out.reshape(batch, num_frames, -1, height, width).transpose(1, 2)
