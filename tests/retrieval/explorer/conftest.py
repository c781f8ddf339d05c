"""What the tests of the pages share: a browser, and a small store that is served."""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
import uvicorn
from made_changes import AREAS, FORMULA, HEAT, HOSTILE, LONG, RTL
from starlette.types import ASGIApp
from visiting import TOKEN, Visit

from beholder.retrieval import EmbeddedStore
from beholder.retrieval.records import Addition
from beholder.retrieval.service import Settings, create_app
from chromium import chromium


@pytest.fixture(scope="session")
def explored(tiny_store: EmbeddedStore, tmp_path_factory: pytest.TempPathFactory) -> EmbeddedStore:
    """The tiny store with all that a page may be given to show; read only."""
    path = tmp_path_factory.mktemp("explored") / "store"
    shutil.copytree(tiny_store.path, path)
    store = EmbeddedStore.open(path)
    changes = {
        0: {"text": HOSTILE},
        1: {"text": RTL},
        2: {"text": LONG},
        3: {"gaze": AREAS},
        4: {"gaze": HEAT},
        5: {"participant": None},
    }
    with store.read() as snapshot:
        samples = snapshot.samples(changes)
        person = replace(snapshot.participants([11])[11], name=FORMULA)
        vectors = {}
        for side in snapshot.description.sides:
            changed = [11] if side.modality == "personality" else list(changes)
            numbers, rows = snapshot.vectors(side)
            own = [place for place, number in enumerate(numbers.tolist()) if number in changed]
            vectors[side] = (numbers[own], rows[own])
    with store.write() as writer:
        changed = tuple(replace(samples[number], **change) for number, change in changes.items())
        writer.add(Addition(participants=(person,), samples=changed, vectors=vectors))
    return EmbeddedStore.open(path)


@pytest.fixture(scope="session")
def address(explored: EmbeddedStore) -> Iterator[str]:
    """Where the store is served, without a final slash."""
    with served(create_app(explored)) as address:
        yield address


@pytest.fixture(scope="module")
def guarded(explored: EmbeddedStore) -> Iterator[str]:
    """Where it is served to those who have the token."""
    with served(create_app(explored, Settings(TOKEN))) as address:
        yield address


@contextmanager
def served(app: ASGIApp) -> Iterator[str]:
    """Serve an application at an address of its own while the block lasts."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_config=None, ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def visit(browser: Any, address: str) -> Iterator[Any]:
    """Opens pages; in the end nothing may have been complained of or asked for elsewhere."""
    visits: list[Visit] = []

    def to(path: str, script: str | None = None, at: str = address, **options: Any) -> Visit:
        visits.append(Visit(browser, at, path, script, options))
        return visits[-1]

    yield to
    for one in visits:
        one.leave()
