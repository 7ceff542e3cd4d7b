"""Opening: what is missing, pickled, unknown or cut is told in one sentence, before anything runs."""

import json
import shutil

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from pipeline.models.hf.chat_summary import open_hf_summarizer
from pipeline.models.hf.config import HfConfig, HfImageCaptionConfig, HfSummaryConfig, HfTranslationConfig
from pipeline.models.hf.image_captions import open_hf_image_captioner
from pipeline.models.hf.opening import open_tokenizer
from pipeline.models.hf.translation import open_hf_translator
from schemas.errors import UserError


@pytest.fixture
def copy(llama, tmp_path):
    return shutil.copytree(llama, tmp_path / "copy")


def open_llama(folder, **settings):
    return open_hf_summarizer(HfSummaryConfig(model=str(folder), **{"device": "cpu", **settings}))


def change_json(path, **changes):
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_a_folder_that_is_not_there_is_told():
    with pytest.raises(UserError, match="model = 'no/such-model': no such folder, and no such model in the hub cache"):
        open_llama("no/such-model")


def test_a_model_is_found_in_the_hub_cache_by_revision(llama, tmp_path, monkeypatch):
    commit = "0123456789abcdef0123456789abcdef01234567"
    repo = tmp_path / "hub" / "models--someone--tiny-llama"
    shutil.copytree(llama, repo / "snapshots" / commit)
    (repo / "refs").mkdir()
    (repo / "refs" / "main").write_text(commit)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    for name in ("someone/tiny-llama", f"someone/tiny-llama@{commit}"):
        summarizer = open_llama(name)
        assert summarizer.identity.startswith("someone/tiny-llama@0123456789ab prompt ")
    with pytest.raises(UserError, match="no such model"):
        open_llama("someone/tiny-llama@v2")


def test_a_missing_weight_is_refused_and_not_drawn_at_random(copy):
    weights = load_file(copy / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UserError, match=r"weight model\.layers\.1\.mlp\.up_proj\.weight is missing"):
        open_llama(copy)


def test_a_weight_of_another_shape_is_refused(copy):
    weights = load_file(copy / "model.safetensors")
    weights["model.norm.weight"] = torch.ones(31)
    save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UserError, match=r"weight model\.norm\.weight is missing or of another shape"):
        open_llama(copy)


def test_pickled_weights_are_refused_unread(copy):
    (copy / "model.safetensors").unlink()
    (copy / "pytest.bin").write_bytes(b"not even a pickle")
    with pytest.raises(UserError, match=r"holds pickled weights only \(pytest.bin\), expected safetensors"):
        open_llama(copy)


def test_weights_cut_short_are_refused(copy):
    content = (copy / "model.safetensors").read_bytes()
    (copy / "model.safetensors").write_bytes(content[: len(content) // 2])
    with pytest.raises(UserError, match="cannot be opened as AutoModelForCausalLM"):
        open_llama(copy)


def test_a_model_in_several_files_opens_and_a_missing_file_is_told(llama, tmp_path):
    folder = shutil.copytree(llama, tmp_path / "copy")
    (folder / "model.safetensors").unlink()
    transformers.LlamaForCausalLM.from_pretrained(llama).save_pretrained(folder, max_shard_size="40KB")
    parts = sorted(folder.glob("model-*.safetensors"))
    assert len(parts) > 2
    captions = [("a cat is laughing",)]
    assert open_llama(folder).summarize(captions, 52) == open_llama(llama).summarize(captions, 52)
    parts[1].unlink()
    with pytest.raises(UserError, match="cannot be opened as AutoModelForCausalLM"):
        open_llama(folder)


def test_a_class_nobody_knows_is_refused(copy):
    change_json(copy / "config.json", model_type="mobius_9000")
    with pytest.raises(UserError, match="mobius_9000"):
        open_llama(copy)


def test_code_that_comes_with_a_model_is_never_run(copy, tmp_path):
    ran = tmp_path / "ran"
    (copy / "code.py").write_text(f"open({str(ran)!r}, 'w').close()")
    auto_map = {"AutoConfig": "code.Config", "AutoModelForCausalLM": "code.Model"}
    change_json(copy / "config.json", model_type="mobius_9000", auto_map=auto_map)
    with pytest.raises(UserError, match="cannot be opened"):
        open_llama(copy)
    assert not ran.exists()


@pytest.mark.parametrize(
    ("open_model", "config", "expected"),
    [
        (open_hf_image_captioner, HfImageCaptionConfig, "AutoModelForImageTextToText"),
        (open_hf_translator, HfTranslationConfig, "AutoModelForSeq2SeqLM"),
    ],
)
def test_a_model_made_for_something_else_is_refused(llama, open_model, config, expected):
    with pytest.raises(UserError, match=f"model_type 'llama' is none of {expected}"):
        open_model(config(model=str(llama), device="cpu"))


def test_a_missing_tokenizer_is_told(copy):
    (copy / "tokenizer.json").unlink()
    with pytest.raises(UserError, match=r"cannot be opened as a tokenizer|sentencepiece"):
        open_llama(copy)


def test_a_missing_processor_is_told(llava, tmp_path):
    folder = shutil.copytree(llava, tmp_path / "copy")
    (folder / "processor_config.json").unlink()
    with pytest.raises(UserError, match="cannot be opened as"):
        open_hf_image_captioner(HfImageCaptionConfig(model=str(folder), device="cpu"))


def test_a_checkpoint_with_only_a_sentencepiece_tokenizer_opens(copy, marian):
    """As Llama 2 was published."""
    (copy / "tokenizer.json").unlink()
    (copy / "chat_template.jinja").unlink()
    (copy / "tokenizer.model").write_bytes((marian / "source.spm").read_bytes())
    (copy / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "LlamaTokenizer"}))
    tokenizer = open_tokenizer(copy, padding_side="left")
    assert tokenizer.pad_token is not None
    assert tokenizer(["a cat", "a cat is laughing"], padding=True)["attention_mask"][0][0] == 0


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_gpu_that_is_not_there_is_told(llama):
    with pytest.raises(UserError, match="device = 'cuda'"):
        open_llama(llama, device="cuda")
    assert HfConfig(model="m").device == "auto"


def test_progress_bars_and_verbosity_are_as_before(llama):
    from transformers.utils import logging

    before = (logging.get_verbosity(), logging.is_progress_bar_enabled())
    open_llama(llama)
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before
