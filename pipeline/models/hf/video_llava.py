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
from pipeline.models.hf.prompts import tokenize
from pipeline.models.hf.video_prompt import VideoPrompt

CLASS_TOKENS = 1  # the video tower keeps CLIP's class token of every frame


class VideoLlavaReader:
    """Turns frames into video tokens; samples may have different numbers of frames. The model takes no seconds."""

    def __init__(self, folder: Path, model_config: Any) -> None:
        self.tokenizer = open_tokenizer(folder, padding_side="left")
        self._images = open_image_processor(folder)
        settings = read_processor_settings(folder, model_config)
        template = settings.get("chat_template") or self.tokenizer.chat_template
        self._prompt = VideoPrompt(folder, template, self.tokenizer, video_token_id=model_config.video_token_id)
        self._patch_size = int(model_config.vision_config.patch_size)

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
        video = self._prompt.mark * num_tokens
        texts = [self._prompt.write(each.prompt, video * len(each.pictures)) for each in asked]
        return {**tokenize(texts, self.tokenizer), "pixel_values_videos": pixels.unsqueeze(0)}  # 1 N 3 H W
