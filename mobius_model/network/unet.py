"""MobiusUNet: noisy clips -> what the loss asks for, by a 2D UNet and a temporal branch in series or in parallel.

Shapes: B batch, F frames, C channels, H W height and width of the latents, L tokens, D width of the text.
"""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

import torch
from diffusers import ConfigMixin, ModelMixin, UNet2DConditionModel, UNet3DConditionModel
from diffusers.configuration_utils import register_to_config
from diffusers.utils import BaseOutput
from torch import Tensor, nn

from mobius_model.network.frozen import resampled_by_frozen
from mobius_model.network.fusion import FUSIONS
from mobius_model.network.layers import (
    BranchOptions,
    ParallelLayer,
    SerialLayer,
    first_attention,
    narrowing,
    own_resampler,
)
from mobius_model.network.layout import Layer, Resampler, check_supported, walk
from mobius_model.network.recompute import RECOMPUTE, Recompute
from mobius_model.network.shapes import joined, pooled_or_repeated, repeat_per_frame, to_clip, to_frames
from mobius_model.network.text_attention import read_text_once_per_clip
from mobius_model.network.weights import split_unet3d

Mode = Literal["parallel", "serial", "full"]
MODES: tuple[Mode, ...] = ("parallel", "serial", "full")
RESAMPLING = ("spatial", "own", "pool")
HEAD = ("conv_norm_out", "conv_out")  # of the 2D UNet; reads both states, so it is no part of h


@dataclass
class MobiusUNetOutput(BaseOutput):
    """sample: B C F H W, what the loss compares with the noise, the velocity or the latents."""

    sample: Tensor


class MobiusUNet(ModelMixin, ConfigMixin):
    """A 2D UNet made to draw clips (arXiv 2407.06617).

    mode: `serial` is TA(SA(TC(SC(h)))), what diffusers' UNet3DConditionModel does, with the 2D UNet frozen; `full`
    is the same with everything trained; `parallel` keeps a second state t beside h: h runs through the untouched
    2D UNet without a graph, t through the temporal layers (Eq. 8 and 9), and both are fused before the output head.
    unet2d: config of the UNet2DConditionModel.
    The others are of the parallel mode:
    temporal_width: of t, as a share of h's width (1, 1/2, 1/4).
    temporal_resampling: t is resampled by the frozen samplers of the 2D UNet (`spatial`, full width only), by its
    own trainable ones (`own`), or by means and nearest pixels (`pool`).
    conv_residual, attention_residual: whether TC and TA add their input inside Eq. 9.
    temporal_mixing: whether t is mixed with its neighbours in the plane, by a 3 x 3 convolution per channel.
    temporal_positions: whether TA is told which frame is which (diffusers' is not).
    fusion: `linear` or `deep`; train_head: whether the output head is trained too.
    text_once_per_clip: keys and values of the caption are computed once per clip, not once per frame (all modes).
    """

    @register_to_config
    def __init__(
        self,
        unet2d: dict[str, Any],
        mode: Mode = "parallel",
        temporal_width: float = 1.0,
        temporal_resampling: str = "spatial",
        conv_residual: bool = True,
        attention_residual: bool = True,
        temporal_mixing: bool = False,
        temporal_positions: bool = False,
        fusion: str = "linear",
        train_head: bool = True,
        text_once_per_clip: bool = True,
        temporal_dropout: float = 0.1,
        norm_num_groups: int = 32,
    ) -> None:
        super().__init__()
        _check_options(mode, temporal_width, temporal_resampling, fusion)
        self.spatial: UNet2DConditionModel = UNet2DConditionModel.from_config(unet2d)
        check_supported(self.spatial)
        if text_once_per_clip:
            read_text_once_per_clip(self.spatial)
        is_parallel = mode == "parallel"
        options = BranchOptions(
            width=temporal_width if is_parallel else 1.0,
            conv_residual=conv_residual,
            attention_residual=attention_residual,
            mixing=temporal_mixing,
            positions=temporal_positions and is_parallel,
            norm_num_groups=norm_num_groups,
            dropout=temporal_dropout,
        )
        places = list(walk(self.spatial))
        first = next(place for place in places if isinstance(place, Layer) and place.attention is not None)
        channels = self.spatial.conv_in.out_channels
        self.transformer_in = first_attention(first, options.channels(channels), options)
        kind = ParallelLayer if is_parallel else SerialLayer
        self.temporal = nn.ModuleDict(
            {place.name: kind(place, options) for place in places if isinstance(place, Layer)}
        )
        self.resamplers = nn.ModuleDict()
        if is_parallel:
            self.narrow_in = narrowing(channels, options.channels(channels))
            self.fuse = FUSIONS[fusion](channels, options.channels(channels), norm_num_groups)
            if temporal_resampling == "own":
                samplers = {
                    place.name: own_resampler(place, options) for place in places if isinstance(place, Resampler)
                }
                self.resamplers = nn.ModuleDict(samplers)
        self._recompute: Recompute = RECOMPUTE["none"]
        self.num_left_out = 0  # of the temporal weights it started from, those that have no place here
        self.set_trainable()
        self.train()

    @classmethod
    def from_unet2d(
        cls,
        unet: UNet2DConditionModel,
        *,
        mode: Mode = "parallel",
        temporal: UNet3DConditionModel | None = None,
        **options: Any,
    ) -> "MobiusUNet":
        """Start from a trained 2D UNet; `options` are those of the class.

        temporal: a 3D UNet of diffusers whose temporal weights are taken, those that have the same shape here.
        Raises ValueError for a 2D UNet that is not made like Stable Diffusion's, for wrong options, and where none of
        the temporal weights has a place.
        """
        check_supported(unet)
        options.setdefault("norm_num_groups", unet.config.norm_num_groups)
        model: MobiusUNet = cls(unet2d=_plain_config(unet), mode=mode, **options)
        model.spatial.load_state_dict(unet.state_dict())
        if temporal is not None:
            model.load_temporal(split_unet3d(temporal)[2])
        return model

    @classmethod
    def from_unet3d(cls, unet: UNet3DConditionModel, *, mode: Mode = "serial", **options: Any) -> "MobiusUNet":
        """Start from a 3D UNet of diffusers: its 2D UNet, and every temporal weight that has the same shape here."""
        config, spatial, temporal = split_unet3d(unet)
        options.setdefault("norm_num_groups", unet.config.norm_num_groups)
        model: MobiusUNet = cls(unet2d=config, mode=mode, **options)
        model.spatial.load_state_dict(spatial)
        model.load_temporal(temporal)
        return model

    def load_temporal(self, weights: Mapping[str, Tensor]) -> list[str]:
        """Take the temporal weights that have a place of the same shape here; return the names of the others.

        Raises ValueError where none of them has.
        """
        own = self.state_dict()
        fitting = {name: weight for name, weight in weights.items() if name in own and own[name].shape == weight.shape}
        if weights and not fitting:
            raise ValueError(
                f"none of the {len(weights)} temporal weights to start from has a place of the same shape here, "
                "expected the options they were trained with, or a 2D UNet to start from"
            )
        self.load_state_dict(fitting, strict=False)
        left_out = sorted(set(weights) - set(fitting))
        self.num_left_out = len(left_out)
        return left_out

    def train(self, mode: bool = True) -> Self:
        """Switch dropout on or off; in a 2D UNet that is frozen it stays off."""
        super().train(mode)
        if self.config.mode != "full":
            self.spatial.eval()
        return self

    @property
    def sample_size(self) -> int:
        """Height and width of the latents that the 2D UNet was made for."""
        return int(self.spatial.config.sample_size)

    def set_trainable(self) -> None:
        """Let exactly the weights of this mode be trained."""
        self.requires_grad_(True)
        if self.config.mode == "full":
            return
        self.spatial.requires_grad_(False)
        if self.config.mode == "parallel" and self.config.train_head:
            for name in HEAD:
                getattr(self.spatial, name).requires_grad_(True)

    def set_recompute(self, kind: str) -> None:
        """Choose what of the temporal layers is computed again in the backward pass: none, cheap, attention or all."""
        if kind not in RECOMPUTE:
            raise ValueError(f"recompute = {kind!r}: expected one of {', '.join(RECOMPUTE)}")
        self._recompute = RECOMPUTE[kind]

    def forward(
        self, sample: Tensor, timestep: Tensor | float, encoder_hidden_states: Tensor, return_dict: bool = True
    ) -> MobiusUNetOutput | tuple[Tensor]:
        """Predict for noisy latents.

        sample: B C F H W; timestep: one for all, or B; encoder_hidden_states: B L D. Gives B C F H W.
        """
        num_frames = sample.shape[2]
        with self._frozen():
            temb = self._embed_time(sample, timestep)
            text = encoder_hidden_states.to(self.spatial.dtype)
            if not self.config.text_once_per_clip:
                text = repeat_per_frame(text, num_frames)
            h = self.spatial.conv_in(to_frames(sample).to(self.spatial.dtype))
        run = self._run_parallel if self.config.mode == "parallel" else self._run_serial
        out = to_clip(self._head(run(h, temb, text, num_frames)), num_frames)
        return MobiusUNetOutput(sample=out) if return_dict else (out,)

    def _run_serial(self, h: Tensor, temb: Tensor, text: Tensor, num_frames: int) -> Tensor:
        """TA(SA(TC(SC(h)))), one state."""
        h = self._temporal(self.transformer_in, h, num_frames)
        skips = [h]
        for place in walk(self.spatial):
            if isinstance(place, Resampler):
                h = _resample(place, h, skips[-1])
            else:
                layer = self.temporal[place.name]
                h = place.resnet(joined(h, skips.pop()) if place.pops_skip else h, temb)
                h = self._temporal(layer.conv, h, num_frames)
                if place.attention is not None:
                    h = place.attention(h, encoder_hidden_states=text, return_dict=False)[0]
                    h = self._temporal(layer.attention, h, num_frames)
            if place.pushes_skip:
                skips.append(h)
        return h

    def _run_parallel(self, h: Tensor, temb: Tensor, text: Tensor, num_frames: int) -> Tensor:
        """Two states, each with its own skips (Eq. 4 and 5); h never sees t and never has a graph."""
        t = self._temporal(self.transformer_in, self.narrow_in(self._beside(h)), num_frames)
        skips = [(h, t)]
        for place in walk(self.spatial):
            if isinstance(place, Resampler):
                with torch.no_grad():
                    h = _resample(place, h, skips[-1][0])
                t = self._resample_t(place, t, h.shape[-2:])
            else:
                t_skip = None
                if place.pops_skip:
                    h_skip, t_skip = skips.pop()
                    h = joined(h, h_skip)
                with torch.no_grad():
                    h = s = place.resnet(h, temb)
                    if place.attention is not None:
                        h = place.attention(s, encoder_hidden_states=text, return_dict=False)[0]
                layer = self.temporal[place.name]
                t = self._temporal(layer, t, t_skip, self._beside(s), self._beside(h), num_frames)
            if place.pushes_skip:
                skips.append((h, t))
        return self._temporal(self.fuse, self._beside(h), t)

    def _temporal(self, module: Any, *inputs: Any) -> Tensor:
        """Run what is trained, saving for the backward pass what was chosen."""
        return self._recompute(module, *inputs) if torch.is_grad_enabled() else module(*inputs)

    def _resample_t(self, place: Resampler, t: Tensor, size: torch.Size) -> Tensor:
        way = self.config.temporal_resampling
        if way == "pool":
            return pooled_or_repeated(t, size, goes_down=place.goes_down)
        if way == "spatial":
            return resampled_by_frozen(place.module, t, size)
        module = self.resamplers[place.name]
        out: Tensor = module(t) if place.goes_down else module(t, output_size=tuple(size))
        return out

    def _head(self, features: Tensor) -> Tensor:
        unet = self.spatial
        if unet.conv_norm_out is not None:
            features = unet.conv_act(unet.conv_norm_out(features.to(unet.conv_norm_out.weight.dtype)))
        out: Tensor = unet.conv_out(features)
        return out

    def _beside(self, h: Tensor) -> Tensor:
        """Give h the precision of the temporal branch."""
        return h.to(self.transformer_in.proj_in.weight.dtype)

    def _embed_time(self, sample: Tensor, timestep: Tensor | float) -> Tensor:
        """Embed the timestep of every frame, so that the 2D UNet computes to the bit what it would alone."""
        timesteps = torch.as_tensor(timestep, device=sample.device).expand(len(sample))
        features = self.spatial.time_proj(repeat_per_frame(timesteps, sample.shape[2]))
        out: Tensor = self.spatial.time_embedding(features.to(self.spatial.dtype))
        return out

    def _frozen(self) -> contextlib.AbstractContextManager[object]:
        """In the parallel mode, no graph: nothing that feeds h is trained."""
        return torch.no_grad() if self.config.mode == "parallel" else contextlib.nullcontext()

    def trainable_parameters(self) -> Iterator[tuple[str, nn.Parameter]]:
        """Yield names and weights that are trained in this mode."""
        return ((name, weight) for name, weight in self.named_parameters() if weight.requires_grad)


def _plain_config(unet: UNet2DConditionModel) -> dict[str, Any]:
    return {name: value for name, value in unet.config.items() if not name.startswith("_")}


def _resample(place: Resampler, h: Tensor, next_skip: Tensor) -> Tensor:
    """Resample h by the 2D UNet's own sampler; going up, to the size of the skip that comes next."""
    size = tuple(next_skip.shape[-2:])
    doubled = (2 * h.shape[-2], 2 * h.shape[-1])
    fits = place.goes_down or size == doubled
    out: Tensor = place.module(h) if fits else place.module(h, output_size=size)
    return out


def _check_options(mode: str, temporal_width: float, temporal_resampling: str, fusion: str) -> None:
    for name, value, known in (
        ("mode", mode, MODES),
        ("temporal_resampling", temporal_resampling, RESAMPLING),
        ("fusion", fusion, tuple(FUSIONS)),
    ):
        if value not in known:
            raise ValueError(f"{name} = {value!r}: expected one of {', '.join(known)}")
    if not 0 < temporal_width <= 1:
        raise ValueError(f"temporal_width = {temporal_width}: expected more than 0 and at most 1")
    if mode == "parallel" and temporal_width < 1 and temporal_resampling == "spatial":
        raise ValueError(
            f"temporal_width = {temporal_width} with temporal_resampling = 'spatial': the 2D UNet's samplers fit the "
            "full width only, expected 'own' or 'pool'"
        )
