"""Who is answered: this machine alone, or whoever has the token.

Without a token the server listens on a loopback address, and a request must also be for one:
else a page elsewhere could have its own name resolve to this machine and read the store
through its visitor's browser (DNS rebinding). With a token programs send it as
``Authorization: Bearer``; browsers get a signed cookie for it at ``/enter``.
"""

import hashlib
import hmac
import ipaddress
import time
from collections.abc import Callable
from urllib.parse import quote, urlsplit

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from beholder.retrieval.service.refusals import RefusedError, refusal
from beholder.serving import matches, path_of

COOKIE = "beholder_access"
COOKIE_SECONDS = 12 * 3600
_OPEN = ("/health", "/ready", "/enter", "/leave")
_OPEN_BELOW = "/static/"


def is_loopback(host: str) -> bool:
    """Tell whether a name or address is this machine's own."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def cookie_for(token: str, now: Callable[[], float] = time.time) -> str:
    """Return a cookie that stands for a token for a while, and tells nothing of it."""
    until = str(int(now()) + COOKIE_SECONDS)
    return f"{until}.{_signature(token, until)}"


def is_cookie_for(token: str, given: str, now: Callable[[], float] = time.time) -> bool:
    """Tell whether a cookie is one of this token's and still holds."""
    until, _, signature = given.partition(".")
    is_ours = matches(signature, _signature(token, until))
    return is_ours and until.isdecimal() and now() < int(until)


def _signature(token: str, until: str) -> str:
    words = f"beholder access until {until}".encode("utf-8", "replace")
    return hmac.new(token.encode(), words, hashlib.sha256).hexdigest()


class Access:
    """Lets those pass who may."""

    def __init__(self, app: ASGIApp, token: str | None) -> None:
        self._app, self._token = app, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass an allowed request on; answer any other here."""
        if scope["type"] == "http":
            answer = self._refused(scope)
            if answer is not None:
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _refused(self, scope: Scope) -> Response | None:
        headers, path = Headers(scope=scope), path_of(scope)
        if self._token is None:
            if is_for_loopback(headers):
                return None
            sentence = "This server answers at a loopback address only, such as 127.0.0.1."
            return refusal(scope, RefusedError("wrong_host", sentence))
        is_open = path in _OPEN or path.startswith(_OPEN_BELOW)
        if is_open or has_access(headers, self._token):
            return None
        if scope["method"] == "GET" and "text/html" in headers.get("accept", ""):
            query = scope.get("query_string", b"").decode("latin-1")
            wanted = quote(path + (f"?{query}" if query else ""), safe="")
            root = scope.get("root_path", "").rstrip("/")
            return RedirectResponse(f"{root}/enter?to={wanted}", 303)
        sentence = "This server wants its token: Authorization: Bearer TOKEN."
        return refusal(scope, RefusedError("no_access", sentence))


def is_for_loopback(headers: Headers) -> bool:
    """Tell whether a request names this machine, and nothing else, as its host."""
    hosts = headers.getlist("host")
    if len(hosts) != 1:
        return False
    try:
        return is_loopback(urlsplit(f"//{hosts[0]}").hostname or "")
    except ValueError:
        return False


def has_access(headers: Headers, token: str) -> bool:
    """Tell whether a request carries the token, or the cookie that stands for it."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and matches(given.strip(), token):
        return True
    cookies = cookie_parser(headers.get("cookie", ""))
    return is_cookie_for(token, cookies.get(COOKIE, ""))
