"""lance: samples -> a Lance dataset with the same columns, the picture as plain bytes."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.export.columns import TrainingSet
from pipeline.export.formats.writer import FormatConfig

UNCOMPRESSED = {"lance-encoding:compression": "none"}


def write_lance(
    folder: Path, batches: Iterable[pa.RecordBatch], *, training_set: TrainingSet, config: FormatConfig
) -> None:
    """Write the dataset into the folder itself. A binary column and no blob one, which only Lance's own calls read."""
    import lance

    schema = _schema(training_set)
    raised: list[BaseException] = []  # what is raised inside Lance comes out as an OSError

    def flat_batches() -> Iterator[pa.RecordBatch]:
        try:
            for batch in batches:
                yield _flat(batch, training_set, schema)
        except BaseException as error:
            raised.append(error)
            raise

    try:
        lance.write_dataset(flat_batches(), str(folder), schema, max_bytes_per_file=config.shard_bytes)
    except OSError as error:
        if raised:
            raise raised[0] from error
        raise


def _schema(training_set: TrainingSet) -> pa.Schema:
    picture = pa.field(training_set.picture, pa.large_binary(), metadata=UNCOMPRESSED)
    columns = training_set.columns
    return pa.schema([picture if each.name == picture.name else (each.name, each.type) for each in columns])


def _flat(batch: pa.RecordBatch, training_set: TrainingSet, schema: pa.Schema) -> pa.RecordBatch:
    """Put the bytes of the picture in the place of the struct that Hugging Face wants."""
    columns = [
        pc.struct_field(batch[field.name], "bytes").cast(field.type)
        if field.name == training_set.picture
        else batch[field.name]
        for field in schema
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)
