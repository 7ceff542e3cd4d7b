"""State: everything that a bookkeeping step reads, from names alone -> a digest; equal digest, equal result.

Shards and parts are never changed once they are there, so their names say what they hold. That makes going on after a
stop cheap: what was decided, found complete or counted in this very state is not worked out again.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from pipeline.answers import Parts
from pipeline.plan import StagePlan
from schemas.manifest import DatasetManifest

BOOKKEEPING_VERSION = 2  # to be raised when deciding, planning or counting come to say something else about equal files


def state_digest(
    manifest: DatasetManifest, plans: Mapping[str, StagePlan], parts: Mapping[str, Parts], **others: Any
) -> str:
    """Return the digest of the shards, of some stages' parts, and of whatever else the step depends on, as JSON."""
    digest = hashlib.sha256()
    stated = {
        "version": BOOKKEEPING_VERSION,
        "shards": [[each.name, each.num_samples] for each in manifest.shards],
        **others,
    }
    digest.update(json.dumps(stated, sort_keys=True, default=str).encode())
    for name, listed in sorted(parts.items()):
        digest.update(f"\n{name}-{plans[name].fingerprint}".encode())
        for shard in sorted(listed):
            digest.update("".join(f"\n{part.name}" for part in listed[shard]).encode())
    return digest.hexdigest()
