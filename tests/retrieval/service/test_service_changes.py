"""What another process writes is seen at the next request, and who has left is in no cache."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from store_service import client_of, kind, serving, wait_until_ready

from beholder.retrieval import EmbeddedStore, forget
from beholder.retrieval.embedded.database import FILE
from beholder.retrieval.service import create_app


def copied(store: EmbeddedStore, path: Path) -> EmbeddedStore:
    shutil.copytree(store.path, path)
    return EmbeddedStore.open(path)


def test_who_is_forgotten_is_gone_from_every_answer(
    tiny_store: EmbeddedStore, tmp_path: Path
) -> None:
    store = copied(tiny_store, tmp_path / "store")
    with serving(store) as client:
        before = client.get("/v1/participants/4").json()
        name, own = before["name"], {one["sample"] for one in before["samples"]}
        image = before["samples"][0]["image_number"]
        seen, old = client.get("/v1/map"), client.get("/ready").json()["generation"]
        assert own <= set(seen.json()["samples"])
        forget(EmbeddedStore.open(store.path), name)  # as another process does it
        assert kind(client.get("/v1/participants/4")) == "not_found"
        assert client.get(f"/v1/samples/{min(own)}").status_code == 404
        assert client.get("/people/4").status_code == 404
        found = client.post("/v1/search", json={"text": "a dog", "top": 200}).json()
        assert found["generation"] == client.get("/ready").json()["generation"] > old
        assert own.isdisjoint(one["number"] for one in found["answers"])
        assert name not in client.get("/v1/participants").text
        assert name not in client.get(f"/v1/images/{image}").text
        again = client.get("/v1/map", headers={"If-None-Match": seen.headers["etag"]})
        assert again.status_code == 200
        assert own.isdisjoint(again.json()["samples"])
        assert name not in again.text
        assert 4 not in {one["number"] for one in again.json()["participants"]}
        refused = client.post("/v1/search", json={"text": "a", "as": name})
        assert kind(refused) == "unknown"
        assert client.get("/v1/store").json()["counts"]["participants"] == 11
        assert 'beholder_store_items{kind="participants"} 11' in client.get("/metrics").text


def test_a_store_that_cannot_be_read_is_not_ready_until_it_can(
    tiny_store: EmbeddedStore, tmp_path: Path
) -> None:
    store = copied(tiny_store, tmp_path / "store")
    with serving(store) as client:
        (store.path / FILE).rename(tmp_path / "away")
        refused = client.get("/ready")
        assert (refused.status_code, kind(refused)) == (503, "unavailable")
        assert refused.headers["retry-after"]
        for path in ("/v1/store", "/v1/participants", "/v1/images/0/thumbnail", "/v1/map", "/"):
            answer = client.get(path)
            assert (answer.status_code, kind(answer)) == (503, "unavailable")
            assert str(tmp_path) not in answer.text
        answer = client.post("/v1/search", json={"text": "a"})
        assert (answer.status_code, kind(answer)) == (503, "unavailable")
        assert client.get("/health").status_code == 200
        assert "beholder_ready 0" in client.get("/metrics").text
        (tmp_path / "away").rename(store.path / FILE)
        assert client.get("/ready").status_code == 200
        assert client.post("/v1/search", json={"text": "a"}).status_code == 200


def test_it_is_not_ready_before_it_is_loaded(tiny_store: EmbeddedStore, tmp_path: Path) -> None:
    store = copied(tiny_store, tmp_path / "store")
    app = create_app(store)
    not_started = TestClient(app, base_url="http://localhost", raise_server_exceptions=False)
    assert kind(not_started.get("/ready")) == "unavailable"
    assert not_started.get("/health").status_code == 200
    with client_of(app) as client:
        wait_until_ready(client)


def test_nothing_personal_may_be_kept(client: TestClient) -> None:
    for path in ("/v1/participants/1", "/v1/images/1", "/v1/samples/1", "/v1/store", "/people/1"):
        assert client.get(path).headers["cache-control"] == "no-store"
    assert client.post("/v1/search", json={"text": "a"}).headers["cache-control"] == "no-store"
    assert client.get("/v1/map").headers["cache-control"] == "private, no-cache"


def test_an_answer_of_an_index_says_so(tiny_store: EmbeddedStore, tmp_path: Path) -> None:
    pytest.importorskip("faiss")
    store = copied(tiny_store, tmp_path / "store")
    recalls = store.build_indexes(least_rows=0)
    with serving(store) as client:
        assert client.get("/v1/store").json()["approximate"] == pytest.approx(recalls)
        asked = {"text": "a dog", "find": "gaze", "top": 3}
        exact = client.post("/v1/search", json=asked).json()
        quick = client.post("/v1/search", json=asked | {"exact": False}).json()
        assert (exact["approximate"], quick["approximate"]) == (False, True)
        # People are found by all that they hold, which no index can tell.
        asked |= {"find": "participants", "exact": False}
        assert client.post("/v1/search", json=asked).json()["approximate"] is False
