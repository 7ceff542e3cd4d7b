"""Quality: a decoded clip -> numbers that say how good and how alike it is. `select` decides."""

from pipeline.quality.measure import measure_clip

__all__ = ["measure_clip"]
