"""A size -> a font with Chinese glyphs, taken from an installed package instead of the system."""

import importlib.util
from functools import lru_cache
from pathlib import Path

from PIL import ImageFont

from schemas.errors import UserError

PACKAGE = "mplfonts"
FONT_FILE = Path("fonts", "NotoSansCJKsc-Regular.otf")


@lru_cache(maxsize=64)
def cjk_font(size: int) -> ImageFont.FreeTypeFont:
    """Return Noto Sans CJK SC at `size` pixels; raises UserError if the package that ships it is absent."""
    # find_spec looks without importing: importing mplfonts would load matplotlib.
    spec = importlib.util.find_spec(PACKAGE)
    folders = (spec.submodule_search_locations or []) if spec else []
    for folder in folders:
        if (Path(folder) / FONT_FILE).is_file():
            return ImageFont.truetype(str(Path(folder) / FONT_FILE), size)
    raise UserError(f"font {FONT_FILE.name} of package {PACKAGE} is not installed; run: pip install 'mobius[demo]'")
