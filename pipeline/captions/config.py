"""What a caption must be like to be stored."""

from typing import Literal

from pydantic import Field

from schemas.config import StrictConfig

Language = Literal["en", "zh"]
"""English, as captions are written; Chinese, as translations are."""


class CaptionCheckConfig(StrictConfig):
    """Settings of check_caption."""

    max_tokens: int | None = Field(None, ge=1)  # of the text encoder, its marks included; none: any length
    tokenizer: str | None = None  # folder or hub name of the text encoder; none: an upper estimate is counted
    min_han: float = Field(0.5, ge=0, le=1)  # Chinese characters among the letters of a translation, outside quotes
    traditional: Literal["simplify", "refuse", "keep"] = "simplify"  # traditional characters in a translation
    language_model: Literal["py3langid", "none"] = "py3langid"  # tells English from other languages in Latin letters
