"""LabelRow: one line of a label file, and the checks that every kind of label file shares."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from pipeline.sources.config import DEFAULT_LABEL_COLUMN, SourceConfig
from pipeline.sources.content import shown
from pipeline.sources.positions import tidy_path
from pipeline.sources.readable import readable_label
from schemas.errors import UserError


@dataclass(frozen=True, slots=True)
class LabelRow:
    """A file that somebody listed, its label, and whatever else the line says."""

    position: bytes
    label: str | None
    extra: Mapping[str, object]


def make_row(path: object, label: object, extra: Mapping[str, object], *, where: str) -> LabelRow:
    """Check the two values that matter and return the row. Raises UserError that begins with `where`."""
    if path is None or path in ("", b""):
        raise UserError(f"{where}: no path, expected the file that the line is about")
    if not isinstance(path, str | bytes):
        raise UserError(f"{where}: the path is {type(path).__name__}, expected text")
    if label is not None and not isinstance(label, str):
        raise UserError(f"{where}: the label is {type(label).__name__}, expected text")
    return LabelRow(tidy_path(_file_name(path)), readable_label(label), extra)


def check_columns(columns: Collection[str], config: SourceConfig, *, needed: Collection[str], where: str) -> None:
    """Raise UserError if a needed column is missing, or a label column that is not the default."""
    if len(set(columns)) < len(columns):
        raise UserError(f"{where}: two columns share a name, found {', '.join(map(shown, columns))}")
    wanted = [*needed] if config.label_column == DEFAULT_LABEL_COLUMN else [*needed, config.label_column]
    for name in wanted:
        if name not in columns:
            found = ", ".join(map(shown, columns)) or "none"
            raise UserError(f"{where}: no column {shown(name)}, found {found}")


def _file_name(path: str | bytes) -> bytes:
    """UTF-8, with the surrogates that stand for bytes turned back into them, whatever the locale says."""
    if isinstance(path, bytes):
        return path
    try:
        return path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return path.encode("utf-8", "surrogatepass")
