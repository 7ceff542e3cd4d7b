"""Dataset card: an export manifest -> the README.md that lies beside the files."""

from collections import Counter

from pipeline.answers import read_ahead
from pipeline.export.columns import TrainingSet
from schemas.location import Location
from schemas.manifest import ExportManifest

MAX_LABELS_SHOWN = 50
MARKUP = frozenset("\\`*_[]<>|#&~$:@.!")  # with what makes a link of an address that stands alone


def dataset_card(manifest: ExportManifest, training_set: TrainingSet, folder: Location) -> str:
    """Return the card as Markdown with the YAML head that dataset hubs read. Same set, same text."""
    labels: Counter[str] = Counter()
    models: set[str] = set()
    files = [folder / file.name for file in manifest.files]
    for table in read_ahead(files, ["label", *_model_columns(training_set)]):
        labels.update(label or "" for label in table["label"].to_pylist())
        for name in _model_columns(training_set):
            models.update(f"`{name}`: {_escape(value)}" for value in table[name].unique().to_pylist() if value)
    size = sum(file.size_bytes for file in manifest.files)
    return "\n".join(
        [
            *_head(manifest),
            f"# {training_set.name}: {manifest.num_samples:,} samples",
            "",
            f"{len(manifest.files):,} Parquet files, {size / 1e6:,.1f} MB. `{training_set.picture}` holds "
            f"{training_set.picture_meaning}. Open it with any Parquet tool; "
            "`manifest.json` has the SHA-256 of every file.",
            "",
            *_table(("column", "meaning"), [(f"`{c.name}`", c.meaning) for c in training_set.columns]),
            "## Who wrote what",
            "",
            *sorted(f"- {model}" for model in models),
            "",
            "Models named `embedded/...` describe measured facts; they recognise no objects.",
            "",
            "## Labels",
            "",
            *_table(("label", "samples"), [(_escape(name), f"{n:,}") for name, n in _frequent(labels)]),
            f"{len(labels):,} labels in all.",
            "",
            "## Licence",
            "",
            "The licence of every picture is that of its source; a licence column of the source is in `extra`.",
            "",
        ]
    )


def _head(manifest: ExportManifest) -> list[str]:
    return [
        "---",
        "configs:",
        "- config_name: default",
        "  data_files:",
        "  - split: train",
        '    path: "*.parquet"',
        "language: [en, zh]",
        f"schema_version: {manifest.schema_version}",
        "---",
        "",
    ]


def _model_columns(training_set: TrainingSet) -> list[str]:
    return [column.name for column in training_set.columns if column.name.endswith("_model")]


def _frequent(labels: Counter[str]) -> list[tuple[str, int]]:
    return sorted(labels.items(), key=lambda each: (-each[1], each[0]))[:MAX_LABELS_SHOWN]


def _table(head: tuple[str, str], rows: list[tuple[str, str]]) -> list[str]:
    lines = [f"| {head[0]} | {head[1]} |", "|---|---|"]
    return [*lines, *(f"| {left} | {right} |" for left, right in rows), ""]


def _escape(text: str) -> str:
    """Make a label harmless in Markdown: one line, no markup."""
    plain = "".join(character if character.isprintable() else " " for character in text)[:80]
    return "".join(f"\\{character}" if character in MARKUP else character for character in plain)
