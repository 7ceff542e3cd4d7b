"""Limits: a sample as a source gives it -> the same with texts that everything behind it can hold."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from pipeline.sources.config import SourceConfig
from schemas.errors import TooLarge
from schemas.hidden import hide_secrets
from schemas.sample import Sample

MAX_PATH_CHARS = 4096  # no file has a longer one; a member of an archive may


def within_limits(samples: Iterable[Sample], config: SourceConfig) -> Iterator[Sample]:
    """Yield every sample: one whose label is too long without label and media, quarantined; a long path is cut.

    A path is for people only: the key was made from the whole of it.
    """
    for sample in samples:
        if len(sample.path) > MAX_PATH_CHARS:
            sample = replace(sample, path=sample.path[: MAX_PATH_CHARS - 1] + "…")
        if sample.label is not None and len(sample.label) > config.max_label_chars:
            found = f"a label of {len(sample.label):,} characters"
            detail = f"{found}, source.max_label_chars allows {config.max_label_chars:,}"
            sample = replace(sample, label=None, media=None, reason=TooLarge.reason, detail=detail)
        if sample.detail is not None:
            sample = replace(sample, detail=hide_secrets(sample.detail))
        yield sample
