"""Places: files to curate, and what to curate them into: a small disk that can be filled, a store that can go."""

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from schemas import object_store
from tests.conftest import CORPUS
from tests.weed import WeedServer

DISK, STORE = "disk", "store"
TMPFS_BYTES = 96 << 20


@contextlib.contextmanager
def environment(variables: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[bool]:
    """Mount a small tmpfs; False if this user may not: then no disk can be filled."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={TMPFS_BYTES}", "mobius-chaos", str(folder)]
    if os.geteuid() or subprocess.run(command, check=False, capture_output=True).returncode:
        yield False
        return
    try:
        yield True
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def copy_files(target: Path, num_files: int) -> Path:
    """Take every so-manieth file of the sample, with its label."""
    lines = (CORPUS / "sample" / "labels.jsonl").read_text().splitlines()
    target.mkdir(parents=True)
    chosen = lines[:: len(lines) // num_files][:num_files]
    for line in chosen:
        path = json.loads(line)["path"]
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(CORPUS / "sample" / path, target / path)
    (target / "labels.jsonl").write_text("\n".join(chosen) + "\n")
    return target


def open_store(folder: Path, stack: contextlib.ExitStack) -> WeedServer:
    """Start an object store with one bucket, whose objects outlive its server."""
    store = WeedServer(folder)
    store.start()
    stack.callback(store.kill)
    stack.callback(object_store.open_store.cache_clear)
    object_store.open_store.cache_clear()
    stack.enter_context(environment(store.environment))
    return store
