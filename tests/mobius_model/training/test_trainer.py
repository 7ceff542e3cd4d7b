"""Training from end to end: both stages, every mode, what is guarded, and that nothing is overwritten by a mistake."""

import inspect
import json
import shutil
from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from diffusers import UNet2DConditionModel, UNet3DConditionModel
from PIL import Image
from torch import nn

from mobius_model.base_model.opening import open_base
from mobius_model.data.precompute import precompute
from mobius_model.network.recompute import RECOMPUTE
from mobius_model.network.unet import MobiusUNet
from mobius_model.sampling.sampler import MobiusPipeline
from mobius_model.training.config import LoopConfig, TrainConfig
from mobius_model.training.guards import check_gradients, check_h_is_frozen, h_watched
from mobius_model.training.report import Report, Started, Stepped, Validated
from mobius_model.training.trainer import TrainOutcome, train
from mobius_model.training.unets import NetworkConfig
from schemas.errors import GradientLeak, TrainingDiverged, UserError
from tests.mobius_model.runs import config, log_lines, losses, pictures_config, settings, trained_tensors


def files(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file below a folder, with its time and content."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def refused(config: TrainConfig, match: str) -> None:
    """Training must raise a UserError of one sentence and leave the output as it was."""
    output = config.output_path
    before = files(output) if output.is_dir() else None
    with pytest.raises(UserError, match=match) as caught:
        train(config)
    assert "\n" not in str(caught.value)
    assert (files(output) if output.is_dir() else None) == before


def test_stage_one_then_stage_two_make_models_that_draw(inputs: Path, tmp_path: Path) -> None:
    reports: list[Report] = []
    made = config(inputs, tmp_path / "out", validation={"prompts": ["开心"]}, trackers=["tensorboard"])
    outcome = train(made, progress=reports.append)
    assert isinstance(reports[0], Started)
    stepped = [report for report in reports if isinstance(report, Stepped)]
    assert [report.step for report in stepped] == [1, 2, 3, 4]
    assert stepped[-1].seconds_left == 0
    assert all(report.samples_per_second > 0 and report.peak_memory_bytes > 1e6 for report in stepped)
    (validated,) = (report for report in reports if isinstance(report, Validated))
    assert outcome == TrainOutcome(
        0,
        4,
        stepped[-1].loss,
        validated.loss,
        outcome.samples_per_second,
        outcome.peak_memory_bytes,
        str(tmp_path / "out/model"),
    )
    assert len(validated.by_quantile) == 4
    assert validated.t_over_h is not None
    assert validated.t_over_h > 0
    assert losses(tmp_path / "out") == [report.loss for report in stepped]
    with Image.open(tmp_path / "out/samples/step-00000004-0.gif") as sample:
        assert sample.size == (8, 8)
    assert list((tmp_path / "out/trackers").glob("events*"))
    frames = MobiusPipeline.from_pretrained(tmp_path / "out/model")("开心", num_frames=3, num_inference_steps=2).frames
    assert frames[0].shape == (3, 8, 8, 3)
    picture = MobiusPipeline.from_pretrained(inputs / "pictures")("开心", num_frames=1, num_inference_steps=2).frames
    assert picture[0].shape == (1, 8, 8, 3)


def test_the_model_is_the_average_of_what_was_trained_and_the_rest_of_what_it_started_from(
    inputs: Path, tmp_path: Path
) -> None:
    train(config(inputs, tmp_path / "out"))
    unet = MobiusUNet.from_pretrained(tmp_path / "out/model/unet")
    start = UNet2DConditionModel.from_pretrained(inputs / "pictures/unet").state_dict()
    saved = trained_tensors(tmp_path / "out")
    trained_names = {name for name, _ in unet.trainable_parameters()}
    for name, weight in unet.named_parameters():
        expected = saved[f"average: {name}"] if name in trained_names else start[name.removeprefix("spatial.")]
        assert torch.equal(weight, expected), name
    assert {name.split(": ")[1] for name in saved if name.startswith("weights: ")} == trained_names


@pytest.mark.parametrize(
    "changes",
    [
        {"network": {"mode": "serial"}},
        {"network": {"mode": "full"}},
        {"network": {"temporal_width": 0.5, "temporal_resampling": "own", "fusion": "deep"}},
        {"loop": {"recompute": "all"}, "optimizer": {"max_grad_norm": 0.1}},
        {"loop": {"precision": "bf16", "spatial_precision": "bf16"}},
        {
            "loss": {"prediction": "v_prediction", "zero_terminal_snr": True, "noise_offset": 0.1},
            "init": "none",
        },
        {"loss": {"min_snr_gamma": 5}},
    ],
    ids=lambda changes: "-".join(changes),
)
def test_options_train_and_save(inputs: Path, tmp_path: Path, changes: dict[str, Any]) -> None:
    made = {"loop": {}, **changes}
    made["loop"] = {"num_steps": 2, **made["loop"]}
    from_scratch = made.pop("init", None) == "none"
    build = pictures_config if from_scratch else config
    outcome = train(build(inputs, tmp_path / "out", **made))
    assert outcome.loss is not None
    assert (tmp_path / "out/model/model_index.json").exists()


def test_recomputing_saves_memory_and_changes_no_number(inputs: Path, tmp_path: Path) -> None:
    train(config(inputs, tmp_path / "none"))
    train(config(inputs, tmp_path / "all", loop={"recompute": "all"}))
    assert losses(tmp_path / "none") == pytest.approx(losses(tmp_path / "all"), rel=1e-5)


def test_stage_two_goes_on_from_a_model_with_time(inputs: Path, tmp_path: Path) -> None:
    train(config(inputs, tmp_path / "first", loop={"num_steps": 2}))
    second = config(inputs, tmp_path / "second", init=str(tmp_path / "first/model"), optimizer={"learning_rate": 1e-12})
    train(second)
    before = MobiusUNet.from_pretrained(tmp_path / "first/model/unet").state_dict()
    after = MobiusUNet.from_pretrained(tmp_path / "second/model/unet").state_dict()
    for name, weight in before.items():
        torch.testing.assert_close(after[name], weight)


def test_temporal_weights_without_a_place_are_counted_and_none_with_one_is_refused(
    inputs: Path, tmp_path: Path
) -> None:
    serial = config(inputs, tmp_path / "serial", network={"mode": "serial"}, loop={"num_steps": 1})
    train(serial)
    start = str(tmp_path / "serial/model")
    reports: list[Report] = []
    parallel = config(inputs, tmp_path / "parallel", init=start, loop={"num_steps": 1})
    train(parallel, progress=reports.append)
    assert isinstance(reports[0], Started)
    theirs = MobiusUNet.from_pretrained(f"{start}/unet").state_dict()
    ours = MobiusUNet.from_pretrained(tmp_path / "parallel/model/unet").state_dict()
    left_out = [name for name in theirs if name not in ours or ours[name].shape != theirs[name].shape]
    assert reports[0].num_left_out == len(left_out)
    unet = parallel_unet(inputs)
    with pytest.raises(ValueError, match="none of the 1 temporal weights to start from has a place"):
        unet.load_temporal({"transformer_in.proj_in.weight": torch.zeros(1)})


@pytest.mark.parametrize(("mode", "stays"), [("parallel", True), ("serial", True), ("full", False)])
def test_dropout_of_a_frozen_2d_unet_stays_off(inputs: Path, mode: str, stays: bool) -> None:
    unet = MobiusUNet.from_unet2d(UNet2DConditionModel.from_pretrained(inputs / "pictures/unet"), mode=mode)
    assert any(module.training for module in unet.spatial.modules()) is not stays
    unet.eval().train()
    assert unet.temporal.training
    assert any(module.training for module in unet.spatial.modules()) is not stays


def test_stage_two_starts_from_a_3d_unet_of_diffusers(inputs: Path, tmp_path: Path) -> None:
    flat = UNet2DConditionModel.from_pretrained(inputs / "pictures/unet").config
    unet = UNet3DConditionModel(
        sample_size=8,
        in_channels=flat.in_channels,
        out_channels=flat.out_channels,
        down_block_types=("DownBlock3D", "CrossAttnDownBlock3D"),
        up_block_types=("CrossAttnUpBlock3D", "UpBlock3D"),
        block_out_channels=(8, 16),
        layers_per_block=1,
        cross_attention_dim=flat.cross_attention_dim,
        attention_head_dim=8,
        norm_num_groups=4,
    )
    unet.save_pretrained(tmp_path / "unet3d")
    train(config(inputs, tmp_path / "out", init=str(tmp_path / "unet3d"), network={"mode": "serial"}))
    saved = MobiusUNet.from_pretrained(tmp_path / "out/model/unet").state_dict()
    assert torch.equal(saved["spatial.conv_in.weight"], unet.conv_in.weight)
    both = {"init": str(tmp_path / "unet3d"), "init_temporal": str(tmp_path / "unet3d")}
    refused(config(inputs, tmp_path / "both", **both), match="init is a UNet3DConditionModel, which has temporal")


def test_stored_latents_are_used_where_they_fit(inputs: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    shutil.copytree(inputs / "root", root)
    made = config(inputs, tmp_path / "out", root=str(root), data={"latents": "always"})
    refused(made, "run `mobius precompute` first")
    precompute(
        root,
        stage="t2v",
        data=made.data,
        base=open_base(made.base),
        batch_size=8,
        device="cpu",
    )
    reports: list[Report] = []
    train(made, progress=reports.append)
    assert isinstance(reports[0], Started)
    assert reports[0].content.startswith("latents-")


def test_the_config_has_every_option_of_the_network_with_its_default() -> None:
    options = inspect.signature(MobiusUNet.__init__).parameters
    defaults = {name: option.default for name, option in options.items()}
    for name in ("self", "unet2d", "norm_num_groups"):
        del defaults[name]
    assert NetworkConfig().model_dump() == defaults
    assert get_args(LoopConfig.model_fields["recompute"].annotation) == tuple(RECOMPUTE)


# Going on.


def test_the_same_command_goes_on_and_a_finished_one_does_nothing(inputs: Path, tmp_path: Path) -> None:
    train(config(inputs, tmp_path / "out"))
    before = files(tmp_path / "out/model")
    again = train(config(inputs, tmp_path / "out"))
    assert (again.first_step, again.loss) == (4, None)
    assert files(tmp_path / "out/model") == before
    longer = train(config(inputs, tmp_path / "out", loop={"num_steps": 6}))
    assert longer.first_step == 4
    assert len(losses(tmp_path / "out")) == 6
    assert files(tmp_path / "out/model") != before


def test_a_model_of_another_run_of_as_many_steps_is_written_again(inputs: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    train(config(inputs, output, loop={"num_steps": 2}))
    before = (output / "model/unet/diffusion_pytorch_model.safetensors").read_bytes()
    shutil.rmtree(output / "checkpoints")
    assert train(config(inputs, output, loop={"num_steps": 2}, optimizer={"learning_rate": 5e-2})).first_step == 0
    assert (output / "model/unet/diffusion_pytorch_model.safetensors").read_bytes() != before


def test_a_model_of_fewer_steps_than_the_last_checkpoint_is_written_again(inputs: Path, tmp_path: Path) -> None:
    train(config(inputs, tmp_path / "out", loop={"num_steps": 2}))
    (tmp_path / "out/model").rename(tmp_path / "old")
    longer = config(inputs, tmp_path / "out", loop={"num_steps": 3})
    train(longer)
    expected = (tmp_path / "out/model/unet/diffusion_pytorch_model.safetensors").read_bytes()
    shutil.rmtree(tmp_path / "out/model")
    (tmp_path / "old").rename(tmp_path / "out/model")  # as if killed before the model was written
    assert train(longer).first_step == 3
    assert (tmp_path / "out/model/unet/diffusion_pytorch_model.safetensors").read_bytes() == expected


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_start_changed_during_training_is_never_mixed_into_the_model(
    inputs: Path, tmp_path: Path, precision: str
) -> None:
    init = tmp_path / "init"
    shutil.copytree(inputs / "pictures", init)
    before = UNet2DConditionModel.from_pretrained(init / "unet").state_dict()

    def change(report: Report) -> None:
        if isinstance(report, Stepped):
            other = UNet2DConditionModel.from_config(UNet2DConditionModel.load_config(init / "unet"))
            shutil.rmtree(init / "unet")
            other.save_pretrained(init / "unet")

    made = config(inputs, tmp_path / "out", init=str(init), loop={"num_steps": 1, "spatial_precision": precision})
    if precision == "bf16":
        with pytest.raises(UserError, match=r"init = .*: was changed after training began"):
            train(made, progress=change)
        assert not (tmp_path / "out/model").exists()
        return
    train(made, progress=change)
    unet = MobiusUNet.from_pretrained(tmp_path / "out/model/unet")
    assert torch.equal(unet.spatial.conv_in.weight, before["conv_in.weight"])


def test_a_cosine_ends_where_it_was_to_end(inputs: Path, tmp_path: Path) -> None:
    cosine = {"schedule": {"name": "cosine"}}
    train(config(inputs, tmp_path / "out", loop={"num_steps": 2}, **cosine))
    longer = config(inputs, tmp_path / "out", loop={"num_steps": 3}, **cosine)
    refused(longer, r"was made with other settings: loop\.num_steps = 2, this run has 3")
    shutil.rmtree(tmp_path / "out/checkpoints")
    train(config(inputs, tmp_path / "out", loop={"num_steps": 2}, checkpoint={"every_steps": 1}, **cosine))
    shutil.rmtree(tmp_path / "out/checkpoints/step-00000002")
    again = train(config(inputs, tmp_path / "out", loop={"num_steps": 2}, **cosine))
    assert again.first_step == 1


def test_where_checkpoints_validation_and_workers_happen_changes_nothing(inputs: Path, tmp_path: Path) -> None:
    train(config(inputs, tmp_path / "often", checkpoint={"every_steps": 1}, validation={"every_steps": 1}))
    train(config(inputs, tmp_path / "once", checkpoint={"every_steps": 4}, loop={"log_every_steps": 3}))
    ours, theirs = trained_tensors(tmp_path / "often"), trained_tensors(tmp_path / "once")
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert losses(tmp_path / "often") == losses(tmp_path / "once")


def test_log_lines_beyond_the_checkpoint_are_dropped(inputs: Path, tmp_path: Path) -> None:
    train(config(inputs, tmp_path / "out", loop={"num_steps": 2}))
    with (tmp_path / "out/log.jsonl").open("a") as log:
        log.write('{"step": 3, "loss": 99.0}\n{"step": 4, "lo')
    train(config(inputs, tmp_path / "out", loop={"num_steps": 3}))
    assert [line["step"] for line in log_lines(tmp_path / "out") if "loss" in line] == [1, 2, 3]
    assert 99.0 not in losses(tmp_path / "out")


# Mistakes: one sentence each, nothing overwritten.


def test_a_missing_manifest_or_a_changed_file_is_refused(inputs: Path, tmp_path: Path) -> None:
    refused(config(inputs, tmp_path / "out", root=str(tmp_path)), "manifest.json: missing, export the set")
    root = tmp_path / "root"
    shutil.copytree(inputs / "root", root)
    path = next((root / "t2v").glob("*.parquet"))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    refused(config(inputs, tmp_path / "out", root=str(root)), "sha256 .*, the manifest says")


def test_fewer_samples_than_one_step_takes_are_refused(inputs: Path, tmp_path: Path) -> None:
    made = config(inputs, tmp_path / "out", loop={"batch_size": 11, "accumulation": 2})
    refused(made, "samples to train on, one step takes 22")


def test_a_start_of_another_width_or_kind_is_refused(inputs: Path, tmp_path: Path) -> None:
    wide = dict(UNet2DConditionModel.from_pretrained(inputs / "pictures/unet").config)
    for key, value in (("cross_attention_dim", 24), ("in_channels", 5)):
        folder = tmp_path / key
        UNet2DConditionModel.from_config({**wide, key: value}).save_pretrained(folder)
        refused(config(inputs, tmp_path / "out", init=str(folder)), f"{key} is {value}, expected")
    refused(config(inputs, tmp_path / "out", init=str(tmp_path / "nowhere")), "init = .*: no such folder")
    refused(
        config(inputs, tmp_path / "out", stage="t2i", init=str(inputs / "base/vae")),
        "a SpaceToDepth, stage t2i starts from UNet2DConditionModel",
    )
    odd = json.loads((inputs / "pictures/unet/config.json").read_text())
    shutil.copytree(inputs / "pictures/unet", tmp_path / "odd")
    (tmp_path / "odd/config.json").write_text(json.dumps({**odd, "block_out_channels": [8, 24]}))
    with pytest.raises(UserError, match=r"weights and config\.json do not fit"):
        train(config(inputs, tmp_path / "out", init=str(tmp_path / "odd")))


def test_a_start_that_predicts_something_else_is_refused(inputs: Path, tmp_path: Path) -> None:
    made = config(inputs, tmp_path / "out", loss={"prediction": "v_prediction"})
    refused(made, "trained with prediction_type = 'epsilon', loss.prediction says 'v_prediction'")


def test_a_start_of_another_schedule_or_base_is_refused(inputs: Path, tmp_path: Path) -> None:
    refused(
        config(inputs, tmp_path / "out", loss={"beta_end": 0.02}),
        r"trained with beta_end = 0\.012, loss\.beta_end says 0\.02",
    )
    init = tmp_path / "init"
    shutil.copytree(inputs / "pictures", init)
    (init / "step.json").write_text('{"step": 4, "base": "of another"}')
    refused(config(inputs, tmp_path / "out", init=str(init)), "trained with another VAE or text encoder")


def test_what_is_of_clips_alone_does_not_bind_a_run_on_pictures(inputs: Path, tmp_path: Path) -> None:
    made = pictures_config(inputs, tmp_path / "out")
    train(made)
    other = pictures_config(inputs, tmp_path / "out", network={"fusion": "deep"}, data={"fps": 12.0})
    assert train(other).first_step == 4


def test_options_that_exclude_each_other_are_refused(inputs: Path, tmp_path: Path) -> None:
    refused(config(inputs, tmp_path / "out", network={"temporal_width": 0.5}), "network: temporal_width = 0.5 with")
    refused(config(inputs, tmp_path / "out", trackers=["nonsense"]), "trackers: 'nonsense' is unknown")
    refused(config(inputs, tmp_path / "out", trackers=["wandb"]), "trackers: 'wandb' is not installed")
    if not torch.cuda.is_available():
        refused(config(inputs, tmp_path / "out", loop={"precision": "fp16"}), "fp16' needs a GPU")


def test_a_folder_with_foreign_files_and_a_second_run_are_refused(inputs: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/thesis.tex").write_text("years of work")
    refused(config(inputs, tmp_path / "out"), "holds files that no training wrote")

    def start_another(report: Report) -> None:
        if isinstance(report, Stepped):
            train(config(inputs, tmp_path / "busy"))

    with pytest.raises(UserError, match="another run is training into this folder"):
        train(config(inputs, tmp_path / "busy"), progress=start_another)


def test_a_checkpoint_of_other_data_or_settings_is_refused(inputs: Path, tmp_path: Path) -> None:
    train(config(inputs, tmp_path / "out", loop={"num_steps": 2}))
    root = tmp_path / "root"
    shutil.copytree(inputs / "root", root)
    manifest = root / "t2v/manifest.json"
    manifest.write_text(manifest.read_text().replace('"plan":"0123456789ab"', '"plan":"fedcba987654"'))
    for path in (root / "t2v").glob("*.parquet"):
        path.unlink()
    shutil.rmtree(root / "t2v")
    from tests.mobius_model.data.tiny_root import tiny_clip, write_set

    write_set(root, "t2v", [tiny_clip(number, num_frames=2) for number in range(24)])
    refused(config(inputs, tmp_path / "out", root=str(root)), "this checkpoint is of another dataset")
    changed = config(inputs, tmp_path / "out", optimizer={"learning_rate": 1e-5})
    refused(changed, "was made with other settings: optimizer.learning_rate = 0.001, this run has 1e-05")
    refused(config(inputs, tmp_path / "out", loop={"num_steps": 1}), "loop.num_steps = 1: .* has 2 steps already")


def test_a_disk_without_room_is_refused_before_the_first_step(
    inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage._replace(free=1_000_000))
    refused(config(inputs, tmp_path / "out"), r": 1 MB free, expected \d+ MB for 3 checkpoints")


def test_going_on_needs_room_for_what_is_not_there_yet(
    inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    often = {"every_steps": 1, "keep": 2}
    done = config(inputs, tmp_path / "out", loop={"num_steps": 2}, checkpoint=often)
    longer = config(inputs, tmp_path / "out", loop={"num_steps": 3}, checkpoint=often)
    train(done)
    unet = MobiusUNet.from_pretrained(tmp_path / "out/model/unet")
    base = open_base(done.base)
    trained = sum(weight.numel() for _, weight in unet.trainable_parameters())
    model = sum(weight.numel() for each in (unet, base.vae, base.text.model) for weight in each.parameters())
    enough = 4 * (4 * trained + model)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage._replace(free=0))
    assert train(done).first_step == 2
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage._replace(free=enough - 1))
    refused(longer, "for 1 checkpoints and the model")
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage._replace(free=enough))
    assert train(longer).first_step == 2


def test_a_loss_that_is_no_number_stops_the_run_and_keeps_the_checkpoint(
    inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mobius_model.training.trainer.rate_at", lambda step, *_, **__: 1e-3 if step < 2 else 1e30)
    with pytest.raises(TrainingDiverged, match="step 4: the loss is nan"):
        train(config(inputs, tmp_path / "out"))
    assert [path.name for path in (tmp_path / "out/checkpoints").iterdir()] == ["step-00000002"]


def test_a_gradient_that_is_no_number_stops_the_run_before_a_checkpoint(
    inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accelerate.Accelerator.clip_grad_norm_", lambda *_: torch.tensor(torch.inf))
    with pytest.raises(TrainingDiverged, match=r"step 1: the norm of the gradient is inf; train again into another"):
        train(config(inputs, tmp_path / "out", checkpoint={"every_steps": 1}))
    assert not (tmp_path / "out/checkpoints").exists()


def test_settings_are_strict(inputs: Path, tmp_path: Path) -> None:
    for changes in (
        {"network": {"mode": "sideways"}},
        {"loop": {"batchsize": 3}},
        {"init": None},
        {"stage": "t2i", "init": None, "loop": {"spatial_precision": "bf16"}},
    ):
        with pytest.raises(ValueError):
            TrainConfig.model_validate(settings(inputs, tmp_path, **changes))


# Gradients that must not be.


def parallel_unet(inputs: Path) -> MobiusUNet:
    unet: MobiusUNet = MobiusUNet.from_unet2d(UNet2DConditionModel.from_pretrained(inputs / "pictures/unet"))
    return unet


def run_once(unet: MobiusUNet) -> torch.Tensor:
    out: torch.Tensor = unet(torch.randn(1, 3, 2, 8, 8), 5, torch.randn(1, 4, 64)).sample
    return out.square().mean()


def test_a_trainable_weight_of_h_is_found_before_the_first_step(inputs: Path) -> None:
    unet = parallel_unet(inputs)
    check_h_is_frozen(unet)
    unet.spatial.conv_in.bias.requires_grad_(True)
    with pytest.raises(GradientLeak, match=r"spatial\.conv_in\.bias feeds h"):
        check_h_is_frozen(unet)


def test_something_trainable_before_h_is_found_in_the_first_step(inputs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unet = parallel_unet(inputs)
    with h_watched(unet):
        run_once(unet).backward()
    check_gradients(unet, {name for name, _ in unet.trainable_parameters()})
    extra = nn.Parameter(torch.ones(1))
    unet.spatial.conv_in.register_forward_hook(lambda module, inputs, out: out * extra)
    with torch.no_grad():
        monkeypatch.setattr(unet, "_frozen", torch.enable_grad)
    with h_watched(unet), pytest.raises(GradientLeak, match="something trainable feeds h"):
        run_once(unet)


def test_a_frozen_weight_with_a_gradient_is_found(inputs: Path) -> None:
    unet = parallel_unet(inputs)
    trained = {name for name, _ in unet.trainable_parameters()}
    with pytest.raises(GradientLeak, match="nothing would be trained"):
        check_gradients(unet, trained)
    run_once(unet).backward()
    unet.spatial.conv_in.bias.grad = torch.zeros_like(unet.spatial.conv_in.bias)
    with pytest.raises(GradientLeak, match=r"spatial\.conv_in\.bias is frozen and got a gradient"):
        check_gradients(unet, trained)
