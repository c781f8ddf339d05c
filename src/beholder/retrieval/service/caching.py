"""Answers that a browser may keep if it asks each time whether its copy is current."""

import hashlib

from starlette.requests import Request
from starlette.responses import Response

KEPT_BUT_ASKED_FOR = "private, no-cache"


def etag_of(content: bytes) -> str:
    """Return what tells a content from any other."""
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def cached(request: Request, content: bytes, etag: str, media_type: str) -> Response:
    """Return a content, or 304 to a browser that has this very one."""
    headers = {"ETag": etag, "Cache-Control": KEPT_BUT_ASKED_FOR}
    known = {tag.strip().removeprefix("W/") for tag in _if_none_match(request).split(",")}
    if etag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=media_type, headers=headers)


def _if_none_match(request: Request) -> str:
    return request.headers.get("if-none-match", "")
