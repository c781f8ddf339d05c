"""The explorer's pages: HTML made here, around small modules that ask the interface."""

import json
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from starlette.responses import Response

from beholder.retrieval.current import Current
from beholder.retrieval.explorer.listing import listing_of, sheet
from beholder.retrieval.layout import Description
from beholder.retrieval.matching import matching
from beholder.retrieval.store import FINDS, Snapshot, Store
from beholder.serving import CurrentFiles
from beholder.study.survey import Instrument, parse_instrument

MOST_ON_FRONT, IMAGES_A_PAGE, PEOPLE_A_PAGE, SAMPLES_A_PAGE = 12, 48, 48, 24


def explorer_routes(store: Store, *, can_leave: bool = False) -> APIRouter:
    """Return the routes of the pages ``/``, ``/map``, ``/images``, ``/people`` and their files.

    The pages show what the store holds at the moment of the request; what is asked on them goes
    to the interface under ``/v1``, beside which an application includes these routes. With
    ``can_leave`` they have a button for ``/leave``, which is of use where a token is wanted.
    """
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
    pages = _Pages(can_leave)
    files = CurrentFiles(directory=pages.folder / "static")

    @router.get("/")
    def search(request: Request) -> HTMLResponse:
        with store.read() as snapshot:
            return pages.search(request, snapshot)

    @router.get("/map")
    def the_map(request: Request) -> HTMLResponse:
        with store.read() as snapshot:
            return pages.show("map.html", request, snapshot)

    @router.get("/images")
    def images(request: Request, like: str = "", page: str = "") -> HTMLResponse:
        with store.read() as snapshot:
            return pages.images(request, snapshot, like, _page(page))

    @router.get("/images/{number:int}")
    def image(request: Request, number: int, page: str = "") -> HTMLResponse:
        with store.read() as snapshot:
            return pages.image(request, snapshot, number, _page(page))

    @router.get("/people")
    def people(request: Request, like: str = "", page: str = "") -> HTMLResponse:
        with store.read() as snapshot:
            return pages.people(request, snapshot, like, _page(page))

    @router.get("/people/{number:int}")
    def person(request: Request, number: int, page: str = "") -> HTMLResponse:
        with store.read() as snapshot:
            return pages.person(request, snapshot, number, _page(page))

    @router.get("/static/explorer/{path:path}")
    async def static(path: str, request: Request) -> Response:
        return await files.get_response(path, request.scope)

    return router


class _Pages:
    """The templates, with every value escaped."""

    def __init__(self, can_leave: bool) -> None:
        self.folder = Path(str(resources.files("beholder.retrieval").joinpath("explorer")))
        self._listings = Current(listing_of)
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(self.folder / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals["can_leave"] = can_leave
        self._environment.filters["counted"] = lambda number: f"{number:,}"
        self._environment.filters["json"] = lambda value: json.dumps(value, ensure_ascii=False)

    def show(
        self, name: str, request: Request, snapshot: Snapshot, status: int = 200, **values: Any
    ) -> HTMLResponse:
        """Return a page with what every page shows, and ``values``."""
        description = snapshot.description
        common: Mapping[str, Any] = {
            "base": request.scope.get("root_path", "").rstrip("/"),
            "description": description,
            "instrument": _instrument(description),
            "counts": snapshot.counts(),
        }
        template = self._environment.get_template(name)
        return HTMLResponse(template.render({**common, **values}), status)

    def search(self, request: Request, snapshot: Snapshot) -> HTMLResponse:
        listing = self._listings.of(snapshot)
        # Spread over the study: neighbours in number are often of one source.
        step = max(1, len(listing.images) // MOST_ON_FRONT)
        shown = listing.images[::step][:MOST_ON_FRONT]
        return self.show("search.html", request, snapshot, finds=FINDS, images=shown)

    def images(self, request: Request, snapshot: Snapshot, like: str, page: int) -> HTMLResponse:
        found = matching(self._listings.of(snapshot).images, like, lambda one: one.name)
        shown = sheet(found, page, IMAGES_A_PAGE)
        return self.show("images.html", request, snapshot, like=like, sheet=shown)

    def people(self, request: Request, snapshot: Snapshot, like: str, page: int) -> HTMLResponse:
        found = matching(self._listings.of(snapshot).people, like, lambda one: one.name)
        shown = sheet(found, page, PEOPLE_A_PAGE)
        return self.show("people.html", request, snapshot, like=like, sheet=shown)

    def image(self, request: Request, snapshot: Snapshot, number: int, page: int) -> HTMLResponse:
        image = snapshot.images([number]).get(number)
        if image is None:
            return self._missing(request, snapshot, f"No image of this store has number {number}.")
        listing = self._listings.of(snapshot)
        numbers = sheet(listing.samples_on(number), page, SAMPLES_A_PAGE)
        shown = numbers.of(snapshot.samples(numbers.items))
        people = {one.name: one.person for one in listing.people}
        return self.show("image.html", request, snapshot, image=image, sheet=shown, people=people)

    def person(self, request: Request, snapshot: Snapshot, number: int, page: int) -> HTMLResponse:
        person = snapshot.participants([number]).get(number)
        if person is None:
            return self._missing(request, snapshot, f"Nobody in this store has number {number}.")
        listing = self._listings.of(snapshot)
        numbers = sheet(listing.samples_of(number), page, SAMPLES_A_PAGE)
        shown = numbers.of(snapshot.samples(numbers.items))
        images = {one.name: one.number for one in listing.images}
        return self.show(
            "person.html", request, snapshot, person=person, sheet=shown, images=images
        )

    def _missing(self, request: Request, snapshot: Snapshot, sentence: str) -> HTMLResponse:
        return self.show("missing.html", request, snapshot, 404, sentence=sentence)


def _instrument(description: Description) -> Instrument | None:
    return None if description.instrument is None else parse_instrument(description.instrument)


def _page(text: str) -> int:
    """Return the number of a page from an address that anybody may have written."""
    return int(text) if text.isdecimal() and len(text) < 10 else 1
