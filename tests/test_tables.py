"""Tables of a root while workers join parts: what was listed may be gone, its rows are not."""

from pathlib import Path

import pytest

from pipeline import tables
from pipeline.answers import FlushConfig, PartWriter, count_rows, part_schema
from pipeline.config import CurateConfig
from pipeline.plan import plan_stages
from pipeline.root import DatasetRoot
from pipeline.tables import list_parts, load_groups, open_database
from schemas.answers import ImageCaptionAnswer
from schemas.manifest import DatasetManifest, Shard
from schemas.storage import remove_files
from tests.test_answers import row

STAGE = "image_caption"


@pytest.mark.parametrize("num_gone", [1, 12])
def test_parts_joined_between_listing_and_reading_are_listed_again(
    tmp_path: Path, num_gone: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first part is read before DuckDB asks, the others while it does."""
    monkeypatch.setattr(tables, "_sample_tables", lambda *_: iter([tables.pa.table({"key": ["k0"]})]))
    config = CurateConfig.model_validate(
        {"root": str(tmp_path / "root"), "source": {"kind": "label_folders", "path": str(tmp_path)}}
    )
    root, plans = DatasetRoot(config.root_path), plan_stages(config)
    root.write_manifest(DatasetManifest(shards=[Shard(name="00000", num_samples=12, num_row_groups=1, size_bytes=1)]))
    folder = root.stage_folder(STAGE, plans[STAGE].fingerprint)
    parts = PartWriter(folder, "00000", part_schema(ImageCaptionAnswer), FlushConfig(samples=1))
    for number in range(12):
        parts.add(row(f"k{number}"))
    listed = list_parts(root, plans, [STAGE])
    if num_gone == 12:
        parts.finish()
    else:
        remove_files(listed[STAGE]["00000"][-1:])
    with open_database() as connection:
        for _ in load_groups(connection, root, plans, listed, sample_columns=("key",), columns={}):
            ((found,),) = connection.execute(f"SELECT count(*) FROM {STAGE}").fetchall()
    assert found == count_rows(folder)
