"""The command: engines x places -> campaigns, and a line of a table for each."""

import argparse
import tempfile
from pathlib import Path

from tests.flows import chaos
from tests.flows.chaos.compare import curate_undisturbed
from tests.flows.chaos.faults import FAULTS
from tests.flows.chaos.places import DISK, STORE, copy_files
from tests.flows.chaos.run import run_campaign


def main() -> None:
    parser = argparse.ArgumentParser(description=chaos.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", nargs="+", default=["threads", "processes", "dask", "ray"])
    parser.add_argument("--place", nargs="+", choices=[DISK, STORE], default=[DISK, STORE])
    parser.add_argument(
        "--rounds", type=int, default=20, help="faults for each engine, shared among the places; 0 = none"
    )
    parser.add_argument("--files", type=int, default=24)
    parser.add_argument("--seed", type=int, default=0)
    settings = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="mobius-chaos-"))
    source = copy_files(folder / "source", settings.files)
    expected = curate_undisturbed(source, folder)
    print(f"{settings.files} files, undisturbed: {len(expected)} exported files; logs in {folder}", flush=True)
    print("| engine | root on | starts | roots with equal files | faults |\n|---|---|---|---|---|", flush=True)
    for engine in settings.engine:
        for place in settings.place:
            counts = run_campaign(
                engine,
                place,
                rounds=-(-settings.rounds // len(settings.place)),
                source=source,
                expected=expected,
                folder=folder,
                seed=settings.seed,
            )
            faults = ", ".join(f"{name} {counts[name]}" for name in FAULTS if counts[name]) or "none"
            print(f"| {engine} | {place} | {counts['starts']} | {counts['compared']} | {faults} |", flush=True)


if __name__ == "__main__":
    main()
