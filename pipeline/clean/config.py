"""How text is painted out and what the result must pass."""

from pydantic import Field

from schemas.config import StrictConfig


class CleanConfig(StrictConfig):
    """Settings of clean_clip."""

    max_text_area: float = Field(0.5, ge=0, le=1)  # fraction of the canvas that text covers on one frame
    max_invented_area: float = Field(0.25, ge=0, le=1)  # fraction of the canvas made up on one frame
    dilation: float = Field(0.03, ge=0, le=1)  # text heights that the mask reaches beyond the ink seen
    same_ring: float = Field(4.0, ge=0, le=255)  # grey levels, mean: two frames agree around a region
    flat_tolerance: float = Field(8.0, ge=0, le=255)  # grey levels around the median: a ring of one colour
    max_flicker: float = Field(4.5, ge=0, le=255)  # grey levels per masked pixel and frame more than around
    max_frames_checked: int = Field(8, ge=1)  # distinct frames with text that OCR reads again
