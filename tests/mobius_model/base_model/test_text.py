"""Captions become embeddings; text encoders keep their weights, whatever kind of checkpoint they come in."""

import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from mobius_model.base_model.text import TextEncoder, open_text_encoder
from schemas.errors import UserError
from tests.mobius_model.tiny_models import CAPTIONS, change_json, save_chinese_clip, save_stable_diffusion_text


def _open(folder: Path, tokenizer: Path | None = None, max_tokens: int | None = 32) -> TextEncoder:
    return open_text_encoder(folder, tokenizer or folder, max_tokens=max_tokens, device="cpu", dtype=torch.float32)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    save_chinese_clip(folder)
    return folder


@pytest.fixture(scope="module")
def text(whole: Path) -> TextEncoder:
    return _open(whole)


def test_a_whole_chinese_clip_and_its_text_half_keep_their_weights(tmp_path: Path):
    model = save_chinese_clip(tmp_path / "whole")
    model.text_model.save_pretrained(tmp_path / "half")
    tokens = _open(tmp_path / "whole").tokenizer(CAPTIONS, padding="max_length", max_length=32, return_tensors="pt")
    with torch.no_grad():
        hidden = model.text_model(tokens["input_ids"], tokens["attention_mask"]).last_hidden_state
    expected = hidden * tokens["attention_mask"].unsqueeze(-1)
    for folder in (tmp_path / "whole", tmp_path / "half"):
        assert torch.equal(_open(folder, tmp_path / "whole").encode(CAPTIONS), expected)


def test_stable_diffusions_own_text_encoder_keeps_its_weights(tmp_path: Path):
    model = save_stable_diffusion_text(tmp_path)
    text = _open(tmp_path / "text_encoder", tmp_path / "tokenizer", max_tokens=None)
    assert text.max_tokens == 77
    tokens = text.tokenizer(["a cat"], padding="max_length", max_length=77, return_tensors="pt")
    with torch.no_grad():
        hidden = model(tokens["input_ids"], tokens["attention_mask"]).last_hidden_state
    num = text.count_tokens(["a cat"])[0]
    assert torch.equal(text.encode(["a cat"])[:, :num], hidden[:, :num])


def test_a_missing_weight_is_an_error_and_not_a_random_number(whole: Path, tmp_path: Path):
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    weights = load_file(tmp_path / "model.safetensors")
    name = next(each for each in weights if each.endswith("layer.1.output.dense.weight") and "text_model" in each)
    del weights[name]
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UserError, match=r"layer\.1\.output\.dense\.weight is missing"):
        _open(tmp_path)


def test_a_config_of_another_width_is_one_sentence(whole: Path, tmp_path: Path):
    save_chinese_clip(tmp_path).text_model.save_pretrained(tmp_path)
    change_json(tmp_path / "config.json", hidden_size=16)
    with pytest.raises(UserError, match="is missing or of another shape, expected all of ChineseCLIPTextModel"):
        _open(tmp_path, whole)


def test_rows_at_padding_are_zero_and_no_others(text: TextEncoder):
    captions = [*CAPTIONS, ""]
    embeddings = text.encode(captions)
    assert embeddings.shape == (5, 32, text.width)
    assert embeddings.dtype == torch.float32
    assert (embeddings.abs().sum(dim=-1) > 0).sum(dim=1).tolist() == text.count_tokens(captions)


def test_the_empty_caption_is_a_caption_of_two_tokens(text: TextEncoder):
    assert text.count_tokens([""]) == [2]
    assert text.encode([""]).any()
    assert text.encode([]).shape == (0, 32, text.width)


def test_long_captions_are_cut(text: TextEncoder):
    assert text.count_tokens(["猫" * 100]) == [32]
    assert torch.equal(text.encode(["猫" * 100]), text.encode(["猫" * 50]))


def test_a_caption_means_the_same_alone_and_among_others(text: TextEncoder):
    together = text.encode(CAPTIONS)
    alone = torch.cat([text.encode([caption]) for caption in CAPTIONS])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-5)


def test_opening_twice_gives_the_same_in_every_weight(whole: Path):
    once, again = _open(whole).model.state_dict(), _open(whole).model.state_dict()
    assert all(torch.equal(once[name], again[name]) for name in once)


def test_the_identity_knows_weights_vocabulary_and_tokens(whole: Path, text: TextEncoder, tmp_path: Path):
    assert _open(whole).identity == text.identity
    assert _open(whole, max_tokens=8).identity != text.identity
    save_chinese_clip(tmp_path, seed=1)
    assert _open(tmp_path, whole).identity != text.identity
    half_precision = open_text_encoder(whole, whole, max_tokens=32, device="cpu", dtype=torch.bfloat16)
    assert half_precision.identity == text.identity
    assert half_precision.encode(["猫"]).dtype == torch.float32


def test_more_tokens_than_the_model_reads_are_refused(whole: Path):
    with pytest.raises(UserError, match=r"max_tokens = 65: .* reads at most 64"):
        _open(whole, max_tokens=65)


def test_a_folder_without_vocabulary_is_refused(whole: Path, tmp_path: Path):
    with pytest.raises(UserError, match="no vocabulary, expected one of"):
        _open(whole, tmp_path)
