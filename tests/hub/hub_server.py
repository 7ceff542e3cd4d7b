"""A hub on loopback: the few endpoints that huggingface_hub asks when it fetches a model, served from folders."""

import contextlib
import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

BRANCH = "main"
LARGE = {".safetensors", ".bin", ".onnx", ".msgpack"}  # what the hub keeps as LFS, named by its SHA-256


@dataclass
class Hub:
    """Repositories by name, each a folder with one commit. gated: repositories whose files are refused."""

    folders: dict[str, Path] = field(default_factory=dict)
    gated: set[str] = field(default_factory=set)
    fetched: list[str] = field(default_factory=list)  # files, in the order in which they were asked for
    url: str = ""

    def add(self, repo: str, folder: Path, *, is_gated: bool = False) -> str:
        """Publish a folder and return its commit."""
        self.folders[repo] = folder
        if is_gated:
            self.gated.add(repo)
        return self.commit(repo)

    def commit(self, repo: str) -> str:
        return hashlib.sha1(repo.encode()).hexdigest()

    def files(self, repo: str) -> dict[str, Path]:
        folder = self.folders[repo]
        return {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}


@contextlib.contextmanager
def serving_hub() -> Iterator[Hub]:
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()


def _handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_HEAD(self) -> None:
            self._answer()

        def do_GET(self) -> None:
            self._answer()

        def _answer(self) -> None:
            parts = [unquote(part) for part in urlsplit(self.path).path.strip("/").split("/")]
            is_api = parts[:2] == ["api", "models"]
            repo = "/".join(parts[2:4] if is_api else parts[:2])
            what, revision, name = self._asked(parts[4:] if is_api else parts[2:])
            if repo not in hub.folders:
                self._fail(401, "RepoNotFound")
            elif revision not in (BRANCH, hub.commit(repo)):
                self._fail(404, "RevisionNotFound")
            elif what == "resolve":
                self._send_file(repo, name)
            elif what == "tree":
                self._send_json([_entry(name, path) for name, path in hub.files(repo).items()])
            else:
                siblings = [{"rfilename": n, "size": p.stat().st_size} for n, p in hub.files(repo).items()]
                self._send_json({"id": repo, "sha": hub.commit(repo), "siblings": siblings, "tags": []})

        def _asked(self, parts: list[str]) -> tuple[str, str, str]:
            what, revision, *name = [*parts, "", BRANCH][:2] + parts[2:] if parts else ["info", BRANCH]
            return what, revision, "/".join(name)

        def _send_file(self, repo: str, name: str) -> None:
            if repo in hub.gated:
                self._fail(403, "GatedRepo")
                return
            body = hub.files(repo)[name].read_bytes()
            entry = _entry(name, hub.files(repo)[name])
            etag = entry.get("lfs", {}).get("oid") or entry["oid"]
            if self.command == "GET":
                hub.fetched.append(name)
            self._send(body, {"ETag": f'"{etag}"', "X-Repo-Commit": hub.commit(repo)})

        def _send_json(self, value: Any) -> None:
            self._send(json.dumps(value).encode(), {"Content-Type": "application/json"})

        def _fail(self, status: int, code: str) -> None:
            self._send(b"", {"X-Error-Code": code}, status=status)

        def _send(self, body: bytes, headers: dict[str, str], *, status: int = 200) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


def _entry(name: str, path: Path) -> dict[str, Any]:
    body = path.read_bytes()
    entry: dict[str, Any] = {"type": "file", "path": name, "size": len(body)}
    entry["oid"] = hashlib.sha1(f"blob {len(body)}\0".encode() + body).hexdigest()
    if path.suffix in LARGE:
        entry["lfs"] = {"oid": hashlib.sha256(body).hexdigest(), "size": len(body), "pointerSize": 100}
    return entry
