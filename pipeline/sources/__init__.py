"""From a path to a stream of samples: labelled folders, tar archives, Parquet files."""

from pipeline.sources.config import SourceConfig, SourceKind
from pipeline.sources.opening import open_source
from pipeline.sources.source import Source

__all__ = ["Source", "SourceConfig", "SourceKind", "open_source"]
