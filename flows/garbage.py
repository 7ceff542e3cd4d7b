"""Garbage of a root: run records and exports say what is needed, the rest goes, while no run can begin."""

from itertools import takewhile

from flows.lock import sole_run
from flows.runs import read_outcomes
from pipeline.export.columns import TRAINING_SETS
from pipeline.garbage import Garbage, Needed, find_garbage, remove_garbage
from pipeline.root import DatasetRoot
from schemas.errors import Stopped, UserError

DONE = "done"


def collect_garbage(root: DatasetRoot, *, written_before: float, is_deleted: bool) -> list[Garbage]:
    """Return what nobody reads and nobody has touched since a moment, removed if it is to be.

    Raises UserError while a run goes on, and for a root without a run record that can be read; Stopped, in the middle
    of deleting, if by then the root is held by somebody else.
    """
    lost: list[str] = []

    def check() -> None:
        if lost:
            raise Stopped(f"nothing more was removed: {lost[0]}")

    with sole_run(root, on_lost=lost.append):
        garbage = find_garbage(root, read_needed(root), written_before=written_before)
        if is_deleted:
            remove_garbage(garbage, check=check)
    return garbage


def read_needed(root: DatasetRoot) -> Needed:
    """Return what the newest run, the newest that was done, and the exports in place refer to."""
    outcomes = list(read_outcomes(root))
    if not outcomes:
        raise UserError(f"{root.path}: no run record (runs/*.json), so nobody can tell what is needed here")
    since_done = list(takewhile(lambda each: each.outcome != DONE, outcomes))
    asked = outcomes[: len(since_done) + 1]  # a run that was stopped may be gone on with, whatever was run since
    fingerprints = {each for outcome in asked for each in outcome.fingerprints}
    for name in TRAINING_SETS:
        export = root.read_export(name)
        fingerprints |= set() if export is None else set(export.fingerprints.values())
    return Needed(frozenset(fingerprints), is_settled=outcomes[0].outcome == DONE)
