"""The dataset root: where everything of one dataset lies, and its manifest."""

from dataclasses import dataclass

from pydantic import ValidationError

from schemas.errors import UserError
from schemas.location import Location
from schemas.manifest import SCHEMA_VERSION, DatasetManifest, ExportManifest
from schemas.storage import list_finished, list_folders, write_text


@dataclass(frozen=True, slots=True)
class DatasetRoot:
    """Locations inside one dataset root, on a disk or in an object store; nothing else in the project builds them."""

    path: Location

    @property
    def manifest_path(self) -> Location:
        return self.path / "manifest.json"

    @property
    def runs(self) -> Location:
        return self.path / "runs"

    @property
    def decisions_path(self) -> Location:
        return self.path / "select" / "decisions.parquet"

    @property
    def review(self) -> Location:
        """What people said about samples; only ever added to, by anybody at any time."""
        return self.path / "review"

    @property
    def adopted_review_path(self) -> Location:
        """What stood of it when the last run began."""
        return self.path / "select" / "review.parquet"

    @property
    def fates_path(self) -> Location:
        return self.path / "fates.parquet"

    @property
    def account_path(self) -> Location:
        return self.path / "account.json"

    @property
    def stages(self) -> Location:
        return self.path / "stages"

    def export_state_path(self, name: str) -> Location:
        """Where it is noted in which state of everything it reads the export in place was made."""
        return self.path / "select" / f"{name}.state"

    def stop_sign_path(self, run: str) -> Location:
        return self.runs / f"{run}.stop"

    def shard_path(self, shard: str) -> Location:
        return self.path / "media" / f"{shard}.parquet"

    def stage_folder(self, stage: str, fingerprint: str) -> Location:
        return self.stages / f"{stage}-{fingerprint}"

    def has_answers(self, stage: str) -> bool:
        """True if a stage has answered anything yet, under whatever fingerprint."""
        folders = (each for each in list_folders(self.stages) if each.name.rpartition("-")[0] == stage)
        return any(list_finished(folder) for folder in folders)

    def export_folder(self, name: str) -> Location:
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
