"""The interface under ``/v1``: each route reads one state of the store and says which."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection
from starlette.responses import Response

from beholder.errors import StoreError
from beholder.retrieval.explanation import Explanation, explain
from beholder.retrieval.matching import matching
from beholder.retrieval.projection import COMBINED
from beholder.retrieval.service import answers
from beholder.retrieval.service.bodies import BatchBody, ExplainBody, Modality, SearchBody
from beholder.retrieval.service.caching import cached, etag_of
from beholder.retrieval.service.limits import LARGEST_NUMBER, MOST_LISTED, MOST_SAMPLES
from beholder.retrieval.service.names import Names
from beholder.retrieval.service.refusals import RefusedError, documented
from beholder.retrieval.service.rendering import (
    as_response,
    image_json,
    person_json,
    result_json,
    sample_json,
    store_json,
)
from beholder.retrieval.service.service import Service
from beholder.retrieval.store import Snapshot

router = APIRouter(prefix="/v1")


async def service(connection: HTTPConnection) -> Service:
    """Return what is served; as a coroutine it needs no thread."""
    return cast(Service, connection.app.state.service)


Served = Annotated[Service, Depends(service)]
Number = Annotated[int, Path(ge=0, le=LARGEST_NUMBER)]
Offset = Annotated[int, Query(ge=0, le=LARGEST_NUMBER)]
Limit = Annotated[int, Query(ge=1, le=MOST_LISTED)]
Like = Annotated[str, Query(max_length=200)]
SampleLimit = Annotated[int, Query(ge=1, le=MOST_SAMPLES)]

_ASKED = documented(400, 408, 413, 415, 422)
_LISTED = documented(422)
_ONE = documented(404, 422)


@router.get("/store", responses=documented(), response_model=answers.StoreAnswer)
def store(served: Served) -> Response:
    """Return what the store was made from and what may be asked of it."""
    with served.read() as (snapshot, names):
        return as_response(store_json(snapshot, names))


@router.post("/search", responses=_ASKED, response_model=answers.ResultAnswer)
async def search(body: SearchBody, served: Served) -> Response:
    """Find what belongs to a gaze, a text, a survey, or several of them together."""
    found = await served.searches.ask([body])
    return as_response(result_json(found.results[0], found.names))


@router.post("/search/batch", responses=_ASKED, response_model=answers.BatchAnswer)
async def search_batch(body: BatchBody, served: Served) -> Response:
    """Answer several queries from one state of the store, all or none."""
    found = await served.searches.ask(body.queries)
    return as_response({"results": [result_json(one, found.names) for one in found.results]})


@router.post("/explain", responses=_ASKED, response_model=answers.ExplanationAnswer)
async def explanation(body: ExplainBody, served: Served) -> Response:
    """Return what made the score of one answer to a query."""

    def made() -> Explanation:
        with served.read() as (_, names):
            query = names.query(body.query)
            if body.answer not in names.numbers(query.find):
                raise RefusedError("unknown", "The store has nothing of this number to be found.")
        try:
            return explain(served.searcher, query, body.answer)
        except StoreError as error:
            sentence = "This query does not rank what has this number."
            raise RefusedError("unknown", sentence) from error

    return as_response((await served.explanations.do(made)).as_json())


@router.get("/participants", responses=_LISTED, response_model=answers.PeopleAnswer)
def participants(
    served: Served, offset: Offset = 0, limit: Limit = MOST_LISTED, like: Like = ""
) -> Response:
    """List the people, or those whose names hold ``like``, by number, the best match first."""
    with served.read() as (_, names):
        people = matching(names.catalogue.participants, like, lambda one: one.name)
        page = people[offset : offset + limit]
        return as_response(
            {"total": len(people), "participants": [person_json(one, names) for one in page]}
        )


@router.get("/participants/{number}", responses=_ONE, response_model=answers.PersonWithSamples)
def participant(
    number: Number, served: Served, offset: Offset = 0, limit: SampleLimit = MOST_SAMPLES
) -> Response:
    """Return a person and a page of what they did."""
    with served.read() as (snapshot, names):
        person = names.person_by_number.get(number)
        if person is None:
            raise RefusedError("not_found", f"Nobody in this store has number {number}.")
        own = names.catalogue.samples[names.catalogue.participant == number]
        page = _samples(snapshot, names, own[offset : offset + limit].tolist())
        return as_response(person_json(person, names) | {"total": len(own), "samples": page})


@router.get("/images", responses=_LISTED, response_model=answers.ImagesAnswer)
def images(
    served: Served, offset: Offset = 0, limit: Limit = MOST_LISTED, like: Like = ""
) -> Response:
    """List the images, or those whose names hold ``like``, by number, the best match first."""
    with served.read() as (snapshot, names):
        numbers = matching(names.catalogue.images, like, names.catalogue.images.__getitem__)
        shown = numbers[offset : offset + limit]
        records = snapshot.images(shown)
        page = [image_json(records[number], names) for number in shown if number in records]
        return as_response({"total": len(numbers), "images": page})


@router.get("/images/{number}", responses=_ONE, response_model=answers.ImageWithSamples)
def image(
    number: Number, served: Served, offset: Offset = 0, limit: SampleLimit = MOST_SAMPLES
) -> Response:
    """Return an image and a page of what was done with it."""
    with served.read() as (snapshot, names):
        record = snapshot.images([number]).get(number)
        if record is None:
            raise RefusedError("not_found", f"No image of this store has number {number}.")
        own = names.catalogue.samples[names.catalogue.image == number]
        page = _samples(snapshot, names, own[offset : offset + limit].tolist())
        return as_response(image_json(record, names) | {"total": len(own), "samples": page})


_CURRENT: dict[int | str, dict[str, Any]] = {304: {"description": "The copy is current."}}
_JPEG: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}},
    **_CURRENT,
}


@router.get("/images/{number}/thumbnail", responses=_JPEG | _ONE, response_class=Response)
def thumbnail(number: Number, request: Request, served: Served) -> Response:
    """Return a small JPEG of an image."""
    with served.store.read() as snapshot:
        record = snapshot.images([number]).get(number)
    if record is None:
        raise RefusedError("not_found", f"No image of this store has number {number}.")
    return cached(request, record.thumbnail, etag_of(record.thumbnail), "image/jpeg")


@router.get("/samples/{number}", responses=_ONE, response_model=answers.SampleAnswer)
def sample(number: Number, served: Served) -> Response:
    """Return what one person did with one image."""
    with served.read() as (snapshot, names):
        found = _samples(snapshot, names, [number])
    if not found:
        raise RefusedError("not_found", f"No sample of this store has number {number}.")
    return as_response(found[0])


def _samples(snapshot: Snapshot, names: Names, numbers: Sequence[int]) -> list[dict[str, Any]]:
    records = snapshot.samples(numbers)
    return [sample_json(records[number], names) for number in numbers if number in records]


@router.get(
    "/map",
    responses=_CURRENT | _LISTED,
    response_model=answers.MapPage,
)
async def the_map(
    request: Request,
    served: Served,
    space: Annotated[str, Query(max_length=50)] = "style",
    modality: Modality = "text",
) -> Response:
    """Return all samples of a modality on a plane, by a space of the run or by all (combined)."""

    def asked() -> int:
        with served.store.read() as snapshot:
            layouts = [one for one in snapshot.description.pairs if modality in one.pair]
            spaces = {name for layout in layouts for name in layout.weights}
            if space not in spaces | ({COMBINED} if layouts else set()):
                raise RefusedError(
                    "unsupported", f"The run has no such space of {modality} to be mapped."
                )
            return snapshot.generation

    made = served.maps.of(await run_in_threadpool(asked), space, modality)
    try:
        async with asyncio.timeout(served.settings.limits.map_seconds):
            page = await asyncio.shield(asyncio.wrap_future(made))
    except TimeoutError:
        raise RefusedError("busy", "The map is being made; please try again.") from None
    if "gzip" in request.headers.get("accept-encoding", ""):
        answer = cached(request, page.compressed, page.etag, "application/json")
        answer.headers["Content-Encoding"] = "gzip"
    else:
        answer = cached(request, page.plain(), page.etag, "application/json")
    answer.headers["Vary"] = "Accept-Encoding"
    return answer
