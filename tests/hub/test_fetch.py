"""Models are fetched from a hub on loopback, once; then they open with nobody to ask."""

import pickle
import shutil
import sys
from pathlib import Path

import huggingface_hub
import pytest
import torch
from huggingface_hub import constants

from pipeline.hub import HubModel, Need, fetch
from pipeline.hub.convert import convert_pickled
from pipeline.models.hf.config import HfSummaryConfig, HfTranslationConfig
from pipeline.models.hf.identity import find_model, row_identity
from pipeline.models.hf.translation import open_hf_translator
from schemas.errors import MachineFault, UserError
from schemas.model_files import find_folder

NEEDED = {"README.md", "config.json", "generation_config.json", "model.safetensors"} | {
    "chat_template.jinja",
    "tokenizer.json",
    "tokenizer_config.json",
}
TEXTS = ["a cat is laughing. The dog dances!", "hello"]


def asked(name):
    return HubModel("summary.hf.model", name)


def names(folder):
    return {path.name for path in folder.rglob("*") if path.is_file()}


def test_what_is_fetched_into_the_cache_is_found_there_by_the_pinned_name_and_by_the_one_asked_for(hub, llama):
    commit = hub.add("tiny/llama-chat", llama)
    fetched = fetch(asked("tiny/llama-chat"))
    assert (fetched.name, fetched.commit) == (f"tiny/llama-chat@{commit}", commit)
    assert set(hub.fetched) == NEEDED
    hub.folders.clear()
    for name in (fetched.name, "tiny/llama-chat"):
        folder = find_model(HfSummaryConfig(model=name))
        assert names(folder) == NEEDED
        assert row_identity(HfSummaryConfig(model=name)).startswith(f"tiny/llama-chat@{commit[:12]}")


def test_what_is_fetched_into_a_folder_is_not_fetched_again(hub, llama, tmp_path):
    commit = hub.add("tiny/llama-chat", llama)
    first = fetch(asked("tiny/llama-chat@main"), into=tmp_path / "disk")
    assert first.name == str(tmp_path / "disk" / f"tiny--llama-chat@{commit[:12]}")
    assert names(tmp_path / "disk") == NEEDED
    hub.fetched.clear()
    assert fetch(asked("tiny/llama-chat@main"), into=tmp_path / "disk") == first
    assert not hub.fetched
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("place", ["cache", "folder"])
def test_pickled_weights_are_written_again_as_safetensors_and_translate_the_same(
    hub, marian, pickled_marian, tmp_path, place
):
    hub.add("tiny/marian", pickled_marian)
    into = tmp_path / "disk" if place == "folder" else None
    fetched = fetch(asked("tiny/marian"), into=into)
    assert fetched.is_converted
    assert fetched.name.startswith(str(into or tmp_path / "cache"))
    assert not [path for path in tmp_path.rglob("*") if path.suffix == ".bin"]
    assert not list(tmp_path.rglob("*.pickled"))
    hub.fetched.clear()
    assert fetch(asked("tiny/marian"), into=into) == fetched
    assert not hub.fetched, "it is there already"
    before, after = (
        open_hf_translator(HfTranslationConfig(model=str(folder), device="cpu", max_new_tokens=8))
        for folder in (marian, fetched.name)
    )
    assert after.translate(TEXTS) == before.translate(TEXTS)


TWO_PARTS = HubModel(
    "base.model", "tiny/two", (("reader", Need.MODEL), ("writer", Need.MODEL), ("words", Need.TOKENIZER))
)


@pytest.fixture
def two_parts(hub, pickled_marian, tmp_path):
    """A model of two pickled parts, and a third without weights."""
    for part in ("reader", "writer"):
        shutil.copytree(pickled_marian, tmp_path / "two" / part)
    (tmp_path / "two" / "words").mkdir()
    (tmp_path / "two" / "words" / "tokenizer_config.json").write_text("{}")
    hub.add("tiny/two", tmp_path / "two")


@pytest.mark.parametrize("place", ["cache", "folder"])
@pytest.mark.parametrize("num_parts", [0, 1, 2])
def test_a_conversion_that_was_killed_is_taken_up_again(hub, two_parts, tmp_path, monkeypatch, place, num_parts):
    into = tmp_path / "disk" if place == "folder" else None
    converted = []

    def killed_after(folder, target, weights):
        if len(converted) == num_parts:
            (target.parent / f".{target.name}.converting").mkdir(parents=True)  # what lay there at that moment
            raise KeyboardInterrupt
        converted.append(target)
        convert_pickled(folder, target, weights)
        if len(converted) == num_parts == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(sys.modules["pipeline.hub.fetch"], "convert_pickled", killed_after)
        fetch(TWO_PARTS, into=into)
    assert not [path for path in tmp_path.rglob("tiny--two@*") if not path.name.startswith(".")]
    fetched = fetch(TWO_PARTS, into=into)
    folder = Path(fetched.name)
    for part in ("reader", "writer"):
        assert {"model.safetensors", "config.json", "source.spm", "vocab.json"} <= names(folder / part)
    assert names(folder / "words") == {"tokenizer_config.json"}
    assert [path for path in folder.parent.iterdir() if path != folder] == []
    hub.fetched.clear()
    assert fetch(TWO_PARTS, into=into) == fetched
    assert not hub.fetched


def test_a_converted_folder_that_lacks_a_file_is_made_again(two_parts, tmp_path):
    fetched = fetch(TWO_PARTS, into=tmp_path / "disk")
    for name in ("writer/vocab.json", "words/tokenizer_config.json", "reader/model.safetensors"):
        Path(fetched.name, name).unlink()
        assert fetch(TWO_PARTS, into=tmp_path / "disk") == fetched
        assert Path(fetched.name, name).is_file()


def test_what_is_printed_is_what_was_fetched_though_the_branch_moves_meanwhile(hub, llama, monkeypatch):
    """Its answer about the branch is the last; from then on only the commit is asked for."""
    commit = hub.add("tiny/llama-chat", llama)
    revisions = []
    download = huggingface_hub.snapshot_download

    def noting(repo, *, revision, **settings):
        revisions.append(revision)
        return download(repo, revision=revision, **settings)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", noting)
    fetched = fetch(asked("tiny/llama-chat@main"))
    assert revisions == [commit]
    assert fetched.name == f"tiny/llama-chat@{commit}"
    assert find_folder("tiny/llama-chat@main", key="model") == find_folder(fetched.name, key="model")


class Evil:
    def __reduce__(self):
        return (open, ("ran.txt", "w"))


def test_a_pickle_that_would_run_code_is_not_read(hub, pickled_marian, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "evil"
    shutil.copytree(pickled_marian, folder)
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps({"weight": Evil()}))
    hub.add("tiny/evil", folder)
    with pytest.raises(UserError, match="holds more than tensors"):
        fetch(asked("tiny/evil"))
    assert not (tmp_path / "ran.txt").exists()
    assert not list((tmp_path / "cache").rglob("*.bin")), "nor is it kept"


def test_weights_of_another_model_are_refused(hub, pickled_marian, tmp_path):
    folder = tmp_path / "half"
    shutil.copytree(pickled_marian, folder)
    torch.save({"model.shared.weight": torch.zeros(2, 2)}, folder / "pytorch_model.bin")
    hub.add("tiny/half", folder)
    with pytest.raises(UserError, match="is missing or of another shape, expected all of MarianMTModel"):
        fetch(asked("tiny/half"))


def test_what_the_hub_refuses_is_told_in_one_sentence_with_its_key(hub, llama, tmp_path):
    hub.add("tiny/gated", llama, is_gated=True)
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "config.json").write_text("{}")
    hub.add("tiny/empty", tmp_path / "empty")
    for name, sentence in {
        "tiny/none": "the hub has no such model",
        "tiny/gated@v9": "the hub has no such revision of tiny/gated",
        "tiny/gated": "accept its licence at the hub first, and put your token into HF_TOKEN",
        "tiny/empty": "neither model.safetensors nor pytorch_model.bin",
    }.items():
        with pytest.raises(UserError, match=sentence) as told:
            fetch(asked(name))
        assert str(told.value).startswith(f"summary.hf.model = {name!r}")


def test_a_hub_that_is_gone_is_the_machines_fault(hub, monkeypatch):
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(MachineFault, match="not fetched, run the same command again"):
        fetch(asked("tiny/llama-chat"))


def test_a_model_that_was_not_fetched_is_still_not_there(hub):
    with pytest.raises(UserError, match="no such model in the hub cache"):
        find_folder("tiny/llama-chat", key="model")
