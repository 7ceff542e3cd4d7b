"""VideoLLaMA3: frames with their seconds and words -> the inputs of the model, without torchvision.

Its own video processor needs torchvision; what that does is done here with the image processor, which cuts a frame
into the same patches. Shapes: B batch, T frames, H W patches of a frame, M patches merged along each side, P values
of a patch, L tokens; K patches of all frames of a batch.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pipeline.models.hf.opening import open_tokenizer
from pipeline.models.hf.picture_reader import Asked
from pipeline.models.hf.processor import open_image_processor, read_processor_settings
from pipeline.models.hf.prompts import tokenize
from pipeline.models.hf.video_prompt import VideoPrompt
from schemas.model_files import read_json

VIDEO_SETTINGS = "video_preprocessor_config.json"
MIN_PIXELS, MAX_PIXELS = 128 * 28 * 28, 768 * 28 * 28  # of a frame at least, of all frames together at most
MERGE_SIZE = 2
MIN_CHANGE = 0.1  # mean over a token's values of 255 times their change: below this a token repeats the last frame's


class VideoLlama3Reader:
    """Turns frames into one packed video per sample. Tokens that repeat the frame before are left out, as trained."""

    def __init__(self, folder: Path, model_config: Any) -> None:
        self.tokenizer = open_tokenizer(folder, padding_side="left")
        self._images = open_image_processor(folder)
        settings = read_processor_settings(folder, model_config)
        template = settings.get("chat_template") or self.tokenizer.chat_template
        self._prompt = VideoPrompt(folder, template, self.tokenizer, video_token_id=model_config.video_token_id)
        video = _read_video_settings(folder, settings)
        size = video.get("size") or {}
        self._min_pixels = int(video.get("min_pixels") or size.get("shortest_edge") or MIN_PIXELS)
        self._max_pixels = int(video.get("max_pixels") or size.get("longest_edge") or MAX_PIXELS)
        self._merge_size = int(video.get("merge_size") or MERGE_SIZE)
        self._drops_repeats = bool(video.get("use_token_compression", True))
        self._norm = {key: video[key] for key in ("image_mean", "image_std") if video.get(key) is not None}

    def encode(self, asked: Sequence[Asked]) -> Mapping[str, Any]:
        """Return padded texts (B, L), and the patches of all samples one after the other (K, P)."""
        videos = [self._encode_frames(each) for each in asked]
        texts = [self._write(each, kept) for each, (_, _, kept) in zip(asked, videos, strict=True)]
        grids = torch.tensor([grid for _, grid, _ in videos])  # B 3
        return {
            **tokenize(texts, self.tokenizer),
            "pixel_values_videos": torch.cat([patches for patches, _, _ in videos]),  # K P
            "video_grid_thw": grids,
            "video_merge_sizes": torch.full((len(videos),), self._merge_size, dtype=grids.dtype),
            "video_compression_mask": torch.cat([kept.flatten() for _, _, kept in videos]),  # K / M M
        }

    def _encode_frames(self, asked: Asked) -> tuple[Tensor, tuple[int, int, int], Tensor]:
        """Return patches (T H W, P), the grid (T, H, W), and which tokens are kept (T, H W / M M)."""
        num_frames = len(asked.pictures)
        encoded = self._images(
            images=list(asked.pictures),
            size={"shortest_edge": self._min_pixels, "longest_edge": self._max_pixels // num_frames},
            merge_size=self._merge_size,
            return_tensors="pt",
            **self._norm,
        )
        patches: Tensor = encoded["pixel_values"]
        _, height, width = encoded["image_grid_thw"][0].tolist()
        tokens = patches.view(num_frames, height * width // self._merge_size**2, -1)
        return patches, (num_frames, height, width), self._keep(tokens)

    def _keep(self, tokens: Tensor) -> Tensor:
        """Tell which tokens (T, H W / M M, M M P) differ from those of the frame before; one per frame at least."""
        kept = torch.ones(tokens.shape[:2], dtype=torch.bool)
        if self._drops_repeats:
            kept[1:] = (tokens[1:] - tokens[:-1]).abs().mean(dim=-1) * 255 > MIN_CHANGE
            kept[kept.sum(dim=1) == 0, 0] = True
        return kept

    def _write(self, asked: Asked, kept: Tensor) -> str:
        """Put each frame's second and tokens where the template has the video."""
        counts = kept.sum(dim=1).tolist()
        frames = [
            f"Time {second:.1f}s:{self._prompt.mark * count}"
            for second, count in zip(asked.seconds, counts, strict=True)
        ]
        return self._prompt.write(asked.prompt, ",".join(frames))


def _read_video_settings(folder: Path, settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """Read how videos are prepared: saved in a file of its own, or with the processor."""
    path = folder / VIDEO_SETTINGS
    inside: Mapping[str, Any] = settings.get("video_processor") or {}
    return read_json(path) if path.is_file() else inside
