"""Card head: what a dataset hub reads of a dataset card, as YAML."""

from collections.abc import Sequence

import yaml

from pipeline.export.statistics import Counts
from schemas.manifest import ExportManifest

FENCE = "---\n"
UNKNOWN = "unknown"  # also what hubs call a licence that nobody has named

# What dataset hubs call sizes (fewer samples than) and tasks.
SIZES = {
    10**3: "n<1K",
    10**4: "1K<n<10K",
    10**5: "10K<n<100K",
    10**6: "100K<n<1M",
    10**7: "1M<n<10M",
    10**8: "10M<n<100M",
}
TASKS = {"t2i": "text-to-image", "t2v": "text-to-video"}

# Licences that dataset hubs know by these names, the usual ones for pictures; whatever else a source says is "other".
KNOWN_LICENCES = frozenset(
    {
        "apache-2.0",
        "cc-by-2.0",
        "cc-by-3.0",
        "cc-by-4.0",
        "cc-by-nc-4.0",
        "cc-by-nc-nd-4.0",
        "cc-by-nc-sa-4.0",
        "cc-by-nd-4.0",
        "cc-by-sa-3.0",
        "cc-by-sa-4.0",
        "cc0-1.0",
        "gpl-3.0",
        "mit",
        "ofl-1.1",
        "unlicense",
    }
)


def card_for(card: str, data_files: Sequence[str]) -> str:
    """Return a card for the same set in other files: what its head says of Parquet files is replaced.

    data_files: patterns of them for Hugging Face; none: it finds them by itself, or has no reader for them.
    """
    before, _, rest = card.partition(FENCE)
    text, end, body = rest.partition(f"\n{FENCE}")
    if before or not end:
        text, body = "{}", card
    head = yaml.safe_load(text)
    head.pop("configs", None)
    return _fenced(_configs(data_files) | head) + body.lstrip("\n")


def card_head(manifest: ExportManifest, licences: Counts) -> str:
    """Return the YAML that dataset hubs read, fenced. No label is in it, and no licence but by a known name."""
    return _fenced(
        _configs(["*.parquet"])
        | {
            "language": ["en", "zh"],
            "license": _licence_name(licences),
            "task_categories": [TASKS[manifest.name]],
            "size_categories": [_size_category(manifest.num_samples)],
            "tags": ["gif", "sticker", "emoji", "animation"],
            "schema_version": manifest.schema_version,
        }
    )


def _fenced(head: dict[str, object]) -> str:
    return f"{FENCE}{yaml.safe_dump(head, sort_keys=False, allow_unicode=True)}{FENCE}\n"


def _configs(data_files: Sequence[str]) -> dict[str, object]:
    if not data_files:
        return {}
    files = {"split": "train", "path": data_files[0] if len(data_files) == 1 else list(data_files)}
    return {"configs": [{"config_name": "default", "data_files": [files]}]}


def _size_category(num_samples: int) -> str:
    return next((name for limit, name in SIZES.items() if num_samples < limit), "100M<n<1B")


def _licence_name(licences: Counts) -> str:
    """Return one name for the whole set: `unknown` unless every sample has a licence, `other` unless it is one."""
    values = {value for value, _ in licences.frequent}
    if None in values or not values:
        return UNKNOWN
    (only, *others) = values
    name = str(only).lower().replace(" ", "-")
    return name if not others and licences.num_values == 1 and name in KNOWN_LICENCES else "other"
