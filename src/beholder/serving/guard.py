"""What keeps a hostile client out: headers, a bound on bodies, and requests from here alone."""

import asyncio
import logging
import re
from collections.abc import Callable, Collection, Iterable
from typing import Literal
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from beholder.serving.logs import request_id

GuardKind = Literal["cross_origin", "not_json", "too_large", "too_slow", "internal"]

Refuse = Callable[[Scope, GuardKind, str], Response]
"""Returns the answer to a request that is refused, by its kind and one sentence."""

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_JSON, _FORM = "application/json", "application/x-www-form-urlencoded"


class _TurnedAwayError(Exception):
    def __init__(self, kind: GuardKind, sentence: str) -> None:
        super().__init__(sentence)
        self.kind: GuardKind = kind


class Guard:
    """Adds the headers to every answer, and answers what fails within as a fault of ours."""

    def __init__(self, app: ASGIApp, policy: str, refuse: Refuse, logger: logging.Logger) -> None:
        self._app, self._refuse, self._logger = app, refuse, logger
        self._headers = {
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
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
            await self._app(scope, receive, send_guarded)
        except Exception:
            self._logger.exception("our fault", extra={"fields": {"id": request_id(scope)}})
            if has_begun:
                raise  # the answer cannot be taken back: the connection has to break
            sentence = "The server made a mistake; it is in its log."
            await self._refuse(scope, "internal", sentence)(scope, receive, send_guarded)


class Bodies:
    """Reads the body of an allowed request, and refuses any other.

    A body is JSON, or a form on the paths ``forms``; it comes from a page of this site or from
    no browser, has at most ``most_bytes``, and is here within ``seconds``.
    """

    def __init__(
        self,
        app: ASGIApp,
        refuse: Refuse,
        *,
        most_bytes: int,
        seconds: float = 30.0,
        forms: Collection[str] = (),
    ) -> None:
        self._app, self._refuse = app, refuse
        self._most_bytes, self._seconds, self._forms = most_bytes, seconds, forms

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass an allowed request on, with its body read; answer any other here."""
        if scope["type"] == "http" and scope["method"] not in _SAFE:
            try:
                self._check(scope)
                async with asyncio.timeout(self._seconds):
                    receive = await self._whole(receive)
            except _TurnedAwayError as refused:
                await self._refuse(scope, refused.kind, str(refused))(scope, receive, send)
                return
            except TimeoutError:
                sentence = f"A body must be here within {self._seconds:g} seconds."
                await self._refuse(scope, "too_slow", sentence)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        if not _is_from_here(headers):
            raise _TurnedAwayError("cross_origin", "This request comes from another page.")
        is_form = path_of(scope) in self._forms
        wanted = _FORM if is_form else _JSON
        if not re.fullmatch(rf"{wanted}(\s*;.*)?", headers.get("content-type", "").lower()):
            raise _TurnedAwayError("not_json", f"The body must be {wanted}.")
        declared = headers.get("content-length", "0")
        if declared.isdecimal() and int(declared) > self._most_bytes:
            raise self._too_large()

    async def _whole(self, receive: Receive) -> Receive:
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return _replayed([message])
            body += message.get("body", b"")
            if len(body) > self._most_bytes:
                raise self._too_large()
            if not message.get("more_body", False):
                return _replayed([{"type": "http.request", "body": bytes(body)}], receive)

    def _too_large(self) -> _TurnedAwayError:
        return _TurnedAwayError("too_large", f"A body has at most {self._most_bytes:,} bytes.")


def path_of(scope: Scope) -> str:
    """Return the path of a request below the prefix under which a proxy shows the server."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", "").rstrip("/"))


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
