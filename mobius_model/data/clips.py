"""Clips: a dataset root -> endless micro-batches to train on, and the held-out ones."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from mobius_model.data.batches import Batch, DrawnSample, LatentBatch, PixelBatch, Source
from mobius_model.data.captions import caption_column, require_captions
from mobius_model.data.config import DataConfig, Stage
from mobius_model.data.draws import draw_sample, unchanged_sample
from mobius_model.data.latents import LatentSet, LatentSource
from mobius_model.data.loader import load_ahead
from mobius_model.data.order import Order
from mobius_model.data.pixel_source import PixelSource
from mobius_model.data.split import Split, split_samples
from mobius_model.data.training_set import open_training_set
from schemas.errors import UserError

__all__ = ["Batch", "Clips", "LatentBatch", "PixelBatch", "open_clips", "require_one_batch"]


@dataclass(frozen=True, slots=True)
class Clips:
    """Samples of one set, split and in order; made by `open_clips`.

    identity: of the training set, equal whether its pixels or its latents are read.
    content: "pixels", or "latents-" and their fingerprint; the order of samples differs between them.
    """

    identity: str
    content: str
    config: DataConfig
    source: Source
    split: Split

    @property
    def num_train(self) -> int:
        """Samples to train on, one epoch."""
        return self.split.num_train

    @property
    def num_validation(self) -> int:
        """Held-out samples that `validation_batches` gives."""
        return len(self.split.validation)

    def micro_batches(self, *, seed: int, batch_size: int, first: int = 0, stride: int = 1) -> Iterator[Batch]:
        """Yield micro-batches number first, first + stride, first + 2 * stride and so on, without end.

        Number m holds positions m * batch_size and on of the stream of `seed`; what it holds depends on nothing else:
        not on where the iterator began, on ranks, or on workers. Nothing before it is read.
        Raises UserError for a sample whose picture is not what its row says.
        """
        order = Order(self.split.train_sizes(), seed=seed, window=self.config.shuffled_row_groups)
        make = partial(_micro_batch, self, order, batch_size)
        return load_ahead(make, itertools.count(first, stride), num_workers=self.config.num_workers)

    def validation_batches(self, batch_size: int, *, first: int = 0, stride: int = 1) -> Iterator[Batch]:
        """Yield the held-out samples in stored order, each from its start and with its caption; the last may be short.

        `first` and `stride` give a rank its own batches, as in `micro_batches`.
        """
        make = partial(_validation_batch, self, batch_size)
        numbers = range(first, -(-self.num_validation // batch_size), stride)
        return load_ahead(make, numbers, num_workers=min(self.config.num_workers, len(numbers)))


def open_clips(root: Path, *, stage: Stage, config: DataConfig, latents: LatentSet | None = None) -> Clips:
    """Open a training set, or its latents if given (see `find_latents`), and split its samples.

    Raises UserError, before anything is decoded, for a manifest, file, column or caption that is missing or wrong,
    and for a set without samples.
    """
    kept = config.shuffled_row_groups + 1  # one more where two windows meet
    training_set = open_training_set(root, stage, verify=config.verify, kept_row_groups=kept)
    if training_set.num_samples == 0:
        raise UserError(f"{training_set.folder}: no samples to train on")
    pixels = PixelSource(training_set, stage, config)
    training_set.require_columns(pixels.columns)
    require_captions(training_set, caption_column(config, stage))
    assert latents is None or latents.manifest.set_identity == training_set.identity, "latents of another set"
    source: Source = pixels if latents is None else LatentSource(latents, config, kept_row_groups=kept)
    return Clips(
        identity=training_set.identity,
        content="pixels" if latents is None else f"latents-{latents.manifest.content_digest}",
        config=config,
        source=source,
        split=split_samples(
            source.reader,
            fraction=config.validation_fraction,
            max_validation_samples=config.max_validation_samples,
        ),
    )


def require_one_batch(clips: Clips, *, batch_size: int, num_ranks: int = 1, num_accumulated: int = 1) -> None:
    """Raise UserError if there are fewer samples to train on than one optimizer step takes."""
    wanted = batch_size * num_ranks * num_accumulated
    if clips.num_train < wanted:
        raise UserError(
            f"{clips.num_train} samples to train on, one step takes {wanted}: "
            f"{batch_size} in a batch x {num_ranks} ranks x {num_accumulated} accumulated"
        )


def _micro_batch(clips: Clips, order: Order, batch_size: int, number: int) -> Batch:
    samples = []
    for position in range(number * batch_size, (number + 1) * batch_size):
        group, nth = order.sample_at(position)
        row = int(clips.split.train_rows(group)[nth])
        samples.append(DrawnSample(group, row, draw_sample(order.seed, position, clips.config)))
    return clips.source.batch(samples)


def _validation_batch(clips: Clips, batch_size: int, number: int) -> Batch:
    places = clips.split.validation[number * batch_size : (number + 1) * batch_size]
    draw = unchanged_sample(clips.config)
    return clips.source.batch([DrawnSample(group, row, draw) for group, row in places])
