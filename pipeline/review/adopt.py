"""Adopt: what stands at the beginning of a run -> one file that the whole run goes by, whatever is said meanwhile.

Its digest is that of what stands, not of how it came to stand: one more decision that changes nothing, and one that is
taken back, leave decisions and exports as they are.
"""

from contextlib import suppress
from itertools import chain

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.review.parts import ROWS_AT_A_TIME, read_batches
from pipeline.review.standing import create_from, load_standing
from pipeline.root import DatasetRoot
from pipeline.tables import open_database
from schemas.storage import open_parquet, parquet_compression, written_aside

SCHEMA = pa.schema([(name, pa.string()) for name in ("key", "subject", "action", "text", "reviewer")])
DIGEST = b"mobius.review"

# Who said that a sample is out or in changes nothing that is made of it; who wrote a caption does.
STANDING_DIGEST = """
SELECT sha256(string_agg(sha256(concat(
    key, ' ', subject, ' ', action, CASE WHEN text IS NOT NULL THEN concat(' ', strlen(text), ':', text, reviewer) END
)), '' ORDER BY key, subject)) FROM standing
"""


def adopt_review(root: DatasetRoot) -> str:
    """Write down what stands now, unless that is known already, and return its digest; "" if nothing stands.

    For who holds the lock of the root. Memory: DuckDB's own.
    """
    with open_database() as connection:
        load_standing(connection, root)
        ((found,),) = connection.execute(STANDING_DIGEST).fetchall()
        digest = str(found or "")
        if digest != adopted_digest(root):
            with (
                written_aside(root.adopted_review_path) as aside,
                pq.ParquetWriter(aside, SCHEMA, compression=parquet_compression(SCHEMA)) as writer,
            ):
                rows = connection.sql("SELECT * FROM standing ORDER BY key, subject")
                for batch in rows.to_arrow_reader(ROWS_AT_A_TIME):
                    writer.write_table(pa.Table.from_batches([batch]).cast(SCHEMA))
                writer.add_key_value_metadata({DIGEST: digest})
    return digest


def adopted_digest(root: DatasetRoot) -> str:
    """Return the digest of what the last run went by, "" if that was nothing."""
    try:
        with open_parquet(root.adopted_review_path) as file:
            return str((file.metadata.metadata or {}).get(DIGEST, b"").decode())
    except FileNotFoundError:
        return ""


def load_adopted(connection: duckdb.DuckDBPyConnection, root: DatasetRoot) -> None:
    """Make the table `standing` as the last run went by it: key, subject, action, text, reviewer."""
    with suppress(FileNotFoundError):  # then the table is there, and empty
        create_from(connection, "standing", chain([SCHEMA.empty_table()], read_batches(root.adopted_review_path)))
