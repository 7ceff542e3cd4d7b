"""Precompute: an exported set and a base model -> latents and text embeddings beside it, computed once."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor

from mobius_model.data.captions import caption_column, require_captions
from mobius_model.data.config import DataConfig, Stage
from mobius_model.data.draws import fixed_background
from mobius_model.data.latents import (
    EMPTY_CAPTION,
    SCHEMA,
    LatentManifest,
    LatentSet,
    latent_settings,
    latents_fingerprint,
    latents_folder,
    open_latents,
)
from mobius_model.data.loader import load_ahead
from mobius_model.data.pictures import to_pixels
from mobius_model.data.pixel_source import PixelSource
from mobius_model.data.row_groups import PLAN_KEY
from mobius_model.data.time_axis import TimeAxis, first_stored, thinned
from mobius_model.data.training_set import open_training_set
from schemas.errors import UserError
from schemas.lock import locked
from schemas.manifest import ExportFile
from schemas.storage import file_sha256, leaf_columns, remove_unfinished, write_text, written_aside

ROW_GROUP_BYTES = 32 << 20  # latents and embeddings per row group; one sample more at most
LOCK = "precompute.lock"  # in every folder of latents
UNCOMPRESSED = ("mean", "std", "embedding")

Progress = Callable[[int, int], None]
Row = dict[str, Any]


class Text(Protocol):
    """Captions (B) -> hidden states float32 (B, L, W), zero at padded positions."""

    def encode(self, captions: Sequence[str]) -> Tensor: ...


class Encoders(Protocol):
    """What a base model is asked for here; its vae is diffusers' AutoencoderKL or something with the same face."""

    @property
    def vae(self) -> Any: ...

    @property
    def text(self) -> Text: ...

    @property
    def identity(self) -> str: ...


@dataclass(frozen=True, slots=True)
class PaintedClip:
    """One sample ready to be encoded: frames uint8 (D, S, S, 3), the time axis of these D, its caption."""

    key: str
    frames: NDArray[np.uint8]
    axis: TimeAxis
    caption: str


def precompute(
    root: Path,
    *,
    stage: Stage,
    data: DataConfig,
    base: Encoders,
    batch_size: int,
    device: torch.device | str,
    progress: Progress = lambda done, total: None,
) -> LatentSet:
    """Encode every sample of a set; return what is there already if nothing has changed since.

    batch_size counts frames per call of the VAE. progress(done, total) counts samples. Finished files are kept, so
    the same call goes on after a kill. Raises UserError for a random background, while another process is encoding the
    same latents, and as `open_clips` does; MachineFault for a full disk.
    """
    if data.background == "random":
        raise UserError('background = "random": latents need one background, choose "white" or "#rrggbb"')
    fingerprint = latents_fingerprint(root, stage=stage, config=data, base_identity=base.identity)
    training_set = open_training_set(root, stage, verify=data.verify, kept_row_groups=1)
    source = PixelSource(training_set, stage, data)
    training_set.require_columns(source.columns)
    require_captions(training_set, caption_column(data, stage))
    finished = open_latents(root, stage, fingerprint, verify=data.verify)
    if finished is not None:
        progress(training_set.num_samples, training_set.num_samples)
        return finished

    folder = latents_folder(root, stage, fingerprint)
    busy = f"{folder}: another process is encoding these latents, wait for it or stop it"
    with locked(folder / LOCK, busy=busy):
        remove_unfinished(folder)
        encoder = Encoder(base, batch_size=batch_size, device=torch.device(device))
        num_done = 0
        for file in training_set.manifest.files:
            if not (folder / file.name).exists():
                rows = _counted(_encoded_rows(source, file.name, encoder), num_done, training_set.num_samples, progress)
                _write_rows(folder / file.name, rows, fingerprint=fingerprint)
            num_done += file.num_samples
            progress(num_done, training_set.num_samples)
        _write_manifest(folder, source, encoder, fingerprint=fingerprint)
    latents = open_latents(root, stage, fingerprint, verify="size")
    assert latents is not None, "just written"
    return latents


class Encoder:
    """The models of a base on a device, used without gradients."""

    def __init__(self, base: Encoders, *, batch_size: int, device: torch.device) -> None:
        self.base = base
        self.batch_size = batch_size
        self.device = device
        weight = next(iter(base.vae.parameters()), None)  # a codec may have none
        self.dtype = torch.float32 if weight is None else weight.dtype

    @torch.no_grad()
    def encode_frames(self, frames: NDArray[np.uint8]) -> tuple[Tensor, Tensor]:
        """Encode uint8 (N, S, S, 3); return mean and std of the scaled latents, float32 (N, C, H, W) on the CPU."""
        means, stds = [], []
        scale = self.base.vae.config.scaling_factor
        for first in range(0, len(frames), self.batch_size):
            pixels = to_pixels(frames[first : first + self.batch_size]).to(self.device, self.dtype)
            latents = self.base.vae.encode(pixels).latent_dist
            means.append((latents.mean.float() * scale).cpu())
            stds.append((latents.std.float() * scale).cpu())
        return torch.cat(means), torch.cat(stds)

    @torch.no_grad()
    def encode_captions(self, captions: Sequence[str]) -> Tensor:
        """Encode B captions; return float32 (B, L, W) on the CPU."""
        return self.base.text.encode(captions).float().cpu()

    def latent_shape(self, size: int) -> tuple[int, int, int]:
        """Return C, H and W of one frame's latents."""
        mean, _ = self.encode_frames(np.zeros((1, size, size, 3), np.uint8))
        _, channels, height, width = mean.shape
        return channels, height, width


def _encoded_rows(source: PixelSource, file: str, encoder: Encoder) -> Iterator[Row]:
    """Encode the samples of one file in order; clips are decoded ahead and share calls of the VAE."""
    places = [
        (index, row)
        for index, group in enumerate(source.training_set.row_groups)
        if group.file == file
        for row in range(group.num_rows)
    ]
    painted = load_ahead(partial(_paint, source, places), range(len(places)), num_workers=source.config.num_workers)
    for clips in _batched(painted, encoder.batch_size):
        means, stds = encoder.encode_frames(np.concatenate([clip.frames for clip in clips]))
        embeddings = encoder.encode_captions([clip.caption for clip in clips])
        firsts = np.cumsum([0, *(len(clip.frames) for clip in clips)])
        for clip, embedding, first in zip(clips, embeddings, firsts[:-1], strict=True):
            here = slice(first, first + len(clip.frames))
            yield _row(clip, means[here], stds[here], embedding)


def _paint(source: PixelSource, places: Sequence[tuple[int, int]], number: int) -> PaintedClip:
    config = source.config
    sample = source.sample(*places[number])
    if config.fps is None:
        kept, axis = first_stored(sample.axis, num_frames=source.num_frames)
    else:
        kept, axis = thinned(sample.axis, max_frames=config.max_latent_frames)
    frames = sample.draw(kept, background=fixed_background(config), size=config.size)
    return PaintedClip(sample.key, frames, axis, sample.caption)


def _batched(clips: Iterator[PaintedClip], num_frames: int) -> Iterator[list[PaintedClip]]:
    """Group clips until they have so many frames together: one clip more at most."""
    group: list[PaintedClip] = []
    for clip in clips:
        group.append(clip)
        if sum(len(each.frames) for each in group) >= num_frames:
            yield group
            group = []
    if group:
        yield group


def _row(clip: PaintedClip, mean: Tensor, std: Tensor, embedding: Tensor) -> Row:
    num_tokens = _num_tokens(embedding)
    halves = {"mean": mean.half(), "std": std.half(), "embedding": embedding[:num_tokens].half()}
    for name, values in halves.items():
        if not values.isfinite().all():
            raise UserError(f"sample {clip.key}: the base model gives a {name} that float16 cannot hold")
    return {
        "key": clip.key,
        "durations": list(clip.axis.durations),
        "is_endless": clip.axis.is_endless,
        "num_tokens": num_tokens,
        **{name: values.numpy().tobytes() for name, values in halves.items()},
    }


def _num_tokens(embedding: Tensor) -> int:
    """Return how many of the L tokens of a caption (L, W) are stored: those after them are zero."""
    tokens = embedding.ne(0).any(dim=1).nonzero()
    return int(tokens.max()) + 1 if len(tokens) else 0


def _write_rows(path: Path, rows: Iterator[Row], *, fingerprint: str) -> None:
    schema = SCHEMA.with_metadata({PLAN_KEY: fingerprint})
    compression = {name: "NONE" if name in UNCOMPRESSED else "ZSTD" for name in leaf_columns(schema)}
    with (
        written_aside(path) as aside,
        pq.ParquetWriter(aside, schema, compression=compression, use_dictionary=False) as writer,
    ):
        group: list[Row] = []
        size_bytes = 0
        for row in rows:
            group.append(row)
            size_bytes += sum(len(row[name]) for name in UNCOMPRESSED)
            if size_bytes >= ROW_GROUP_BYTES:
                writer.write_table(pa.Table.from_pylist(group, schema))
                group, size_bytes = [], 0
        if group:
            writer.write_table(pa.Table.from_pylist(group, schema))


def _counted(rows: Iterator[Row], num_done: int, total: int, progress: Progress) -> Iterator[Row]:
    for number, row in enumerate(rows, num_done + 1):
        yield row
        progress(number, total)


def _write_manifest(folder: Path, source: PixelSource, encoder: Encoder, *, fingerprint: str) -> None:
    """Write the empty caption and, last of all, the manifest: with it the latents are finished."""
    empty = encoder.encode_captions([""])[0]
    with written_aside(folder / EMPTY_CAPTION) as aside:
        save_file({"embedding": empty[: _num_tokens(empty)].half().contiguous()}, aside)
    training_set = source.training_set
    manifest = LatentManifest(
        name=training_set.name,
        plan=training_set.manifest.plan,
        set_identity=training_set.identity,
        base_identity=encoder.base.identity,
        settings=latent_settings(source.config, source.stage),
        fingerprint=fingerprint,
        latent_shape=encoder.latent_shape(source.config.size),
        num_tokens=empty.shape[0],
        text_width=empty.shape[1],
        num_samples=training_set.num_samples,
        files=[_described(folder / file.name, file.num_samples) for file in training_set.manifest.files],
        empty_caption=_described(folder / EMPTY_CAPTION, 1),
    )
    write_text(folder / "manifest.json", manifest.model_dump_json(indent=1) + "\n")


def _described(path: Path, num_samples: int) -> ExportFile:
    return ExportFile(name=path.name, num_samples=num_samples, size_bytes=path.stat().st_size, sha256=file_sha256(path))
