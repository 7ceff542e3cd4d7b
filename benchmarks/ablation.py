"""Ablation: serial, full and parallel with its options, trained equally long, compared by held-out loss.

    python -m benchmarks.ablation sample     the sample corpus (MOBIUS_CORPUS, or ../shared/corpus)
    python -m benchmarks.ablation stickers   the demo's stickers, drawn on the spot

Clips of 8 frames at 8 frames a second; blocks of 2 x 2 pixels are the latents, the label is the text. For each seed one
2D UNet is trained on single frames; every variant starts from it, sees the same clips, timesteps and noise in the same
order, with one learning rate for all, and is then asked about the same held-out clips at the same timesteps with the
same noise. Losses are compared seed by seed. Copies of a clip are left out, so none is both held out and trained on.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import DDIMScheduler, UNet2DConditionModel
from einops import rearrange
from PIL import Image
from torch import Tensor, nn

from mobius_model.network.unet import MobiusUNet
from pipeline.media.decode import decode_clip
from pipeline.synthetic import write_stickers
from schemas.errors import SampleError

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = Path(os.environ.get("MOBIUS_CORPUS", ROOT.parent / "shared" / "corpus")) / "sample"

SIZE = 16  # pixels
NUM_FRAMES = 8
FRAME_MS = 125
TEXT_WIDTH = 32
NUM_TOKENS = 4
BATCH_SIZE = 4
LEARNING_RATE = 1e-3
HELD_OUT = 10  # one clip in so many
TIMESTEPS = tuple(range(60, 1000, 125))  # of the held-out loss

UNET: dict[str, Any] = {
    "sample_size": SIZE // 2,
    "in_channels": 12,
    "out_channels": 12,
    "down_block_types": ("CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
    "block_out_channels": (32, 64),
    "layers_per_block": 1,
    "cross_attention_dim": TEXT_WIDTH,
    "attention_head_dim": 4,
    "norm_num_groups": 8,
}

VARIANTS: dict[str, dict[str, Any]] = {
    "serial": {"mode": "serial"},
    "parallel": {},
    "deep fusion": {"fusion": "deep"},
    "frozen head": {"train_head": False},
    "with mixing": {"temporal_mixing": True},
    "neither residual": {"conv_residual": False, "attention_residual": False},
    "own resampling": {"temporal_resampling": "own"},
    "width 1/2": {"temporal_width": 0.5, "temporal_resampling": "own"},
    "full": {"mode": "full"},
    "with positions": {"temporal_positions": True},
    "TC without residual": {"conv_residual": False},
    "TA without residual": {"attention_residual": False},
    "pooling": {"temporal_resampling": "pool"},
    "width 1/4": {"temporal_width": 0.25, "temporal_resampling": "own"},
    "no dropout": {"temporal_dropout": 0.0},
}


@dataclass(frozen=True, slots=True)
class Clips:
    """frames: latents (N, 12, F, SIZE / 2, SIZE / 2) in [-1, 1]; text: (N, NUM_TOKENS, TEXT_WIDTH)."""

    frames: Tensor
    text: Tensor

    def split(self) -> tuple["Clips", "Clips"]:
        """Return the clips to train on and those held out."""
        held_out = torch.arange(len(self.frames)) % HELD_OUT == 0
        return self[~held_out], self[held_out]

    def __getitem__(self, chosen: Tensor) -> "Clips":
        return Clips(self.frames[chosen], self.text[chosen])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["sample", "stickers"])
    parser.add_argument("--first-steps", type=int, default=2000, help="of the 2D UNet, on single frames")
    parser.add_argument("--steps", type=int, default=400, help="of every variant")
    parser.add_argument("--learning-rate", type=float, default=LEARNING_RATE, help="of every variant")
    parser.add_argument("--seeds", type=int, default=3, help="how many")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--variants", nargs="*", default=list(VARIANTS), choices=list(VARIANTS), metavar="NAME")
    settings = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        train, held_out = read_clips(media_folder(settings.what, Path(folder))).split()
    print(f"{settings.what}: {len(train.frames)} clips, {len(held_out.frames)} held out, {settings.steps} steps")
    losses: dict[str, list[float]] = {name: [] for name in settings.variants}
    for seed in range(settings.first_seed, settings.first_seed + settings.seeds):
        unet = first_stage(train, steps=settings.first_steps, seed=seed)
        before = held_out_loss(MobiusUNet.from_unet2d(unet), held_out)
        print(f"seed {seed}: the 2D UNet alone {before:.4f}", flush=True)
        for name, loss in losses.items():
            started = time.perf_counter()
            loss.append(
                second_stage(
                    unet,
                    VARIANTS[name],
                    train,
                    held_out,
                    steps=settings.steps,
                    seed=seed,
                    learning_rate=settings.learning_rate,
                )
            )
            print(f"  {name:<28} {loss[-1]:.4f}   {time.perf_counter() - started:.0f} s", flush=True)
    print_table(losses)


def print_table(losses: dict[str, list[float]]) -> None:
    print("| variant | held-out loss, mean over seeds | against serial, seed by seed |\n|---|---|---|")
    for name, each in losses.items():
        ratios = [100 * (loss / other - 1) for loss, other in zip(each, losses.get("serial", each), strict=True)]
        low, middle, high = min(ratios), statistics.mean(ratios), max(ratios)
        print(f"| {name} | {statistics.mean(each):.4f} | {middle:+.1f} % ({low:+.1f} to {high:+.1f}) |")


# Training.


def first_stage(clips: Clips, *, steps: int, seed: int) -> UNet2DConditionModel:
    """Train a 2D UNet on single frames."""
    torch.manual_seed(seed)
    unet = UNet2DConditionModel(**UNET)
    optimizer = torch.optim.AdamW(unet.parameters(), LEARNING_RATE)
    generator = torch.Generator().manual_seed(seed)
    for step in range(steps):
        warm_up(optimizer, step, steps)
        chosen = torch.randint(len(clips.frames), (4 * BATCH_SIZE,), generator=generator)
        at = torch.randint(NUM_FRAMES, (len(chosen),), generator=generator)
        frames = clips.frames[chosen, :, at]
        noise, timesteps = draw(frames, generator)
        out = unet(SCHEDULE.add_noise(frames, noise, timesteps), timesteps, clips.text[chosen]).sample
        update(unet, optimizer, nn.functional.mse_loss(out, noise))
    return unet.eval()


def second_stage(
    unet: UNet2DConditionModel,
    options: dict[str, Any],
    clips: Clips,
    held_out: Clips,
    *,
    steps: int,
    seed: int,
    learning_rate: float = LEARNING_RATE,
) -> float:
    """Train one variant on clips and return its held-out loss."""
    torch.manual_seed(seed)
    model = MobiusUNet.from_unet2d(unet, **options).train()
    optimizer = torch.optim.AdamW([weight for _, weight in model.trainable_parameters()], learning_rate)
    generator = torch.Generator().manual_seed(1000 + seed)
    for step in range(steps):
        warm_up(optimizer, step, steps)
        batch = clips[torch.randint(len(clips.frames), (BATCH_SIZE,), generator=generator)]
        noise, timesteps = draw(batch.frames, generator)
        out = model(SCHEDULE.add_noise(batch.frames, noise, timesteps), timesteps, batch.text).sample
        update(model, optimizer, nn.functional.mse_loss(out, noise))
    return held_out_loss(model, held_out)


SCHEDULE = DDIMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False)


def draw(frames: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return noise for every frame and one timestep per clip."""
    return torch.randn(frames.shape, generator=generator), torch.randint(1000, (len(frames),), generator=generator)


def warm_up(optimizer: torch.optim.Optimizer, step: int, steps: int) -> None:
    """Rise over the first twentieth, then fall as a cosine to nothing."""
    rise = min(1.0, (step + 1) / (steps / 20))
    for group in optimizer.param_groups:
        group["lr"] = optimizer.defaults["lr"] * rise * (1 + np.cos(np.pi * step / steps)) / 2


def update(model: nn.Module, optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()


@torch.no_grad()
def held_out_loss(model: MobiusUNet, clips: Clips) -> float:
    model.eval()
    generator = torch.Generator().manual_seed(7)
    losses = []
    for timestep in TIMESTEPS:
        for batch in (clips[chosen] for chosen in torch.arange(len(clips.frames)).split(16)):
            noise, _ = draw(batch.frames, generator)
            timesteps = torch.full((len(noise),), timestep)
            out = model(SCHEDULE.add_noise(batch.frames, noise, timesteps), timesteps, batch.text).sample
            losses += (out - noise).square().mean((1, 2, 3, 4)).tolist()
    return statistics.mean(losses)


# Clips.


def media_folder(what: str, folder: Path) -> Path:
    if what == "sample":
        return SAMPLE
    write_stickers(folder, num=200, seed=0)
    return folder / "media"


def read_clips(folder: Path) -> Clips:
    """Read every animated file: 8 frames at 8 a second from the start, over white, SIZE x SIZE."""
    frames, labels, seen = [], [], set()
    for row in read_labels(folder):
        try:
            clip = decode_clip((folder / row["path"]).read_bytes())
        except SampleError:
            continue  # the awkward ones among the stickers
        is_copy = clip.frames.tobytes() in seen
        seen.add(clip.frames.tobytes())
        if clip.is_animated and not is_copy:  # a copy could be held out and trained on
            ends = np.cumsum(clip.durations_ms)
            moments = np.arange(NUM_FRAMES) * FRAME_MS % ends[-1]
            frames.append(np.stack([small(clip.frames[each]) for each in np.searchsorted(ends, moments, "right")], 1))
            labels.append(row["label"])
    names = sorted(set(labels))
    words = torch.randn(len(names), NUM_TOKENS, TEXT_WIDTH, generator=torch.Generator().manual_seed(5))
    return Clips(torch.from_numpy(np.stack(frames)), words[[names.index(label) for label in labels]])


def read_labels(folder: Path) -> Iterator[dict[str, Any]]:
    return map(json.loads, (folder / "labels.jsonl").read_text(encoding="utf-8").splitlines())


def small(frame: np.ndarray) -> np.ndarray:
    """Return one RGBA frame over white as float latents (12, SIZE / 2, SIZE / 2)."""
    picture = Image.fromarray(frame)
    white = Image.new("RGBA", picture.size, "white")
    white.alpha_composite(picture)
    pixels = np.asarray(white.convert("RGB").resize((SIZE, SIZE), Image.Resampling.BOX), np.float32) / 127.5 - 1
    return rearrange(pixels, "(h y) (w x) c -> (c y x) h w", y=2, x=2)


if __name__ == "__main__":
    main()
