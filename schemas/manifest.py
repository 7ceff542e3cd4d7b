"""Manifests: what a dataset root and an exported set consist of."""

from pydantic import BaseModel, ConfigDict

SCHEMA_VERSION = 1


class _Manifest(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Shard(_Manifest):
    """One frozen file of ingested samples."""

    name: str
    num_samples: int
    num_row_groups: int
    size_bytes: int


class DatasetManifest(_Manifest):
    """What has been ingested; shards are only ever appended."""

    schema_version: int = SCHEMA_VERSION
    shards: list[Shard] = []
    sources: list[str] = []
    source_states: dict[str, str] = {}  # of sources that were read to their end: what they looked like before

    @property
    def num_samples(self) -> int:
        return sum(shard.num_samples for shard in self.shards)


class ExportFile(_Manifest):
    """One finished file of a training set."""

    name: str
    num_samples: int
    size_bytes: int
    sha256: str


class ExportManifest(_Manifest):
    """A finished training set: its files and what they were made of."""

    schema_version: int = SCHEMA_VERSION
    name: str
    plan: str
    num_samples: int
    files: list[ExportFile]
    fingerprints: dict[str, str]
    config: dict[str, object]
