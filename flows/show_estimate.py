"""Show estimate: what each mode costs -> a table on a terminal, one column per mode."""

from collections.abc import Callable

from rich.console import Console
from rich.table import Table

from mobius_model.cost.estimate import Estimate, ModeEstimate

ROWS: dict[str, Callable[[ModeEstimate], str]] = {
    "parameters": lambda mode: f"{mode.parameters:,}",
    "of these trained": lambda mode: f"{mode.trainable:,}",
    "saved activations": lambda mode: _gib(mode.saved_activation_bytes),
    "forward": lambda mode: _tera(mode.forward_flop),
    "backward": lambda mode: _tera(mode.backward_flop),
    "optimizer": lambda mode: _gib(mode.optimizer_bytes),
    "peak memory, about": lambda mode: _gib(mode.peak_bytes),
}


NOTE = "bf16 and fp16 are counted by the CPU's rules of autocast: bytes are somewhat low for a GPU."


def show_estimate(estimate: Estimate) -> None:
    """Print the table, and what had to be assumed."""
    console = Console()
    clip = estimate.shapes.clip
    table = Table(
        title=f"One step of {clip.batch_size} x {clip.num_frames} frames, latents "
        f"{clip.latent_channels} x {clip.latent_size} x {clip.latent_size}, {clip.num_tokens} tokens",
        title_justify="left",
        title_style="bold",
    )
    table.add_column("")
    for name in estimate.modes:
        table.add_column(name, justify="right")
    for label, cell in ROWS.items():
        table.add_row(label, *(cell(mode) for mode in estimate.modes.values()))
    console.print(table)
    for sentence in (NOTE, *estimate.shapes.assumed):
        console.print(sentence, markup=False, highlight=False, soft_wrap=True)


def _gib(size_bytes: int) -> str:
    return f"{size_bytes / 2**30:,.2f} GiB" if size_bytes >= 2**30 else f"{size_bytes / 2**20:,.1f} MiB"


def _tera(flop: int) -> str:
    return f"{flop / 1e12:,.2f} TFLOP" if flop >= 1e11 else f"{flop / 1e9:,.2f} GFLOP"
