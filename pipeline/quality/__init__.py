"""Quality: a decoded clip -> numbers about its craft: loop, motion, sharpness, flashes, style. `select` decides."""

from pipeline.quality.measure import measure_clip

__all__ = ["measure_clip"]
