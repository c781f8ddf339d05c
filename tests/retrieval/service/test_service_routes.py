"""What the interface answers is what the library says of the same store."""

from __future__ import annotations

import gzip
import io
import json
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from store_service import GAZE, kind

from beholder import __version__
from beholder.retrieval import EmbeddedStore, Filters, Query, Searcher
from beholder.retrieval.explanation import explain
from beholder.retrieval.projection import project
from beholder.retrieval.records import parse_gaze

SURVEY = [4, 4, 1, 2, 3, 4, 2, 1, 5, 3]


def searched(client: TestClient, **body: Any) -> dict[str, Any]:
    answer = client.post("/v1/search", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_the_store_says_what_it_is(client: TestClient, tiny_store: EmbeddedStore) -> None:
    stated = client.get("/v1/store").json()
    with tiny_store.read() as snapshot:
        description, counts = snapshot.description, snapshot.counts()
        generation = snapshot.generation
    assert stated["version"] == __version__
    assert (stated["study"], stated["run"]) == (description.study, description.run)
    assert stated["counts"] == counts == {"samples": 192, "participants": 12, "images": 16}
    assert stated["generation"] == generation
    assert stated["spaces"] == {"-".join(one.pair): dict(one.weights) for one in description.pairs}
    assert stated["finds"]["images"] == ["gaze", "text", "personality"]
    assert stated["instrument"]["lowest"] == 1
    assert [item["number"] for item in stated["instrument"]["items"]] == list(range(1, 11))
    assert stated["traits"] == list(
        dict.fromkeys(item["trait"] for item in stated["instrument"]["items"])
    )
    assert set(stated["parts"]) == {"train", "validation", "test"}
    assert len(stated["sample_tasks"]) > 1
    assert stated["approximate"] == {}


QUERIES = [
    (
        {"text": "a dog on a street", "find": "gaze", "top": 3},
        Query(text="a dog on a street", find="gaze", top=3),
    ),
    (
        {"gaze": GAZE, "image": "scene-0003.jpg", "find": "text", "offset": 4, "exact": False},
        Query(gaze=parse_gaze(GAZE, ""), image="scene-0003.jpg", offset=4, approximate=True),
    ),
    (
        {
            "gaze": GAZE,
            "image": {"number": 2},
            "text": "a cup",
            "weights": {"text": 3},
            "find": "images",
        },
        Query(
            gaze=parse_gaze(GAZE, ""),
            image="scene-0003.jpg",
            text="a cup",
            weights={"text": 3.0},
            find="images",
        ),
    ),
    (
        {"personality": SURVEY, "find": "participants", "top": 2},
        Query(personality=tuple(SURVEY), find="participants", top=2),
    ),
    (
        {
            "text": "a boat",
            "as": "p002",
            "find": "text",
            "filters": {
                "participants": ["p001", "p003", "p005"],
                "parts": ["train"],
                "traits": [{"trait": "openness", "low": 1, "high": 4.5}],
            },
        },
        Query(
            text="a boat",
            seen_as="p002",
            filters=Filters(
                ("p001", "p003", "p005"), parts=("train",), traits=(("openness", 1.0, 4.5),)
            ),
        ),
    ),
]


@pytest.mark.parametrize(("body", "query"), QUERIES)
def test_a_search_is_the_librarys(
    client: TestClient, tiny_store: EmbeddedStore, body: dict[str, Any], query: Query
) -> None:
    found = searched(client, **body)
    expected = json.loads(json.dumps(Searcher(tiny_store).search(query).as_json()))
    assert expected["answers"]
    with tiny_store.read() as snapshot:
        assert found.pop("generation") == snapshot.generation
    for answer in found["answers"]:
        item = answer["item"]
        if "participant" in item:
            number = item.pop("participant_number")
            assert client.get(f"/v1/participants/{number}").json()["name"] == item["participant"]
        if "image" in item:
            number = item.pop("image_number")
            assert client.get(f"/v1/images/{number}").json()["name"] == item["image"]
    for answer, other in zip(found["answers"], expected["answers"], strict=True):
        assert answer.pop("score") == pytest.approx(other.pop("score"), abs=1e-6)
        for parts in ("parts", "by_modality"):
            assert answer.pop(parts) == pytest.approx(other.pop(parts), abs=1e-6)
    assert {name: found[name] for name in expected} == expected


def test_a_gaze_of_areas_and_one_of_a_map_are_understood(
    client: TestClient, tiny_store: EmbeddedStore
) -> None:
    areas = {
        "form": "areas",
        "fixations": 3,
        "fixation": [0, 2],
        "label": ["dog", "tree"],
        "box": [[0.1, 0.1, 0.3, 0.3], [0.5, 0.5, 0.2, 0.4]],
    }
    attention = {"form": "map", "values": [[0, 0.5], [1, 0.25]]}
    for gaze in (areas, attention):
        found = searched(client, gaze=gaze, image="scene-0001.jpg")
        own = Query(gaze=parse_gaze(gaze, ""), image="scene-0001.jpg")
        expected = Searcher(tiny_store).search(own)
        assert [one["number"] for one in found["answers"]] == [
            one.number for one in expected.answers
        ]


def test_a_batch_is_its_searches(client: TestClient) -> None:
    queries = [body for body, _ in QUERIES]
    results = client.post("/v1/search/batch", json={"queries": queries}).json()["results"]
    assert len(results) == len(queries)
    for body, result in zip(queries, results, strict=True):
        alone = searched(client, **body)
        assert [one["number"] for one in result["answers"]] == [
            one["number"] for one in alone["answers"]
        ]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({}, "invalid"),
        ({"find": "text"}, "invalid"),
        ({"text": "a", "image": "scene-0001.jpg"}, "invalid"),
        ({"gaze": GAZE}, "invalid"),
        ({"gaze": {"x": [0.5], "y": []}, "image": "scene-0001.jpg"}, "invalid"),
        ({"gaze": {"x": [0.5, 0.5], "y": [0.5]}, "image": "scene-0001.jpg"}, "invalid"),
        ({"gaze": {"form": "scribble"}, "image": "scene-0001.jpg"}, "invalid"),
        ({"gaze": GAZE, "image": "other.jpg"}, "unknown"),
        ({"gaze": GAZE, "image": {"number": 999}}, "unknown"),
        ({"text": "a", "as": "nobody"}, "unknown"),
        ({"text": "a", "as": "p001", "find": "participants"}, "invalid"),
        ({"text": "a", "filters": {"participants": ["nobody"]}}, "unknown"),
        ({"text": "a", "filters": {"images": ["other.jpg"]}}, "unknown"),
        ({"text": "a", "filters": {"tasks": ["other"]}}, "unknown"),
        ({"text": "a", "filters": {"parts": ["other"]}}, "unknown"),
        ({"text": "a", "filters": {"traits": [{"trait": "x", "low": 0, "high": 1}]}}, "unknown"),
        ({"text": "a", "weights": {"gaze": 1}}, "invalid"),
        ({"text": "a", "weights": {"text": 0}}, "invalid"),
        ({"text": "a", "find": "cats"}, "invalid"),
        ({"text": "a", "top": 0}, "invalid"),
        ({"text": "a", "top": 201}, "invalid"),
        ({"text": "a", "offset": 10_001}, "invalid"),
        ({"text": "a" * 5001}, "invalid"),
        ({"text": "a", "more": 1}, "invalid"),
        ({"personality": [1, 2]}, "invalid"),
        ({"personality": [9] * 10}, "invalid"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    client: TestClient, body: dict[str, Any], why: str
) -> None:
    refused = client.post("/v1/search", json=body)
    assert (refused.status_code, kind(refused)) == (422, why), refused.text


def test_a_refused_batch_names_its_query(client: TestClient) -> None:
    for wrong, why in (
        ({"text": "a", "as": "nobody"}, "unknown"),
        ({"personality": [1]}, "invalid"),
    ):
        refused = client.post("/v1/search/batch", json={"queries": [{"text": "a"}, wrong]})
        assert (refused.status_code, kind(refused)) == (422, why)
        assert refused.json()["error"]["message"].startswith("queries.1: ")
    many = {"queries": [{"text": "a"}] * 51}
    assert client.post("/v1/search/batch", json=many).status_code == 422


def test_what_the_run_was_not_trained_for_is_unsupported(tmp_path, tiny_study, gaze_text) -> None:  # type: ignore[no-untyped-def]
    from store_service import serving

    from beholder.model import train
    from beholder.retrieval import index

    store = index(train(tiny_study, tmp_path / "run", gaze_text), tmp_path / "store")
    with serving(store) as client:
        assert client.get("/v1/store").json()["finds"] == {
            "text": ["gaze", "text"],
            "gaze": ["gaze", "text"],
            "participants": ["gaze", "text"],
            "images": ["gaze", "text"],
        }
        refused = client.post("/v1/search", json={"personality": SURVEY})
        assert (refused.status_code, kind(refused)) == (422, "unsupported")
        refused = client.post("/v1/search", json={"text": "a", "find": "personality"})
        assert kind(refused) == "unsupported"
        refused = client.get("/v1/map?space=style")  # this run has the base space alone
        assert (refused.status_code, kind(refused)) == (422, "unsupported")


def test_an_explanation_is_the_librarys(client: TestClient, tiny_store: EmbeddedStore) -> None:
    query = Query(text="a dog on a street", find="gaze")
    expected = explain(Searcher(tiny_store), query, 7).as_json()
    asked = {"query": {"text": "a dog on a street", "find": "gaze"}, "answer": 7}
    answer = client.post("/v1/explain", json=asked)
    assert answer.status_code == 200, answer.text
    assert answer.json()["score"] == pytest.approx(expected["score"])
    assert [one["label"] for one in answer.json()["query"]["text"]] == [
        "a",
        "dog",
        "on",
        "a",
        "street",
    ]
    for asked, why in (
        ({"query": {"text": "a"}, "answer": 9999}, "unknown"),
        ({"query": {"text": "a", "filters": {"participants": ["p002"]}}, "answer": 1}, "unknown"),
        ({"query": {"text": "a", "find": "participants"}, "answer": 12}, "unknown"),
        ({"query": {"text": "a", "as": "nobody"}, "answer": 1}, "unknown"),
        ({"query": {"personality": [1]}, "answer": 1}, "invalid"),
    ):
        refused = client.post("/v1/explain", json=asked)
        assert (refused.status_code, kind(refused)) == (422, why)


def test_people_and_images_are_listed_page_by_page(
    client: TestClient, tiny_store: EmbeddedStore
) -> None:
    with tiny_store.read() as snapshot:
        catalogue = snapshot.catalogue()
    for what, names in (
        ("participants", [one.name for one in catalogue.participants]),
        ("images", list(catalogue.images.values())),
    ):
        first = client.get(f"/v1/{what}?limit=5").json()
        rest = client.get(f"/v1/{what}?offset=5").json()
        assert first["total"] == rest["total"] == len(names)
        assert [one["name"] for one in (*first[what], *rest[what])] == names
        assert sum(one["samples"] for one in (*first[what], *rest[what])) == 192
        assert client.get(f"/v1/{what}?offset=1000").json() == {"total": len(names), what: []}
        assert client.get(f"/v1/{what}?limit=201").status_code == 422
        assert client.get(f"/v1/{what}?offset=-1").status_code == 422


def test_one_person_and_one_image_with_what_was_done(
    client: TestClient, tiny_store: EmbeddedStore
) -> None:
    with tiny_store.read() as snapshot:
        person, image = snapshot.participants([3])[3], snapshot.images([5])[5]
        of_person, on_image = snapshot.samples_of(person.name), snapshot.samples_on(image.name)
    shown = client.get("/v1/participants/3").json()
    assert (shown["name"], tuple(shown["answers"])) == (person.name, person.answers)
    assert [one["sample"] for one in shown["samples"]] == [one.number for one in of_person]
    assert shown["total"] == len(of_person) == 16
    shown = client.get("/v1/images/5?offset=2&limit=3").json()
    assert (shown["name"], shown["width"], shown["total"]) == (image.name, image.width, 12)
    assert [one["sample"] for one in shown["samples"]] == [one.number for one in on_image][2:5]
    sample = on_image[2]
    assert shown["samples"][0] == client.get(f"/v1/samples/{sample.number}").json()
    assert shown["samples"][0]["text"] == sample.text
    assert shown["samples"][0]["gaze"] == sample.gaze
    for what in ("participants/12", "images/16", "samples/192", "images/16/thumbnail"):
        missing = client.get(f"/v1/{what}")
        assert (missing.status_code, kind(missing)) == (404, "not_found")


def test_a_thumbnail_is_kept_but_asked_for(client: TestClient) -> None:
    answer = client.get("/v1/images/0/thumbnail")
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["cache-control"] == "private, no-cache"
    with Image.open(io.BytesIO(answer.content)) as image:
        assert image.format == "JPEG"
    tag = answer.headers["etag"]
    for known in (tag, f'"other", W/{tag}', "*"):
        again = client.get("/v1/images/0/thumbnail", headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    other = client.get("/v1/images/1/thumbnail", headers={"If-None-Match": tag})
    assert other.status_code == 200


def test_the_map_is_the_projection_in_columns(
    client: TestClient, tiny_store: EmbeddedStore
) -> None:
    answer = client.get("/v1/map?space=content&modality=gaze")
    assert answer.headers["content-encoding"] == "gzip"
    shown = answer.json()
    with tiny_store.read() as snapshot:
        made = project(snapshot, "content", "gaze")
        catalogue = snapshot.catalogue()
        records = snapshot.samples(made.samples.tolist())
    assert shown["samples"] == made.samples.tolist()
    assert len(shown["x"]) == 192
    np.testing.assert_allclose(np.array(shown["x"]) / 65535, made.points[:, 0], atol=1e-5)
    np.testing.assert_allclose(np.array(shown["y"]) / 65535, made.points[:, 1], atol=1e-5)
    np.testing.assert_allclose(np.array(shown["error"]) / 255, made.error, atol=0.5 / 255 + 1e-6)
    people = {one.number: one.name for one in catalogue.participants}
    for place, number in enumerate(shown["samples"]):
        record = records[number]
        assert people[shown["participant"][place]] == record.participant
        assert shown["images"][str(shown["image"][place])] == record.image
        assert shown["parts"][shown["part"][place]] == record.part
    assert [one["name"] for one in shown["participants"]] == list(people.values())
    tag = answer.headers["etag"]
    again = client.get("/v1/map?space=content&modality=gaze", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    plain = client.get(
        "/v1/map?space=content&modality=gaze", headers={"Accept-Encoding": "identity"}
    )
    assert "content-encoding" not in plain.headers
    assert plain.json() == shown
    assert client.get("/v1/map?space=combined").status_code == 200
    for wrong in ("space=none", "modality=personality", "modality=smell", "space=" + "x" * 51):
        assert client.get(f"/v1/map?{wrong}").status_code == 422


def test_large_answers_are_compressed(client: TestClient) -> None:
    with client.stream("GET", "/v1/participants/3") as small:
        assert "content-encoding" not in small.headers
    body = {"text": "a dog", "top": 192}
    with client.stream("POST", "/v1/search", json=body) as large:
        assert large.headers["content-encoding"] == "gzip"
        assert len(json.loads(gzip.decompress(b"".join(large.iter_raw())))["answers"]) == 192


def test_health_readiness_and_the_description(client: TestClient) -> None:
    assert client.get("/health").json() == {"status": "alive"}
    generation = client.get("/v1/store").json()["generation"]
    assert client.get("/ready").json() == {"status": "ready", "generation": generation}
    described = client.get("/openapi.json").json()
    assert {path for path in described["paths"] if path.startswith("/v1/")} == {
        "/v1/store",
        "/v1/search",
        "/v1/search/batch",
        "/v1/explain",
        "/v1/participants",
        "/v1/participants/{number}",
        "/v1/images",
        "/v1/images/{number}",
        "/v1/images/{number}/thumbnail",
        "/v1/samples/{number}",
        "/v1/map",
    }
    for address in ("/docs", "/redoc", "/v2/store", "/v1", "/v1/", "/v1/search/"):
        assert client.get(address).status_code == 404
    assert kind(client.delete("/v1/store", headers={"Content-Type": "application/json"})) == (
        "method_not_allowed"
    )


def test_people_and_images_are_found_by_name(client: TestClient) -> None:
    images = client.get("/v1/images", params={"like": "ENE-001", "limit": 2}).json()
    names = [one["name"] for one in images["images"]]
    assert len(names) == 2 and all("scene-001" in name for name in names)
    assert images["total"] > 2
    exact = client.get("/v1/images", params={"like": "scene-0003.jpg"}).json()
    assert [one["name"] for one in exact["images"]] == ["scene-0003.jpg"]
    person = client.get("/v1/participants", params={"like": "p003"}).json()
    assert [one["name"] for one in person["participants"]] == ["p003"]
    assert client.get("/v1/images", params={"like": "nowhere"}).json() == {"total": 0, "images": []}
    assert client.get("/v1/images", params={"like": "x" * 201}).status_code == 422
