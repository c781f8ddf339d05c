"""Refusals as answers: one form for all, and nothing in them that is somebody's."""

import logging
from collections.abc import Sequence
from typing import Any, Literal

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from beholder.errors import BeholderError, StoreError, UnsupportedError
from beholder.serving import GuardKind, request_id

LOG = "beholder.search"
_logger = logging.getLogger(LOG)

Kind = Literal[
    "bad_request",
    "no_access",
    "wrong_host",
    "cross_origin",
    "not_found",
    "method_not_allowed",
    "too_slow",
    "too_large",
    "not_json",
    "invalid",
    "unknown",
    "unsupported",
    "busy",
    "unavailable",
    "internal",
]

_STATUS: dict[Kind, int] = {
    "bad_request": 400,
    "no_access": 401,
    "wrong_host": 403,
    "cross_origin": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "too_slow": 408,
    "too_large": 413,
    "not_json": 415,
    "invalid": 422,
    "unknown": 422,
    "unsupported": 422,
    "busy": 503,
    "unavailable": 503,
    "internal": 500,
}

BUSY = "Too many requests wait for an answer; please try again."
UNAVAILABLE = "The store is not loaded yet, or it cannot be read and the server's log tells why."


class Refusal(BaseModel):
    """Why a request was refused."""

    kind: Kind
    message: str
    request_id: str


class ErrorAnswer(BaseModel):
    """Every answer of status 400 and above."""

    error: Refusal


class RefusedError(BeholderError):
    """A request that is refused."""

    def __init__(self, kind: Kind, message: str, retry_after: int = 2) -> None:
        super().__init__(message)
        self.kind, self.retry_after = kind, retry_after

    @property
    def status(self) -> int:
        """The HTTP status that goes with the kind."""
        return _STATUS[self.kind]


def refusal(scope: Scope, refused: RefusedError) -> Response:
    """Return a refusal as an answer."""
    body = ErrorAnswer(
        error=Refusal(kind=refused.kind, message=str(refused), request_id=request_id(scope))
    )
    headers = {}
    if refused.status == 503:
        headers["Retry-After"] = str(refused.retry_after)
    if refused.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(body.model_dump(), refused.status, headers)


def guard_refusal(scope: Scope, kind: GuardKind, sentence: str) -> Response:
    """Return what the guard answers, in the form of all refusals."""
    return refusal(scope, RefusedError(kind, sentence))


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what OpenAPI says of the refusals that a route gives, with those of every route."""
    return {status: {"model": ErrorAnswer} for status in sorted({401, 403, 503, *statuses})}


def as_refused(error: BeholderError) -> RefusedError:
    """Return the refusal that an error means whose cause is what was asked.

    What is asked by name was looked up before, so a store's error is of the store itself.
    """
    if isinstance(error, RefusedError):
        return error
    if isinstance(error, StoreError):
        _logger.error("store", extra={"fields": {"failure": str(error)}})
        return RefusedError("unavailable", UNAVAILABLE, retry_after=5)
    return RefusedError(
        "unsupported" if isinstance(error, UnsupportedError) else "invalid", str(error)
    )


def install(app: FastAPI) -> None:
    """Answer every failure in the one form."""

    @app.exception_handler(BeholderError)
    def _refused(request: Request, error: BeholderError) -> Response:
        return refusal(request.scope, as_refused(error))

    @app.exception_handler(RequestValidationError)
    def _invalid(request: Request, error: RequestValidationError) -> Response:
        errors = error.errors()
        if any(each["type"] == "json_invalid" for each in errors):
            return refusal(
                request.scope, RefusedError("bad_request", "The body is not valid JSON.")
            )
        return refusal(request.scope, RefusedError("invalid", _sentence(errors)))

    @app.exception_handler(HTTPException)
    def _http(request: Request, error: HTTPException) -> Response:
        kinds: dict[int, Kind] = {404: "not_found", 405: "method_not_allowed"}
        sentences = {404: "There is nothing here.", 405: "This cannot be done here."}
        kind = kinds.get(error.status_code, "bad_request")
        sentence = sentences.get(error.status_code, "The request cannot be read.")
        answer = refusal(request.scope, RefusedError(kind, sentence))
        answer.headers.update(error.headers or {})
        return answer


def _sentence(errors: Sequence[Any]) -> str:
    """Return the first fault by its place and how many more there are; values are not quoted."""
    first = errors[0]
    where = ".".join(str(step) for step in first["loc"])
    where = where.encode("utf-8", "replace").decode()[:200]
    more = f" ({len(errors) - 1} more)" if len(errors) > 1 else ""
    said = str(first["msg"]).encode("utf-8", "replace").decode()
    return f"{where}: {said}{more}"
