"""One browser for each file of the pages' tests, and a server for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fake_study import FakeServer, Study
from visitor import Visitor

from chromium import chromium


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def serve() -> Iterator[Callable[..., FakeServer]]:
    """Serve a study made of the fields that are given."""
    servers: list[FakeServer] = []

    def start(**fields: Any) -> FakeServer:
        servers.append(FakeServer(Study(**fields)))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def visit(browser: Any) -> Callable[..., Visitor]:
    """Make a visitor of a server: ``with visit(server) as visitor``."""

    def start(server: FakeServer, **options: Any) -> Visitor:
        return Visitor(browser, server.url, **options)

    return start
