"""Seeds: a seed and a place in the run -> a random generator; nothing random has a state to save or to lose."""

import hashlib

import torch


def seed_of(*place: int | str) -> int:
    """Return a seed of 63 bits for a place, such as (seed, micro-batch, purpose)."""
    digest = hashlib.sha256(":".join(map(str, place)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def generator_at(*place: int | str) -> torch.Generator:
    """Return a generator whose draws depend on the place alone; on the CPU, so that every device gets the same."""
    return torch.Generator().manual_seed(seed_of(*place))
