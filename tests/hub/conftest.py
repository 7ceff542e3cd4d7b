"""A hub on loopback, and tiny models published there."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import load_file

from tests.hub.hub_server import Hub, serving_hub
from tests.models.hf import tiny


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub, and an empty cache on this machine."""
    with serving_hub() as server:
        monkeypatch.setattr(constants, "ENDPOINT", server.url)
        template = constants.HUGGINGFACE_CO_URL_TEMPLATE.replace(constants._HF_DEFAULT_ENDPOINT, server.url)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        yield server


@pytest.fixture(scope="session")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A chat model as published: beside what is needed lie code, other formats, notes and a tempting subfolder."""
    folder = tiny.save_llama(tmp_path_factory.mktemp("published") / "llama")
    (folder / "README.md").write_text("---\nlicense: other\nlicense_name: tiny-licence\n---\n# Tiny\n")
    for name in ("modeling_tiny.py", "pytorch_model.bin", "model.onnx", "flax_model.msgpack", "original/params.json"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"not needed")
    return folder


@pytest.fixture(scope="session")
def marian(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A translator with safetensors, as its publisher has it at home."""
    pytest.importorskip("sentencepiece", reason="pip install 'mobius[hf]'")
    return tiny.save_marian(tmp_path_factory.mktemp("home") / "marian")


@pytest.fixture(scope="session")
def pickled_marian(marian: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as published: with pytorch_model.bin alone."""
    folder = tmp_path_factory.mktemp("published") / "marian"
    shutil.copytree(marian, folder, ignore=shutil.ignore_patterns("*.safetensors"))
    torch.save(load_file(marian / "model.safetensors"), folder / "pytorch_model.bin")
    return folder
