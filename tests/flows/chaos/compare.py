"""Compare: a dataset root -> its exported files' hashes and its account; those of an undisturbed run."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from schemas.location import parse_location
from tests.conftest import ROOT

CONFIG = ("select.min_label_count=1", "text.max_frames_read=1", "engine.workers=2", "engine.flush.samples=2")


def curate_undisturbed(source: Path, folder: Path, settings: Sequence[str] = ()) -> dict[str, str]:
    """Curate on threads, on a disk, and return name -> SHA-256 of every exported file."""
    root = folder / "undisturbed"
    command = [
        *(sys.executable, "-m", "flows.cli", "curate", "flows/configs/laptop.toml", "--json", f"root={root}"),
        *(f"source.path={source}", "engine.name=threads", *CONFIG, *settings),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return exported_hashes(str(root))


def exported_hashes(root: str) -> dict[str, str]:
    """Return name -> SHA-256 of every exported file, computed from its bytes, and check that manifests agree."""
    hashes = {}
    for name in ("t2i", "t2v"):
        folder = parse_location(root) / name
        for file in json.loads((folder / "manifest.json").read_bytes())["files"]:
            found = hashlib.sha256((folder / file["name"]).read_bytes()).hexdigest()
            assert found == file["sha256"], f"{folder / file['name']} is not what its manifest says"
            hashes[f"{name}/{file['name']}"] = found
    return hashes


def run_status(root: str, variables: dict[str, str]) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "flows.cli", "status", root, "--json"],
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)
