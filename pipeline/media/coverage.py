"""Coverage: which pixels of an opaque GIF has no frame painted yet?

Players show those as transparent; Pillow fills them with the background colour. The same holds for what
disposal 2 clears. Where no frame declares a transparent colour, the frame rectangles alone tell.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pipeline.media.scan import FrameRect, Scan

CLEAR, RESTORE = 2, 3


def needs_coverage(scan: Scan) -> bool:
    """True if some pixel of an opaque GIF is unpainted at some time."""
    if not scan.is_opaque or not scan.rects:
        return False
    is_partial = [not _fills(rect, scan) for rect in scan.rects]
    clears = any(rect.disposal == CLEAR for rect in scan.rects[:-1])
    return is_partial[0] or (clears and any(is_partial[1:]))


def uncovered_masks(scan: Scan) -> Iterator[NDArray[np.bool_]]:
    """Yield for each stored frame the mask (H, W) of pixels that nothing has painted."""
    uncovered = np.ones((scan.height, scan.width), bool)
    for rect in scan.rects:
        before = uncovered.copy() if rect.disposal == RESTORE else None
        area = (slice(rect.top, rect.top + rect.height), slice(rect.left, rect.left + rect.width))
        uncovered[area] = False
        yield uncovered.copy()
        if rect.disposal == CLEAR:
            uncovered[area] = True
        elif before is not None:
            uncovered = before


def _fills(rect: FrameRect, scan: Scan) -> bool:
    return rect.left == 0 and rect.top == 0 and rect.width >= scan.width and rect.height >= scan.height
