"""A web server on this machine that serves one file well, or badly in every way asked of it."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self, TypeAlias

Answer: TypeAlias = Callable[["Handler"], object]

DATE = "Mon, 02 Nov 2026 10:00:00 GMT"


class ArchiveServer(ThreadingHTTPServer):
    """Serves ``content`` at every path; each of ``script`` answers one request before that.

    With ``has_ranges`` it answers Range and If-Range as RFC 9110 asks for.
    """

    daemon_threads = True

    def __init__(self, content: bytes) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = content
        self.etag: str | None = '"one"'
        self.modified: str | None = DATE
        self.has_ranges = True
        self.script: list[Answer] = []
        self.requests: list[Message] = []
        self.paths: list[str] = []
        self.closing = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def ranges(self) -> list[str | None]:
        """What each request asked for, in order."""
        return [request["Range"] for request in self.requests]

    def __enter__(self) -> Self:
        self.thread = threading.Thread(target=self.serve_forever, args=(0.01,))
        self.thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.closing.set()
        self.shutdown()
        self.thread.join()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that went away: some tests kill it."""


class Handler(BaseHTTPRequestHandler):
    """Answers one request as the server's script or content has it."""

    protocol_version = "HTTP/1.1"
    server: ArchiveServer

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self.close_connection = True
        self.server.requests.append(self.headers)
        self.server.paths.append(self.path)
        answer = self.server.script.pop(0) if self.server.script else serve()
        answer(self)

    def describe(self, status: int, length: int | None, **headers: str) -> None:
        """Send a status and headers."""
        self.send_response(status)
        self.send_header("Content-Type", headers.pop("kind", "application/zip"))
        if length is not None:
            self.send_header("Content-Length", str(length))
        for name, value in (("ETag", self.server.etag), ("Last-Modified", self.server.modified)):
            if value is not None:
                self.send_header(name, value)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def begin(self, extra_length: int = 0) -> bytes:
        """Send the status and headers of what is asked for; return its bytes."""
        server, content = self.server, self.server.content
        asked, condition = self.headers["Range"], self.headers["If-Range"]
        is_same = condition in (None, server.etag, server.modified)
        if not asked or not server.has_ranges or not is_same:
            self.describe(200, len(content) + extra_length)
            return content
        start = int(asked.removeprefix("bytes=").rstrip("-"))
        if start >= len(content):
            self.describe(416, 0, Content_Range=f"bytes */{len(content)}")
            return b""
        place = f"bytes {start}-{len(content) - 1}/{len(content)}"
        self.describe(206, len(content) - start + extra_length, Content_Range=place)
        return content[start:]

    def reset(self) -> None:
        """Break the connection off without a farewell."""
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()


def serve() -> Answer:
    """Send what is asked for."""
    return lambda handler: handler.wfile.write(handler.begin())


def truncate(after: int) -> Answer:
    """End the connection after some bytes of what is asked for."""
    return lambda handler: handler.wfile.write(handler.begin()[:after])


def reset(after: int) -> Answer:
    """Break the connection after some bytes of what is asked for."""

    def answer(handler: Handler) -> None:
        handler.wfile.write(handler.begin()[:after])
        handler.wfile.flush()
        handler.reset()

    return answer


def stall(after: int) -> Answer:
    """Send some bytes of what is asked for and then nothing, the connection staying open."""

    def answer(handler: Handler) -> None:
        handler.wfile.write(handler.begin()[:after])
        handler.wfile.flush()
        handler.server.closing.wait()

    return answer


def drip(piece: int) -> Answer:
    """Send what is asked for in small pieces, each after a pause."""

    def answer(handler: Handler) -> None:
        content = handler.begin()
        for start in range(0, len(content), piece):
            handler.wfile.write(content[start : start + piece])
            handler.wfile.flush()
            handler.server.closing.wait(0.01)

    return answer


def misstate(extra_length: int) -> Answer:
    """Send all, with a Content-Length that is wrong by some bytes."""
    return lambda handler: handler.wfile.write(handler.begin(extra_length))


def status(code: int, **headers: str) -> Answer:
    """Answer with a status and no body."""
    return lambda handler: handler.describe(code, 0, **headers)


def send(body: bytes, kind: str, code: int = 200, **headers: str) -> Answer:
    """Answer with another body than the archive."""

    def answer(handler: Handler) -> None:
        handler.describe(code, len(body), kind=kind, **headers)
        handler.wfile.write(body)

    return answer


def chunked(end: bool = True) -> Answer:
    """Send all in chunks, so that nobody knows the length; without the end if asked so."""

    def answer(handler: Handler) -> None:
        handler.describe(200, None, Transfer_Encoding="chunked")
        content = handler.server.content
        for start in range(0, len(content), 50_000):
            piece = content[start : start + 50_000]
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        if end:
            handler.wfile.write(b"0\r\n\r\n")

    return answer


def noise(handler: Handler) -> None:
    """Answer with what is no HTTP."""
    handler.wfile.write(b"\x00\xffnot HTTP at all\r\n\r\n")
