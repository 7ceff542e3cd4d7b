"""Describe: pixels and their time axis -> English sentences of measured facts, and back to the facts."""

from pipeline.models.describe.captioner import MotionDescriber, PictureDescriber

__all__ = ["MotionDescriber", "PictureDescriber"]
