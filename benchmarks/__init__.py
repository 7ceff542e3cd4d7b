"""Measurements of this project, as ratios taken in one run; every number in docs/benchmarks.md names its command."""
