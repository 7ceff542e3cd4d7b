"""Second look: a place on a frame -> what OCR reads in an enlarged cut-out of it.

Shapes: H height, W width; 3 = RGB, 4 = straight RGBA, uint8.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.models.protocols import TextReader
from pipeline.text.backdrop import lay_over
from pipeline.text.fit import fit_polygon
from pipeline.text.polygons import shift, text_height, window
from schemas.text import Polygon, TextBox

SURROUNDINGS = 0.5  # text heights shown around the polygon


@dataclass(slots=True)
class SecondLooks:
    """OCR on cut-outs, as long as the budget of the clip lasts."""

    reader: TextReader
    grey: int
    left: int

    def read(self, frame: NDArray[np.uint8], polygon: Polygon) -> list[TextBox] | None:
        """Read the surroundings of a polygon on one frame (H, W, 4); None once the budget is spent."""
        if self.left <= 0:
            return None
        self.left -= 1
        margin = int(np.ceil(SURROUNDINGS * text_height(polygon)))
        image, left, top = _cut(frame, polygon, margin, self.grey)
        boxes = []
        for box in self.reader.read(image):
            placed = fit_polygon(frame, shift(box.polygon, left, top), grey=self.grey)
            boxes.append(TextBox(box.text, box.score, placed))
        return boxes


def _cut(frame: NDArray[np.uint8], polygon: Polygon, margin: int, grey: int) -> tuple[NDArray[np.uint8], int, int]:
    """Return the polygon with its surroundings as RGB, and the column and row of the canvas where that begins.

    Beyond the canvas the edge is repeated: so even a text that fills it is shown at another size than before.
    """
    rows, columns = window(polygon, (frame.shape[0], frame.shape[1]), margin=margin)
    inner_rows, inner_columns = window(polygon, (frame.shape[0], frame.shape[1]))
    image = lay_over(frame[rows, columns], grey)
    above, before = rows.start - (inner_rows.start - margin), columns.start - (inner_columns.start - margin)
    below, after = inner_rows.stop + margin - rows.stop, inner_columns.stop + margin - columns.stop
    padded = np.pad(image, ((above, below), (before, after), (0, 0)), mode="edge")
    return padded, columns.start - before, rows.start - above
