"""The server: one ASGI application for a study."""

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib import resources
from pathlib import Path

import jinja2
from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.middleware import Middleware

from beholder import __version__
from beholder.collect import answers, participant, researcher
from beholder.collect.application import Application
from beholder.collect.definition import Definition
from beholder.collect.participant import App
from beholder.collect.refusals import RefusedError
from beholder.collect.security import MOST_BYTES, content_security_policy, refuse
from beholder.collect.texts import in_language
from beholder.serving import Bodies, CurrentFiles, Guard, RequestLog

LOG = "beholder.collect"
_THREADS = 8
"""Requests worked on at once. More only contend for the interpreter and the database's one turn
to write, which goes to whoever happens to wake; those who wait for a thread come in their order."""


def create_app(application: Application) -> FastAPI:
    """Return the ASGI application that serves a study."""
    logger = logging.getLogger(LOG)
    app = FastAPI(
        title="beholder collect",
        version=__version__,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=_few_threads,
        middleware=[
            Middleware(RequestLog, logger),
            Middleware(Guard, content_security_policy(application.definition), refuse, logger),
            Middleware(Bodies, refuse, most_bytes=MOST_BYTES),
        ],
    )
    app.state.application = application
    answers.install(app)
    app.include_router(participant.router)
    app.include_router(researcher.router)
    pages = _Pages()
    app.mount("/static", CurrentFiles(directory=pages.folder / "static"))

    @app.get("/", response_class=HTMLResponse, include_in_schema=False)
    def page(request: Request, app: App, lang: str | None = None) -> HTMLResponse:
        language = _language(app.definition, lang, request.headers.get("accept-language", ""))
        return pages.participant(app.definition, language)

    @app.get("/researcher/", response_class=HTMLResponse, include_in_schema=False)
    def researcher_page(app: App) -> HTMLResponse:
        return pages.researcher(app.definition)

    @app.get("/healthz", include_in_schema=False)
    def healthz() -> JSONResponse:
        return JSONResponse({"status": "alive"})

    @app.get("/readyz", include_in_schema=False)
    def readyz(app: App) -> JSONResponse:
        if not app.store.database.is_ready():
            raise RefusedError("unavailable", "The database does not answer.")
        return JSONResponse({"status": "ready"})

    return app


@asynccontextmanager
async def _few_threads(_app: FastAPI) -> AsyncIterator[None]:
    current_default_thread_limiter().total_tokens = _THREADS
    yield


class _Pages:
    """The templates, with every value escaped."""

    def __init__(self) -> None:
        self.folder = Path(str(resources.files("beholder.collect").joinpath("pages")))
        # Named to the browser at once: found one behind the other they take six round trips.
        scripts = sorted(file.name for file in (self.folder / "static").glob("*.js"))
        self._modules = [name for name in scripts if not name.startswith("researcher")]
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(self.folder / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
        )

    def participant(self, definition: Definition, language: str) -> HTMLResponse:
        context: Mapping[str, object] = {
            "modules": self._modules,
            "language": language,
            "languages": definition.languages,
            "title": in_language(definition.title, language),
            "contact": definition.contact,
        }
        template = self._environment.get_template("participant.html")
        return HTMLResponse(template.render(context))

    def researcher(self, definition: Definition) -> HTMLResponse:
        title = in_language(definition.title, definition.default_language)
        template = self._environment.get_template("researcher.html")
        return HTMLResponse(template.render(title=title, name=definition.name))


def _language(definition: Definition, wanted: str | None, accepted: str) -> str:
    """Return the language of the first paint: asked for, or the reader's, or the default."""
    tags = [part.partition(";")[0].strip() for part in accepted.split(",")]
    for tag in (wanted, *tags):
        language = definition.language(tag)
        if tag and tag.partition("-")[0] == language.partition("-")[0]:
            return language
    return definition.default_language
