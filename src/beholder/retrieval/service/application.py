"""The server: one ASGI application for a store."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from beholder import __version__
from beholder.retrieval.explorer import explorer_routes
from beholder.retrieval.service import answers, refusals, routes
from beholder.retrieval.service.access import Access
from beholder.retrieval.service.entering import FORMS, entering_routes
from beholder.retrieval.service.metrics import TEXT_TYPE
from beholder.retrieval.service.refusals import (
    BUSY,
    LOG,
    UNAVAILABLE,
    RefusedError,
    documented,
    guard_refusal,
    refusal,
)
from beholder.retrieval.service.rendering import as_response
from beholder.retrieval.service.routes import Served
from beholder.retrieval.service.service import Service, Settings
from beholder.retrieval.store import Store
from beholder.serving import Bodies, Guard, RequestLog

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)


def create_app(store: Store, settings: Settings | None = None) -> FastAPI:
    """Return the ASGI application that serves a store; it loads when it starts."""
    settings = settings or Settings()
    service, limits, logger = Service(store, settings), settings.limits, logging.getLogger(LOG)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        service.start()
        yield
        service.stop()

    app = FastAPI(
        title="Beholder",
        version=__version__,
        description="Search in a store of gaze, texts and personality.",
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        middleware=[
            Middleware(RequestLog, logger, service.metrics.request),
            Middleware(Guard, POLICY, guard_refusal, logger),
            Middleware(Access, settings.token),
            Middleware(_Bounded, service),
            Middleware(
                Bodies,
                guard_refusal,
                most_bytes=limits.body_bytes,
                seconds=limits.body_seconds,
                forms=FORMS,
            ),
            Middleware(GZipMiddleware, limits.compressed_bytes, 5),
        ],
    )
    app.state.service = service
    refusals.install(app)
    app.include_router(routes.router)
    app.include_router(entering_routes(settings.token))
    app.include_router(explorer_routes(store, can_leave=settings.token is not None))

    @app.get("/health", response_model=answers.Health, responses={403: documented()[403]})
    async def health() -> Response:
        """Tell that the server runs."""
        return as_response({"status": "alive"})

    @app.get(
        "/ready",
        response_model=answers.Ready,
        responses={status: documented()[status] for status in (403, 503)},
    )
    def ready(served: Served) -> Response:
        """Tell whether the store is loaded and can be read."""
        generation = served.generation()
        if generation is None:
            raise RefusedError("unavailable", UNAVAILABLE)
        return as_response({"status": "ready", "generation": generation})

    @app.get(
        "/metrics",
        response_class=Response,
        responses=documented() | {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    def metrics(served: Served) -> Response:
        """Return counts and times for Prometheus."""
        return Response(served.metrics.text(served.gauges()), media_type=TEXT_TYPE)

    return app


class _Bounded:
    """Refuses requests beyond what the server holds at once; to ask after its health is free."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app, self._service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].endswith("/health"):
            await self._app(scope, receive, send)
            return
        if self._service.in_work >= self._service.settings.limits.requests:
            answer = refusal(scope, RefusedError("busy", BUSY, retry_after=1))
            await answer(scope, receive, send)
            return
        self._service.in_work += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._service.in_work -= 1
