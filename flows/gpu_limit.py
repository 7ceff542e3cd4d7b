"""GPU limit: tasks of several flows on one machine -> at most so many of them at its GPUs.

The limit is kept by Prefect's server: `prefect gcl create mobius-gpu --limit 1`, and `engine.gpu_limit = "mobius-gpu"`
in the config. A task waits for a slot as long as it takes, and holds it by a lease that it renews while it works: after
a SIGKILL the slot is free again when the lease has run out.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from prefect.concurrency.asyncio import AcquireConcurrencySlotTimeoutError, ConcurrencySlotAcquisitionError
from prefect.concurrency.sync import concurrency

from pipeline.config import CurateConfig
from pipeline.gpus import may_use_gpu
from schemas.errors import MachineFault, UserError

LEASE_SECONDS = 60.0  # the least that Prefect takes; a killed task keeps its slot so long
SECONDS_BETWEEN_CHECKS = 5.0  # while a task waits


def limit_of(config: CurateConfig, stage: str) -> str | None:
    """Return the limit that a task of a stage takes a slot of; none where its model runs on no GPU.

    Whether the task is told which GPU to use makes no difference: a model may choose one by itself.
    """
    share = config.engine.resources.of(stage).gpus
    takes_one = may_use_gpu(config.stage_config(stage)) if share is None else share > 0
    return config.engine.gpu_limit if takes_one else None


@contextmanager
def gpu_slot(limit: str | None, check: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold one slot of a limit; none is needed without a limit. While it waits `check` is called, and may raise.

    Strict about the name: one that nobody has made is an error, not a limit that limits nothing. Not about the lease: a
    server that is away costs no finished work, though a task may then get the slot while this one still holds it.
    Raises UserError if the server has no such limit, MachineFault if it refuses; one that is away is waited for.
    """
    with ExitStack() as held:
        while limit is not None:
            check()
            try:
                slot = concurrency(
                    limit,
                    occupy=1,
                    timeout_seconds=SECONDS_BETWEEN_CHECKS,
                    lease_duration=LEASE_SECONDS,
                    strict=True,
                    raise_on_lease_renewal_failure=False,
                )
                held.enter_context(slot)
                break
            except AcquireConcurrencySlotTimeoutError:
                continue
            except ConcurrencySlotAcquisitionError as error:
                said = f"engine.gpu_limit = {limit!r}: Prefect's server"
                if error.__cause__ is not None:
                    raise MachineFault(f"{said} gives no slot: {error}") from error
                expected = f"expected one that was made with `prefect gcl create {limit} --limit 1`"
                raise UserError(f"{said} has no such limit, {expected}") from error
        yield
