"""Identity: it follows everything that decides the answers, and nothing else."""

import json
import shutil
import subprocess
import sys

import pytest
from safetensors.torch import load_file, save_file

from pipeline.models.hf.config import HfSummaryConfig, HfVideoCaptionConfig
from pipeline.models.hf.identity import identify_hf, row_identity


@pytest.fixture
def copy(llama, tmp_path):
    return shutil.copytree(llama, tmp_path / "place" / llama.name)


def identify(folder, **settings):
    return identify_hf(HfSummaryConfig(model=str(folder), **settings))


def test_the_same_model_elsewhere_is_the_same(llama, copy):
    assert identify(copy) == identify(llama)
    assert str(copy.parent) not in identify(copy)


def test_the_device_changes_nothing(llama):
    assert identify(llama, device="cpu") == identify(llama, device="cuda") == identify(llama)


def test_prompt_length_and_dtype_change_it(llama):
    identities = [
        identify(llama),
        identify(llama, prompt="{captions}"),
        identify(llama, max_new_tokens=7),
        identify(llama, dtype="float32"),
    ]
    assert len(set(identities)) == 4
    frames = [identify_hf(HfVideoCaptionConfig(model=str(llama), num_frames=number)) for number in (4, 8)]
    assert frames[0] != frames[1]


def test_weights_change_it(llama, copy):
    before = identify(copy)
    weights = load_file(copy / "model.safetensors")
    weights["model.norm.weight"] += 1
    save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})
    assert identify(copy) != before == identify(llama)
    assert row_identity(HfSummaryConfig(model=str(copy))) != row_identity(HfSummaryConfig(model=str(llama)))


@pytest.mark.parametrize("name", ["chat_template.jinja", "tokenizer.json", "generation_config.json"])
def test_template_tokenizer_and_defaults_change_it(copy, name):
    before = identify(copy)
    (copy / name).write_text((copy / name).read_text() + "\n")
    assert identify(copy) != before


def test_a_readme_or_who_saved_the_model_does_not_change_it(copy):
    before = identify(copy)
    (copy / "README.md").write_text("hello")
    (copy / "LICENSE.txt").write_text("hello")
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps({**config, "transformers_version": "0"}))
    assert identify(copy) == before


def test_rows_name_model_revision_and_prompt(llama):
    first, second = (row_identity(HfSummaryConfig(model=str(llama), prompt=p)) for p in ("{captions}", "a {captions}"))
    name, word, digest = first.split(" ")
    assert name.startswith("tiny-llama-chat@")
    assert word == "prompt"
    assert len(digest) == 12
    assert second.split(" ")[0] == name
    assert second != first


def test_identifying_needs_neither_torch_nor_transformers(llama):
    code = (
        "import sys\n"
        "from pipeline.models.hf.config import HfSummaryConfig\n"
        "from pipeline.models.hf.identity import identify_hf\n"
        f"identify_hf(HfSummaryConfig(model={str(llama)!r}))\n"
        "assert not {'torch', 'transformers'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
