"""A chat completion server that misbehaves as it is told: HTTP over loopback, a thread per connection."""

import contextlib
import json
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Reply:
    """What a request gets. `cut` breaks the connection in the middle of the body, `hang` never answers,
    `drip` sends a blank now and then, for ever."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    hang: bool = False
    drip: bool = False


def says(text: str | None, finish_reason: str = "stop", *, num_read: int = 7, **message: Any) -> Reply:
    """A chat completion with this text."""
    completion = {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": "tiny",
        "choices": [
            {"index": 0, "finish_reason": finish_reason, "message": {"role": "assistant", "content": text, **message}}
        ],
        "usage": {"prompt_tokens": num_read, "completion_tokens": 3, "total_tokens": num_read + 3},
    }
    return Reply(body=json.dumps(completion).encode())


def fails(status: int, message: str = "no", headers: dict[str, str] | None = None, code: str | None = None) -> Reply:
    """An error as OpenAI's API writes it."""
    return Reply(status, json.dumps({"error": {"message": message, "code": code}}).encode(), headers or {})


def text_of(body: dict[str, Any]) -> str:
    """All that a request says in words."""
    content = body["messages"][0]["content"]
    return content if isinstance(content, str) else "\n".join(part.get("text", "") for part in content)


def last_line(body: dict[str, Any]) -> str:
    return text_of(body).splitlines()[-1]


def echo(body: dict[str, Any]) -> Reply:
    """Answer each text with itself in brackets."""
    return says(f"[{last_line(body)}]")


class ScriptedServer:
    """Answers by `script`, and keeps the body and headers of every request. To be killed at any time."""

    def __init__(self, script: Callable[[dict[str, Any]], Reply] = echo) -> None:
        self.script = script
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.most_in_flight = 0
        self._in_flight = 0
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._end = threading.Event()
        self._server: ThreadingHTTPServer | None = None
        self.port = 0
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def asked(self) -> list[str]:
        """The last line of each request, in the order of arrival."""
        return [last_line(body) for body in self.bodies]

    def start(self) -> None:
        """Listen, at the same port as before if there was one."""
        self._end.clear()
        self._server = _Server(("127.0.0.1", self.port), _handler(self))
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def kill(self) -> None:
        """Stop listening and break every connection, as the end of a process would."""
        self._end.set()
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()
        for connection in list(self._connections):
            _reset(connection)

    def answer(self, body: dict[str, Any], headers: dict[str, str]) -> Reply:
        with self._lock:
            self.bodies.append(body)
            self.headers.append(headers)
            self._in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self._in_flight)
        try:
            return self.script(body)
        finally:
            with self._lock:
                self._in_flight -= 1

    def wait_for_the_end(self, seconds: float | None = None) -> bool:
        return self._end.wait(seconds)


@contextlib.contextmanager
def serving(script: Callable[[dict[str, Any]], Reply] = echo) -> Iterator[ScriptedServer]:
    server = ScriptedServer(script)
    try:
        yield server
    finally:
        server.kill()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128  # the default of 5 makes a sixth connection wait a second

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # who asks may be killed
            super().handle_error(request, client_address)


def _handler(server: ScriptedServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            server._connections.add(self.connection)

        def finish(self) -> None:
            server._connections.discard(self.connection)
            with contextlib.suppress(OSError):
                super().finish()

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            reply = server.answer(body, {name.lower(): value for name, value in self.headers.items()})
            if reply.hang:
                server.wait_for_the_end()
                self.close_connection = True
                return
            with contextlib.suppress(OSError):
                self._send(reply)

        def _send(self, reply: Reply) -> None:
            self.send_response(reply.status)
            for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(1 << 20 if reply.drip else len(reply.body)))
            self.end_headers()
            while reply.drip and not server.wait_for_the_end(0.05):
                self.wfile.write(b" ")
            self.wfile.write(reply.body[: len(reply.body) // 2] if reply.cut else reply.body)
            if reply.cut:
                self.wfile.flush()
                _reset(self.connection)
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


def _reset(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)
