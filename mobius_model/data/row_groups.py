"""Row groups: a folder of Parquet files -> tables, one row group at a time, the last few kept in memory."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.errors import MachineFault, MobiusError, UserError
from schemas.storage import MACHINE_ERRNOS

PLAN_KEY = b"mobius.plan"


@dataclass(frozen=True, slots=True)
class RowGroup:
    """One row group: the file it lies in, its number there, and how many rows it has."""

    file: str
    number: int
    num_rows: int


def list_row_groups(folder: Path, name: str, *, plan: str) -> list[RowGroup]:
    """Return the row groups of one file. Raises UserError for a file that is not Parquet or of another export."""
    with open_parquet(folder / name, plan=plan) as file:
        return [
            RowGroup(name, number, file.metadata.row_group(number).num_rows) for number in range(file.num_row_groups)
        ]


def open_parquet(path: Path, *, plan: str) -> Any:
    """Open a Parquet file whose footer names the plan of the set it belongs to."""
    try:
        file = pq.ParquetFile(path, pre_buffer=False)  # on a local disk it only copies once more
    except FileNotFoundError as error:
        raise UserError(f"{path}: missing, though the manifest lists it") from error
    except (pa.ArrowInvalid, OSError) as error:
        raise _unreadable(path, error) from error
    found = (file.schema_arrow.metadata or {}).get(PLAN_KEY, b"").decode()
    if found != plan:
        file.close()
        raise UserError(f"{path}: belongs to plan {found or 'none'}, the manifest read at the start is of plan {plan}")
    return file


def _unreadable(path: Path, error: Exception) -> MobiusError:
    if isinstance(error, OSError) and error.errno in MACHINE_ERRNOS:
        return MachineFault(f"{path}: {error.strerror}")
    return UserError(f"{path}: not a readable Parquet file")


class RowGroupReader:
    """Reads row groups of one folder and keeps the last `capacity` of them; a copy sent to a worker starts empty."""

    def __init__(self, folder: Path, row_groups: Sequence[RowGroup], *, plan: str, capacity: int) -> None:
        self.folder = folder
        self.row_groups = tuple(row_groups)
        self.plan = plan
        self.capacity = capacity
        self._kept: OrderedDict[tuple[int, tuple[str, ...]], pa.Table] = OrderedDict()

    def read(self, index: int, columns: Sequence[str]) -> pa.Table:
        """Return some columns of a row group, from memory if it was read lately; rows are in stored order.

        Raises UserError if the file is gone or was exported anew since the manifest was read.
        """
        wanted = (index, tuple(columns))
        if wanted not in self._kept:
            while len(self._kept) >= self.capacity:
                self._kept.popitem(last=False)
            self._kept[wanted] = self.read_once(index, columns)
        self._kept.move_to_end(wanted)
        return self._kept[wanted]

    def read_once(self, index: int, columns: Sequence[str]) -> pa.Table:
        """Read without keeping: for a scan over everything."""
        group = self.row_groups[index]
        path = self.folder / group.file
        with open_parquet(path, plan=self.plan) as file:
            try:
                return file.read_row_group(group.number, columns=list(columns), use_threads=False)
            except (pa.ArrowInvalid, OSError) as error:
                raise _unreadable(path, error) from error

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_kept": OrderedDict()}
