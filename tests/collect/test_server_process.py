"""The server as a process: started, killed at any moment, started again, stopped in order."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from web_study import DEFINITION, DEVICE, as_toml, definition_in, trial_record, write_files

from beholder.collect.store import open_store

IMAGES = {"folder": "images", "viewers": 6, "set_size": 2}


class Process:
    """A running `beholder collect serve`."""

    def __init__(self, folder: Path, *options: str) -> None:
        self._log = (folder / "log").open("ab")
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "beholder", "collect", "serve"),
                *(str(folder / "definition.toml"), "--port", "0"),
                *("--data", str(folder / "data"), "--key-file", str(folder / "key"), *options),
            ],
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline().decode()
        assert line.startswith("ready on http://127.0.0.1:"), (folder / "log").read_text()
        self.port = int(line.rpartition(":")[2].strip().strip("/"))

    def kill(self) -> None:
        self._process.kill()
        self._end()

    def stop(self, number: int = signal.SIGTERM) -> int:
        self._process.send_signal(number)
        return self._end()

    def _end(self) -> int:
        status = self._process.wait(timeout=60)
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._log.close()
        return status


class Visitor:
    """A browser without cookies: it sends its token and tries again until it is answered."""

    def __init__(self, port: int) -> None:
        self.port, self.token = port, ""
        self.acknowledged: list[str] = []

    def ask(self, method: str, path: str, body: Any = None, **more: str) -> tuple[int, Any, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            headers = {"Content-Type": "application/json", "Cookie": self.token, **more}
            connection.request(
                method, path, json.dumps(body) if body is not None else None, headers
            )
            answer = connection.getresponse()
            text = answer.read()
            if cookie := answer.getheader("Set-Cookie"):
                self.token = cookie.partition(";")[0]
            return answer.status, json.loads(text), answer.headers
        finally:
            connection.close()

    def begin(self, query: dict[str, str] | None = None) -> dict[str, Any]:
        self.ask("POST", "/api/session", {"entry": query or {}})
        self.ask("POST", "/api/session/consent", {"agreed": True, "version": "1"})
        _, state, _ = self.ask("POST", "/api/session/device", DEVICE)
        return state  # type: ignore[no-any-return]


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A folder with a definition of two sets of two images, for six viewers each."""
    write_files(tmp_path)
    (tmp_path / "definition.toml").write_text(as_toml(DEFINITION | {"images": IMAGES}), "utf-8")
    return tmp_path


@contextmanager
def running(folder: Path, *options: str) -> Iterator[Process]:
    process = Process(folder, *options)
    try:
        yield process
    finally:
        process.kill()


def test_what_was_acknowledged_survives_a_kill(study: Path, database_url: str) -> None:
    """Twelve people save at once while the server is killed, twice; then they try again."""
    options = ("--database", database_url)
    process = Process(study, *options)
    visitors = [Visitor(process.port) for _ in range(12)]
    states = {visitor: visitor.begin() for visitor in visitors}
    pending = {visitor: trial_record(f"a picture by {n}") for n, visitor in enumerate(visitors)}

    def save(visitor: Visitor) -> None:
        """Save trials until there are none or the server is gone."""
        while (trial := states[visitor]["trial"]) is not None:
            try:
                status, answer, _ = visitor.ask(
                    "POST", f"/api/session/trials/{trial['id']}", pending[visitor]
                )
            except (OSError, http.client.HTTPException):
                return
            assert status == 200, answer
            visitor.acknowledged.append(pending[visitor]["client_id"])
            states[visitor] = answer["state"]
            pending[visitor] = trial_record()

    for most_acknowledged in (3, 20, None):
        with ThreadPoolExecutor(len(visitors)) as pool:
            saving = [pool.submit(save, visitor) for visitor in visitors]
            if most_acknowledged is not None:
                while sum(len(v.acknowledged) for v in visitors) < most_acknowledged:
                    time.sleep(0.002)
                process.kill()
            for each in saving:
                each.result()
        if most_acknowledged is not None:
            process = Process(study, *options)
            for visitor in visitors:
                visitor.port = process.port
    assert process.stop() == 0
    store = open_store(database_url, definition_in(study, images=IMAGES))
    rows = store.participants()
    kept = [t.record["client_id"] for row in rows for t in store.trials(row.session) if t.record]
    assert sorted(kept) == sorted(c for visitor in visitors for c in visitor.acknowledged)
    assert len(kept) == 12 * 4
    assert [(c.active, c.free) for c in store.set_counts()] == [(6, 0), (6, 0)]
    store.close()


def test_a_server_that_is_asked_to_stop_ends_well_and_its_log_names_nobody(study: Path) -> None:
    process = Process(study)
    visitor = Visitor(process.port)
    state = visitor.begin({"participant": "someone-by-name"})
    visitor.ask(
        "POST", f"/api/session/trials/{state['trial']['id']}", trial_record("private words")
    )
    connection = http.client.HTTPConnection("127.0.0.1", process.port)
    connection.request("GET", "/?PROLIFIC_PID=someone-by-name&participant=x")
    assert connection.getresponse().status == 200
    connection.close()
    assert process.stop() == 0
    lines = [json.loads(line) for line in (study / "log").read_text().splitlines()]
    requests = [(line["method"], line["route"], line["status"]) for line in lines]
    assert ("POST", "/api/session/trials/{trial}", 200) in requests
    assert ("GET", "/", 200) in requests
    logged = (study / "log").read_text()
    for private in ("someone-by-name", "private words", "127.0.0.1", visitor.token, "PROLIFIC"):
        assert private not in logged


def test_a_proxy_is_believed_only_if_it_is_named(study: Path) -> None:
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}
    body: dict[str, Any] = {"entry": {}}
    with running(study) as process:
        _, _, headers = Visitor(process.port).ask("POST", "/api/session", body, **forwarded)
        assert "Secure" not in headers["Set-Cookie"]
    options = ("--forwarded-allow-ips", "127.0.0.1", "--root-path", "/study/")
    with running(study, *options) as process:
        _, _, headers = Visitor(process.port).ask("POST", "/api/session", body, **forwarded)
        assert "; Path=/study/; HttpOnly; SameSite=Lax; Secure" in headers["Set-Cookie"]
        assert Visitor(process.port).ask("GET", "/healthz")[0] == 200


def test_one_server_from_start_to_ctrl_c(study: Path) -> None:
    process = Process(study)
    # What lies in the data folder is for its owner alone, and the key is not there.
    data = study / "data"
    assert data.stat().st_mode & 0o077 == 0
    assert (data / "researcher.token").stat().st_mode & 0o077 == 0
    names = {path.name for path in data.iterdir()}
    assert {"collect.sqlite", "images", "researcher.token"} <= names
    assert not any("key" in name for name in names)
    # A request that never ends holds up nobody, not even the end.
    with socket.create_connection(("127.0.0.1", process.port)) as slow:
        slow.sendall(
            b"POST /api/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Content-Length: 100\r\n\r\n{"
        )
        assert Visitor(process.port).ask("GET", "/readyz")[1] == {"status": "ready"}
    assert process.stop(signal.SIGINT) == 0
