"""How a server listens."""

from __future__ import annotations

import asyncio
import socket

import pytest

from beholder.errors import ConfigurationError
from beholder.serving.running import _listening


def test_small_answers_are_sent_at_once() -> None:
    """Held back for an acknowledgement, as is the default, each would take 40 ms."""

    async def scenario() -> int:
        found: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            accepted = writer.get_extra_info("socket")
            found.set_result(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        listening = _listening("127.0.0.1", 0)
        port = listening.getsockname()[1]
        async with await asyncio.start_server(connected, sock=listening):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            no_delay = await found
            writer.close()
            await writer.wait_closed()
            return no_delay

    assert asyncio.run(scenario()) != 0


def test_a_taken_port_is_named() -> None:
    with _listening("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        taken.listen()
        with pytest.raises(ConfigurationError, match=f"cannot listen on 127.0.0.1:{port}: "):
            _listening("127.0.0.1", port)
    with pytest.raises(ConfigurationError, match="cannot listen on"):
        _listening("no.such.host.invalid", 0)
