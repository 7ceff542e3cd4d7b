"""UNets: stage, network config and a model to start from -> the network that is trained."""

from pathlib import Path
from typing import Any, Literal

import torch
from diffusers import DDIMScheduler, UNet2DConditionModel, UNet3DConditionModel
from pydantic import Field
from torch import nn

from mobius_model.base_model.opening import Base
from mobius_model.data.config import Stage
from mobius_model.network.unet import HEAD, MobiusUNet
from schemas.config import StrictConfig
from schemas.errors import UserError
from schemas.model_files import find_folder, read_json, require_file, require_safetensors, weights_digest

UNET_CLASSES = {each.__name__: each for each in (UNet2DConditionModel, MobiusUNet, UNet3DConditionModel)}
STEP = "step.json"  # in a model's folder: after which step it was written, and between which models
OF_THE_SCHEDULE = {  # key of diffusers' schedulers -> setting
    "prediction_type": "prediction",
    "num_train_timesteps": "num_timesteps",
    "beta_schedule": "beta_schedule",
    "beta_start": "beta_start",
    "beta_end": "beta_end",
    "rescale_betas_zero_snr": "zero_terminal_snr",
}
FITTING_CLASSES = {"t2i": ("UNet2DConditionModel",), "t2v": tuple(UNET_CLASSES)}


class NetworkConfig(StrictConfig):
    """Options of stage t2v's MobiusUNet; all but the mode and the text are of the parallel mode."""

    mode: Literal["parallel", "serial", "full"] = "parallel"
    temporal_width: float = Field(1.0, gt=0, le=1)  # of t, as a share of h's
    temporal_resampling: Literal["spatial", "own", "pool"] = "spatial"  # spatial: the frozen ones, full width only
    conv_residual: bool = True  # whether TC adds its input inside Eq. 9
    attention_residual: bool = True  # whether TA does
    temporal_mixing: bool = False  # whether t is mixed in the plane, too
    temporal_positions: bool = False  # whether TA knows the order of frames
    fusion: Literal["linear", "deep"] = "linear"
    train_head: bool = True  # the 2D UNet's output head, after the fusion
    text_once_per_clip: bool = True  # keys and values of a caption once per clip, not once per frame
    temporal_dropout: float = Field(0.1, ge=0, lt=1)


def find_unet(init: str, *, key: str = "init") -> Path:
    """Return the folder of a UNet to start from: itself, or unet/ of a model folder. Raises UserError."""
    folder = find_folder(init, key=key)
    if (folder / "unet").is_dir():
        folder = folder / "unet"
    require_file(folder / "config.json", "a UNet as diffusers saves it, or the model folder it lies in")
    require_safetensors(folder)
    return folder


def build_unet(
    stage: Stage, init: str | None, *, init_temporal: str | None, network: NetworkConfig, base: Base, size: int
) -> nn.Module:
    """Build the network of a stage in float32, on the CPU, with what is to be trained requiring gradients.

    size: pixels. init_temporal: a model whose temporal weights are taken, where `init` is a 2D UNet. New weights come
    from torch's global seed. Raises UserError for a model of another kind or width.
    """
    if size % base.downscale:
        raise UserError(f"data.size = {size}: the VAE divides by {base.downscale}, expected a multiple of it")
    sample_size = size // base.downscale
    if init is None:
        return _from_scratch({**base.unet_config, "sample_size": sample_size})
    folder = find_unet(init)
    found = _load(stage, folder)
    _check_width(found, folder, base)
    unet = found if stage == "t2i" else _with_time(found, network, init_temporal)
    spatial = unet if stage == "t2i" else unet.spatial
    spatial.register_to_config(sample_size=sample_size)
    if stage == "t2v":
        unet.register_to_config(unet2d={**unet.config.unet2d, "sample_size": sample_size})
    trained: nn.Module = unet.train()
    return trained


def check_schedule(init: str, schedule: DDIMScheduler) -> None:
    """Raise UserError if the model to start from was trained on another noise schedule, as far as it says."""
    path = find_unet(init).parent / "scheduler" / "scheduler_config.json"
    found = read_json(path) if path.is_file() else {}
    for key, setting in OF_THE_SCHEDULE.items():
        expected = schedule.config[key]
        if found.get(key, expected) != expected:
            raise UserError(
                f"{path}: this model was trained with {key} = {found[key]!r}, loss.{setting} says {expected!r}: "
                "expected the same"
            )


def check_base(init: str, base_identity: str) -> None:
    """Raise UserError if the model to start from was trained between other models than these, as far as it says."""
    path = find_unet(init).parent / STEP
    found = read_json(path).get("base", base_identity) if path.is_file() else base_identity
    if found != base_identity:
        raise UserError(f"{path}: this model was trained with another VAE or text encoder, expected those of the base")


def init_identity(init: str | None, *, key: str = "init") -> str | None:
    """Return a digest of the weights to start from."""
    return None if init is None else weights_digest(find_unet(init, key=key))


def lower_h(unet: MobiusUNet, dtype: torch.dtype) -> None:
    """Give the frozen branch another precision; the output head is trained and keeps its own."""
    unet.spatial.to(dtype)
    for name in HEAD:
        getattr(unet.spatial, name).float()


def _from_scratch(config: dict[str, Any]) -> nn.Module:
    try:
        unet: nn.Module = UNet2DConditionModel.from_config(config)
    except (ValueError, TypeError) as error:
        raise UserError(f"base.unet: no config of a UNet2DConditionModel: {error}") from error
    return unet.train()


def _load(stage: Stage, folder: Path) -> Any:
    name = read_json(folder / "config.json").get("_class_name")
    if name not in FITTING_CLASSES[stage]:
        raise UserError(f"{folder}: a {name}, stage {stage} starts from {' or '.join(FITTING_CLASSES[stage])}")
    try:
        unet, report = UNET_CLASSES[name].from_pretrained(
            folder, use_safetensors=True, local_files_only=True, output_loading_info=True
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise UserError(f"{folder}: weights and config.json do not fit together: {error}") from error
    if report["missing_keys"]:  # diffusers would draw them at random, and only warn
        missing = report["missing_keys"]
        raise UserError(f"{folder}: {len(missing)} weights of the config are missing, such as {missing[0]}")
    return unet


def _with_time(found: Any, network: NetworkConfig, init_temporal: str | None) -> Any:
    options = network.model_dump()
    if init_temporal is not None and not isinstance(found, UNet2DConditionModel):
        raise UserError(
            f"init_temporal = {init_temporal!r}: init is a {type(found).__name__}, which has temporal weights of its "
            "own; expected a 2D UNet as init, or no init_temporal"
        )
    temporal = None if init_temporal is None else _load_temporal(find_unet(init_temporal, key="init_temporal"))
    try:
        if isinstance(found, UNet2DConditionModel):
            return MobiusUNet.from_unet2d(found, temporal=temporal, **options)
        if isinstance(found, UNet3DConditionModel):
            return MobiusUNet.from_unet3d(found, **options)
        unet = MobiusUNet(found.config.unet2d, norm_num_groups=found.config.norm_num_groups, **options)
        unet.spatial.load_state_dict(found.spatial.state_dict())
        unet.load_temporal(
            {name: weight for name, weight in found.state_dict().items() if not name.startswith("spatial.")}
        )
    except ValueError as error:
        raise UserError(f"network: {error}") from error
    return unet


def _load_temporal(folder: Path) -> UNet3DConditionModel:
    found = _load("t2v", folder)
    if not isinstance(found, UNet3DConditionModel):
        raise UserError(f"init_temporal: {folder} is a {type(found).__name__}, expected a UNet3DConditionModel")
    return found


def _check_width(unet: Any, folder: Path, base: Base) -> None:
    config = unet.spatial.config if isinstance(unet, MobiusUNet) else unet.config
    for key, expected, of_what in (
        ("in_channels", base.latent_channels, "the VAE's latents"),
        ("out_channels", base.latent_channels, "the VAE's latents"),
        ("cross_attention_dim", base.text.width, "the text encoder"),
    ):
        if config[key] != expected:
            raise UserError(f"{folder}: {key} is {config[key]}, expected {expected} as {of_what} of the base")
