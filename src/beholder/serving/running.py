"""Runs an ASGI application with uvicorn until it is asked to stop."""

import gc
import signal
import socket
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp

from beholder.errors import ConfigurationError

GRACE_SECONDS = 20


def run(
    app: ASGIApp,
    host: str,
    port: int,
    *,
    ready: Callable[[str], None],
    root_path: str = "",
    forwarded_allow_ips: str = "",
) -> None:
    """Serve until SIGTERM or Ctrl-C, then answer what was asked and return.

    Port 0 takes a free one; ``ready`` is told the address once requests are taken.
    ``forwarded_allow_ips`` names the proxies whose X-Forwarded-* headers are believed.
    """
    with _listening(host, port) as listening:
        taken = listening.getsockname()[1]
        shown = f"[{host}]" if ":" in host else host
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            root_path=root_path,
            proxy_headers=bool(forwarded_allow_ips),
            forwarded_allow_ips=forwarded_allow_ips or None,
            timeout_graceful_shutdown=GRACE_SECONDS,
            timeout_keep_alive=30,
        )
        # The server hands signals on when it has stopped; to stop was all that they asked.
        before = {
            number: signal.signal(number, _nothing_more)
            for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            _Server(config, lambda: ready(f"http://{shown}:{taken}/")).run(sockets=[listening])
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class _Server(uvicorn.Server):
    """Says when it takes requests."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            # What is loaded by now stays. Else each full collection of garbage looks through all
            # of it, and every request waits meanwhile.
            gc.collect()
            gc.freeze()
            self._ready()


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Only of a socket that names its protocol asyncio knows that small packets may not wait; else
    # every answer in two parts takes the 40 ms in which the other side delays its acknowledgement.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise ConfigurationError(f"cannot listen on {host}:{port}: {error.strerror}") from error
    return listening


def _nothing_more(_number: int, _frame: object) -> None:
    """Let a signal pass."""
