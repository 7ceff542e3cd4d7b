"""Pixel source: rows of a training set -> captions and frames, decoded and painted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mobius_model.data.batches import DrawnSample, PixelBatch
from mobius_model.data.captions import caption_column, join_caption
from mobius_model.data.config import DataConfig, Stage
from mobius_model.data.draws import Colour
from mobius_model.data.pictures import draw_frames, to_pixels
from mobius_model.data.row_groups import RowGroupReader
from mobius_model.data.time_axis import TimeAxis, frames_shown, time_axis
from mobius_model.data.training_set import TrainingSet
from schemas.errors import CorruptMedia, UserError

PICTURES = {"t2i": "image", "t2v": "animation"}
TIMING = {"t2i": (), "t2v": ("run_lengths", "delays_ms", "loop_count")}
STILL = TimeAxis((1,))


@dataclass(frozen=True, slots=True)
class StoredSample:
    """One row of a training set, its picture still encoded.

    axis: durations of its D distinct frames; num_distinct_frames: D.
    """

    key: str
    caption: str
    axis: TimeAxis
    media: bytes
    file: str

    @property
    def num_distinct_frames(self) -> int:
        return len(self.axis.durations)

    def draw(self, shown: Sequence[int], *, background: Colour, size: int) -> NDArray[np.uint8]:
        """Return the frames `shown` as uint8 (F, S, S, 3). Raises UserError, naming file and key, for a bad picture."""
        try:
            return draw_frames(
                self.media, shown, num_distinct_frames=self.num_distinct_frames, background=background, size=size
            )
        except CorruptMedia as error:
            raise UserError(f"{self.file}: sample {self.key}: {error}") from error


@dataclass(frozen=True, slots=True)
class PixelSource:
    """Reads samples of a training set as pixels."""

    training_set: TrainingSet
    stage: Stage
    config: DataConfig

    @property
    def reader(self) -> RowGroupReader:
        return self.training_set.reader

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the columns that are read, the picture's by its leaf."""
        return tuple(column.split(".")[0] for column in self._leaves)

    @property
    def num_frames(self) -> int:
        return 1 if self.stage == "t2i" else self.config.num_frames

    @property
    def _leaves(self) -> tuple[str, ...]:
        caption = caption_column(self.config, self.stage)
        return ("key", "label", caption, f"{PICTURES[self.stage]}.bytes", *TIMING[self.stage])

    def batch(self, samples: Sequence[DrawnSample]) -> PixelBatch:
        """Read, decode and paint samples. Raises UserError for a picture that is not what its row says."""
        stored = [self.sample(each.row_group, each.row) for each in samples]
        clips, captions = [], []
        for sample, (_, _, draw) in zip(stored, samples, strict=True):
            shown = frames_shown(
                sample.axis, num_frames=self.num_frames, fps=self.config.fps, start=draw.start
            ).tolist()
            clips.append(sample.draw(shown, background=draw.background, size=self.config.size))
            captions.append("" if draw.drops_caption else sample.caption)
        return PixelBatch(
            keys=[sample.key for sample in stored],
            pixels=to_pixels(np.stack(clips)),
            captions=captions,
        )

    def sample(self, row_group: int, row: int) -> StoredSample:
        """Read one row."""
        table = self.training_set.read(row_group, self._leaves)
        values = {name: table[name][row] for name in self.columns}
        return StoredSample(
            key=values["key"].as_py(),
            caption=join_caption(values["label"].as_py(), values[caption_column(self.config, self.stage)].as_py()),
            axis=self._axis(values),
            media=values[PICTURES[self.stage]]["bytes"].as_py(),
            file=str(self.training_set.folder / self.training_set.row_groups[row_group].file),
        )

    def _axis(self, values: dict[str, Any]) -> TimeAxis:
        if self.stage == "t2i":
            return STILL
        run_lengths, delays_ms, loop_count = (values[name].as_py() for name in TIMING["t2v"])
        return time_axis(run_lengths, delays_ms, loop_count=loop_count, fps=self.config.fps)
