"""Columns of the training sets: what a trainer, a viewer and an auditor find in a row."""

import json
from dataclasses import dataclass

import pyarrow as pa

from schemas.manifest import SCHEMA_VERSION

PICTURE = pa.struct([pa.field("bytes", pa.binary()), pa.field("path", pa.string())])


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its type, the stage whose answer it is (None: ingest or export), and what it means."""

    name: str
    type: pa.DataType
    stage: str | None
    meaning: str


SHARED_FIRST = (
    Column("key", pa.string(), None, "32 hex digits from the source position"),
    Column("label", pa.string(), None, "emotion tag"),
    Column("labels", pa.list_(pa.string()), None, "tags of this file and of its exact copies, sorted"),
)

T2V_ONLY = (
    Column("num_frames", pa.int32(), "probe", "stored frames T of the source file"),
    Column("num_distinct_frames", pa.int32(), None, "frames D of the animation: equal neighbours are merged"),
    Column("run_lengths", pa.list_(pa.int32()), None, "stored frames that each of the D frames stands for"),
    Column("delays_ms", pa.list_(pa.int64()), "probe", "raw delay of each stored frame, T of them"),
    Column("duration_ms", pa.int64(), "probe", "one round with browser-effective delays (10 ms or less = 100 ms)"),
    Column("loop_count", pa.int64(), "probe", "0 = forever, n = n extra rounds, null = the file does not say"),
    Column("motion_score", pa.float64(), "probe", "mean change between neighbouring frames, 0 to 1"),
    Column(
        "moving_area", pa.float64(), "quality", "part of the canvas that ever changes, 0 to 1; of the file as found"
    ),
    Column("seam_error", pa.float64(), "quality", "jump from last to first frame, 0 (none) to 1; of the file as found"),
    Column("is_ping_pong", pa.bool_(), "quality", "the second half of a round is the first one backwards"),
    Column("period_frames", pa.int32(), "quality", "stored frames after which the file as found repeats itself"),
    Column("num_periods", pa.int32(), "quality", "how many such periods are one round"),
    Column("num_unique_frames", pa.int32(), "quality", "different pictures among the frames of the file as found"),
    Column(
        "max_flashes_per_second", pa.float64(), "quality", "of the file as found; more than 3 may harm (WCAG 2.3.1)"
    ),
    Column("video_caption", pa.string(), "video_caption", "English, what happens"),
    Column("video_caption_zh", pa.string(), "translation", "Chinese, what happens"),
    Column("summary", pa.string(), "summary", "English, both captions within the text encoder's limit"),
    Column("summary_zh", pa.string(), "translation", "Chinese, both captions"),
    Column("video_caption_model", pa.string(), "video_caption", "who wrote video_caption"),
    Column("summary_model", pa.string(), "summary", "who wrote summary"),
)

SHARED_LAST = (
    Column("width", pa.int32(), "probe", "pixels"),
    Column("height", pa.int32(), "probe", "pixels"),
    Column("has_alpha", pa.bool_(), "probe", "some pixel of some frame is not opaque"),
    Column("style", pa.string(), "quality", "pixel, flat, shaded or photo: told from size, colours and gradients"),
    Column("sharpness", pa.float64(), "quality", "steepness of edges, 0 to 1, null without any; of the file as found"),
    Column("image_caption", pa.string(), "image_caption", "English, the first frame"),
    Column("image_caption_zh", pa.string(), "translation", "Chinese, the first frame"),
    Column("text", pa.string(), "text", "text that was burnt into the picture"),
    Column("text_area", pa.float64(), "text", "its area over boxes and frames, as a fraction of the canvas"),
    Column("clean_outcome", pa.string(), "clean", "no_text, cleaned, or kept_original"),
    Column("clean_reason", pa.string(), "clean", "which check failed if the original was kept"),
    Column("masked_pixels", pa.int64(), "clean", "pixels painted over, all frames"),
    Column("recovered_pixels", pa.int64(), "clean", "of these, taken from other frames"),
    Column("flat_pixels", pa.int64(), "clean", "of these, filled from flat surroundings"),
    Column("invented_pixels", pa.int64(), "clean", "of these, invented by the inpainting model"),
    Column("image_caption_model", pa.string(), "image_caption", "who wrote image_caption"),
    Column("translation_model", pa.string(), "translation", "who translated"),
    Column("ocr_model", pa.string(), "text", "who read the text"),
    Column("inpaint_model", pa.string(), "clean", "who invented pixels"),
    Column(
        "reviewed", pa.string(), None, "captions that people wrote, and what models made from others: a JSON object"
    ),
    Column("source", pa.string(), None, "name of the source"),
    Column("path", pa.string(), None, "where the file lies in its source"),
    Column("source_format", pa.string(), None, "format of the file as found"),
    Column("bytes_hash", pa.string(), "probe", "SHA-256 of the file as found"),
    Column("pixels_hash", pa.string(), "probe", "hash of canvas and distinct frames as found"),
    Column("extra", pa.string(), None, "further columns of the source, a JSON object"),
    Column("fingerprints", pa.string(), None, "fingerprint of every stage behind this row, a JSON object"),
)


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """One of the two sets: the column that holds its pictures, the stages behind it, and all its columns."""

    name: str
    picture: str
    picture_meaning: str
    stages: tuple[str, ...]
    own: tuple[Column, ...]

    @property
    def columns(self) -> tuple[Column, ...]:
        picture = Column(self.picture, PICTURE, None, self.picture_meaning)
        return (SHARED_FIRST[0], picture, *SHARED_FIRST[1:], *self.own, *SHARED_LAST)

    def schema(self, metadata: dict[str, str]) -> pa.Schema:
        """Return the Arrow schema, with the project's metadata and what Hugging Face datasets reads."""
        plain = pa.schema([(column.name, column.type) for column in self.columns])
        features = {column.name: _feature(column.type) for column in self.columns}
        everything = {
            "mobius.schema_version": str(SCHEMA_VERSION),
            "mobius.set": self.name,
            **metadata,
            "huggingface": json.dumps({"info": {"features": features}}),
        }
        return plain.with_metadata(everything)


BASE_STAGES = ("probe", "quality", "text", "clean", "image_caption")

T2I = TrainingSet("t2i", "image", "first frame, lossless WebP, straight alpha", (*BASE_STAGES, "translation"), ())
T2V = TrainingSet(
    "t2v",
    "animation",
    "all distinct frames, one lossless animated WebP, straight alpha",
    (*BASE_STAGES, "video_caption", "summary", "translation"),
    T2V_ONLY,
)
TRAINING_SETS = {each.name: each for each in (T2I, T2V)}


def _feature(kind: pa.DataType) -> dict[str, object]:
    if kind == PICTURE:
        return {"_type": "Image"}
    if pa.types.is_list(kind):
        return {"feature": _feature(kind.value_type), "_type": "List"}
    names = {pa.float64(): "float64", pa.bool_(): "bool", pa.string(): "string"}
    return {"dtype": names.get(kind, str(kind)), "_type": "Value"}
