"""Runs: what the records of the runs of a root say, as far as the page shows it."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RunFacts:
    """One run: when, how it ended, what it measured. settings: section -> key -> value, as text.

    pace: stage -> (samples, seconds on the clock) of this run alone.
    """

    identity: str
    outcome: str
    started: str
    wall_seconds: float
    settings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    pace: Mapping[str, tuple[int, float]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
