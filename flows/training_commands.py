"""Commands of the trainer: what a person types -> calls of the train flow and of mobius_model."""

import dataclasses
import os
from pathlib import Path
from typing import Annotated

import typer

from flows.local_prefect import use_local_prefect
from flows.printable import print_json

commands = typer.Typer()

Config = Annotated[Path, typer.Argument(help="TOML file, such as flows/configs/train-demo.toml", show_default=False)]
Overrides = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[SECTION.KEY=VALUE]...", help="Settings that replace those of the file", show_default=False
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of text")]


@commands.command()
def train(config: Config, overrides: Overrides = None, as_json: Json = False) -> None:
    """Train one stage on a curated dataset root: t2i from scratch, then t2v from its model.

    Run the same command again to go on after a stop: training continues at the newest checkpoint, to the bit.
    """
    from flows.load import read_config
    from mobius_model.training.config import TrainConfig

    loaded = read_config(TrainConfig, config, overrides or [])
    with use_local_prefect():
        from flows.train import run_train

        outcome = run_train(loaded)
    if as_json:
        print_json(outcome)
    else:
        typer.echo(f"model: {outcome['model']}   checkpoints, log and samples beside it")


@commands.command()
def precompute(
    config: Config,
    overrides: Overrides = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Frames per call of the VAE")] = 64,
) -> None:
    """Compute latents and text embeddings once; training on this root, base and size then uses them."""
    wait_without_spinning()
    from flows.load import read_config
    from flows.progress import stage_bars
    from mobius_model.base_model.opening import open_base
    from mobius_model.data.precompute import precompute as compute
    from mobius_model.training.config import TrainConfig
    from mobius_model.training.run import training_device

    loaded = read_config(TrainConfig, config, overrides or [])
    device = training_device(loaded)
    base = open_base(loaded.base, device=device)
    with stage_bars() as bars:
        move = bars.follow(f"latents {loaded.stage}", None)
        latents = compute(
            loaded.root_path,
            stage=loaded.stage,
            data=loaded.data,
            base=base,
            batch_size=batch_size,
            device=device,
            progress=lambda done, total: move(done, total=total),
        )
    typer.echo(f"{latents.manifest.num_samples:,} samples in {latents.folder}")


@commands.command()
def estimate(config: Config, overrides: Overrides = None, as_json: Json = False) -> None:
    """Tell what a step costs in every mode: weights, FLOP, saved activations, peak memory; needs no weights, no GPU."""
    from flows.load import read_config
    from flows.show_estimate import show_estimate
    from mobius_model.cost.estimate import estimate as count
    from mobius_model.training.config import TrainConfig

    counted = count(read_config(TrainConfig, config, overrides or []))
    if as_json:
        print_json(dataclasses.asdict(counted))
    else:
        show_estimate(counted)


@commands.command("init-base")
def init_base(
    folder: Annotated[Path, typer.Argument(help="Where to write; new or empty", show_default=False)],
    dataset: Annotated[Path, typer.Option(help="Dataset root whose captions make the vocabulary", show_default=False)],
    size: Annotated[int, typer.Option(help="Pixels of the square pictures to train on")] = 64,
    preset: Annotated[str, typer.Option(help="tiny")] = "tiny",
    seed: Annotated[int, typer.Option(help="Of the text encoder's random weights")] = 0,
) -> None:
    """Make a small, complete base (codec, text encoder, tokenizer, UNet config) for a machine without weights."""
    from mobius_model.base_model.init_base import init_base as write
    from mobius_model.data.vocabulary_captions import read_captions

    write(folder, captions=read_captions(dataset), size=size, preset=preset, seed=seed)
    typer.echo(f"base of size {size} in {folder}")


@commands.command()
def generate(
    model: Annotated[Path, typer.Argument(help="Model folder, such as OUTPUT/model", show_default=False)],
    prompts: Annotated[list[str], typer.Argument(metavar="PROMPT...", help="What to draw", show_default=False)],
    out: Annotated[
        Path, typer.Option(help=".gif .webp .png .mp4, or no suffix for a folder of PNG frames", show_default=False)
    ],
    num_frames: Annotated[int | None, typer.Option("--frames", help="If not given: as in training")] = None,
    fps: Annotated[
        float | None,
        typer.Option(help="Frames per second; if not given: as in training, 8 where that kept each clip's own"),
    ] = None,
    num_inference_steps: Annotated[int, typer.Option("--steps", help="Of the sampler")] = 50,
    guidance_scale: Annotated[float, typer.Option("--guidance", help="How much the prompt weighs; 1 = no more")] = 9.0,
    negative_prompt: Annotated[str, typer.Option("--negative", help="What not to draw")] = "",
    seed: Annotated[int, typer.Option(help="Same seed, same clip")] = 0,
    sampler: Annotated[str, typer.Option(help="ddim or dpm++")] = "ddim",
    dither: Annotated[bool, typer.Option("--dither", help="Mix the GIF's colours by dots")] = False,
    loop: Annotated[int, typer.Option(min=0, help="Loop count as the file format counts; 0 = forever")] = 0,
    batch_size: Annotated[int, typer.Option(min=1, help="Prompts drawn at a time")] = 1,
    device: Annotated[str | None, typer.Option(help="Such as cuda or cpu; else a GPU if there is one")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that exist")] = False,
) -> None:
    """Draw clips of prompts with a trained model; several prompts give out-1, out-2 and so on."""
    wait_without_spinning()
    from flows.progress import stage_bars
    from mobius_model.sampling.generate import generate as draw

    with stage_bars() as bars:
        move = bars.follow("generate", None)
        paths = draw(
            model,
            prompts,
            out=out,
            num_frames=num_frames,
            fps=fps,
            num_inference_steps=num_inference_steps,
            guidance_scale=guidance_scale,
            negative_prompt=negative_prompt,
            seed=seed,
            sampler=sampler,
            dither=dither,
            loop=loop,
            batch_size=batch_size,
            device=device,
            force=force,
            progress=lambda done, total: move(done, total=total),
        )
    for path in paths:
        typer.echo(path)


def wait_without_spinning() -> None:
    """Let threads of torch sleep while they wait: on a busy CPU spinning cost 6 x. Call it before torch is imported."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
