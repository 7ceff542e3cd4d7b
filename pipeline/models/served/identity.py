"""Identity: a served model's config -> its name in rows, and its name in fingerprints."""

import hashlib
import json

from pipeline.models.served.config import ServedConfig

ELSEWHERE = {"endpoints", "max_in_flight", "timeout", "max_retries", "api_key_env", "api_key_secret"}
"""Settings that change no answer: where the model is, and how patiently it is asked."""

HEX_DIGITS = 8


def name_served(config: ServedConfig) -> str:
    """Model, revision and prompt digest, such as `llava-1.5-7b@4c2f prompt-8d1e02aa`, as written into rows."""
    revision = config.revision or "unknown"
    return f"{config.model}@{revision} prompt-{_digest(config.prompt)}"


def identify_served(config: ServedConfig) -> str:
    """The name, and a digest of every setting that can change an answer; the same wherever it is served."""
    settings = config.model_dump(mode="json", exclude=ELSEWHERE)
    return f"served {name_served(config)} settings-{_digest(json.dumps(settings, sort_keys=True))}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:HEX_DIGITS]
