"""Run a campaign: an engine and a place -> how often what happened, and that all came to the same end."""

import contextlib
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.flows.chaos.campaign import Campaign
from tests.flows.chaos.faults import FAULTS, faults_for
from tests.flows.chaos.places import STORE, open_store, small_disk

NO_SMALL_DISK = "no small disk"
LARGE_PARTS = ("engine.flush.samples=512",)  # where no run is killed, none has to be found half done


def run_campaign(
    engine: str,
    place: str,
    *,
    rounds: int,
    source: Path,
    expected: dict[str, str],
    folder: Path,
    seed: int = 0,
    down_seconds: float = 20.0,
    faults: Sequence[str] | None = None,
) -> Counter[str]:
    """Hurt runs so often, then bring the last one to its end; return how often what happened."""
    generator = random.Random(f"{engine} {place} {seed}")
    with contextlib.ExitStack() as stack:
        work = folder / f"{engine}-{place}"
        work.mkdir(parents=True, exist_ok=True)
        can_fill = bool(rounds) and stack.enter_context(small_disk(work))
        store = open_store(folder / f"store-{engine}", stack) if place == STORE else None
        settings = () if rounds else LARGE_PARTS
        campaign = Campaign(engine, place, source, expected, work, generator, down_seconds, store, settings)
        names = list(faults or faults_for(engine, place))
        if not can_fill and "disk full" in names:
            names.remove("disk full")
            campaign.counts[NO_SMALL_DISK] = 1
        order: list[str] = []
        for _ in range(rounds):
            if not order:
                order = generator.sample(names, len(names))  # every fault as often as every other
            name = order.pop()
            campaign.hurt(name, FAULTS[name])
        campaign.finish()
    return campaign.counts
