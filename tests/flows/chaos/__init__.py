"""Chaos: a curation is hurt again and again, and must come to the same result as one that nobody disturbed.

    python -m tests.flows.chaos --engine processes --rounds 20            on a disk and in an object store
    python -m tests.flows.chaos --engine threads processes dask ray       all engines, 20 faults each
    python -m tests.flows.chaos --rounds 0                                all engines and places, and nobody disturbs

Faults, each when a random number of further files has been written: SIGKILL of a worker, of the run's own process, of
its Prefect server, of the object store's server for 20 seconds; the server's database broken; a full disk (as root, on
a small tmpfs), with and without the guard that keeps some of it free; SIGTERM of the run's process group, also while
the store is away. A fault that came too late is tried again. A run that a fault ended is started again with the same
command. Once a run comes to its end, its exported files must have the SHA-256 of the undisturbed run's, and its account
must balance with nothing pending; then the next root is begun.
"""
