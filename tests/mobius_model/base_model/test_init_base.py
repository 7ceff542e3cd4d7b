"""A small base from captions: complete, repeatable, able to spell every caption."""

from pathlib import Path

import pytest
import torch
from diffusers import UNet2DConditionModel
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import BertTokenizer

from mobius_model.base_model.codec import SpaceToDepth
from mobius_model.base_model.init_base import init_base
from mobius_model.base_model.opening import BaseConfig, open_base
from mobius_model.base_model.vocabulary import make_vocabulary
from mobius_model.network.unet import MobiusUNet
from schemas.errors import UserError
from tests.mobius_model.tiny_models import CAPTIONS


def test_the_folder_opens_as_a_base_whose_parts_fit(base_folder: Path):
    base = open_base(BaseConfig(path=str(base_folder)))
    assert isinstance(base.vae, SpaceToDepth)
    assert base.downscale * base.unet_config["sample_size"] == 32
    unet = UNet2DConditionModel.from_config(base.unet_config)
    network = MobiusUNet.from_unet2d(unet)
    latents = base.vae.encode(torch.zeros(2, 3, 32, 32)).latent_dist.mean  # two frames
    clip = latents.movedim(0, 1).unsqueeze(0)
    assert network(clip, 10, base.text.encode(CAPTIONS[:1])).sample.shape == clip.shape
    assert "untrained" in (base_folder / "README.md").read_text()


def test_the_same_arguments_give_the_same_files(base_folder: Path, tmp_path: Path):
    init_base(tmp_path / "again", captions=CAPTIONS, size=32)
    files = [path.relative_to(base_folder) for path in base_folder.rglob("*") if path.is_file()]
    assert len(files) >= 7
    for file in files:
        assert (tmp_path / "again" / file).read_bytes() == (base_folder / file).read_bytes(), file
    init_base(tmp_path / "other", captions=CAPTIONS, size=32, seed=1)
    weights = Path("text_encoder", "model.safetensors")
    assert (tmp_path / "other" / weights).read_bytes() != (base_folder / weights).read_bytes()


@pytest.mark.parametrize(("size", "factor"), [(8, 1), (16, 1), (32, 2), (64, 4), (128, 8), (256, 8)])
def test_no_level_of_the_unet_is_narrower_than_the_latents(tmp_path: Path, size: int, factor: int):
    init_base(tmp_path, captions=CAPTIONS, size=size)
    base = open_base(BaseConfig(path=str(tmp_path)))
    assert base.downscale == factor
    assert min(base.unet_config["block_out_channels"]) >= base.latent_channels
    assert base.unet_config["sample_size"] * factor == size


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text(st.characters(exclude_categories=("Cs",)), max_size=40), max_size=5))
def test_every_caption_is_spelt_without_an_unknown_token(captions: list[str]):
    tokenizer = BertTokenizer(vocab=make_vocabulary(captions))
    for caption in captions:
        assert "[UNK]" not in tokenizer.tokenize(caption)


def test_words_seen_often_are_one_token_and_new_english_is_spelt():
    tokenizer = BertTokenizer(vocab=make_vocabulary(["a laughing cat", "Laughing CAT, 猫"]))
    assert tokenizer.tokenize("Laughing cat 猫!") == ["laughing", "cat", "猫", "!"]
    assert tokenizer.tokenize("dog") == ["d", "##o", "##g"]


def test_a_folder_that_holds_anything_is_refused_and_left_alone(tmp_path: Path):
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(UserError, match="holds something already"):
        init_base(tmp_path, captions=CAPTIONS, size=32)
    assert [path.name for path in tmp_path.iterdir()] == ["note.txt"]


def test_wrong_arguments_are_one_sentence(tmp_path: Path):
    with pytest.raises(UserError, match="preset = 'huge': expected one of tiny"):
        init_base(tmp_path / "new", captions=CAPTIONS, size=32, preset="huge")
    with pytest.raises(UserError, match="size = 30: expected a multiple of 8"):
        init_base(tmp_path / "new", captions=CAPTIONS, size=30)
    assert not (tmp_path / "new").exists()
