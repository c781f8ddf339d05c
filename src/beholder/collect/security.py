"""What keeps a hostile browser out: headers, a bound on bodies, and requests from here alone."""

import logging
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from beholder.collect.answers import refusal
from beholder.collect.definition import Definition
from beholder.collect.refusals import RefusedError

MOST_BYTES = 1024 * 1024
_logger = logging.getLogger("beholder.collect")
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_MTURK_FRAMES = "https://*.mturk.com"


def content_security_policy(definition: Definition) -> str:
    """Return the policy of every answer: nothing inline, nothing from elsewhere."""
    platforms = definition.platforms
    with_mturk = "mturk" in platforms.allowed
    hosts = [f"https://{host}" for host in platforms.mturk.submit_hosts] if with_mturk else []
    frames = [_MTURK_FRAMES] if with_mturk else ["'none'"]
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' blob: data:",
            "connect-src 'self'",
            " ".join(["form-action 'self'", *hosts]),
            "base-uri 'none'",
            " ".join(["frame-ancestors", *frames]),
        )
    )


class Guard:
    """Adds the headers, refuses bodies that are too large and requests from other pages."""

    def __init__(self, app: ASGIApp, policy: str) -> None:
        self._app = app
        self._headers = {
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass an allowed request on, with its body read; answer any other here."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        has_begun = False

        async def send_guarded(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            await self._app(scope, await _checked(scope, receive), send_guarded)
        except RefusedError as refused:
            await refusal(refused)(scope, receive, send_guarded)
        except Exception:
            _logger.exception("our fault")
            if has_begun:
                raise  # the answer cannot be taken back: the connection has to break
            fault = RefusedError("internal", "The server made a mistake; it is in its log.")
            await refusal(fault)(scope, receive, send_guarded)


async def _checked(scope: Scope, receive: Receive) -> Receive:
    """Return where the whole body of an allowed request is to be had, or refuse it."""
    if scope["method"] in _SAFE:
        return receive
    headers = Headers(scope=scope)
    if not _is_from_here(headers):
        raise RefusedError("cross_origin", "This request comes from another page.")
    if not re.fullmatch(r"application/json(\s*;.*)?", headers.get("content-type", "").lower()):
        raise RefusedError("not_json", "The body must be application/json.")
    declared = headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > MOST_BYTES:
        raise RefusedError("too_large", f"A body has at most {MOST_BYTES:,} bytes.")
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return _replayed([message])
        body += message.get("body", b"")
        if len(body) > MOST_BYTES:
            raise RefusedError("too_large", f"A body has at most {MOST_BYTES:,} bytes.")
        if not message.get("more_body", False):
            return _replayed([{"type": "http.request", "body": bytes(body)}], receive)


def _replayed(messages: Iterable[Message], receive: Receive | None = None) -> Receive:
    waiting = iter(messages)

    async def replay() -> Message:
        for message in waiting:
            return message
        return await receive() if receive else {"type": "http.disconnect"}

    return replay


def _is_from_here(headers: Headers) -> bool:
    """Tell whether a page of this very site sent a request, or no browser at all."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None:
        return site in ("same-origin", "none")
    return origin is None or urlsplit(origin).netloc == headers.get("host")
