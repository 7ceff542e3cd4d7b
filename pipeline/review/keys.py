"""Keys: those that somebody typed -> those of them that no sample of the root has."""

from collections.abc import Iterable
from itertools import islice

import pyarrow as pa

from pipeline.answers import read_ahead
from pipeline.root import DatasetRoot
from pipeline.tables import open_database

KEYS_AT_A_TIME = 1 << 14
MAX_SHOWN = 3


def find_unknown_keys(root: DatasetRoot, keys: Iterable[str]) -> list[str]:
    """Return the first of those keys, in order, that no sample has; none if all are known.

    Reads the decisions of the last run, which have most keys in one file, then media shards until every key is found.
    """
    rest = iter(keys)
    files = [root.shard_path(shard.name) for shard in root.read_manifest().shards]
    if root.decisions_path.exists():
        files.insert(0, root.decisions_path)
    with open_database() as tables:
        tables.execute("CREATE TEMP TABLE asked (key VARCHAR)")
        while some := list(islice(rest, KEYS_AT_A_TIME)):
            tables.register("incoming", pa.table({"key": pa.array(some, pa.string())}))
            tables.execute("INSERT INTO asked SELECT key FROM incoming")
        tables.execute("CREATE TEMP TABLE missing AS SELECT DISTINCT key FROM asked")
        for each in files:
            ((left,),) = tables.execute("SELECT count(*) FROM missing").fetchall()
            if not left:
                break
            for known in read_ahead([each], ["key"]):
                tables.register("known", known)
                tables.execute("DELETE FROM missing WHERE key IN (SELECT key FROM known)")
        found = tables.execute("SELECT key FROM missing ORDER BY key LIMIT ?", [MAX_SHOWN]).fetchall()
    return [key for (key,) in found]
