"""State: equal names make equal digests, anything more makes another; what is stored is used only if it can be read."""

import json
from pathlib import Path

import pytest

from pipeline import state
from pipeline.config import CurateConfig
from pipeline.ledger import write_fates
from pipeline.plan import plan_stages
from pipeline.root import DatasetRoot
from pipeline.state import state_digest
from schemas.manifest import DatasetManifest, Shard

PART = Path("00000-0000000000000001-aaaaaa-00001.parquet")
LATER = Path("00000-0000000000000002-aaaaaa-00001.parquet")


@pytest.fixture
def config(tmp_path: Path) -> CurateConfig:
    return CurateConfig.model_validate(
        {"root": str(tmp_path / "root"), "source": {"kind": "label_folders", "path": str(tmp_path)}}
    )


def manifest(*names: str) -> DatasetManifest:
    shards = [Shard(name=name, num_samples=1, num_row_groups=1, size_bytes=1) for name in names]
    return DatasetManifest(shards=shards)


def test_any_shard_part_or_threshold_more_makes_another_state(
    config: CurateConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans = plan_stages(config)
    one, two = manifest("00000"), manifest("00000", "00001")
    parts, more = {"probe": {"00000": [PART]}}, {"probe": {"00000": [PART, LATER]}}
    known = state_digest(one, plans, parts, select={"min_side": 1})
    assert state_digest(manifest("00000"), plans, {"probe": {"00000": [PART]}}, select={"min_side": 1}) == known
    others = [
        state_digest(two, plans, parts, select={"min_side": 1}),
        state_digest(one, plans, more, select={"min_side": 1}),
        state_digest(one, plans, parts, select={"min_side": 2}),
    ]
    monkeypatch.setattr(state, "BOOKKEEPING_VERSION", state.BOOKKEEPING_VERSION + 1)
    others.append(state_digest(one, plans, parts, select={"min_side": 1}))
    assert len({known, *others}) == 5


def test_an_account_is_counted_again_if_it_cannot_be_read_and_only_then(config: CurateConfig) -> None:
    root = DatasetRoot(config.root_path)
    counted = write_fates(root, config)
    known = json.loads(root.account_path.read_bytes())
    marked = {**known, "ledger": {**known["ledger"], "ingested": 7}}
    root.account_path.write_text(json.dumps(marked))
    assert write_fates(root, config).ingested == 7, "taken as it is"
    for broken in (
        {**known, "ledger": {"ingested": "many"}},
        {"state": known["state"]},
        [],
        {**marked, "state": "old"},
    ):
        root.account_path.write_text(json.dumps(broken))
        assert write_fates(root, config) == counted
