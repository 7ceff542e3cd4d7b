"""webdataset: samples -> tar files with KEY.webp and KEY.json each, as the `webdataset` package reads them."""

import io
import tarfile
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa

from pipeline.export.columns import TrainingSet
from pipeline.export.formats.writer import FormatConfig, cut_shards, row_json, split_rows


def write_webdataset(
    folder: Path, batches: Iterable[pa.RecordBatch], *, training_set: TrainingSet, config: FormatConfig
) -> None:
    """Write SET-00000.tar and so on. Headers hold no time and no owner: equal samples make equal files."""
    samples = (
        (row["key"], media, row_json(row).encode())
        for batch in batches
        for row, media in split_rows(batch, training_set)
    )
    sized = ((sample, len(sample[1]) + len(sample[2])) for sample in samples)
    for number, shard in cut_shards(sized, config.shard_bytes):
        path = folder / f"{training_set.name}-{number:05d}.tar"
        with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
            for key, media, text in shard:
                _add(tar, f"{key}.webp", media)
                _add(tar, f"{key}.json", text)


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)  # time, owner and group are 0, the mode is 0644
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))
