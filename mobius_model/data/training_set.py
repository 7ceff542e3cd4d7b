"""Training set: a dataset root -> its exported files, verified, and their row groups."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pyarrow as pa
from pydantic import ValidationError

from mobius_model.data.config import Stage
from mobius_model.data.row_groups import RowGroup, RowGroupReader, list_row_groups, open_parquet
from schemas.errors import UserError
from schemas.manifest import SCHEMA_VERSION, ExportFile, ExportManifest
from schemas.storage import file_sha256

KEPT_ROW_GROUPS = 9  # those mixed at a time by default, and one more where two mixtures meet
HASHING_THREADS = 4


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """One exported set, t2i or t2v; made by `open_training_set`."""

    folder: Path
    manifest: ExportManifest
    reader: RowGroupReader

    @property
    def name(self) -> str:
        return self.manifest.name

    @property
    def identity(self) -> str:
        """Hex digest of the plan and the files: equal for equal content, wherever it lies."""
        return set_identity(self.manifest)

    @property
    def num_samples(self) -> int:
        return self.manifest.num_samples

    @property
    def row_groups(self) -> tuple[RowGroup, ...]:
        return self.reader.row_groups

    def read(self, index: int, columns: Sequence[str]) -> pa.Table:
        """Return columns of row group `index`; the last few are kept per process. Raises UserError (see reader)."""
        return self.reader.read(index, columns)

    def require_columns(self, columns: Iterable[str]) -> None:
        """Raise UserError if a file lacks one of these columns."""
        for file in self.manifest.files:
            with open_parquet(self.folder / file.name, plan=self.manifest.plan) as parquet:
                names = parquet.schema_arrow.names
            for column in columns:
                if column not in names:
                    raise UserError(f"{self.folder / file.name}: no column `{column}`, which training reads")


def read_export_manifest(root: Path, name: Stage) -> ExportManifest:
    """Read the manifest of an exported set.

    Raises UserError if root or set are missing, and for a file that is no manifest of this set and schema version.
    """
    if not root.is_dir():
        raise UserError(f"{root}: no such folder, expected a dataset root made by `mobius curate`")
    path = root / name / "manifest.json"
    try:
        text = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UserError(f"{path}: missing, export the set with `mobius curate` first") from error
    version = _schema_version(text)
    if version is not None and version != SCHEMA_VERSION:
        raise UserError(f"{path}: schema version {version}, this program reads {SCHEMA_VERSION}")
    try:
        manifest = ExportManifest.model_validate_json(text)
    except ValidationError as error:
        raise UserError(f"{path}: not an export manifest of this project") from error
    if manifest.name != name:
        raise UserError(f"{path}: manifest of set {manifest.name!r}, expected {name!r}")
    return manifest


def set_identity(manifest: ExportManifest) -> str:
    """Return the hex digest of what a set holds: its plan and the names, sizes and hashes of its files."""
    content = {"name": manifest.name, "plan": manifest.plan, "files": [file.model_dump() for file in manifest.files]}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def open_training_set(
    root: Path, name: Stage, *, verify: Literal["sha256", "size"] = "sha256", kept_row_groups: int = KEPT_ROW_GROUPS
) -> TrainingSet:
    """Open an exported set through its manifest, every file checked first; nothing is decoded.

    Raises UserError for a root, manifest or file that is missing or not as the manifest says.
    """
    manifest = read_export_manifest(root, name)
    folder = root / name
    verify_files(folder, manifest.files, verify=verify)
    row_groups: list[RowGroup] = []
    for file in manifest.files:
        found = list_row_groups(folder, file.name, plan=manifest.plan)
        num_rows = sum(group.num_rows for group in found)
        if num_rows != file.num_samples:
            raise UserError(f"{folder / file.name}: {num_rows} samples, the manifest says {file.num_samples}")
        row_groups += found
    if manifest.num_samples != sum(group.num_rows for group in row_groups):
        found_samples = sum(group.num_rows for group in row_groups)
        raise UserError(f"{folder}: {found_samples} samples in its files, the manifest says {manifest.num_samples}")
    reader = RowGroupReader(folder, row_groups, plan=manifest.plan, capacity=kept_row_groups)
    return TrainingSet(folder, manifest, reader)


def verify_files(folder: Path, files: Sequence[ExportFile], *, verify: Literal["sha256", "size"]) -> None:
    """Raise UserError for the first file that is missing, or whose size or hash differs from the manifest's."""
    for file in files:
        path = folder / file.name
        if Path(file.name).name != file.name or not path.is_file():
            raise UserError(f"{path}: missing, though the manifest lists it")
        if path.stat().st_size != file.size_bytes:
            raise UserError(f"{path}: {path.stat().st_size} bytes, the manifest says {file.size_bytes}")
    if verify == "size":
        return
    with ThreadPoolExecutor(HASHING_THREADS) as pool:
        for file, sha256 in zip(files, pool.map(lambda file: file_sha256(folder / file.name), files), strict=True):
            if sha256 != file.sha256:
                raise UserError(f"{folder / file.name}: sha256 {sha256}, the manifest says {file.sha256}")


def _schema_version(text: bytes) -> object:
    """Return the version a manifest claims, None where it claims none: an older form need not fit today's fields."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found.get("schema_version") if isinstance(found, dict) else None
