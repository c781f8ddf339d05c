"""Refusals as answers: one form for all, and nothing in them that was sent but its place."""

import logging
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from beholder.collect.refusals import Code, Fault, RefusedError
from beholder.collect.texts import storable

_MOST_FIELDS = 20
_logger = logging.getLogger("beholder.collect")


class FieldFault(BaseModel):
    """A field that is not as it should be."""

    where: str
    message: str


class Refusal(BaseModel):
    """Why a request was refused."""

    code: Code
    message: str
    fields: list[FieldFault]


class ErrorAnswer(BaseModel):
    """Every answer of status 400 and above."""

    error: Refusal


def refusal(refused: RefusedError) -> JSONResponse:
    """Return a refusal as an answer."""
    fields = [FieldFault(where=f.where, message=f.message) for f in refused.fields]
    body = ErrorAnswer(error=Refusal(code=refused.code, message=str(refused), fields=fields))
    headers = {"Retry-After": "5"} if refused.status == 503 else None
    return JSONResponse(body.model_dump(), refused.status, headers)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what OpenAPI says of the refusals that a route gives."""
    return {status: {"model": ErrorAnswer} for status in statuses}


def install(app: FastAPI) -> None:
    """Answer every failure in the one form."""

    @app.exception_handler(RefusedError)
    def _refused(request: Request, error: RefusedError) -> JSONResponse:
        return refusal(error)

    @app.exception_handler(RequestValidationError)
    def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        errors = error.errors()
        if any(each["type"] == "json_invalid" for each in errors):
            return refusal(RefusedError("bad_request", "The body is not valid JSON."))
        return refusal(RefusedError("invalid", "The request is not as expected.", _faults(errors)))

    @app.exception_handler(HTTPException)
    def _http(request: Request, error: HTTPException) -> JSONResponse:
        codes: dict[int, Code] = {404: "not_found", 405: "method_not_allowed"}
        code = codes.get(error.status_code, "bad_request")
        answer = refusal(RefusedError(code, str(error.detail)))
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(OperationalError)
    @app.exception_handler(InterfaceError)
    @app.exception_handler(PoolTimeout)
    def _database(request: Request, error: Exception) -> JSONResponse:
        _logger.error("database", extra={"fields": {"failure": type(error).__name__}})
        return refusal(
            RefusedError("unavailable", "The database does not answer; please try again.")
        )


def _faults(errors: Sequence[Any]) -> tuple[Fault, ...]:
    return tuple(
        Fault(storable(".".join(str(step) for step in each["loc"]))[:200], storable(each["msg"]))
        for each in errors[:_MOST_FIELDS]
    )
