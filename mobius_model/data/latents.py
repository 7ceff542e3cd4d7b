"""Latents: means, deviations and text embeddings computed once by `mobius precompute` -> batches to train on.

ROOT/latents/<set>-<12 hex digits of the fingerprint>/ mirrors the files of the set, sample for sample; row groups are
cut anew, by bytes. Shapes: B batch, F frames, D distinct frames kept, C H W one latent, L tokens, W text width.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors.torch import load_file
from torch import Tensor

from mobius_model.data.batches import DrawnSample, LatentBatch
from mobius_model.data.captions import caption_column
from mobius_model.data.config import DataConfig, Stage
from mobius_model.data.row_groups import RowGroupReader, list_row_groups
from mobius_model.data.time_axis import TimeAxis, frames_shown
from mobius_model.data.training_set import read_export_manifest, set_identity, verify_files
from schemas.errors import UserError
from schemas.manifest import ExportFile

LATENTS_VERSION = 1
FOLDER_HEX_DIGITS = 12
EMPTY_CAPTION = "empty_caption.safetensors"
COLUMNS = ("key", "mean", "std", "durations", "is_endless", "embedding", "num_tokens")
SCHEMA = pa.schema(
    [
        ("key", pa.string()),
        ("mean", pa.binary()),  # float16 (D, C, H, W), times the VAE's scaling factor
        ("std", pa.binary()),  # the same
        ("durations", pa.list_(pa.int64())),  # D: milliseconds, or stored frames where delays are ignored
        ("is_endless", pa.bool_()),
        ("embedding", pa.binary()),  # float16 (num_tokens, W); the L - num_tokens zeros after them are not stored
        ("num_tokens", pa.int32()),
    ]
)


class LatentManifest(BaseModel):
    """Finished latents: the set, models and settings they were made of, and their files."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: int = LATENTS_VERSION
    name: str  # of the set
    plan: str  # of the set
    set_identity: str
    base_identity: str
    settings: dict[str, str | int | None]
    fingerprint: str
    latent_shape: tuple[int, int, int]  # C H W
    num_tokens: int  # L
    text_width: int  # W
    num_samples: int
    files: list[ExportFile]
    empty_caption: ExportFile

    @property
    def content_digest(self) -> str:
        """Hex digest of the files: the same set, encoded on another machine, may differ in the last bits."""
        content = [file.sha256 for file in (*self.files, self.empty_caption)]
        return hashlib.sha256(" ".join(content).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class LatentSet:
    """Latents of one training set; made by `open_latents`. empty_embedding: float16 (tokens, W)."""

    folder: Path
    manifest: LatentManifest
    reader: RowGroupReader
    empty_embedding: Tensor


def latent_settings(config: DataConfig, stage: Stage) -> dict[str, str | int | None]:
    """Return the settings that latents depend on; all others can be changed without computing them again."""
    is_video = stage == "t2v"
    return {
        "size": config.size,
        "background": config.background.lower(),
        "caption": caption_column(config, stage),
        "max_frames": config.max_latent_frames if is_video and config.fps is not None else None,
        "first_frames": config.num_frames if is_video and config.fps is None else None,
    }


def latents_fingerprint(root: Path, *, stage: Stage, config: DataConfig, base_identity: str) -> str:
    """Return the hex digest of set, base model and settings. Raises UserError if the set was never exported."""
    content = {
        "version": LATENTS_VERSION,
        "set": set_identity(read_export_manifest(root, stage)),
        "base": base_identity,
        "settings": latent_settings(config, stage),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def latents_folder(root: Path, stage: Stage, fingerprint: str) -> Path:
    """Return where latents of a fingerprint lie."""
    return root / "latents" / f"{stage}-{fingerprint[:FOLDER_HEX_DIGITS]}"


def find_latents(root: Path, *, stage: Stage, config: DataConfig, base_identity: str) -> LatentSet | None:
    """Return the latents to train on as `config.latents` says: None for "never", or for "auto" if there are none.

    Raises UserError for "always" if there are none of exactly this set, base and settings, and as `open_latents`.
    """
    if config.latents == "never":
        return None
    fingerprint = latents_fingerprint(root, stage=stage, config=config, base_identity=base_identity)
    found = open_latents(root, stage, fingerprint, verify=config.verify)
    if found is None and config.latents == "always":
        folder = latents_folder(root, stage, fingerprint)
        raise UserError(f"{folder}: no latents of this set, base and settings; run `mobius precompute` first")
    return found


def open_latents(
    root: Path, stage: Stage, fingerprint: str, *, verify: Literal["sha256", "size"] = "sha256"
) -> LatentSet | None:
    """Open finished latents, every file checked; None if there are none or `mobius precompute` was not finished.

    Raises UserError for a manifest that is not of these latents and for a file that is missing or differs.
    """
    folder = latents_folder(root, stage, fingerprint)
    path = folder / "manifest.json"
    try:
        manifest = LatentManifest.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise UserError(f"{path}: not a manifest of latents of this project") from error
    if manifest.fingerprint != fingerprint:
        raise UserError(f"{path}: fingerprint {manifest.fingerprint}, expected {fingerprint}")
    verify_files(folder, [*manifest.files, manifest.empty_caption], verify=verify)
    groups = [group for file in manifest.files for group in list_row_groups(folder, file.name, plan=fingerprint)]
    num_samples = sum(group.num_rows for group in groups)
    if num_samples != manifest.num_samples:
        raise UserError(f"{folder}: {num_samples} samples in its files, the manifest says {manifest.num_samples}")
    reader = RowGroupReader(folder, groups, plan=fingerprint, capacity=1)
    return LatentSet(folder, manifest, reader, load_file(folder / manifest.empty_caption.name)["embedding"])


class LatentSource:
    """Reads samples of a latent set; frames are chosen on the time axis as they are from pixels."""

    def __init__(self, latents: LatentSet, config: DataConfig, *, kept_row_groups: int) -> None:
        self.manifest = latents.manifest
        self.empty_embedding = latents.empty_embedding.numpy()
        self.config = config
        self.reader = RowGroupReader(
            latents.folder, latents.reader.row_groups, plan=latents.reader.plan, capacity=kept_row_groups
        )

    def batch(self, samples: Sequence[DrawnSample]) -> LatentBatch:
        """Read samples. Raises UserError if the latents were removed or written anew meanwhile."""
        keys, means, stds, embeddings = [], [], [], []
        for sample in samples:
            table = self.reader.read(sample.row_group, COLUMNS)
            values = {name: table[name][sample.row] for name in COLUMNS}
            axis = TimeAxis(tuple(values["durations"].as_py()), values["is_endless"].as_py())
            shown = self._shown(axis, sample.draw.start)
            keys.append(values["key"].as_py())
            means.append(self._frames(values["mean"], shown))
            stds.append(self._frames(values["std"], shown))
            embeddings.append(self._embedding(values["embedding"], is_dropped=sample.draw.drops_caption))
        return LatentBatch(keys, torch.stack(means), torch.stack(stds), torch.stack(embeddings))

    def _shown(self, axis: TimeAxis, start: float) -> list[int]:
        num_frames = 1 if self.manifest.name == "t2i" else self.config.num_frames
        shown: list[int] = frames_shown(axis, num_frames=num_frames, fps=self.config.fps, start=start).tolist()
        return shown

    def _frames(self, stored: pa.BinaryScalar, shown: list[int]) -> Tensor:
        frames = np.frombuffer(stored.as_buffer(), np.float16).reshape(-1, *self.manifest.latent_shape)
        return torch.from_numpy(frames[shown]).float().movedim(1, 0)  # D C H W -> C F H W

    def _embedding(self, stored: pa.BinaryScalar, *, is_dropped: bool) -> Tensor:
        width = self.manifest.text_width
        tokens = np.frombuffer(stored.as_buffer(), np.float16).reshape(-1, width)
        if is_dropped:
            tokens = self.empty_embedding
        padded = np.zeros((self.manifest.num_tokens, width), np.float32)
        padded[: len(tokens)] = tokens
        return torch.from_numpy(padded)
