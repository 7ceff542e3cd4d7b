"""Counting: what a training step computes and keeps at Stable Diffusion 2.1's size, on fake tensors.

python -m benchmarks.counting
"""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from torch import nn

from benchmarks.peers import diffusers_3d, diffusers_checkpointed, diffusers_serial
from mobius_model.cost.counting import ClipShape, StepCount, count_step
from mobius_model.network.unet import MobiusUNet

GIB, TERA = 2**30, 10**12
SD_UNET: dict[str, Any] = {
    "sample_size": 32,
    "in_channels": 4,
    "out_channels": 4,
    "down_block_types": ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
    "up_block_types": ("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
    "block_out_channels": (320, 640, 1280, 1280),
    "layers_per_block": 2,
    "norm_num_groups": 32,
    "cross_attention_dim": 1024,
    "attention_head_dim": (5, 10, 20, 20),
    "use_linear_projection": True,
}
CLIPS = ClipShape(batch_size=2, num_frames=8, latent_channels=4, latent_size=32, num_tokens=77, text_width=1024)


def mobius(mode: Any, recompute: str = "none") -> MobiusUNet:
    model = MobiusUNet(SD_UNET, mode=mode)
    model.set_recompute(recompute)
    return model


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "full": partial(diffusers_3d, SD_UNET),
    "serial": partial(diffusers_serial, SD_UNET),
    "serial checkpointed": partial(diffusers_checkpointed, SD_UNET),
    "our serial": partial(mobius, "serial"),
    "parallel": partial(mobius, "parallel"),
    "parallel cheap": partial(mobius, "parallel", "cheap"),
    "parallel attention": partial(mobius, "parallel", "attention"),
    "parallel all": partial(mobius, "parallel", "all"),
}


@cache
def count(name: str) -> StepCount:
    """Count one step of a network of the table."""
    return count_step(NETWORKS[name], CLIPS)


def main() -> None:
    print("| network | saved for backward | forward TFLOP | backward TFLOP | both, against diffusers' serial |")
    print("|---|---|---|---|---|")
    serial = count("serial").forward.flop + count("serial").backward.flop
    for name in NETWORKS:
        step = count(name)
        each = [f"{part.flop / TERA:.2f} ({part.products / TERA:.2f})" for part in (step.forward, step.backward)]
        ratio = (step.forward.flop + step.backward.flop) / serial
        print(f"| {name} | {step.saved_bytes / GIB:.2f} GiB | {each[0]} | {each[1]} | {ratio:.2f} |", flush=True)


if __name__ == "__main__":
    main()
