"""A store of a few objects, among them ones that mark a folder, which the file system behind tests.s3 cannot hold."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote, unquote, urlsplit

ENTRY = (
    "<Contents><Key>{key}</Key><Size>{size}</Size><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
    '<ETag>"1"</ETag></Contents>'
)


@contextmanager
def serve_objects(objects: Mapping[str, bytes]) -> Iterator[str]:
    """Serve the objects of a bucket of any name to whoever asks by S3's GET, HEAD and list; yield the address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            key = unquote(url.path).lstrip("/").partition("/")[2]
            if not key:
                query = {name: values[0] for name, values in parse_qs(url.query).items()}
                self.answer(200, list_objects(objects, query.get("prefix", ""), query.get("delimiter")).encode())
            elif key in objects:
                self.answer(200, objects[key])
            else:
                self.answer(404, b"<Error><Code>NoSuchKey</Code></Error>")

        do_HEAD = do_GET  # noqa: N815

        def answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def list_objects(objects: Mapping[str, bytes], prefix: str, delimiter: str | None) -> str:
    """Return what S3 answers to ListObjectsV2."""
    entries, folders = [], set()
    for key in sorted(key for key in objects if key.startswith(prefix)):
        first, found, _ = key[len(prefix) :].partition(delimiter or "\0")
        if found:
            folders.add(prefix + first + found)
        else:
            entries.append(ENTRY.format(key=quote(key), size=len(objects[key])))
    common = [f"<CommonPrefixes><Prefix>{quote(each)}</Prefix></CommonPrefixes>" for each in sorted(folders)]
    body = "".join([*entries, *common])
    return (
        f"<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>{body}</ListBucketResult>"
    )
