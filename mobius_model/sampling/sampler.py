"""Sampler: prompts -> clips, by DDIM or DPM-Solver++ with classifier-free guidance.

Shapes: B batch, F frames, C latent channels, H W latent height and width, L tokens, D width of the text.
"""

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    DiffusionPipeline,
    DPMSolverMultistepScheduler,
    UNet2DConditionModel,
    UNet3DConditionModel,
)
from diffusers.utils import BaseOutput
from einops import rearrange
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import ChineseCLIPTextModel, CLIPTextModel

from mobius_model.base_model.codec import SpaceToDepth
from mobius_model.base_model.opening import Base, downscale_of
from mobius_model.base_model.text import CHINESE_CLIP_TOKENS, TextEncoder
from mobius_model.network.temporal import MAX_POSITIONS
from mobius_model.network.unet import MobiusUNet
from schemas.model_files import find_folder

SAMPLERS = {"ddim": DDIMScheduler, "dpm++": DPMSolverMultistepScheduler}
OUTPUT_TYPES = ("np", "latent")
DECODED_AT_ONCE = 8  # frames
DEFAULT_FRAMES = 8  # of a model that does not say
DEFAULT_FPS = 8.0


@dataclass
class MobiusPipelineOutput(BaseOutput):
    """frames: one clip per prompt, uint8 (F, height, width, 3), or latents B C F H W where those were asked for."""

    frames: Any


class MobiusPipeline(DiffusionPipeline):
    """A trained model as one folder: VAE, text encoder, tokenizer, UNet and the schedule it was trained with.

    vae: AutoencoderKL or SpaceToDepth. unet: a MobiusUNet (or diffusers' UNet3DConditionModel) for clips, a
    UNet2DConditionModel for pictures, which are clips of one frame. scheduler: its config holds the schedule; which
    sampler runs is said per call. max_tokens: of each prompt, as in training. num_frames, fps: of the clips it was
    trained on, and so of those it draws unless told otherwise.
    """

    model_cpu_offload_seq = "text_encoder->unet->vae"

    def __init__(
        self,
        vae: AutoencoderKL | SpaceToDepth,
        text_encoder: ChineseCLIPTextModel | CLIPTextModel,
        tokenizer: Any,
        unet: UNet2DConditionModel | UNet3DConditionModel | MobiusUNet,
        scheduler: DDIMScheduler,
        max_tokens: int = CHINESE_CLIP_TOKENS,
        num_frames: int = DEFAULT_FRAMES,
        fps: float = DEFAULT_FPS,
    ) -> None:
        super().__init__()
        self.register_modules(vae=vae, text_encoder=text_encoder, tokenizer=tokenizer, unet=unet, scheduler=scheduler)
        self.register_to_config(max_tokens=max_tokens, num_frames=num_frames, fps=fps)

    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: str | os.PathLike[str],
        *,
        device: str = "cpu",
        torch_dtype: torch.dtype = torch.float32,
        use_safetensors: Literal[True] = True,
    ) -> "MobiusPipeline":
        """Open a local folder, or `owner/name[@revision]` in the hub cache, as `open_pipeline` does.

        Diffusers would import whatever model_index.json names; its other options have no meaning here.
        Raises UserError for a folder that is no such model.
        """
        from mobius_model.sampling.model_folder import open_pipeline

        folder = find_folder(os.fspath(pretrained_model_name_or_path), key="model")
        return cast("MobiusPipeline", open_pipeline(folder, device=device).to(torch_dtype))

    @torch.no_grad()
    def __call__(
        self,
        prompt: str | Sequence[str] | None = None,
        *,
        negative_prompt: str | Sequence[str] = "",
        num_frames: int | None = None,
        height: int | None = None,
        width: int | None = None,
        num_inference_steps: int = 50,
        guidance_scale: float = 9.0,
        seed: int | Sequence[int] | None = None,
        sampler: str = "ddim",
        prompt_embeds: Tensor | None = None,
        negative_prompt_embeds: Tensor | None = None,
        output_type: str = "np",
        decoded_at_once: int = DECODED_AT_ONCE,
        progress: Callable[[int, int], None] | None = None,
    ) -> MobiusPipelineOutput:
        """Make one clip per prompt.

        prompt_embeds B L D (and negative_prompt_embeds, 1 or B rows) may be given in place of prompts, as
        TextEncoder.encode makes them. height, width: in pixels, what the UNet was made for if None.
        num_frames: as in training if None; 1 for a model that draws pictures.
        guidance_scale: 1 or less asks the UNet once per step and ignores the negative prompt.
        seed: one for every prompt, or one each; noise is drawn per prompt and on the CPU, so a prompt gives the same
        clip on its own and in a batch (but for rounding), on any device. None draws anew.
        progress: called after each step with the number done and the number of all.
        Raises ValueError for arguments that do not fit together.
        """
        text = self._embed(prompt, prompt_embeds)
        height, width = self._size(height, width)
        num_frames = self.num_frames if num_frames is None else num_frames
        self._check(num_frames=num_frames, steps=num_inference_steps, sampler=sampler, output_type=output_type)
        if guidance_scale > 1:
            text = torch.cat([self._embed_negative(negative_prompt, negative_prompt_embeds, num=len(text)), text])
        scheduler = self._scheduled(sampler, num_inference_steps)
        num_prompts = len(text) // 2 if guidance_scale > 1 else len(text)
        shape = (int(self.vae.config.latent_channels), num_frames, height, width)
        noise = draw_seeded_noise(shape, _seeds(seed, num_prompts)).to(self._execution_device)
        latents = noise * scheduler.init_noise_sigma
        with _evaluating(self.unet):
            for number, timestep in enumerate(scheduler.timesteps):
                noisy = scheduler.scale_model_input(latents, timestep)
                noise_pred = self._predict(noisy, timestep, text, guidance_scale)
                latents = scheduler.step(noise_pred, timestep, latents, return_dict=False)[0]
                if progress is not None:
                    progress(number + 1, num_inference_steps)
        if output_type == "latent":
            return MobiusPipelineOutput(frames=latents)
        return MobiusPipelineOutput(frames=[self._decode(clip, decoded_at_once) for clip in latents])

    @property
    def num_frames(self) -> int:
        """How many frames a clip has unless told otherwise."""
        return 1 if isinstance(self.unet, UNet2DConditionModel) else int(self.config.num_frames)

    def _predict(self, latents: Tensor, timestep: Tensor, text: Tensor, guidance_scale: float) -> Tensor:
        """Ask the UNet, B C F H W -> B C F H W; twice as one batch where guided (arXiv 2207.12598)."""
        if guidance_scale <= 1:
            return self._ask(latents, timestep, text)
        without, with_prompt = self._ask(torch.cat([latents, latents]), timestep, text).chunk(2)
        return without + guidance_scale * (with_prompt - without)

    def _ask(self, latents: Tensor, timestep: Tensor, text: Tensor) -> Tensor:
        if not isinstance(self.unet, MobiusUNet):  # which has two precisions, and sees to them itself
            latents, text = latents.to(self.unet.dtype), text.to(self.unet.dtype)
        if isinstance(self.unet, UNet2DConditionModel):
            picture: Tensor = self.unet(latents.squeeze(2), timestep, encoder_hidden_states=text).sample  # B C H W
            return picture.unsqueeze(2).float()
        clip: Tensor = self.unet(latents, timestep, encoder_hidden_states=text).sample
        return clip.float()

    def _embed(self, prompt: str | Sequence[str] | None, embeds: Tensor | None) -> Tensor:
        if (prompt is None) == (embeds is None):
            raise ValueError("prompt, prompt_embeds: expected one of the two")
        if embeds is not None:
            return embeds.to(self._execution_device)
        prompts = [prompt] if isinstance(prompt, str) else list(prompt or ())
        if not prompts:
            raise ValueError("prompt: an empty list, expected at least one")
        return TextEncoder(self.tokenizer, self.text_encoder, int(self.config.max_tokens)).encode(prompts)  # B L D

    def _embed_negative(self, prompt: str | Sequence[str], embeds: Tensor | None, *, num: int) -> Tensor:
        text = self._embed(None if embeds is not None else prompt, embeds)
        if len(text) not in (1, num):
            raise ValueError(f"negative_prompt: {len(text)} of them, expected 1 or {num}")
        return text.expand(num, -1, -1)

    def _size(self, height: int | None, width: int | None) -> tuple[int, int]:
        """Turn pixels into latent pixels."""
        downscale = downscale_of(self.vae)
        made_for = int(self.unet.sample_size) * downscale
        height, width = height or made_for, width or made_for
        if height % downscale or width % downscale:
            raise ValueError(f"height x width = {height} x {width}: expected multiples of {downscale}")
        return height // downscale, width // downscale

    def _check(self, *, num_frames: int, steps: int, sampler: str, output_type: str) -> None:
        if sampler not in SAMPLERS:
            raise ValueError(f"sampler = {sampler!r}: expected one of {', '.join(SAMPLERS)}")
        if output_type not in OUTPUT_TYPES:
            raise ValueError(f"output_type = {output_type!r}: expected one of {', '.join(OUTPUT_TYPES)}")
        if num_frames < 1:
            raise ValueError(f"num_frames = {num_frames}: expected 1 or more")
        if num_frames > 1 and isinstance(self.unet, UNet2DConditionModel):
            raise ValueError(f"num_frames = {num_frames}: this model draws pictures, expected 1")
        if isinstance(self.unet, MobiusUNet) and self.unet.config.temporal_positions and num_frames > MAX_POSITIONS:
            raise ValueError(
                f"num_frames = {num_frames}: this model tells frames apart, expected {MAX_POSITIONS} at most"
            )
        most = int(self.scheduler.config.num_train_timesteps)
        if not 1 <= steps <= most:
            raise ValueError(f"num_inference_steps = {steps}: expected 1 to {most}")

    def _scheduled(self, sampler: str, steps: int) -> Any:
        """Return a scheduler of this schedule with its timesteps set."""
        scheduler = SAMPLERS[sampler].from_config(self.scheduler.config)
        scheduler.set_timesteps(steps, device=self._execution_device)
        first, most = int(scheduler.timesteps.max()), int(scheduler.config.num_train_timesteps)
        if first >= most:  # spacing "leading" adds steps_offset to all of them
            raise ValueError(
                f"num_inference_steps = {steps}: would begin at timestep {first} of {most}, expected fewer"
            )
        return scheduler

    def _decode(self, clip: Tensor, at_once: int) -> NDArray[np.uint8]:
        """Decode C F H W, some frames at a time, to uint8 (F, height, width, 3)."""
        latents = rearrange(clip, "c f h w -> f c h w") / self.vae.config.scaling_factor
        done = [self.vae.decode(some.to(self.vae.dtype)).sample for some in latents.split(at_once)]
        return np.concatenate([to_pictures(frames) for frames in done])


def pipeline_from_base(
    base: Base,
    unet: nn.Module,
    *,
    scheduler_config: Mapping[str, Any],
    num_frames: int = DEFAULT_FRAMES,
    fps: float = DEFAULT_FPS,
) -> MobiusPipeline:
    """Put a trained UNet between the models it was trained between.

    scheduler_config: the schedule of training, as diffusers stores it. num_frames, fps: of the clips it trained on.
    """
    return MobiusPipeline(
        vae=base.vae,
        text_encoder=base.text.model,
        tokenizer=base.text.tokenizer,
        unet=unet,
        scheduler=DDIMScheduler.from_config(dict(scheduler_config)),
        max_tokens=base.text.max_tokens,
        num_frames=num_frames,
        fps=fps,
    )


def draw_seeded_noise(shape: Sequence[int], seeds: Sequence[int]) -> Tensor:
    """Draw float32 noise on the CPU, one of `shape` per seed."""
    return torch.stack([torch.randn(tuple(shape), generator=torch.Generator().manual_seed(each)) for each in seeds])


def to_pictures(frames: Tensor) -> NDArray[np.uint8]:
    """Turn decoded frames, F 3 height width in [-1, 1], into uint8 (F, height, width, 3)."""
    scaled = (frames.float().clamp(-1, 1) + 1) * 127.5
    pictures: NDArray[np.uint8] = rearrange(scaled.round().to(torch.uint8), "f c h w -> f h w c").cpu().numpy()
    return pictures


def _seeds(seed: int | Sequence[int] | None, num: int) -> list[int]:
    if seed is None:
        return [torch.Generator().seed() for _ in range(num)]
    seeds = [seed] * num if isinstance(seed, int) else list(seed)
    if len(seeds) != num:
        raise ValueError(f"seed: {len(seeds)} of them, expected one, or {num}")
    return seeds


@contextlib.contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    """Switch dropout off, and back to what it was: a trainer samples in the middle of training."""
    before = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, was_training in before:
            module.training = was_training
