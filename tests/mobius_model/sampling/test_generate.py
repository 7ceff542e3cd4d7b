"""From a model folder and prompts to files; every mistake is one sentence and nothing is overwritten."""

import shutil
from pathlib import Path

import pytest
import torch
from diffusers import DiffusionPipeline, UNet2DConditionModel
from PIL import Image
from safetensors.torch import load_file, save_file

from mobius_model.base_model.opening import BaseConfig, open_base
from mobius_model.network.unet import MobiusUNet
from mobius_model.sampling.generate import generate
from mobius_model.sampling.model_folder import open_pipeline
from mobius_model.sampling.sampler import MobiusPipeline, pipeline_from_base
from mobius_model.training.loss import LossConfig, noise_schedule
from pipeline.media.decode import decode_clip
from schemas.errors import UserError
from tests.mobius_model.tiny_models import change_json

QUICK = {"num_inference_steps": 2, "num_frames": 3, "device": "cpu"}


@pytest.fixture(scope="module")
def model(base_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    base = open_base(BaseConfig(path=str(base_folder)))
    torch.manual_seed(0)
    unet = UNet2DConditionModel.from_config(base.unet_config)
    schedule = noise_schedule(LossConfig()).config
    for name, each in (("clips", MobiusUNet.from_unet2d(unet)), ("pictures", unet)):
        pipeline_from_base(base, each, scheduler_config=schedule).save_pretrained(folder / name)
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
    refused("unet: cannot be opened as MobiusUNet")
    weights.unlink()
    weights.with_suffix(".bin").rename(weights)
    open_pipeline(copied, device="cpu")
    change_json(copied / "model_index.json", unet=["os", "system"])
    refused(r"unet is \['os', 'system'\], expected one of MobiusUNet, UNet2DConditionModel, UNet3DConditionModel")
    change_json(copied / "model_index.json", unet=["mobius_model.network.unet", "MobiusUNet"], max_tokens="many")
    refused("max_tokens 'many', input should be a valid integer")
    change_json(copied / "model_index.json", max_tokens=52, fps=0.0)
    refused("fps 0.0, input should be greater than 0")
    change_json(copied / "model_index.json", fps=5.0)
    change_json(copied / "unet" / "config.json", _class_name="AutoModel")
    refused("_class_name 'AutoModel', expected one of MobiusUNet")
    shutil.rmtree(copied / "vae")
    refused("vae is missing: expected the vae of the model")
    change_json(copied / "model_index.json", _class_name="StableDiffusionPipeline")
    refused("_class_name 'StableDiffusionPipeline', expected 'MobiusPipeline'")


def test_from_pretrained_imports_nothing_that_a_folder_names(copied: Path):
    assert isinstance(MobiusPipeline.from_pretrained(copied).unet, MobiusUNet)
    change_json(copied / "model_index.json", unet=["os", "system"])
    with pytest.raises(UserError, match=r"unet is \['os', 'system'\]"):
        MobiusPipeline.from_pretrained(copied)


def test_clips_are_as_long_and_as_fast_as_those_trained_on(copied: Path, tmp_path: Path):
    change_json(copied / "model_index.json", num_frames=4, fps=5.0)
    quick = {"num_inference_steps": 2, "device": "cpu"}
    (path,) = generate(copied, ["猫"], out=tmp_path / "a.gif", **quick)
    assert sum(decode_clip(path.read_bytes()).durations_ms) == 4 * 200
    (path,) = generate(copied, ["猫"], out=tmp_path / "b.gif", num_frames=3, fps=10.0, **quick)
    assert sum(decode_clip(path.read_bytes()).durations_ms) == 3 * 100


@pytest.mark.parametrize(
    ("part", "file", "weight"),
    [
        ("unet", "diffusion_pytorch_model", "spatial.conv_in.weight"),
        ("vae", "diffusion_pytorch_model", "latent_std"),
        ("text_encoder", "model", "embeddings.word_embeddings.weight"),
    ],
)
def test_a_model_without_all_its_weights_is_refused(copied: Path, part: str, file: str, weight: str):
    path = copied / part / f"{file}.safetensors"
    weights = load_file(path)
    (name,) = (name for name in weights if name.endswith(weight))
    weights.pop(name)
    save_file({**weights, "spare": torch.zeros(1)}, path, metadata={"format": "pt"})
    with pytest.raises(UserError, match=f"{part}: weight .*{weight} is missing"):
        open_pipeline(copied, device="cpu")


def test_the_parts_opened_are_those_that_were_saved(model: Path):
    ours = open_pipeline(model / "clips", device="cpu")
    theirs = DiffusionPipeline.from_pretrained.__func__(MobiusPipeline, model / "clips")
    for part in ("vae", "text_encoder", "unet"):
        weights = getattr(theirs, part).state_dict()
        assert all(torch.equal(weight, weights[name]) for name, weight in getattr(ours, part).state_dict().items())
    public = [{key: value for key, value in each.scheduler.config.items() if key[0] != "_"} for each in (ours, theirs)]
    assert public[0] == public[1]
    assert ours.config.max_tokens == theirs.config.max_tokens
    assert ours.tokenizer.get_vocab() == theirs.tokenizer.get_vocab()
