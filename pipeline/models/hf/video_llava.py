"""Video-LLaVA: frames and words -> the inputs of the model, without torchvision.

Shapes: B batch, T frames of one sample, N frames of a batch, 3 x H x W a prepared frame, L tokens.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from pipeline.models.hf.opening import open_tokenizer
from pipeline.models.hf.picture_reader import Asked
from pipeline.models.hf.processor import open_image_processor, read_processor_settings
from pipeline.models.hf.prompts import ask_about, render, require_marks, starts_with_bos

CLASS_TOKENS = 1  # the video tower keeps CLIP's class token of every frame


class VideoLlavaReader:
    """Turns frames into video tokens; samples may have different numbers of frames. The model takes no seconds."""

    def __init__(self, folder: Path, model_config: Any) -> None:
        self.tokenizer = open_tokenizer(folder, padding_side="left")
        self._images = open_image_processor(folder)
        settings = read_processor_settings(folder, model_config)
        self._template = settings.get("chat_template") or self.tokenizer.chat_template
        self._patch_size = int(model_config.vision_config.patch_size)
        self._mark: str = self.tokenizer.convert_ids_to_tokens(model_config.video_token_id)
        require_marks(self._render(""), self._mark, 1, of_what=folder)

    def encode(self, asked: Sequence[Asked]) -> Mapping[str, Any]:
        """Return padded texts (B, L), and the frames of all samples as one video (1, N, 3, H, W).

        The model looks at each frame by itself and puts what it sees where the texts have video tokens, one
        sample after the other: so no frame needs padding.
        """
        frames = [picture for each in asked for picture in each.pictures]
        encoded = self._images(images=frames, return_tensors="pt")
        pixels: Tensor = next(value for name, value in encoded.items() if name.startswith("pixel_values"))  # N 3 H W
        height, width = pixels.shape[-2:]
        num_tokens = (height // self._patch_size) * (width // self._patch_size) + CLASS_TOKENS
        texts = [
            self._render(each.prompt).replace(self._mark, self._mark * num_tokens * len(each.pictures), 1)
            for each in asked
        ]
        has_bos = starts_with_bos(texts[0], self.tokenizer)
        tokens = self.tokenizer(texts, padding=True, add_special_tokens=not has_bos, return_tensors="pt")
        return {
            "input_ids": tokens["input_ids"],
            "attention_mask": tokens["attention_mask"],
            "pixel_values_videos": pixels.unsqueeze(0),  # 1 N 3 H W
        }

    def _render(self, prompt: str) -> str:
        return render(self._template, ask_about("video", prompt), self.tokenizer, marks=[self._mark])
