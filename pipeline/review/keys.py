"""Keys: those that somebody typed -> those of them that no sample of the root has."""

from collections.abc import Iterable, Iterator
from itertools import islice

import pyarrow as pa

from pipeline.answers import read_ahead
from pipeline.review.parts import read_batches
from pipeline.root import DatasetRoot
from pipeline.tables import open_database

KEYS_AT_A_TIME = 1 << 14
KNOWN_AT_A_TIME = 1 << 16
MAX_SHOWN = 3


def find_unknown_keys(root: DatasetRoot, keys: Iterable[str]) -> list[str]:
    """Return some of those keys that no sample has, in order; none if all are known.

    Reads the decisions of the last run, which have most keys in one file, then media shards until every key is found.
    """
    rest = iter(keys)
    with open_database() as tables:
        tables.execute("CREATE TEMP TABLE asked (key VARCHAR)")
        while some := list(islice(rest, KEYS_AT_A_TIME)):
            tables.register("incoming", pa.table({"key": pa.array(some, pa.string())}))
            tables.execute("INSERT INTO asked SELECT key FROM incoming")
        tables.execute("CREATE TEMP TABLE missing AS SELECT DISTINCT key FROM asked")
        for known in _known_keys(root):
            tables.register("known", known)
            tables.execute("DELETE FROM missing WHERE key IN (SELECT key FROM known)")
            ((left,),) = tables.execute("SELECT count(*) FROM missing").fetchall()
            if not left:
                break
        found = tables.execute("SELECT key FROM missing ORDER BY key LIMIT ?", [MAX_SHOWN]).fetchall()
    return [key for (key,) in found]


def _known_keys(root: DatasetRoot) -> Iterator[pa.Table]:
    if root.decisions_path.exists():
        yield from read_batches(root.decisions_path, ["key"], rows=KNOWN_AT_A_TIME)
    yield from read_ahead([root.shard_path(shard.name) for shard in root.read_manifest().shards], ["key"])
