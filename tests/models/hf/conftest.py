"""Tiny saved models, each made once."""

import pytest

from tests.models.hf import tiny


@pytest.fixture(scope="session")
def llava(tmp_path_factory):
    return tiny.save_llava(tmp_path_factory.mktemp("models") / "tiny-llava")


@pytest.fixture(scope="session")
def video_llama3(tmp_path_factory):
    return tiny.save_video_llama3(tmp_path_factory.mktemp("models") / "tiny-video-llama3")


@pytest.fixture(scope="session")
def video_llava(tmp_path_factory):
    return tiny.save_video_llava(tmp_path_factory.mktemp("models") / "tiny-video-llava")


@pytest.fixture(scope="session")
def qwen_vl(tmp_path_factory):
    return tiny.save_qwen_vl(tmp_path_factory.mktemp("models") / "tiny-qwen-vl")


@pytest.fixture(scope="session")
def llama(tmp_path_factory):
    return tiny.save_llama(tmp_path_factory.mktemp("models") / "tiny-llama-chat")


@pytest.fixture(scope="session")
def nllb(tmp_path_factory):
    return tiny.save_nllb(tmp_path_factory.mktemp("models") / "tiny-nllb")


@pytest.fixture(scope="session")
def marian(tmp_path_factory):
    pytest.importorskip("sentencepiece", reason="pip install 'mobius[hf]'")
    return tiny.save_marian(tmp_path_factory.mktemp("models") / "tiny-marian")
