"""From a model folder and prompts to files; every mistake is one sentence and nothing is overwritten."""

import shutil
from pathlib import Path

import pytest
import torch
from diffusers import UNet2DConditionModel
from PIL import Image

from mobius_model.base_model.opening import BaseConfig, open_base
from mobius_model.network.unet import MobiusUNet
from mobius_model.sampling.generate import generate, open_pipeline
from mobius_model.sampling.sampler import pipeline_from_base
from schemas.errors import UserError
from tests.mobius_model.tiny_models import change_json

QUICK = {"num_inference_steps": 2, "num_frames": 3, "device": "cpu"}


@pytest.fixture(scope="module")
def model(base_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    base = open_base(BaseConfig(path=str(base_folder)))
    torch.manual_seed(0)
    unet = UNet2DConditionModel.from_config(base.unet_config)
    pipeline_from_base(base, MobiusUNet.from_unet2d(unet)).save_pretrained(folder / "clips")
    pipeline_from_base(base, unet).save_pretrained(folder / "pictures")
    return folder


@pytest.fixture
def copied(model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(model / "clips", tmp_path / "copied"))


def test_the_same_seed_gives_the_same_gif(model: Path, tmp_path: Path):
    steps: list[tuple[int, int]] = []
    paths = [
        generate(model / "clips", ["一只猫在笑"], out=tmp_path / name, fps=8, **QUICK, progress=progress)[0]
        for name, progress in (("a.gif", None), ("b.gif", lambda done, num: steps.append((done, num))))
    ]
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert Image.open(paths[0]).n_frames == 3
    assert steps == [(1, 2), (2, 2)]
    other = generate(model / "clips", ["一只猫在笑"], out=tmp_path / "c.gif", seed=1, **QUICK)[0]
    assert other.read_bytes() != paths[0].read_bytes()


def test_several_prompts_give_numbered_files_and_progress_over_all(model: Path, tmp_path: Path):
    steps: list[tuple[int, int]] = []
    paths = generate(
        model / "clips",
        ["猫", "dog", "happy"],
        out=tmp_path / "a.webp",
        batch_size=2,
        progress=lambda done, num: steps.append((done, num)),
        **QUICK,
    )
    assert [path.name for path in paths] == ["a-1.webp", "a-2.webp", "a-3.webp"]
    assert all(path.is_file() for path in paths)
    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_a_picture_model_gives_one_frame_unless_more_are_asked_of_it(model: Path, tmp_path: Path):
    quick = {"num_inference_steps": 2, "device": "cpu"}
    path = generate(model / "pictures", ["猫"], out=tmp_path / "a.png", sampler="dpm++", **quick)[0]
    assert Image.open(path).size == (32, 32)
    with pytest.raises(UserError, match="num_frames = 8: this model draws pictures"):
        generate(model / "pictures", ["猫"], out=tmp_path / "b.png", num_frames=8, **quick)


def test_what_exists_is_replaced_only_by_force(model: Path, tmp_path: Path):
    out = tmp_path / "a.gif"
    out.write_bytes(b"mine")
    with pytest.raises(UserError, match=r"a\.gif: exists already, expected a new name, or --force"):
        generate(model / "clips", ["猫"], out=out, **QUICK)
    assert out.read_bytes() == b"mine"
    generate(model / "clips", ["猫"], out=out, force=True, **QUICK)
    assert out.read_bytes()[:6] == b"GIF89a"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"prompts": []}, "prompts: none given"),
        ({"out": Path("a.avi")}, r"suffix '\.avi', expected"),
        ({"sampler": "euler"}, "sampler = 'euler'"),
        ({"fps": 0.0}, "fps = 0.0: expected more than 0"),
        ({"batch_size": 0}, "batch_size = 0"),
        ({"num_inference_steps": 0}, "num_inference_steps = 0: expected 1 to 1000"),
        ({"device": "nonsense"}, "device = 'nonsense': not on this machine"),
        ({"width": 31}, "32 x 31: expected multiples of 2"),
    ],
)
def test_wrong_arguments_are_one_sentence(model: Path, tmp_path: Path, arguments: dict, message: str):
    given = {"prompts": ["猫"], "out": Path("a.gif"), **QUICK, **arguments}
    with pytest.raises(UserError, match=message):
        generate(model / "clips", given.pop("prompts"), **{**given, "out": tmp_path / given["out"]})
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_no_model_is_one_sentence(copied: Path, tmp_path: Path):
    def refused(message: str, folder: Path = copied) -> None:
        with pytest.raises(UserError, match=message) as caught:
            open_pipeline(folder, device="cpu")
        assert "\n" not in str(caught.value)

    refused("no such folder", tmp_path / "nowhere")
    refused("no model_index.json", copied / "unet")
    weights = copied / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_suffix(".bin"))
    refused("unet: holds pickled weights only")
    weights.write_bytes(b"torn")
    refused("cannot be opened as a model")
    weights.unlink()
    weights.with_suffix(".bin").rename(weights)
    open_pipeline(copied, device="cpu")
    change_json(copied / "model_index.json", unet=["os", "system"])
    refused("cannot be opened as a model")
    shutil.rmtree(copied / "vae")
    refused("vae is missing: expected the vae of the model")
    change_json(copied / "model_index.json", _class_name="StableDiffusionPipeline")
    refused("_class_name 'StableDiffusionPipeline', expected 'MobiusPipeline'")
