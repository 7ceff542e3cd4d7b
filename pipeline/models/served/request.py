"""Request: texts and pictures in order -> what a chat completion is asked, and a digest of it."""

import hashlib
from dataclasses import dataclass
from typing import Any

from pipeline.models.served.config import ServedConfig


@dataclass(frozen=True, slots=True)
class Picture:
    """An image as a data URL."""

    url: str


Part = str | Picture


@dataclass(frozen=True, slots=True)
class Request:
    """One user message: texts and pictures in the order in which the model is to see them."""

    parts: tuple[Part, ...]

    @property
    def digest(self) -> bytes:
        """What tells this request from any other to the same model."""
        digest = hashlib.sha256()
        for part in self.parts:
            kind, text = (b"t", part) if isinstance(part, str) else (b"p", part.url)
            encoded = text.encode("utf-8", "surrogatepass")
            digest.update(kind + len(encoded).to_bytes(8, "little") + encoded)
        return digest.digest()

    def without_pictures(self) -> "Request":
        """Return the same request with its texts only."""
        return Request(tuple(part for part in self.parts if isinstance(part, str)))

    def body(self, config: ServedConfig) -> dict[str, Any]:
        """Return the fields of the request as the API names them."""
        body: dict[str, Any] = {
            "model": config.model,
            "messages": [{"role": "user", "content": self._content()}],
            "max_tokens": config.max_new_tokens,
            "temperature": config.temperature,
        }
        return body if config.seed is None else {**body, "seed": config.seed}

    def _content(self) -> str | list[dict[str, Any]]:
        texts = [part for part in self.parts if isinstance(part, str)]
        if len(texts) == len(self.parts):
            return "\n\n".join(texts)  # text models, and their servers, want a plain string
        return [
            {"type": "text", "text": part}
            if isinstance(part, str)
            else {"type": "image_url", "image_url": {"url": part.url}}
            for part in self.parts
        ]
