"""Length: a text -> its tokens, by the text encoder's own tokenizer where it is at hand; too many -> TooLongText."""

from functools import cache
from typing import Any

from pipeline.text_tokens import count_tokens
from schemas.errors import TooLongText, UserError
from schemas.model_files import find_folder


def check_length(text: str, max_tokens: int | None, tokenizer: str | None) -> None:
    """Raise TooLongText for a text of more tokens than a text encoder reads, its own marks included."""
    if max_tokens is None:
        return
    num_tokens = num_tokens_of(text, tokenizer)
    if num_tokens > max_tokens:
        raise TooLongText(f"{num_tokens} tokens, at most {max_tokens}: {text[:79]!r}")


def num_tokens_of(text: str, tokenizer: str | None) -> int:
    """Count tokens with the marks that the encoder adds; without a tokenizer this is an upper estimate.

    Raises UserError where a tokenizer is named and is not there.
    """
    if tokenizer is None:
        return count_tokens(text)
    return len(open_tokenizer(tokenizer)(text, truncation=False, verbose=False)["input_ids"])


@cache
def open_tokenizer(name: str) -> Any:
    """Load a tokenizer from a folder or the hub cache, once per process. Raises UserError where it is not there."""
    folder = find_folder(name, key="tokenizer")
    try:
        from transformers import AutoTokenizer
    except ImportError as error:
        raise UserError(f"tokenizer = {name!r} needs transformers: pip install 'mobius[hf]'") from error
    try:
        return AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError, ImportError, AttributeError) as error:
        raise UserError(f"tokenizer = {name!r}: {folder} holds no tokenizer that loads: {error}") from error
