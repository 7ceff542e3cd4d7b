"""The dataset root: where everything of one dataset lies, and its manifest."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from schemas.errors import UserError
from schemas.manifest import SCHEMA_VERSION, DatasetManifest, ExportManifest
from schemas.storage import write_text


@dataclass(frozen=True, slots=True)
class DatasetRoot:
    """Paths inside one dataset root; nothing else in the project builds them."""

    path: Path

    @property
    def manifest_path(self) -> Path:
        return self.path / "manifest.json"

    @property
    def runs(self) -> Path:
        return self.path / "runs"

    @property
    def decisions_path(self) -> Path:
        return self.path / "select" / "decisions.parquet"

    @property
    def fates_path(self) -> Path:
        return self.path / "fates.parquet"

    def shard_path(self, shard: str) -> Path:
        return self.path / "media" / f"{shard}.parquet"

    def stage_folder(self, stage: str, fingerprint: str) -> Path:
        return self.path / "stages" / f"{stage}-{fingerprint}"

    def has_answers(self, stage: str) -> bool:
        """True if a stage has answered anything yet, under whatever fingerprint."""
        return any((self.path / "stages").glob(f"{stage}-*/*.parquet"))

    def export_folder(self, name: str) -> Path:
        return self.path / name

    def read_manifest(self) -> DatasetManifest:
        """Return the manifest; an empty one if nothing was ingested yet. Raises UserError for a foreign file."""
        try:
            manifest = DatasetManifest.model_validate_json(self.manifest_path.read_bytes())
        except FileNotFoundError:
            return DatasetManifest()
        except ValidationError as error:
            raise UserError(f"{self.manifest_path}: not a manifest of this project") from error
        if manifest.schema_version != SCHEMA_VERSION:
            found = manifest.schema_version
            raise UserError(f"{self.manifest_path}: schema version {found}, this program reads {SCHEMA_VERSION}")
        return manifest

    def write_manifest(self, manifest: DatasetManifest) -> None:
        write_text(self.manifest_path, manifest.model_dump_json(indent=1) + "\n")

    def read_export(self, name: str) -> ExportManifest | None:
        """Return the manifest of a finished training set, None if there is none."""
        path = self.export_folder(name) / "manifest.json"
        try:
            return ExportManifest.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except ValidationError as error:
            raise UserError(f"{path}: not an export manifest of this project") from error
