"""Animated stickers drawn by rule, about which everything is known: for demo, tests and benchmarks."""

from pipeline.synthetic.drawing import draw_stickers
from pipeline.synthetic.folder import write_stickers
from pipeline.synthetic.fonts import cjk_font
from pipeline.synthetic.sticker import Sticker

__all__ = ["Sticker", "cjk_font", "draw_stickers", "write_stickers"]
