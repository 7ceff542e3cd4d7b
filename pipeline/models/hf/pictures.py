"""Pictures: straight-alpha frames -> RGB pictures over white, as models of pictures expect them.

Shapes: H height, W width; 4 = straight RGBA, uint8.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.text.backdrop import lay_over

WHITE = 255
SMALLEST_SIDE = 4  # pixels; a picture up to 3 wide or high is taken for one with its channels first
MAX_ASPECT = 100  # VideoLLaMA3 refuses 200; beyond this white is added


def over_white(image: NDArray[np.uint8]) -> Image.Image:
    """Lay a straight-alpha image (H, W, 4) over white; a sliver gets white beside it."""
    picture = Image.fromarray(lay_over(image, WHITE))
    width, height = picture.size
    shortest = max(SMALLEST_SIDE, -(-max(picture.size) // MAX_ASPECT))
    if min(picture.size) >= shortest:
        return picture
    wide = Image.new("RGB", (max(width, shortest), max(height, shortest)), (WHITE, WHITE, WHITE))
    wide.paste(picture, ((wide.width - width) // 2, (wide.height - height) // 2))
    return wide
