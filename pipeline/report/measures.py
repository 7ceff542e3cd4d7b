"""Measures: what is drawn as a histogram -> its bins, as a literal table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measure:
    """A number per sample that a stage has answered, and where its bins end.

    expression: SQL over the columns of the stage, and `s`, which has size_bytes. edges: upper ends, excluded,
    in the unit of the expression; the last bin is open. names: one per bin.
    """

    name: str
    title: str
    axis: str
    stage: str
    expression: str
    edges: tuple[float, ...]
    names: tuple[str, ...]

    @property
    def bin_sql(self) -> str:
        """SQL for the number of the bin, from 0."""
        return " + ".join(f"({self.expression} >= {edge!r})::INT" for edge in self.edges)


MEASURES = (
    Measure(
        "frames",
        "Frames",
        "stored frames",
        "probe",
        "num_frames",
        (2, 5, 9, 17, 33, 65, 129),
        ("1", "2–4", "5–8", "9–16", "17–32", "33–64", "65–128", "129+"),
    ),
    Measure(
        "duration",
        "Duration",
        "seconds of one round",
        "probe",
        "duration_ms",
        (1, 250, 500, 1000, 2000, 4000, 8000, 16000),
        ("still", "<¼", "<½", "<1", "<2", "<4", "<8", "<16", "16+"),
    ),
    Measure(
        "side",
        "Longer side",
        "pixels",
        "probe",
        "greatest(width, height)",
        (17, 33, 65, 129, 241, 481, 961),
        ("≤16", "≤32", "≤64", "≤128", "≤240", "≤480", "≤960", ">960"),
    ),
    Measure(
        "size",
        "File size",
        "bytes, in steps of 1024",
        "probe",
        "s.size_bytes",
        (1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20),
        ("<1k", "<4k", "<16k", "<64k", "<256k", "<1M", "<4M", "4M+"),
    ),
    Measure(
        "text_area",
        "Text area",
        "% of the canvas",
        "text",
        "text_area",
        (1e-9, 0.02, 0.05, 0.1, 0.25, 0.5),
        ("none", "<2", "<5", "<10", "<25", "<50", "50+"),
    ),
    Measure(
        "motion",
        "Motion",
        "mean change between frames, %",
        "probe",
        "motion_score",
        (1e-9, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16),
        ("still", "<½", "<1", "<2", "<4", "<8", "<16", "16+"),
    ),
    Measure(
        "sharpness",
        "Sharpness",
        "1: edges one pixel wide",
        "quality",
        "sharpness",
        (0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0),
        ("<.2", "<.3", "<.4", "<.5", "<.6", "<.8", "<1", "1"),
    ),
    Measure(
        "seam",
        "Seam of the loop",
        "jump beyond a typical step, 0 to 1",
        "quality",
        "seam_error",
        (1e-9, 0.25, 0.5, 0.65, 0.8, 0.9),
        ("none", "<.25", "<.5", "<.65", "<.8", "<.9", "<1"),
    ),
)

PROBE_COLUMNS = ("num_frames", "duration_ms", "width", "height", "motion_score")
TEXT_COLUMNS = ("text_area", "ocr_model")
COLUMNS: Mapping[str, Sequence[str]] = {
    "probe": PROBE_COLUMNS,
    "quality": ("sharpness", "seam_error"),
    "text": TEXT_COLUMNS,
    "clean": ("clean_outcome", "inpaint_model"),
    "image_caption": ("image_caption_model",),
    "video_caption": ("video_caption_model",),
    "summary": ("summary_model",),
    "translation": ("translation_model",),
}
MODEL_COLUMNS = {stage: names[-1] for stage, names in COLUMNS.items() if names[-1].endswith("_model")}
