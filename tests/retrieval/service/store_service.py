"""A served store in this process, and how the tests ask it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient

from beholder.retrieval.service import Limits, Settings, create_app
from beholder.retrieval.store import Store

TOKEN = "the token of these tests"
GAZE = {"x": [0.5, 0.25], "y": [0.5, 0.75], "time": [0.0, 0.4], "duration": [0.2, 0.3]}


@contextmanager
def serving(
    store: Store, settings: Settings | None = None, host: str = "localhost"
) -> Iterator[TestClient]:
    """Give a client of a served store that is ready."""
    with client_of(create_app(store, settings), host) as client:
        wait_until_ready(client)
        yield client


@contextmanager
def client_of(app: FastAPI, host: str = "localhost") -> Iterator[TestClient]:
    with TestClient(
        app, base_url=f"http://{host}", raise_server_exceptions=False, follow_redirects=False
    ) as client:
        yield client


def wait_until_ready(client: TestClient) -> None:
    for _ in range(3000):
        if client.get("/ready").status_code == 200:
            return
        time.sleep(0.01)
    raise AssertionError("the store was never loaded")


def kind(answer: Any) -> str:
    """Return why a request was refused, and make sure that it says which it was."""
    error = answer.json()["error"]
    assert set(error) == {"kind", "message", "request_id"}
    assert error["request_id"] == answer.headers["x-request-id"]
    assert error["message"]
    return str(error["kind"])


def small(**limits: Any) -> Settings:
    return Settings(limits=Limits(**limits))
