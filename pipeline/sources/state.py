"""State: a source and its config -> a digest that is the same as long as reading it again would find nothing new."""

import hashlib
import json
from collections.abc import Sequence

from pipeline.sources.config import SourceConfig

READER_VERSION = 1  # raised when the readers begin to find samples in a file that they did not find before


def digest_state(config: SourceConfig, kind: str, names: Sequence[bytes], stamps: Sequence[str]) -> str:
    """Return the digest of a source whose samples depend on its config and on nothing but these files."""
    files = [[name.hex(), stamp] for name, stamp in zip(names, stamps, strict=True)]
    state = [READER_VERSION, kind, config.model_dump(mode="json"), files]
    return hashlib.sha256(json.dumps(state, sort_keys=True).encode("utf-8", "surrogatepass")).hexdigest()
