"""A server's log: one JSON object a line, on standard error, with nothing personal in it.

A request is logged by its route, status and duration: no address of anybody, no query string,
no body. Of a fault the log keeps the kind and where it happened, but not its words, which may
quote what somebody sent. Every request has an id, which its answer carries too.
"""

import json
import logging
import re
import sys
import time
import traceback
import uuid
from collections.abc import Callable
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

REQUEST_ID = "X-Request-ID"
_WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{1,64}")

Observe = Callable[[str, str | None, int, float], None]
"""Is told the method, the route (None where there is none), the status and the seconds."""


class JSONLines(logging.Formatter):
    """Formats a record as one JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        line: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["fault"] = record.exc_info[0].__name__
            frames = traceback.extract_tb(record.exc_info[2])
            line["where"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        return json.dumps(line, ensure_ascii=False)


def configure_logs(own: str, level: int = logging.INFO) -> None:
    """Send a server's own log to standard error, and nobody else's chatter with it."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JSONLines())
    for name in (own, "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(level if name == own else logging.WARNING)


def request_id(scope: Scope) -> str:
    """Return the id of a request that has passed `RequestLog`."""
    return str(scope.get("state", {}).get("request_id", ""))


class RequestLog:
    """Gives each request an id, and logs it when it is answered.

    The id is the request's own where it sends a well-formed one, so that a proxy's log and
    this one can be read together.
    """

    def __init__(self, app: ASGIApp, logger: logging.Logger, observe: Observe | None = None):
        self._app, self._logger, self._observe = app, logger, observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and note how it was answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status = time.perf_counter(), 0
        given = Headers(scope=scope).get(REQUEST_ID, "")
        own = given if _WELL_FORMED.fullmatch(given) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = own

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID] = own
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            seconds = time.perf_counter() - begun
            route = getattr(scope.get("route"), "path", None)
            if self._observe is not None:
                self._observe(scope["method"], route, status, seconds)
            fields = {
                "id": own,
                "method": scope["method"],
                "route": route,
                "status": status,
                "ms": round(seconds * 1000, 1),
            }
            self._logger.info("request", extra={"fields": fields})
