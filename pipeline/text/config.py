"""What finding text may cost and what it takes to be believed."""

from pydantic import Field

from schemas.config import StrictConfig


class TextConfig(StrictConfig):
    """Settings of find_text."""

    max_frames_read: int = Field(8, ge=1)  # distinct frames given to OCR as a whole
    max_second_looks: int = Field(8, ge=0)  # enlarged cut-outs given to OCR, per clip
    max_comparisons: int = Field(2500, ge=0)  # of a text's pixels with those of another frame, per clip
    min_similarity: float = Field(0.6, ge=0, le=1)  # of two readings of one string, as a ratio of matching characters
    min_likeness: float = Field(0.6, ge=0, le=1)  # correlation at which the same text is held to stand there
    doubt_likeness: float = Field(0.35, ge=0, le=1)  # between this and min_likeness OCR is asked again
    min_support: float = Field(0.4, ge=0, le=1)  # share of the frames showing the same pixels that must read it
    max_glyph_area: float = Field(0.3, ge=0, le=1)  # fraction of the canvas that one lone character may fill
