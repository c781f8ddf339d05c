"""A served store in a process of its own, and a light connection to it."""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_LIMITED = """
import sys
from beholder.commands.serve import _share_the_processor
_share_the_processor()
from beholder.retrieval.opening import open_store
from beholder.retrieval.service import Limits, Settings, create_app
from beholder.serving import run
app = create_app(open_store(sys.argv[1]), Settings(limits=Limits(together=int(sys.argv[2]))))
run(app, "127.0.0.1", 0, ready=lambda url: print('{"url": "%s"}' % url, flush=True))
"""


@dataclass(frozen=True)
class Server:
    """A running server."""

    port: int
    process: int

    def processor_s(self) -> float:
        """Return how many seconds of processor it has used so far."""
        fields = Path(f"/proc/{self.process}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def serving(store: str, together: int | None = None) -> Iterator[Server]:
    """Serve a store; ``together`` queries at most are searched at once, if it is given."""
    command = [sys.executable, "-m", "beholder", "serve", store, "--port", "0", "--json"]
    if together is not None:
        command = [sys.executable, "-c", _LIMITED, store, str(together)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]
        yield Server(int(url.rstrip("/").rpartition(":")[2]), process.pid)
    finally:
        process.terminate()
        process.wait()


class Connection:
    """One user's connection, kept open."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def __aenter__(self) -> "Connection":
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()
        await self._writer.wait_closed()

    async def ask(self, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        """Send a request; return the status and the body of its answer."""
        head = f"{'GET' if body is None else 'POST'} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        if body is not None:
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        self._writer.write(head.encode() + b"\r\n" + (body or b""))
        answer = (await self._reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = re.search(r"content-length: (\d+)", answer)
        content = await self._reader.readexactly(int(length[1]) if length else 0)
        return int(answer.split(" ", 2)[1]), content
