"""Limits: inputs and new tokens -> an error where a model cannot hold both; nothing is cut off silently."""

from collections.abc import Mapping
from typing import Any

from schemas.errors import RefusedText


def require_room(model_config: Any, inputs: Mapping[str, Any], max_new_tokens: int) -> None:
    """Raise RefusedText where the longest text of a batch and its answer are longer than the model was made for."""
    length = int(inputs["attention_mask"].sum(dim=1).max())
    limit = getattr(model_config.get_text_config(), "max_position_embeddings", None)
    needed = length if model_config.is_encoder_decoder else length + max_new_tokens
    if limit is not None and needed > limit:
        raise RefusedText(f"{length} tokens are more than this model can read with room to answer: it holds {limit}")
