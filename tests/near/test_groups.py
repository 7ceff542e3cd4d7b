"""Signatures -> groups: the same whatever the order, linear in cost, and no chains."""

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from pipeline.near.groups import NEIGHBOURS, NUM_ROUNDS, NearConfig, NearCost, group_near
from pipeline.near.keys import NUM_KEYS
from pipeline.quality.signature import NUM_BYTES

CONFIG = NearConfig()
Rows = np.ndarray


def looks(num: int, seed: int = 0) -> Rows:
    """Signatures of unlike clips: smooth pictures, no two alike."""
    rng = np.random.default_rng(seed)
    rows = np.full((num, NUM_BYTES), 128, np.uint8)
    waves = np.array([[np.cos(np.pi * (place + 0.5) * wave / 8) for place in range(8)] for wave in range(4)])
    for start, size in ((0, 60), (64, 30)):
        mixed = rng.standard_normal((num, 4, 4)) * size / (1 + np.arange(4)[:, None] + np.arange(4))
        rows[:, start : start + 64] = (128 + waves.T @ mixed @ waves).clip(0, 255).reshape(num, 64)
    return rows


def noisy(rows: Rows, seed: int, size: float = 2.0) -> Rows:
    copies = rows.copy()
    noise = np.random.default_rng(seed).standard_normal((len(rows), NUM_BYTES - 2)) * size
    copies[:, :-2] = (rows[:, :-2] + noise).clip(0, 255)
    return copies


def mirrored(rows: Rows) -> Rows:
    turned = rows.copy()
    for start, end, side in ((0, 64, 8), (64, 128, 8), (128, 144, 4), (144, 160, 4)):
        cells = rows[:, start:end].reshape(-1, side, side)[:, :, ::-1]
        turned[:, start:end] = cells.reshape(len(rows), -1)
    return turned


def find(
    rows: Rows, *, order: np.ndarray | None = None, frames: list[int] | None = None
) -> tuple[dict[int, int], NearCost]:
    num = len(rows)
    table = pa.table({
        "ordinal": np.arange(num) * 3,
        "signature": pa.array([row.tobytes() for row in rows], pa.binary()),
        "width": np.full(num, 100),
        "height": np.full(num, 100),
        "num_distinct_frames": frames or [10] * num,
    }).take(pa.array(np.arange(num) if order is None else order))  # fmt: skip
    with duckdb.connect() as connection:
        connection.register("incoming", table)
        connection.execute("CREATE TABLE likeness AS SELECT * FROM incoming")
        cost = group_near(connection, "likeness", config=CONFIG)
        pairs = connection.execute("SELECT ordinal // 3, near_group // 3 FROM near_groups").fetchall()
    return dict(pairs), cost


def test_noisy_and_mirrored_copies_are_grouped_and_nothing_else():
    rows = looks(300)
    groups, _ = find(np.concatenate([rows, noisy(rows[:100], 1), mirrored(noisy(rows[:100], 2))]))
    truth = {number: number % 300 if number < 400 else number - 400 for number in [*range(100), *range(300, 500)]}
    assert set(groups) == set(truth)
    assert all(truth[groups[number]] == truth[number] for number in truth)


def test_groups_do_not_depend_on_the_order_of_rows():
    rows = looks(150)
    rows = np.concatenate([rows, noisy(rows, 1)])
    groups, cost = find(rows)
    assert len(groups) == 300
    for seed in range(2):
        assert find(rows, order=np.random.default_rng(seed).permutation(300)) == (groups, cost)


def test_the_best_copy_has_most_pixels_then_most_frames_then_comes_first():
    rows = np.repeat(looks(1), 4, axis=0)
    assert set(find(rows)[0].values()) == {0}
    assert set(find(rows, frames=[5, 9, 9, 7])[0].values()) == {1}
    rows[:, -1] = [60, 60, 60, 80]
    assert set(find(rows, frames=[5, 9, 9, 7])[0].values()) == {3}


def test_a_chain_of_small_differences_does_not_join_what_is_unlike():
    first, last = looks(2, seed=3).astype(np.float64)
    chain = np.stack([first + (last - first) * step / 80 for step in range(81)]).round().astype(np.uint8)
    groups, _ = find(chain)
    assert len(set(groups.values())) > 3
    assert 80 not in groups or groups[80] != groups.get(0)


@pytest.mark.parametrize("num_unlike", [1, 2000])
def test_comparisons_are_bounded_for_each_signature_however_alike_they_are(num_unlike: int):
    rows = np.resize(looks(num_unlike), (2000, NUM_BYTES))
    _, cost = find(rows)
    assert 0 < cost.num_comparisons <= 2000 * (NUM_KEYS * NEIGHBOURS + NUM_ROUNDS)


def test_a_sample_without_a_signature_is_in_no_group():
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE likeness AS SELECT range AS ordinal, NULL::BLOB AS signature, 1 AS width, 1 AS height,"
            " 1 AS num_distinct_frames FROM range(3)"
        )
        assert group_near(connection, "likeness", config=CONFIG) == NearCost(0, 0)
        assert connection.execute("SELECT count(*) FROM near_groups").fetchall() == [(0,)]
