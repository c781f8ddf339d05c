"""The small web study behind its HTTP interface, and browsers that speak to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from web_study import DEVICE, Turned, survey_record, trial_record

from beholder.collect.application import Application, Settings
from beholder.collect.definition import Definition
from beholder.collect.images import ImageCache
from beholder.collect.server import create_app
from beholder.collect.store import open_store
from beholder.study.pseudonyms import Pseudonymiser

RESEARCHER = "the researcher's own token"


class Browser:
    """A participant's browser: it keeps its cookies and posts JSON."""

    def __init__(self, client: TestClient) -> None:
        self.client = client

    def post(self, step: str, body: dict[str, Any]) -> Any:
        return self.client.post(f"/api/session{step}", json=body)

    def begin(self, entry: dict[str, str] | None = None) -> dict[str, Any]:
        """Come, agree and show the device; return the state."""
        assert self.post("", {"entry": entry or {}}).status_code == 200
        self.post("/consent", {"agreed": True, "version": "1"})
        state: dict[str, Any] = self.post("/device", DEVICE).json()
        return state

    def finish(self, state: dict[str, Any]) -> dict[str, Any]:
        """Do what is left; return the state with the completion."""
        while state["trial"]:
            saved = self.post(f"/trials/{state['trial']['id']}", trial_record())
            assert saved.status_code == 200, saved.text
            state = saved.json()["state"]
        self.post("/survey", survey_record())
        done: dict[str, Any] = self.post("/finish", {"comment": None}).json()
        return done


class Served:
    """A running application, with as many browsers as are wanted."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.app = create_app(application)

    def browser(self, base: str = "http://testserver") -> Browser:
        return Browser(TestClient(self.app, base_url=base, raise_server_exceptions=False))


@contextmanager
def served(url: str, definition: Definition, cache: Path, **settings: Any) -> Iterator[Served]:
    """Serve a definition."""
    clock = Turned()
    store = open_store(url, definition, clock=clock)
    application = Application(
        definition,
        store,
        ImageCache(definition, cache),
        Pseudonymiser(b"k" * 32),
        Settings(RESEARCHER, **settings),
        clock,
    )
    try:
        yield Served(application)
    finally:
        store.close()
