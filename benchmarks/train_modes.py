"""Training speed: a step of diffusers' own serial UNet against ours, serial and parallel with each engineering step.

    python -m benchmarks.train_modes                                     a small network, on a CPU in minutes
    python -m benchmarks.train_modes --preset paper --device cuda        SD 2.1's size, 256 x 256, 8 frames, batch 2
    python -m benchmarks.train_modes --only "parallel" "parallel, half"  some of the rows; the first row is always there

Everyone gets the same latents, noise, precision, attention kernels and optimizer (AdamW, fused). Every round builds,
warms up and times every row in turn; a row is the median of its rounds, a ratio the median of the rounds' ratios to
diffusers' serial. Seconds are those of the clock on a GPU, of the processor on a CPU. On a GPU `peak` is
torch.cuda.max_memory_allocated; without one it is counted on fake tensors (mobius_model/cost/counting.py), as the
resident memory of a process says little. `saved` is counted on every device.
"""

import argparse
import gc
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import nn

from benchmarks.peers import diffusers_checkpointed, diffusers_serial
from mobius_model.cost.counting import ClipShape, StepCount, count_step
from mobius_model.network.unet import MobiusUNet
from mobius_model.training.unets import lower_h

DTYPES = {"fp32": None, "bf16": torch.bfloat16}
ATTENTION_AT = {
    "down_block_types": ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
    "up_block_types": ("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
}


@dataclass(frozen=True, slots=True)
class Preset:
    """A 2D UNet and the clips it is trained on."""

    widths: tuple[int, ...]
    num_heads: tuple[int, ...]
    clips: ClipShape

    @property
    def unet2d(self) -> dict[str, Any]:
        return {
            **ATTENTION_AT,
            "sample_size": self.clips.latent_size,
            "in_channels": self.clips.latent_channels,
            "out_channels": self.clips.latent_channels,
            "block_out_channels": self.widths,
            "attention_head_dim": self.num_heads,
            "layers_per_block": 2,
            "norm_num_groups": 32,
            "cross_attention_dim": self.clips.text_width,
            "use_linear_projection": True,
        }


CLIPS = partial(ClipShape, batch_size=2, num_frames=8, latent_channels=4, num_tokens=77)
PRESETS = {
    "tiny": Preset((64, 128, 256, 256), (2, 4, 8, 8), CLIPS(latent_size=16, text_width=256)),
    "paper": Preset((320, 640, 1280, 1280), (5, 10, 20, 20), CLIPS(latent_size=32, text_width=1024)),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One way to train."""

    make: Callable[[dict[str, Any]], nn.Module] | None = None  # None: MobiusUNet with these options
    options: dict[str, Any] = field(default_factory=dict)
    recompute: str = "none"
    h_in_bf16: bool = False
    compiled: bool = False

    def build(self, unet2d: dict[str, Any]) -> nn.Module:
        if self.make is not None:
            return self.make(unet2d)
        model = MobiusUNet(unet2d, **self.options)
        model.set_recompute(self.recompute)
        return model


OWN = {"temporal_resampling": "own"}  # t's, which a frozen branch in bf16 has none for in float32
HALF = {**OWN, "temporal_width": 0.5}
QUARTER = {**OWN, "temporal_width": 0.25}
FIRST = "diffusers serial"
ROWS = {
    FIRST: Row(diffusers_serial),
    "diffusers serial, checkpointed": Row(diffusers_checkpointed),
    "our serial": Row(options={"mode": "serial"}),
    "parallel, text per frame": Row(options={"text_once_per_clip": False}),
    "parallel": Row(),
    "parallel, recompute cheap": Row(recompute="cheap"),
    "parallel, recompute attention": Row(recompute="attention"),
    "parallel, recompute all": Row(recompute="all"),
    "parallel, own samplers": Row(options=OWN),
    "parallel, own samplers, h in bf16": Row(options=OWN, h_in_bf16=True),
    "parallel, half": Row(options=HALF),
    "parallel, quarter": Row(options=QUARTER),
    "parallel, half, cheap, h in bf16": Row(options=HALF, recompute="cheap", h_in_bf16=True),
    "parallel, quarter, cheap, h in bf16": Row(options=QUARTER, recompute="cheap", h_in_bf16=True),
}
COMPILED = {
    "diffusers serial, compiled": Row(diffusers_serial, compiled=True),
    "parallel, compiled": Row(compiled=True),
    "parallel, half, cheap, h in bf16, compiled": Row(options=HALF, recompute="cheap", h_in_bf16=True, compiled=True),
}


@dataclass(frozen=True, slots=True)
class Measured:
    """One row in one round."""

    seconds: float
    peak_bytes: int | None  # on a GPU only


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", choices=PRESETS, default="tiny")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--precision", choices=DTYPES, default="fp32", help="of products, by autocast")
    parser.add_argument("--rounds", type=int, default=3, help="interleaved rounds, of which the median counts")
    parser.add_argument("--steps", type=int, default=3, help="steps timed per row and round")
    parser.add_argument("--warmup", type=int, default=1, help="steps before them")
    parser.add_argument("--compile", action="store_true", help="add rows under torch.compile")
    parser.add_argument("--only", nargs="*", metavar="ROW", help="these rows only")
    settings = parser.parse_args()
    rows = {**ROWS, **(COMPILED if settings.compile else {})}
    if settings.only is not None:
        rows = {FIRST: ROWS[FIRST], **{name: rows[name] for name in settings.only}}
    preset = PRESETS[settings.preset]
    measured: dict[str, list[Measured]] = {name: [] for name in rows}
    for number in range(settings.rounds):
        for name, row in rows.items():
            measured[name].append(measure(row, preset, settings))
            print(f"round {number + 1} {name:<44} {measured[name][-1].seconds:8.3f} s a step", flush=True)
    counts = {name: count(row, preset, settings.precision) for name, row in rows.items()}
    print_table(measured, counts, preset, settings)


# One row of one round.


def measure(row: Row, preset: Preset, settings: argparse.Namespace) -> Measured:
    device = torch.device(settings.device)
    torch.manual_seed(0)
    with device:
        model = row.build(preset.unet2d).train()
        batch = random_batch(preset.clips)
    if row.h_in_bf16:
        assert isinstance(model, MobiusUNet)
        lower_h(model, torch.bfloat16)
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, 1e-4, fused=True)
    network = torch.compile(model) if row.compiled else model
    step = partial(train_step, network, weights, optimizer, batch, settings)
    for _ in range(settings.warmup):
        step()
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    started = now(device)
    for _ in range(settings.steps):
        step()
    seconds = (now(device) - started) / settings.steps
    peak_bytes = torch.cuda.max_memory_allocated(device) if device.type == "cuda" else None
    del step, network, optimizer, weights, model, batch
    forget(device)
    return Measured(seconds, peak_bytes)


def train_step(
    network: Any,
    weights: list[nn.Parameter],
    optimizer: torch.optim.Optimizer,
    batch: tuple[torch.Tensor, ...],
    settings: argparse.Namespace,
) -> None:
    latents, timesteps, text, noise = batch
    dtype = DTYPES[settings.precision]
    with torch.autocast(latents.device.type, dtype or torch.bfloat16, enabled=dtype is not None):
        noise_pred = network(latents, timesteps, text).sample
    nn.functional.mse_loss(noise_pred.float(), noise).backward()
    nn.utils.clip_grad_norm_(weights, 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)


def random_batch(clips: ClipShape) -> tuple[torch.Tensor, ...]:
    """Return noisy latents, timesteps, text and noise, as the loader gives them once latents are precomputed."""
    latents = torch.randn(
        clips.batch_size, clips.latent_channels, clips.num_frames, clips.latent_size, clips.latent_size
    )
    text = torch.randn(clips.batch_size, clips.num_tokens, clips.text_width)
    return latents, torch.randint(0, 1000, (clips.batch_size,)), text, torch.randn_like(latents)


def now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        return time.perf_counter()
    return time.process_time()  # others on the machine change the clock, not this


def forget(device: torch.device) -> None:
    gc.collect()
    torch.compiler.reset()
    if device.type == "cuda":
        torch.cuda.empty_cache()


# The table.


def count(row: Row, preset: Preset, precision: str) -> StepCount:
    """Count a step; h in another precision saves nothing for the backward pass, so it changes the weights only."""
    return count_step(partial(row.build, preset.unet2d), preset.clips, autocast=DTYPES[precision])


def print_table(
    measured: dict[str, list[Measured]], counts: dict[str, StepCount], preset: Preset, settings: argparse.Namespace
) -> None:
    is_gpu = measured[FIRST][0].peak_bytes is not None
    machine = torch.cuda.get_device_name(settings.device) if is_gpu else f"{platform.machine()} CPU"
    print(f"\n{machine}, {torch.get_num_threads()} threads, torch {torch.__version__}, preset {settings.preset},")
    print(f"{settings.precision}, {settings.rounds} interleaved rounds of {settings.steps} steps\n")
    print(f"| | s a step (spread) | ratio | samples/s | peak, {'measured' if is_gpu else 'counted'} | ratio | saved |")
    print("|---|---|---|---|---|---|---|")
    first_peak = peak_bytes(measured[FIRST], counts[FIRST])
    for name, rounds in measured.items():
        seconds = [each.seconds for each in rounds]
        ratios = [each.seconds / first.seconds for each, first in zip(rounds, measured[FIRST], strict=True)]
        middle, peak = statistics.median(seconds), peak_bytes(rounds, counts[name])
        cells = (
            f"{middle:.3f} ({min(seconds):.3f} to {max(seconds):.3f})",
            f"{statistics.median(ratios):.2f}",
            f"{preset.clips.batch_size / middle:.2f}",
            f"{peak / 2**30:.2f} GiB",
            f"{peak / first_peak:.2f}",
            f"{counts[name].saved_bytes / 2**30:.2f} GiB",
        )
        print(f"| {name} | {' | '.join(cells)} |")


def peak_bytes(rounds: list[Measured], count: StepCount) -> int:
    """Return the measured peak, or weights, two moments per trained weight, and what a step has at most at once."""
    found = [each.peak_bytes for each in rounds if each.peak_bytes is not None]
    step_bytes = max(count.peak_bytes, count.gradient_bytes)
    return max(found, default=count.weight_bytes + 8 * count.trainable + step_bytes)


if __name__ == "__main__":
    main()
