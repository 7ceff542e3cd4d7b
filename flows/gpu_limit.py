"""GPU limit: tasks of several flows on one machine -> at most so many of them at its GPUs.

The limit is kept by Prefect's server: `prefect gcl create mobius-gpu --limit 1`, and `engine.gpu_limit = "mobius-gpu"`
in the config. A task waits for a slot as long as it takes, and holds it by a lease that it renews while it works: after
a SIGKILL the slot is free again when the lease has run out.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from prefect.concurrency.asyncio import ConcurrencySlotAcquisitionError
from prefect.concurrency.sync import concurrency

from schemas.errors import UserError

LEASE_SECONDS = 60.0  # the least that Prefect takes; a killed task keeps its slot so long


@contextmanager
def gpu_slot(limit: str | None) -> Iterator[None]:
    """Hold one slot of a limit; none is needed without a limit. Raises UserError if the server has no such limit.

    Strict about the name: one that nobody has made is an error, not a limit that limits nothing. Not about the lease: a
    server that is away costs no finished work, though a task may then get the slot while this one still holds it.
    """
    if limit is None:
        yield
        return
    try:
        with concurrency(
            limit, occupy=1, lease_duration=LEASE_SECONDS, strict=True, raise_on_lease_renewal_failure=False
        ):
            yield
    except ConcurrencySlotAcquisitionError as error:
        raise UserError(
            f"engine.gpu_limit = {limit!r}: Prefect's server has no such limit, expected one that was made with "
            f"`prefect gcl create {limit} --limit 1`"
        ) from error
