"""The dataset card: YAML that parses whatever labels say, numbers that are counted, a licence where it is known."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from pipeline.export.card import dataset_card
from pipeline.export.card_head import card_for
from pipeline.export.columns import T2V
from pipeline.root import DatasetRoot
from tests.export.small_set import LABELS, small_clips
from tests.mobius_model.data.tiny_root import tiny_clip, write_set

FENCE = "---\n"


def write_card(root: Path, extras: list[str]) -> str:
    """Write a t2v set with these `extra` columns and return its card."""
    clips = [
        replace(tiny_clip(number), changes={"extra": extra, "num_frames": number + 1, "source": "a | b"})
        for number, extra in enumerate(extras)
    ]
    write_set(root, "t2v", clips)
    manifest = DatasetRoot(root).read_export("t2v")
    assert manifest is not None
    return dataset_card(manifest, T2V, root / "t2v")


def head_of(card: str) -> dict[str, object]:
    _, text, _ = card.split(FENCE, 2)
    head = yaml.safe_load(text)
    assert isinstance(head, dict)
    return head


def test_the_head_is_valid_yaml_and_says_what_hubs_read(small_root: Path) -> None:
    head = head_of((small_root / "t2v" / "README.md").read_text(encoding="utf-8"))
    data_files = [{"split": "train", "path": "*.parquet"}]
    assert head == {
        "configs": [{"config_name": "default", "data_files": data_files}],
        "language": ["en", "zh"],
        "license": "unknown",
        "task_categories": ["text-to-video"],
        "size_categories": ["n<1K"],
        "tags": ["gif", "sticker", "emoji", "animation"],
        "schema_version": 1,
    }


@pytest.mark.parametrize(
    ("extras", "name", "shown"),
    [
        (["", "{}"], "unknown", "| unknown | 2 |"),
        (['{"license": "CC BY 4.0"}', "{}"], "unknown", r"| CC BY 4\.0 | 1 |"),
        (['{"license": "CC BY 4.0"}'] * 2, "cc-by-4.0", r"| CC BY 4\.0 | 2 |"),
        (['{"licence": "MIT"}', '{"license": "CC0-1.0"}'], "other", "| MIT | 1 |"),
        (['{"license": "x\\n---\\nlicense: mit"}'], "other", r"license\: mit | 1 |"),
        (['{"license": {"name": "mit"}}', "no json"], "unknown", "| unknown | 1 |"),
    ],
)
def test_a_licence_is_named_only_if_every_sample_has_that_one(
    tmp_path: Path, extras: list[str], name: str, shown: str
) -> None:
    card = write_card(tmp_path, extras)
    assert head_of(card)["license"] == name
    assert shown in card.partition("## Licence")[2].partition("## Provenance")[0]


def test_numbers_labels_and_origins_are_counted(tmp_path: Path) -> None:
    card = write_card(tmp_path, ['{"artist": "a", "url": ""}', '{"artist": "b"}', "{}", "{}"])
    assert "| frames | 1 | 2 | 4 | 4 |" in card
    assert "| 开心 | 4 |\n\n1 labels in all." in card
    assert r"| a \| b | 4 |" in card
    assert "| `artist` | 2 |" in card
    assert "`url`" not in card


def test_a_set_of_no_samples_has_a_card_too(tmp_path: Path) -> None:
    card = write_card(tmp_path, [])
    assert head_of(card)["license"] == "unknown"
    assert "# t2v: 0 samples" in card


def test_every_label_is_one_line_of_the_table(small_root: Path) -> None:
    card = (small_root / "t2v" / "README.md").read_text(encoding="utf-8")
    table = card.partition("## Labels")[2].partition("## Licence")[0]
    assert len([line for line in table.splitlines() if line.startswith("|")]) == 2 + len(LABELS)
    assert len(small_clips()) == len(LABELS)


def test_the_card_of_another_format_names_its_files_and_keeps_the_rest(small_root: Path) -> None:
    card = (small_root / "t2v" / "README.md").read_text(encoding="utf-8")
    tars = card_for(card, ["*.tar"])
    assert head_of(tars)["configs"] == [{"config_name": "default", "data_files": [{"split": "train", "path": "*.tar"}]}]
    assert tars.split(FENCE, 2)[2] == card.split(FENCE, 2)[2]
    assert "configs" not in head_of(card_for(card, []))
    assert head_of(card_for("# no head\n", ["*.tar"])) == {"configs": head_of(tars)["configs"]}
