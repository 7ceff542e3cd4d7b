"""Prompts: a config's words and a sample -> the text a model reads, by its chat template where it has one."""

from collections.abc import Sequence
from typing import Any, Literal

NO_LABEL = "unlabelled"

Content = list[dict[str, str]]


def fill_label(prompt: str, label: str | None, tokenizer: Any) -> str:
    """Put the sample's label into the prompt, where it asks for one."""
    return prompt.replace("{label}", plain(label or "", tokenizer) or NO_LABEL)


def plain(text: str, tokenizer: Any) -> str:
    """Take the tokenizer's own marks out of a text of unknown origin: to the model they would be more than words."""
    for mark in {*tokenizer.all_special_tokens, *tokenizer.get_added_vocab()}:
        if not mark.isalnum() and mark in text:
            text = text.replace(mark, " ")
    return " ".join(text.split())


def ask_about(what: Literal["image", "video"], prompt: str, *, count: int = 1) -> Content:
    """Return the content of a user's message: the pictures or the video, then the words."""
    shown: Content = [{"type": what} for _ in range(count)]
    return [*shown, {"type": "text", "text": prompt}]


def render(template: str | None, content: Content | str, tokenizer: Any, *, marks: Sequence[str] = ()) -> str:
    """Render a user's message by a chat template, up to where the answer begins.

    marks: what stands for each picture or video where there is no template; then the text is in the manner of
    LLaVA-1.5: `USER: <image>\\n... ASSISTANT:`.
    """
    if template is not None:
        text: str = tokenizer.apply_chat_template(
            [{"role": "user", "content": content}], chat_template=template, tokenize=False, add_generation_prompt=True
        )
        return text
    words = content if isinstance(content, str) else content[-1]["text"]
    shown = "".join(mark + "\n" for mark in marks)
    return f"USER: {shown}{words} ASSISTANT:"


def starts_with_bos(text: str, tokenizer: Any) -> bool:
    """Tell whether a template has written the token that begins a text: the tokenizer must not add another."""
    return tokenizer.bos_token is not None and text.startswith(tokenizer.bos_token)


def tokenize(texts: Sequence[str], tokenizer: Any) -> dict[str, Any]:
    """Turn rendered texts into padded tokens and their mask (batch, tokens)."""
    has_bos = starts_with_bos(texts[0], tokenizer)
    tokens = tokenizer(list(texts), padding=True, add_special_tokens=not has_bos, return_tensors="pt")
    return {name: tokens[name] for name in ("input_ids", "attention_mask")}
