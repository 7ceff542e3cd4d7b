"""Describe: pixels and their time axis -> English sentences of measured facts, and those sentences -> facts again."""

from pipeline.models.describe.captioner import Describe

__all__ = ["Describe"]
