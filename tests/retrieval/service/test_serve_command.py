"""`beholder serve` as a process: started, asked, stopped in order, with a log that names nobody."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from beholder.cli import beholder
from beholder.retrieval import EmbeddedStore


class Process:
    """A running `beholder serve`."""

    def __init__(self, store: Path, log: Path, *options: str) -> None:
        self.log = log
        with log.open("wb") as file:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "beholder", "serve", str(store), "--port", "0", *options],
                stdout=subprocess.PIPE,
                stderr=file,
                env=os.environ | {"PYTHONUNBUFFERED": "1"},
            )
        assert self._process.stdout is not None
        self.first = self._process.stdout.readline().decode()
        found = re.search(r":(\d+)/", self.first)
        assert found, log.read_text()
        self.port = int(found[1])

    def ask(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, bytes, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            sent = None if body is None else json.dumps(body)
            headers = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, sent, {"Content-Type": "application/json", **headers})
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.headers
        finally:
            connection.close()

    def wait_until_ready(self) -> None:
        for _ in range(600):
            if self.ask("GET", "/ready")[0] == 200:
                return
            threading.Event().wait(0.05)
        raise AssertionError(self.log.read_text())

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        self._process.send_signal(number)
        output = self._process.communicate(timeout=60)[0].decode()
        return self._process.returncode, self.first + output


@contextmanager
def running(store: EmbeddedStore, tmp_path: Path, *options: str) -> Iterator[Process]:
    process = Process(store.path, tmp_path / "log", *options)
    try:
        process.wait_until_ready()
        yield process
    finally:
        process.stop(signal.SIGKILL)


def test_it_serves_pages_and_searches_and_its_log_names_nobody(
    tiny_store: EmbeddedStore, tmp_path: Path
) -> None:
    with running(tiny_store, tmp_path, "--no-open") as process:
        assert process.first == f"ready on http://127.0.0.1:{process.port}/\n"
        status, page, headers = process.ask("GET", "/?text=private-words")
        assert (status, headers["Server"]) == (200, None)
        assert b"<html" in page
        asked = {"text": "private words", "as": "p003"}
        status, answer, _ = process.ask("POST", "/v1/search", asked, X_Request_ID="mine-1")
        assert status == 200
        assert len(json.loads(answer)["answers"]) == 10
        process.ask("POST", "/v1/search", {"text": "private words", "as": "somebody-by-name"})
        process.ask("GET", "/people/2")
        # A body that never ends holds up nobody, not even the end.
        with socket.create_connection(("127.0.0.1", process.port)) as slow:
            slow.sendall(
                b"POST /v1/search HTTP/1.1\r\nHost: localhost\r\n"
                b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
            )
            assert process.ask("GET", "/health")[0] == 200
        assert process.stop()[0] == 0
    logged = process.log.read_text()
    lines = [json.loads(line) for line in logged.splitlines()]
    requests = [(line["method"], line["route"], line["status"]) for line in lines]
    assert ("POST", "/v1/search", 200) in requests
    assert ("POST", "/v1/search", 422) in requests
    assert ("GET", "/", 200) in requests
    assert any(line["id"] == "mine-1" for line in lines)
    for private in ("private", "p003", "somebody", "127.0.0.1", str(tiny_store.path)):
        assert private not in logged


def test_what_is_in_work_at_the_end_is_answered(tiny_store: EmbeddedStore, tmp_path: Path) -> None:
    with running(tiny_store, tmp_path, "--no-open") as process:
        queries = [{"text": f"a {number} dog", "top": 100} for number in range(50)]
        body = json.dumps({"queries": queries}).encode()
        with socket.create_connection(("127.0.0.1", process.port)) as connection:
            head = (
                f"Host: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
            )
            connection.sendall(
                f"POST /v1/search/batch HTTP/1.1\r\n{head}\r\n\r\n".encode() + body[:9]
            )
            assert process.ask("GET", "/health")[0] == 200  # the other's head was read before
            asking = threading.Thread(target=process.stop)
            asking.start()
            connection.sendall(body[9:])
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            assert (answer.status, len(json.loads(answer.read())["results"])) == (200, 50)
            asking.join()
    assert process._process.returncode == 0


def test_beyond_this_machine_a_token_is_made_and_printed_once(
    tiny_store: EmbeddedStore, tmp_path: Path
) -> None:
    with running(tiny_store, tmp_path, "--host", "0.0.0.0", "--json") as process:
        stated = json.loads(process.first)
        assert stated["wants_token"] is True
        token = stated["token"]
        assert len(token) >= 32
        assert process.ask("GET", "/v1/store")[0] == 401
        assert process.ask("GET", "/v1/store", Authorization=f"Bearer {token}")[0] == 200
        named = process.ask(
            "GET", "/v1/store", Authorization=f"Bearer {token}", Host="study.example"
        )
        assert named[0] == 200
        _, output = process.stop(signal.SIGINT)
    assert output.count(token) == 1
    assert token not in process.log.read_text()


def test_a_token_file_is_made_for_its_owner_and_a_proxys_prefix_is_kept(
    tiny_store: EmbeddedStore, tmp_path: Path
) -> None:
    file = tmp_path / "deep" / "token"
    options = ("--token-file", str(file), "--root-path", "/gaze/", "--no-open")
    with running(tiny_store, tmp_path, *options) as process:
        token = file.read_text().strip()
        assert file.stat().st_mode & 0o777 == 0o600
        assert token not in process.first
        assert process.ask("GET", "/v1/store")[0] == 401
        bearer = {"Authorization": f"Bearer {token}"}
        assert process.ask("GET", "/v1/store", **bearer)[0] == 200
        status, page, _ = process.ask("GET", "/", **bearer)
        assert status == 200
        assert b'href="/gaze/static/explorer/' in page
        sent = process.ask("GET", "/people", Accept="text/html")
        assert (sent[0], sent[2]["Location"]) == (303, "/gaze/enter?to=%2Fpeople")
        process.stop()


def test_what_cannot_be_served_is_said_in_one_sentence(
    tmp_path: Path, tiny_store: EmbeddedStore
) -> None:
    def refused(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "beholder", "serve", *words], capture_output=True, text=True
        )
        assert done.returncode == 2
        assert len(done.stderr.splitlines()) == 1, done.stderr
        return done.stderr

    (tmp_path / "other").mkdir()
    assert "other" in refused(str(tmp_path / "other"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert "cannot listen" in refused(str(tiny_store.path), "--port", port)
    (tmp_path / "short").write_text("short")
    assert "has 5 characters" in refused(
        str(tiny_store.path), "--token-file", str(tmp_path / "short")
    )


@pytest.mark.parametrize("library", ["fastapi", "uvicorn"])
def test_a_missing_library_is_named_with_its_extra(library: str, tiny_store: EmbeddedStore) -> None:
    script = (
        f"import sys; sys.modules[{library!r}] = None\n"
        f"sys.argv = ['beholder', 'serve', {str(tiny_store.path)!r}]\n"
        "from beholder.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 2
    assert f"{library} is missing: pip install 'beholder[serve]'" in done.stderr


def test_indexing_and_searching_need_no_web_library(tiny_store: EmbeddedStore) -> None:
    script = (
        "import sys\n"
        "for name in ('fastapi', 'starlette', 'uvicorn', 'pydantic'): sys.modules[name] = None\n"
        f"sys.argv = ['beholder', 'search', {str(tiny_store.path)!r}, '--text', 'a', '--json']\n"
        "from beholder.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_browser_is_opened_when_asked_for(
    tiny_store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def run(app: object, host: str, port: int, *, ready: Any, **_: object) -> None:
        ready(f"http://{host}:{port}/")

    monkeypatch.setattr("click.launch", opened.append)
    monkeypatch.setattr("beholder.serving.run", run)
    for options, times in (((), 0), (("--no-open",), 0), (("--open",), 1)):
        opened.clear()
        words = ["serve", str(tiny_store.path), *options]
        result = CliRunner().invoke(beholder, words, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        assert opened == ["http://127.0.0.1:8090/"] * times
