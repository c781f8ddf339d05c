"""The page on the API tells the truth: its commands, requests and client are run as they stand."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from test_serve_command import Process, running

from beholder.retrieval import EmbeddedStore
from beholder.retrieval.service.limits import MOST_QUERIES, Limits

PAGE = Path(__file__).parents[3] / "docs" / "api.md"


def test_the_requests_and_the_client_of_the_page_work(
    tiny_store: EmbeddedStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is absent")
    text = PAGE.read_text("utf-8")
    (requests,) = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    with running(tiny_store, tmp_path, "--no-open") as process:
        url = f"http://127.0.0.1:{process.port}"
        lines = requests.replace("\\\n", " ").replace("curl", "curl --noproxy '*' -f").splitlines()
        for line in lines:
            done = subprocess.run(
                ["bash", "-c", line], env={"URL": url}, cwd=tmp_path, capture_output=True
            )
            assert done.returncode == 0, (line, done.stderr)
            if "-o" not in line:
                assert "error" not in json.loads(done.stdout)
        assert (tmp_path / "image.jpg").read_bytes()[:2] == b"\xff\xd8"
        exec(example.replace("http://127.0.0.1:8090", url), {})
        assert len(capsys.readouterr().out.splitlines()) == 3


def test_the_server_behind_a_proxy_starts_as_the_page_says(
    tiny_store: EmbeddedStore, tmp_path: Path
) -> None:
    commands = re.findall(r"^    beholder (serve STORE .*)$", PAGE.read_text("utf-8"), re.MULTILINE)
    (words,) = map(shlex.split, commands)
    options = [str(tmp_path / "token") if word == "TOKEN" else word for word in words[2:]]
    process = Process(tiny_store.path, tmp_path / "log", *options)
    try:
        token = (tmp_path / "token").read_text().strip()
        form = {"Content_Type": "application/x-www-form-urlencoded"}
        assert process.ask("GET", "/v1/store")[0] == 401
        assert process.ask("GET", "/v1/store", Authorization=f"Bearer {token}")[0] == 200
        left = process.ask("POST", "/leave", {}, **form)
        assert left[2]["Location"] == "/gaze/enter"
    finally:
        process.stop()


def test_the_page_names_every_route_and_the_right_bounds(client: TestClient) -> None:
    text = PAGE.read_text("utf-8")
    for path in client.get("/openapi.json").json()["paths"]:
        assert path.removeprefix("/v1/images/{number}") in text, path
    assert f"up to {MOST_QUERIES} `queries`" in text
    assert Limits().body_bytes == 2**20
    assert "1 MiB" in text
