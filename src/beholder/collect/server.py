"""The server: one ASGI application for a study, and uvicorn to run it."""

import signal
import socket
from collections.abc import Callable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.middleware import Middleware
from starlette.responses import Response

from beholder import __version__
from beholder.collect import answers, participant, researcher
from beholder.collect.application import Application
from beholder.collect.definition import Definition
from beholder.collect.logs import RequestLog
from beholder.collect.participant import App
from beholder.collect.refusals import RefusedError
from beholder.collect.security import Guard, content_security_policy
from beholder.collect.texts import in_language
from beholder.errors import ConfigurationError

GRACE_SECONDS = 20


def create_app(application: Application) -> FastAPI:
    """Return the ASGI application that serves a study."""
    app = FastAPI(
        title="beholder collect",
        version=__version__,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        middleware=[
            Middleware(RequestLog),
            Middleware(Guard, content_security_policy(application.definition)),
        ],
    )
    app.state.application = application
    answers.install(app)
    app.include_router(participant.router)
    app.include_router(researcher.router)
    pages = _Pages()
    app.mount("/static", _Static(directory=pages.folder / "static"))

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


def serve(
    app: FastAPI,
    host: str,
    port: int,
    *,
    ready: Callable[[str], None],
    root_path: str = "",
    forwarded_allow_ips: str = "",
) -> None:
    """Serve until SIGTERM or Ctrl-C, then answer what was asked and return.

    Port 0 takes a free one; ``ready`` is told the address once requests are taken.
    ``forwarded_allow_ips`` names the proxies whose X-Forwarded-* headers are believed.
    """
    with _listening(host, port) as listening:
        taken = listening.getsockname()[1]
        shown = f"[{host}]" if ":" in host else host
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            root_path=root_path,
            proxy_headers=bool(forwarded_allow_ips),
            forwarded_allow_ips=forwarded_allow_ips or None,
            timeout_graceful_shutdown=GRACE_SECONDS,
            timeout_keep_alive=30,
        )
        # The server hands signals on when it has stopped; to stop was all that they asked.
        before = {
            number: signal.signal(number, _nothing_more)
            for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            _Server(config, lambda: ready(f"http://{shown}:{taken}/")).run(sockets=[listening])
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class _Server(uvicorn.Server):
    """Says when it takes requests."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            self._ready()


class _Static(StaticFiles):
    """The pages' files; a browser asks each time whether its copy is current."""

    async def get_response(self, path: str, scope: Any) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response


class _Pages:
    """The templates, with every value escaped."""

    def __init__(self) -> None:
        self.folder = Path(str(resources.files("beholder.collect").joinpath("pages")))
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(self.folder / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
        )

    def participant(self, definition: Definition, language: str) -> HTMLResponse:
        context: Mapping[str, object] = {
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


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise ConfigurationError(f"cannot listen on {host}:{port}: {error.strerror}") from error
    return listening


def _nothing_more(_number: int, _frame: object) -> None:
    """Let a signal pass."""
