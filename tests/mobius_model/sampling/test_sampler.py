"""The pipeline samples as diffusers' own do, the same for a prompt alone and in a batch, and survives a disk."""

import itertools
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import TextToVideoSDPipeline, UNet2DConditionModel, UNet3DConditionModel

from mobius_model.base_model.opening import Base, BaseConfig, open_base
from mobius_model.network.unet import MobiusUNet
from mobius_model.sampling.sampler import SAMPLERS, MobiusPipeline, draw_seeded_noise, pipeline_from_base, to_pictures
from mobius_model.training.loss import LossConfig, noise_schedule
from tests.mobius_model.tiny_models import save_vae

SCHEDULE = {key: value for key, value in noise_schedule(LossConfig()).config.items() if not key.startswith("_")}
QUICK = {"num_frames": 2, "num_inference_steps": 2, "seed": 7}


@pytest.fixture(scope="module")
def base(base_folder: Path) -> Base:
    return open_base(BaseConfig(path=str(base_folder)))


@pytest.fixture(scope="module")
def pictures(base: Base) -> UNet2DConditionModel:
    torch.manual_seed(0)
    return UNet2DConditionModel.from_config(base.unet_config)


@pytest.fixture(scope="module")
def pipeline(base: Base, pictures: UNet2DConditionModel) -> MobiusPipeline:
    network = MobiusUNet.from_unet2d(pictures)
    torch.nn.init.normal_(next(iter(network.fuse.parameters())), std=0.02)  # so that the temporal branch is heard
    return pipeline_from_base(base, network, scheduler_config=SCHEDULE)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_latents_and_pictures_equal_those_of_diffusers_text_to_video_pipeline(base: Base, sampler: str, tmp_path: Path):
    torch.manual_seed(0)
    unet = UNet3DConditionModel(
        sample_size=8,
        down_block_types=("CrossAttnDownBlock3D", "DownBlock3D"),
        up_block_types=("UpBlock3D", "CrossAttnUpBlock3D"),
        block_out_channels=(16, 32),
        layers_per_block=1,
        cross_attention_dim=64,
        attention_head_dim=4,
        norm_num_groups=8,
    ).eval()
    ours = pipeline_from_base(replace(base, vae=save_vae(tmp_path)), unet, scheduler_config=SCHEDULE)
    text = base.text.encode(["a cat", ""])
    parts = {name: part for name, part in ours.components.items() if name != "scheduler"}
    peer = TextToVideoSDPipeline(**parts, scheduler=SAMPLERS[sampler].from_config(ours.scheduler.config))
    peer.set_progress_bar_config(disable=True)
    same = {"num_frames": 3, "num_inference_steps": 4, "guidance_scale": 3.0}
    embeds = {"prompt_embeds": text[:1], "negative_prompt_embeds": text[1:]}
    noise = draw_seeded_noise((4, 3, 8, 8), [7])
    expected = peer(**embeds, latents=noise, height=32, width=32, output_type="latent", **same).frames
    found = ours("a cat", seed=7, sampler=sampler, output_type="latent", **same).frames
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    pictures = peer(**embeds, latents=noise, height=32, width=32, output_type="np", **same).frames[0]
    frames = ours("a cat", seed=7, sampler=sampler, **same).frames[0]
    assert np.abs(frames - 255 * pictures).max() <= 0.51  # half a level


def test_a_prompt_gives_the_same_clip_alone_and_in_a_batch(pipeline: MobiusPipeline):
    prompts = ["一只猫在笑", "happy", "sad"]
    together = pipeline(prompts, **QUICK, guidance_scale=4.0).frames
    for prompt, frames in zip(prompts, together, strict=True):
        alone = pipeline(prompt, **QUICK, guidance_scale=4.0).frames[0]
        assert alone.shape == (2, 32, 32, 3)
        assert alone.dtype == np.uint8
        assert np.abs(alone.astype(int) - frames).max() <= 1  # rounding
    for one, other in itertools.combinations(together, 2):
        assert not np.array_equal(one, other)


def test_seeds_decide_and_the_process_wide_generator_is_left_alone(pipeline: MobiusPipeline):
    state = torch.get_rng_state()
    first, second = pipeline(["happy", "happy"], **{**QUICK, "seed": [7, 8]}).frames
    assert np.array_equal(pipeline("happy", **QUICK).frames[0], pipeline("happy", **QUICK).frames[0])
    assert not np.array_equal(first, second)
    drawn = [pipeline("happy", **{**QUICK, "seed": None}, output_type="latent").frames for _ in range(2)]
    assert not torch.equal(*drawn)
    assert torch.equal(torch.get_rng_state(), state)


def test_embeddings_stand_for_prompts(pipeline: MobiusPipeline, base: Base):
    by_prompt = pipeline(["happy", "猫"], **QUICK, negative_prompt="sad").frames
    text = base.text.encode(["happy", "猫", "sad"])
    by_embeds = pipeline(prompt_embeds=text[:2], negative_prompt_embeds=text[2:], **QUICK).frames
    assert all(np.array_equal(one, other) for one, other in zip(by_prompt, by_embeds, strict=True))


def test_without_guidance_the_negative_prompt_does_not_matter(pipeline: MobiusPipeline):
    one = pipeline("happy", **QUICK, guidance_scale=1.0, negative_prompt="sad").frames[0]
    assert np.array_equal(one, pipeline("happy", **QUICK, guidance_scale=1.0).frames[0])
    assert not np.array_equal(one, pipeline("happy", **QUICK, guidance_scale=3.0).frames[0])


def test_frames_decoded_some_at_a_time_are_the_same(pipeline: MobiusPipeline):
    assert np.array_equal(pipeline("happy", **QUICK, decoded_at_once=1).frames[0], pipeline("happy", **QUICK).frames[0])


def test_a_picture_model_draws_clips_of_one_frame(base: Base, pictures: UNet2DConditionModel):
    pipeline = pipeline_from_base(base, pictures, scheduler_config=SCHEDULE)
    frames = pipeline("happy", num_frames=1, num_inference_steps=2, seed=0, height=16, width=32).frames[0]
    assert frames.shape == (1, 16, 32, 3)
    with pytest.raises(ValueError, match="num_frames = 8: this model draws pictures, expected 1"):
        pipeline("happy", num_frames=8, num_inference_steps=2)


def test_a_network_in_training_is_sampled_without_dropout_and_goes_on_training(pipeline: MobiusPipeline):
    expected = pipeline("happy", **QUICK).frames[0]
    pipeline.unet.train()
    pipeline.unet.spatial.eval()
    assert np.array_equal(pipeline("happy", **QUICK).frames[0], expected)
    assert pipeline.unet.training
    assert not pipeline.unet.spatial.training
    pipeline.unet.eval()


def test_progress_counts_every_step(pipeline: MobiusPipeline):
    seen: list[tuple[int, int]] = []
    pipeline("happy", **QUICK, progress=lambda done, num: seen.append((done, num)))
    assert seen == [(1, 2), (2, 2)]


def test_the_schedule_of_training_is_kept(base: Base, pictures: UNet2DConditionModel, tmp_path: Path):
    changed = {**SCHEDULE, "prediction_type": "v_prediction", "rescale_betas_zero_snr": True}
    changed["timestep_spacing"] = "trailing"
    pipeline = pipeline_from_base(base, pictures, scheduler_config=changed)
    pipeline.save_pretrained(tmp_path)
    kept = MobiusPipeline.from_pretrained(tmp_path).scheduler.config
    assert {key: kept[key] for key in changed} == changed
    for sampler in SAMPLERS:
        latents = pipeline("happy", num_frames=1, num_inference_steps=4, sampler=sampler, output_type="latent").frames
        assert latents.isfinite().all()


def test_a_saved_pipeline_gives_the_same_clip_in_a_fresh_process(pipeline: MobiusPipeline, tmp_path: Path):
    pipeline.save_pretrained(tmp_path / "model")
    assert not list((tmp_path / "model").rglob("*.bin"))
    program = f"""
import sys, mobius_model
assert "torch" not in sys.modules, "import mobius_model must stay light"
import numpy as np
pipeline = mobius_model.MobiusPipeline.from_pretrained({str(tmp_path / "model")!r})
frames = pipeline("猫", num_frames=2, num_inference_steps=2, seed=7).frames[0]
np.save({str(tmp_path / "frames.npy")!r}, frames)
print(type(pipeline.unet).__name__, type(pipeline.vae).__name__, pipeline.config.max_tokens)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["MobiusUNet", "SpaceToDepth", "52"]
    assert "newly initialized" not in done.stderr
    assert np.array_equal(np.load(tmp_path / "frames.npy"), pipeline("猫", **QUICK).frames[0])
    index = json.loads((tmp_path / "model" / "model_index.json").read_text())
    assert index["unet"][0].split(".")[0] == index["vae"][0].split(".")[0] == "mobius_model"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"prompt": None}, "expected one of the two"),
        ({"prompt": []}, "an empty list"),
        ({"num_frames": 0}, "num_frames = 0"),
        ({"num_inference_steps": 1001}, "num_inference_steps = 1001: expected 1 to 1000"),
        ({"num_inference_steps": 1000}, "num_inference_steps = 1000: would begin at timestep 1000 of 1000"),
        ({"sampler": "euler"}, "sampler = 'euler': expected one of ddim, dpm"),
        ({"output_type": "jpeg"}, "output_type = 'jpeg'"),
        ({"height": 31}, "31 x 32: expected multiples of 2"),
        ({"seed": [1, 2]}, "seed: 2 of them, expected one, or 1"),
        ({"negative_prompt": ["a", "b"]}, "negative_prompt: 2 of them, expected 1 or 1"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(pipeline: MobiusPipeline, arguments: dict, message: str):
    with pytest.raises(ValueError, match=message):
        pipeline(**{"prompt": "happy", **QUICK, **arguments})


def test_pictures_are_rounded_and_clipped():
    frames = torch.tensor([-2.0, -1.0, 0.0, 1.0, 3.0, 0.999]).reshape(1, 1, 1, 6).expand(1, 3, 1, 6)
    assert to_pictures(frames)[0, 0, :, 0].tolist() == [0, 0, 128, 255, 255, 255]
