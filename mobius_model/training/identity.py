"""Identity: a run's dataset, models and settings -> names and values that must be equal to go on from a checkpoint."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from importlib import metadata
from typing import Any

from mobius_model.training.config import TrainConfig

ELSEWHERE = {"root", "output", "init", "init_temporal", "base"}  # what lies there counts, not where
CHANGES_NOTHING = {"trackers", "launch", "checkpoint", "validation"}
FREE = {
    "data.num_workers",
    "data.verify",
    "data.latents",
    "data.max_validation_samples",
    "data.max_latent_frames",  # counted with the latents
    "loop.num_steps",  # more of them: training goes on; but see settings_of
    "loop.accumulation",  # counted with the processes
    "loop.log_every_steps",
    "loop.compile",
    "loop.recompute",
}
OF_CLIPS = {"num_frames", "fps", "random_start"}  # nothing to pictures
PACKAGES = ("torch", "diffusers", "transformers", "accelerate", "numpy")


def settings_of(config: TrainConfig) -> dict[str, Any]:
    """Return the settings that decide the weights, as section.key -> value."""
    dumped = config.model_dump(mode="json", exclude=ELSEWHERE | CHANGES_NOTHING)
    if config.stage == "t2i":
        dumped = {**dumped, "network": {}, "data": {k: v for k, v in dumped["data"].items() if k not in OF_CLIPS}}
    bound = set() if config.schedule.name == "constant" else {"loop.num_steps"}  # a cosine is as long as the run
    return {name: value for name, value in _flat(dumped) if name not in FREE - bound}


def config_digest(network: Any) -> str:
    """Return a digest of the config of a diffusers model: two of equal shapes may still compute different things."""
    return settings_digest({name: value for name, value in network.config.items() if not name.startswith("_")})


def settings_digest(settings: Mapping[str, Any]) -> str:
    """Return a digest of names and values."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode()).hexdigest()


def versions() -> dict[str, str]:
    """Return the versions of the libraries that compute."""
    return {name: metadata.version(name) for name in PACKAGES}


def flat(config: TrainConfig) -> dict[str, Any]:
    """Return every setting as section.key -> value; what is no number or text becomes text."""
    plain = (str, int, float, bool)
    return {name: value if isinstance(value, plain) else str(value) for name, value in _flat(config.model_dump())}


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
