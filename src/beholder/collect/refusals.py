"""What the server refuses a participant, with the status and the code that the page reads."""

from dataclasses import dataclass
from typing import Literal

from beholder.errors import BeholderError

Code = Literal[
    "bad_request",
    "no_session",
    "no_access",
    "cross_origin",
    "unknown_platform",
    "not_found",
    "method_not_allowed",
    "wrong_version",
    "wrong_stage",
    "wrong_order",
    "already_saved",
    "conflict",
    "closed",
    "too_slow",
    "too_large",
    "not_json",
    "invalid",
    "paused",
    "unavailable",
    "internal",
]

_STATUS: dict[Code, int] = {
    "bad_request": 400,
    "no_session": 401,
    "no_access": 401,
    "cross_origin": 403,
    "unknown_platform": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "wrong_version": 409,
    "wrong_stage": 409,
    "wrong_order": 409,
    "already_saved": 409,
    "conflict": 409,
    "closed": 409,
    "too_slow": 408,
    "too_large": 413,
    "not_json": 415,
    "invalid": 422,
    "paused": 503,
    "unavailable": 503,
    "internal": 500,
}


@dataclass(frozen=True)
class Fault:
    """One field of a body that is not as it should be."""

    where: str
    message: str


class RefusedError(BeholderError):
    """A request that is refused; nothing of it was kept."""

    def __init__(self, code: Code, message: str, fields: tuple[Fault, ...] = ()) -> None:
        super().__init__(message)
        self.code, self.fields = code, fields

    @property
    def status(self) -> int:
        """The HTTP status that goes with the code."""
        return _STATUS[self.code]
