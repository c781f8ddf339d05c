"""The description is true: whatever is sent, what comes back is what it states."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from store_service import serving

from beholder.retrieval import EmbeddedStore

HOST = "http://localhost"
TRUE = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
FUZZ = settings(
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def schema(tiny_store: EmbeddedStore) -> Iterator[Any]:
    with serving(tiny_store) as client:
        read = schemathesis.openapi.from_dict(client.get("/openapi.json").json())
        read.app = _without_its_start_and_end(client.app)
        yield read


def _without_its_start_and_end(app: Any) -> Any:
    """Return an application that goes on as it is, however often a client begins and ends."""

    async def wrapped(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        await app(scope, receive, send)

    return wrapped


def operations(schema: Any) -> dict[str, Any]:
    return {one.ok().label: one.ok() for one in schema.get_all_operations()}


def is_true(case: Any) -> int:
    """Send a case, hold the answer against the description, and return its status."""
    answer = case.call(base_url=HOST)
    case.validate_response(answer, checks=TRUE)
    assert answer.status_code < 500, answer.text
    status: int = answer.status_code
    return status


NUMBERS = st.integers(0, 200)
FRACTIONS = st.floats(0, 1, width=32)
TEXTS = st.one_of(st.text(max_size=40), st.sampled_from(["a dog on a street", "two red boats"]))
POINTS = st.lists(st.tuples(FRACTIONS, FRACTIONS), min_size=1, max_size=8).map(
    lambda points: {"x": [x for x, _ in points], "y": [y for _, y in points]}
)
AREAS = st.lists(st.tuples(FRACTIONS, FRACTIONS, st.text(min_size=1, max_size=5)), max_size=5).map(
    lambda areas: {
        "form": "areas",
        "fixations": max(1, len(areas)),
        "fixation": list(range(len(areas))),
        "label": [label for *_, label in areas],
        "box": [[x, y, 0.1, 0.2] for x, y, _ in areas],
    }
)
MAPS = st.lists(st.lists(FRACTIONS, min_size=3, max_size=3), min_size=1, max_size=4).map(
    lambda values: {"form": "map", "values": values}
)
IMAGES = st.one_of(
    st.just("scene-0001.jpg"), st.integers(0, 15).map(lambda number: {"number": number})
)
SURVEYS = st.lists(st.integers(1, 5), min_size=10, max_size=10)


@st.composite
def searches(draw: st.DrawFn) -> dict[str, Any]:
    """Searches that people could make."""
    body: dict[str, Any] = {}
    for modality in draw(st.sets(st.sampled_from(["gaze", "text", "personality"]), min_size=1)):
        if modality == "gaze":
            body |= {"gaze": draw(st.one_of(POINTS, AREAS, MAPS)), "image": draw(IMAGES)}
        else:
            body[modality] = draw(TEXTS if modality == "text" else SURVEYS)
    body["find"] = draw(st.sampled_from(["text", "gaze", "personality", "participants", "images"]))
    more = {
        "top": st.integers(1, 30),
        "offset": st.integers(0, 300),
        "exact": st.booleans(),
        "as": st.sampled_from([None, "p002"]),
        "filters": st.fixed_dictionaries(
            {},
            optional={
                "participants": st.just(["p001", "p007"]),
                "images": st.just(["scene-0002.jpg"]),
                "parts": st.sampled_from([["train"], ["test", "validation"]]),
                "traits": st.just([{"trait": "openness", "low": 1.5, "high": 5}]),
            },
        ),
        "weights": st.dictionaries(
            st.sampled_from(sorted(set(body) & {"gaze", "text", "personality"})),
            st.floats(0.01, 100),
        ),
    }
    return body | {
        name: draw(value) for name, value in more.items() if draw(st.integers(0, 2)) == 0
    }


HOSTILE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["\x00", "\ud800", "' OR 1=1", "../../x", "x" * 20_000, 1e308, 2**63, -0.0]),
    st.sampled_from([[], {}, [[]], [None], {"form": 3}, {"number": -1}, [math.nan], [math.inf]]),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return every place of a value, as its path."""
    found = [path] if path else []
    inner = value.items() if isinstance(value, dict) else []
    inner = enumerate(value) if isinstance(value, list) else inner
    for key, each in inner:
        found += places(each, (*path, key))
    return found


def replaced(value: Any, path: tuple[Any, ...], by: Any) -> Any:
    if not path:
        return by
    copy: Any = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], by)
    return copy


def body_of(path: str, search: dict[str, Any], answer: int) -> dict[str, Any]:
    if path == "/v1/search/batch":
        return {"queries": [search, {"text": "a boat"}]}
    return {"query": search, "answer": answer} if path == "/v1/explain" else search


@pytest.mark.parametrize("path", ["/v1/search", "/v1/search/batch", "/v1/explain"])
def test_a_search_that_a_person_could_make_is_answered_as_described(schema: Any, path: str) -> None:
    operation = operations(schema)[f"POST {path}"]
    seen = set()

    @settings(FUZZ, max_examples=25)
    @given(search=searches(), answer=NUMBERS)
    def asked(search: dict[str, Any], answer: int) -> None:
        body = body_of(path, search, answer)
        seen.add(is_true(operation.Case(body=body, media_type="application/json")))

    asked()
    assert 200 in seen
    assert seen <= {200, 422}


@pytest.mark.parametrize("path", ["/v1/search", "/v1/search/batch", "/v1/explain"])
def test_a_search_with_one_thing_wrong_gets_a_described_answer(
    schema: Any, tiny_store: EmbeddedStore, path: str
) -> None:
    operation = operations(schema)[f"POST {path}"]
    with serving(tiny_store) as client:

        @settings(FUZZ, max_examples=100)
        @given(data=st.data())
        def asked(data: st.DataObject) -> None:
            body = body_of(path, data.draw(searches()), 3)
            body = replaced(body, data.draw(st.sampled_from(places(body))), data.draw(HOSTILE))
            answer = client.post(
                path, content=json.dumps(body), headers={"Content-Type": "application/json"}
            )
            assert answer.status_code < 500, answer.text
            operation.Case(body={}, media_type="application/json").validate_response(
                answer, checks=TRUE
            )
            answer.content.decode("utf-8")

        asked()


def test_every_route_answers_as_described_whatever_is_sent(schema: Any) -> None:
    """The generator of schemathesis, from the description alone: right and wrong requests."""
    seen: dict[str, set[int]] = {}
    for operation in operations(schema).values():
        for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):
            if mode is schemathesis.GenerationMode.NEGATIVE and not _takes_anything(operation):
                continue

            @settings(FUZZ, max_examples=15)
            @given(case=operation.as_strategy(generation_mode=mode))
            def asked(case: Any) -> None:
                seen.setdefault(case.operation.label, set()).add(is_true(case))

            asked()
    assert set(seen) == set(operations(schema))
    assert all(statuses & {200, 404, 422} for statuses in seen.values())
    assert 422 in set().union(*seen.values())


def _takes_anything(operation: Any) -> bool:
    parts = (operation.path_parameters, operation.query, operation.body)
    return any(len(list(part)) for part in parts)


def test_every_refusal_that_is_described_has_the_one_form(schema: Any) -> None:
    for label, operation in operations(schema).items():
        for status, answer in operation.definition.raw["responses"].items():
            if int(status) >= 400:
                content = answer["content"]["application/json"]["schema"]
                assert content == {"$ref": "#/components/schemas/ErrorAnswer"}, (label, status)
        assert "500" not in operation.definition.raw["responses"]
