"""Video prompt: words and what stands for a video -> the text a model of videos reads."""

from pathlib import Path
from typing import Any

from pipeline.models.hf.prompts import ask_about, render
from schemas.errors import UserError


class VideoPrompt:
    """The chat template of a model of videos, and the mark that it writes where the video belongs."""

    def __init__(self, folder: Path, template: str | None, tokenizer: Any, *, video_token_id: int) -> None:
        self.mark: str = tokenizer.convert_ids_to_tokens(video_token_id)
        self._template = template
        self._tokenizer = tokenizer
        count = self._render("").count(self.mark)
        if count != 1:
            raise UserError(f"{folder}: its chat template writes {self.mark} {count} times, expected 1")

    def write(self, prompt: str, video: str) -> str:
        """Return the text for one sample, with `video` in place of the mark."""
        return self._render(prompt).replace(self.mark, video, 1)

    def _render(self, prompt: str) -> str:
        return render(self._template, ask_about("video", prompt), self._tokenizer, marks=[self.mark])
