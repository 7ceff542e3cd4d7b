"""Picture reader: pictures and words -> the inputs of any model of AutoModelForImageTextToText."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from pipeline.models.hf.processor import open_processor
from pipeline.models.hf.prompts import ask_about, render, starts_with_bos
from schemas.errors import UserError

LLAVA_MARK = "<image>"


@dataclass(frozen=True)
class Asked:
    """What a model is asked about one sample: pictures in order, when each appears, in seconds, and the words."""

    pictures: tuple[Image.Image, ...]
    prompt: str
    seconds: tuple[float, ...] = ()


class PictureReader:
    """Turns pictures and words into a model's inputs, by its own processor and chat template."""

    def __init__(self, processor: Any) -> None:
        self.tokenizer = processor.tokenizer
        self.mark: str | None = getattr(processor, "image_token", None)
        self._processor = processor
        self._template = processor.chat_template or processor.tokenizer.chat_template

    def encode(self, asked: Sequence[Asked]) -> Mapping[str, Any]:
        """Return padded inputs for a batch."""
        texts = [self.render(each.prompt, len(each.pictures)) for each in asked]
        inputs: Mapping[str, Any] = self._processor(
            images=[list(each.pictures) for each in asked],
            text=texts,
            padding=True,
            return_tensors="pt",
            add_special_tokens=not starts_with_bos(texts[0], self.tokenizer),
        )
        return inputs

    def render(self, prompt: str, count: int) -> str:
        """Return the text a model reads beside `count` pictures."""
        content = ask_about("image", prompt, count=count)
        return render(self._template, content, self.tokenizer, marks=[self.mark or LLAVA_MARK] * count)


def open_picture_reader(folder: Path, model_config: Any) -> PictureReader:
    """Open the reader of a model. Raises UserError, also where its chat template does not mention a picture."""
    reader = PictureReader(open_processor(folder, model_config))
    if reader.render("", 1) == reader.render("", 0):
        raise UserError(f"{folder}: its chat template does not mention pictures, expected a mark for each")
    return reader
