"""Dataset card: an export manifest -> the README.md that lies beside the files."""

from collections.abc import Iterable, Sequence

from pipeline.export.card_head import UNKNOWN, card_head
from pipeline.export.columns import TrainingSet
from pipeline.export.statistics import Counts, SetStatistics, Spread, measure_set
from schemas.location import Location
from schemas.manifest import ExportManifest

MARKUP = frozenset("\\`*_[]<>|#&~$:@.!")  # with what makes a link of an address that stands alone
LIMITS = (
    "Pictures come from their sources as they are: that one is here says nothing about who made it, or who agreed.",
    "Labels are the tags of the sources, in the words and the language of whoever wrote them.",
    "Captions and translations are written by the models named above, and may be wrong.",
    "Text burnt into pictures is removed where it is found; what is not found is still there.",
    "Masked pixels that no other frame shows are invented: `invented_pixels` says how many.",
    "Delays of 10 ms or less play as 100 ms, as in browsers; `delays_ms`, where there is one, has them as stored.",
)


def dataset_card(manifest: ExportManifest, training_set: TrainingSet, folder: Location) -> str:
    """Return the card as Markdown with the YAML head that dataset hubs read. Same set, same text."""
    found = measure_set([folder / file.name for file in manifest.files], training_set)
    size = sum(file.size_bytes for file in manifest.files)
    return card_head(manifest, found.licences) + "\n".join(
        [
            f"# {training_set.name}: {manifest.num_samples:,} samples",
            "",
            f"{len(manifest.files):,} Parquet files, {size / 1e6:,.1f} MB. `{training_set.picture}` holds "
            f"{training_set.picture_meaning}. Open it with any Parquet tool; "
            "`manifest.json` has the SHA-256 of every file.",
            "",
            *_table(("column", "meaning"), [(f"`{c.name}`", c.meaning) for c in training_set.columns]),
            "## In numbers",
            "",
            *_numbers(manifest, found),
            "## Who wrote what",
            "",
            *(f"- `{name}`: {_escape(model)}" for name, model in found.models),
            "",
            "Models named `embedded/...` describe measured facts; they recognise no objects.",
            "",
            "## How it was made",
            "",
            *_making(manifest),
            "## Labels",
            "",
            *_table(("label", "samples"), _counted(found.counts["label"])),
            f"{found.counts['label'].num_values:,} labels in all.",
            "",
            "## Licence",
            "",
            *_licence(found.licences),
            "## Provenance",
            "",
            *_provenance(found),
            "## Known limits",
            "",
            *(f"- {limit}" for limit in LIMITS),
            "",
        ]
    )


def _numbers(manifest: ExportManifest, found: SetStatistics) -> list[str]:
    rows = [(title, *map(_number, _shown(spread))) for title, spread in found.spreads.items()]
    outcomes = ", ".join(f"{value or UNKNOWN}: {num:,}" for value, num in found.counts["clean_outcome"].frequent)
    return [
        *_table(("", "least", "median", "95 of 100 up to", "most"), rows),
        f"{found.num_transparent:,} of {manifest.num_samples:,} samples have transparent pixels. "
        f"Text removal: {_escape(outcomes)}. Captions are in English and, in columns ending in `_zh`, in Chinese.",
        "",
    ]


def _shown(spread: Spread) -> tuple[float, ...]:
    return spread.least, spread.median, spread.high, spread.most


def _making(manifest: ExportManifest) -> list[str]:
    stages = ", ".join(f"{name} `{fingerprint}`" for name, fingerprint in manifest.fingerprints.items())
    return [
        f"By `mobius curate`, plan `{manifest.plan}`, from the answers of these stages, each with the fingerprint of "
        f"its settings and models: {stages}. The settings are in `manifest.json` and in the footer of every file; "
        "`fates.parquet` of the dataset root says of every file that came in why it is here or not.",
        "",
    ]


def _licence(licences: Counts) -> list[str]:
    return [
        "The licence of every picture is that of its source; a licence column of the source is in `extra`.",
        "",
        *_table(("licence", "samples"), _counted(licences)),
    ]


def _provenance(found: SetStatistics) -> list[str]:
    columns = [(f"`{name}`", f"{num:,}") for name, num in found.origins.items()] or [(UNKNOWN, "all")]
    return [
        "`source`, `path` and `bytes_hash` say where each file was found and what was in it.",
        "",
        *_table(("source", "samples"), _counted(found.counts["source"])),
        *_table(("format as found", "samples"), _counted(found.counts["source_format"])),
        "What the sources say of where their files come from, in `extra`:",
        "",
        *_table(("column", "samples"), columns),
    ]


def _counted(counts: Counts) -> list[tuple[str, str]]:
    return [(UNKNOWN if value is None else _escape(value), f"{num:,}") for value, num in counts.frequent]


def _number(number: float) -> str:
    return f"{number:,.0f}" if number == int(number) else f"{number:,.3f}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    return [*lines, *(f"| {' | '.join(row)} |" for row in rows), ""]


def _escape(text: str) -> str:
    """Make a label harmless in Markdown: one line, no markup."""
    plain = "".join(character if character.isprintable() else " " for character in text)[:80]
    return "".join(f"\\{character}" if character in MARKUP else character for character in plain)
