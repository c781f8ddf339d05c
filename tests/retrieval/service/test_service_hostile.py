"""Hostile requests: each gets a clear refusal, and nothing is held or given away."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from store_service import kind, serving, small

from beholder.retrieval import EmbeddedStore
from beholder.retrieval.service import create_app
from beholder.retrieval.service.limits import Limits

JSON = {"Content-Type": "application/json"}
MOST = Limits().body_bytes


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"3",
        b"\xff\xfe",
        b'{"text": "\xff"}',
        b"[" * 200_000,
        b'{"text": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"a":' * 100_000,
        b'{"text": "a", "top": ' + b"9" * 5000 + b"}",
        b'{"text": "a", "top": 1e400}',
        b'{"text": "a", "top": 1.5}',
        b'{"text": "a", "top": NaN}',
        b'{"text": "a", "weights": {"text": Infinity}}',
        b'{"text": "\\ud800"}',
        b'{"text": "a", "\\ud800": 1}',
        b'{"text": "a", "weights": {"\\ud800": 1}}',
        b'{"text": "a", "find": "\\udfff"}',
        b'{"text": "a", "text": {"again": 1}}',
        b'{"gaze": {"form": {"a": 1}, "x": [1], "y": [1]}, "image": "scene-0001.jpg"}',
        b'{"gaze": {"x": [1e308], "y": [1]}, "image": "scene-0001.jpg"}',
        b'{"gaze": {"form": "map", "values": [[1], [1, 2]]}, "image": "scene-0001.jpg"}',
        b'{"gaze": {"x": ["0.5"], "y": [true]}, "image": "scene-0001.jpg"}',
        json.dumps({"gaze": {"x": [0.5] * 2001, "y": [0.5] * 2001}, "image": "a"}).encode(),
        json.dumps({"gaze": {"form": "map", "values": [[1] * 129]}, "image": "a"}).encode(),
        json.dumps({"text": "a", "filters": {"participants": ["p001"] * 101}}).encode(),
        json.dumps({str(number): 1 for number in range(1000)}).encode(),
    ],
)
def test_a_malformed_body_is_refused(client: TestClient, body: bytes) -> None:
    refused = client.post("/v1/search", content=body, headers=JSON)
    assert (refused.status_code, kind(refused)) in ((400, "bad_request"), (422, "invalid"))
    assert len(refused.content) < 2000


def test_odd_but_right_bodies_are_answered(client: TestClient) -> None:
    for text in ("", " ", "\x00", "😀" * 100, "a" * 5000, "' OR 1=1 --", "<script>alert(1)"):
        answer = client.post("/v1/search", json={"text": text})
        assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("kind_of_body", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_form_of_another_page_is_no_json(client: TestClient, kind_of_body: str) -> None:
    headers = {"Content-Type": kind_of_body}
    refused = client.post("/v1/search", content=b'{"text": "a"}', headers=headers)
    assert (refused.status_code, kind(refused)) == (415, "not_json")


def test_a_body_is_not_larger_than_its_bound(client: TestClient) -> None:
    large = b'{"text": "' + b"x" * MOST + b'"}'
    refused = client.post("/v1/search", content=large, headers=JSON)
    assert (refused.status_code, kind(refused)) == (413, "too_large")
    claimed = {**JSON, "Content-Length": str(10**30)}
    assert client.post("/v1/search", content=b"{}", headers=claimed).status_code == 413
    for path in ("/enter", "/nowhere", "/v1/store"):
        own = {"Content-Type": "application/x-www-form-urlencoded"} if path == "/enter" else JSON
        assert client.post(path, content=large, headers=own).status_code == 413


def test_of_a_body_without_a_length_no_more_is_read_than_its_bound(client: TestClient) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 100 * MOST:
            sent += MOST // 4
            yield b"x" * (MOST // 4)

    refused = asyncio.run(_streamed(client.app, endless()))
    assert refused == 413
    assert sent < 3 * MOST


async def _streamed(app: Any, parts: Iterator[bytes]) -> int:
    """Send a body part by part, as a server hands it on, and return the answer's status."""
    statuses = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": next(parts), "more_body": True}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/search",
        "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"content-type", b"application/json")],
    }
    await app(scope, receive, send)
    return int(statuses[0])


def test_a_body_that_never_ends_holds_no_place(tiny_store: EmbeddedStore) -> None:
    app = create_app(tiny_store, small(body_seconds=0.05))

    async def scenario() -> int:
        async def receive() -> dict[str, Any]:
            await asyncio.sleep(30)
            raise AssertionError

        statuses = []

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        scope = {
            "type": "http",
            "method": "POST",
            "path": "/v1/search",
            "query_string": b"",
            "headers": [(b"host", b"localhost"), (b"content-type", b"application/json")],
        }
        await app(scope, receive, send)
        return int(statuses[0])

    assert asyncio.run(scenario()) == 408
    assert app.state.service.in_work == 0


def test_more_requests_than_may_be_in_work_are_told_to_come_again(
    tiny_store: EmbeddedStore,
) -> None:
    with serving(tiny_store, small(requests=3)) as client:
        service = client.app.state.service  # type: ignore[attr-defined]
        service.in_work = 3
        for path in ("/v1/store", "/", "/ready"):
            refused = client.get(path)
            assert (refused.status_code, kind(refused)) == (503, "busy")
            assert int(refused.headers["retry-after"]) >= 1
        assert client.get("/health").status_code == 200
        service.in_work = 2
        assert client.get("/v1/store").status_code == 200
        assert service.in_work == 2


@pytest.mark.parametrize(
    "address",
    [
        "/static/explorer/../pages.py",
        "/static/explorer/%2e%2e/pages.py",
        "/static/explorer/..%2fpages.py",
        "/static/explorer/..%2f..%2fstore.py",
        "/static/explorer/%2e%2e%2f%2e%2e%2f%2e%2e%2ferrors.py",
        "/static/explorer/..%5cpages.py",
        "/static/explorer//etc/passwd",
        "/static/explorer/%2fetc%2fpasswd",
        "/static/explorer/%00",
        "/static/explorer/eye.svg%00.js",
        "/static/explorer/" + "a" * 5000,
        "/static/explorer/",
        "/static/explorer",
        "/static/",
        "/static/../retrieval/store.py",
        "/v1/images/..%2f..%2fstore.sqlite/thumbnail",
        "/v1/images/0%2f..%2f1/thumbnail",
        "/v1/images/%00/thumbnail",
        "/v1/images/-1/thumbnail",
        "/v1/images/1e3",
        "/v1/images/9007199254740993",
        "/v1/images/99999999999999999999999999",
        "/v1/images/" + "9" * 5000,
        "/v1/samples/9223372036854775808",
        "/v1/samples/%F0%9F%98%80",
        "/v1/participants/p001",
        "/images/99999999999999999999999999",
        "/images/9223372036854775808",
        "/people/99999999999999999999999999",
        "/people/..%2f1",
        "/store.sqlite",
        "/.lock",
        "/templates/base.html",
    ],
)
def test_no_path_leads_to_a_file_or_a_fault(client: TestClient, address: str) -> None:
    refused = client.get(address)
    assert refused.status_code in (404, 422), refused.text
    assert b"import " not in refused.content
    assert b"root:" not in refused.content
    assert b"SQLite" not in refused.content


@pytest.mark.parametrize(
    "query",
    [
        *("offset=-1", "offset=a", "limit=0", "limit=1e3", "offset=" + "9" * 50, "limit=%00"),
        *("offset=", "limit=201", "offset=99999999999999999999"),
    ],
)
def test_wrong_parameters_are_refused(client: TestClient, query: str) -> None:
    for what in ("participants", "images"):
        refused = client.get(f"/v1/{what}?{query}")
        assert (refused.status_code, kind(refused)) == (422, "invalid")


def test_a_request_id_is_kept_only_if_it_is_well_formed(client: TestClient) -> None:
    own = client.get("/v1/store", headers={"X-Request-ID": "proxy-1.2_3"})
    assert own.headers["x-request-id"] == "proxy-1.2_3"
    for odd in ("", "a b", "a" * 65, "<x>", "a;b", "é"):
        headers = [("X-Request-ID", odd.encode("latin-1"))]
        made = client.get("/v1/store", headers=headers).headers["x-request-id"]
        assert len(made) == 32
        assert made != odd


def test_a_fault_of_ours_tells_nothing(
    tiny_store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(tiny_store) as client:
        service = client.app.state.service  # type: ignore[attr-defined]

        def breaks(*_: object) -> None:
            raise RuntimeError("what somebody wrote")

        monkeypatch.setattr(service.searcher, "search_within", breaks)
        answer = client.post("/v1/search", json={"text": "a"})
        assert (answer.status_code, kind(answer)) == (500, "internal")
        assert "wrote" not in answer.text
        assert "content-security-policy" in answer.headers
    (fault,) = [record for record in caplog.records if record.message == "our fault"]
    assert fault.fields["id"] == answer.headers["x-request-id"]  # type: ignore[attr-defined]


def test_metrics_have_no_label_that_a_client_chooses(client: TestClient) -> None:
    for number in range(5):
        client.get(f"/wp-admin-{number}")
        client.get(f"/v1/samples/{number}")
        client.request(f"ODD{number}", "/v1/store", headers=JSON)
    client.post("/v1/search", json={"text": "some private words"})
    text = client.get("/metrics").text
    assert "wp-admin" not in text
    assert "ODD" not in text
    assert "private" not in text
    assert 'beholder_requests_total{route="none",method="GET",status="404"}' in text
    assert 'route="/v1/samples/{number}",method="GET",status="200"' in text
    assert 'method="other",status="405"' in text
    assert 'beholder_request_seconds_bucket{route="/v1/search",le="+Inf"}' in text
    assert "beholder_search_queries_count" in text
    assert "beholder_search_waiting 0" in text
    assert "beholder_ready 1" in text
    assert 'beholder_store_items{kind="samples"} 192' in text
