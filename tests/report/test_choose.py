"""Who is shown, when there are more samples than that."""

from collections import Counter

import duckdb
import pytest

from pipeline.report.choose import CREATE_POOL, Chosen, choose_samples, group_copies


@pytest.fixture
def pool() -> duckdb.DuckDBPyConnection:
    """10,000 samples: 9,000 kept of 90 labels, 990 copies of one of them, 10 broken ones."""
    tables = duckdb.connect()
    tables.execute(CREATE_POOL)
    tables.execute("CREATE TABLE label_counts (label VARCHAR, num_samples BIGINT)")
    tables.execute(
        """
        INSERT INTO pool SELECT md5(i::VARCHAR), '00000', i, i, 'label ' || i % 90, ['label ' || i % 90],
            CASE WHEN i < 9000 THEN 'exported' WHEN i < 9990 THEN 'rejected' ELSE 'quarantined' END, 'x', NULL, NULL,
            'exported', 'x', NULL,
            CASE WHEN i < 9000 THEN 'both' WHEN i < 9990 THEN 'rejected' ELSE 'quarantined' END, 'x',
            CASE WHEN i < 9000 THEN NULL WHEN i < 9990 THEN 'duplicate' ELSE 'corrupt' END,
            CASE WHEN i >= 9000 AND i < 9990 THEN md5('0') END
        FROM range(10000) t(i)
        """
    )
    return tables


def outcomes(chosen: list[Chosen]) -> Counter[str]:
    return Counter(each.outcome for each in chosen)


def test_rare_reasons_are_shown_whole_and_the_others_share_the_rest(pool: duckdb.DuckDBPyConnection) -> None:
    chosen = choose_samples(pool, 210)
    assert outcomes(chosen) == {"both": 100, "rejected": 100, "quarantined": 10}
    labels = Counter(each.label for each in chosen if each.outcome == "both")
    assert len(labels) == 90
    assert max(labels.values()) == 2


def test_the_same_samples_are_chosen_each_time(pool: duckdb.DuckDBPyConnection) -> None:
    assert choose_samples(pool, 50) == choose_samples(pool, 50)
    assert {each.key for each in choose_samples(pool, 50)} < {each.key for each in choose_samples(pool, 500)}


def test_all_are_shown_while_there_are_few(pool: duckdb.DuckDBPyConnection) -> None:
    chosen = choose_samples(pool, 10_000)
    assert len({each.key for each in chosen}) == 10_000
    assert [each.position for each in chosen] == list(range(10_000)), "in order of ingestion"


def test_the_largest_groups_of_copies_are_shown_with_the_kept_one_first(pool: duckdb.DuckDBPyConnection) -> None:
    (group,), num_groups = group_copies(pool)
    assert num_groups == 1
    assert group.num == 991
    assert len(group.keys) == 8
    chosen = {each.key: each for each in choose_samples(pool, 1, shown=group.keys)}
    assert set(group.keys) <= set(chosen)
    assert chosen[group.keys[0]].position == 0
