"""What is fetched of a repository, and what is not."""

import pytest

from pipeline.hub.files import choose_files
from pipeline.hub.wanted import HubModel, Need
from schemas.errors import UserError

PUBLISHED = [
    ".gitattributes",
    "README.md",
    "LICENSE.txt",
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer.model",
    "chat_template.jinja",
    "model-00001-of-00002.safetensors",
    "model-00002-of-00002.safetensors",
    "model.safetensors.index.json",
    "model.fp16.safetensors",
    "consolidated.safetensors",
    "pytorch_model-00001-of-00001.bin",
    "pytorch_model.bin.index.json",
    "modeling_other.py",
    "tf_model.h5",
    "flax_model.msgpack",
    "onnx/model.onnx",
    "original/params.json",
    "vae/config.json",
    "vae/diffusion_pytorch_model.safetensors",
    "vae/diffusion_pytorch_model.bin",
    "unet/config.json",
    "unet/diffusion_pytorch_model.safetensors",
    "text_encoder/config.json",
    "tokenizer/vocab.json",
]


def test_only_what_is_needed_is_fetched_and_nothing_that_could_run():
    choice = choose_files(PUBLISHED, HubModel("k", "owner/name"))
    assert set(choice.files) == set(PUBLISHED[1:11])
    assert not choice.pickled


def test_pickled_weights_are_chosen_only_where_there_are_no_others():
    published = [name for name in PUBLISHED if not name.endswith(".safetensors") and "index" not in name]
    assert choose_files(published, HubModel("k", "owner/name")).pickled == ("pytorch_model-00001-of-00001.bin",)


def test_a_folder_inside_comes_with_the_notes_of_the_whole():
    choice = choose_files(PUBLISHED, HubModel("k", "owner/name/vae@v1"))
    assert set(choice.files) == {*PUBLISHED[1:3], "vae/config.json", "vae/diffusion_pytorch_model.safetensors"}


def test_of_a_unet_only_the_config_and_of_a_tokenizer_no_weights():
    parts = (("unet", Need.CONFIG), ("../tokenizer", Need.TOKENIZER))
    choice = choose_files(PUBLISHED, HubModel("k", "owner/name/text_encoder", parts))
    assert "tokenizer/vocab.json" in choice.files
    assert not any("unet" in name for name in choice.files)
    choice = choose_files(PUBLISHED, HubModel("k", "owner/name", (("unet", Need.CONFIG),)))
    assert set(choice.files) == {*PUBLISHED[1:3], "unet/config.json"}


@pytest.mark.parametrize("name", ["./models/llava", "llava", "https://hub/owner/name"])
def test_a_name_that_can_be_no_model_of_the_hub_is_refused(name):
    with pytest.raises(UserError, match=r"image_caption\.hf\.model = .*: no such folder, and no owner/name"):
        HubModel("image_caption.hf.model", name)
