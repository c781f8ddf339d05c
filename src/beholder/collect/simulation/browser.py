"""A browser's side of HTTP: one connection that is kept, one cookie, and patience."""

import http.client
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from beholder.errors import ConfigurationError

_TIMEOUT_S = 60


@dataclass(frozen=True)
class Answer:
    """What the server answered at last: how long that answer took, and how often it was asked."""

    status: int
    body: bytes
    seconds: float
    waited_s: float
    attempts: int

    @property
    def json(self) -> Any:
        """The body's JSON value."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Patience:
    """How an unreachable server is asked again, as the page does: ever slower, with jitter."""

    first_s: float = 0.5
    longest_s: float = 30.0
    give_up_s: float = 300.0


@dataclass
class Browser:
    """One participant's browser."""

    address: str
    generator: np.random.Generator
    patience: Patience = Patience()
    sleep: Callable[[float], None] = time.sleep
    cookie: str | None = None
    token: str | None = None
    _connection: http.client.HTTPConnection | None = field(default=None, init=False)

    def get(self, path: str) -> Answer:
        """Get a path below the study's address."""
        return self._ask("GET", path, None)

    def post(self, path: str, body: Mapping[str, Any]) -> Answer:
        """Post a JSON object; the very same again until there is an answer for good."""
        return self._ask("POST", path, json.dumps(body, ensure_ascii=False).encode())

    def close(self) -> None:
        """Drop the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _ask(self, method: str, path: str, body: bytes | None) -> Answer:
        begun = time.monotonic()
        pause_s = self.patience.first_s
        attempts = 0
        while True:
            attempts += 1
            asked = time.monotonic()
            try:
                status, data = self._once(method, path, body)
            except (OSError, http.client.HTTPException):
                self.close()
                status, data = 0, b""
            now = time.monotonic()
            if status and (status < 500 or _is_paused(status, data)):
                return Answer(status, data, now - asked, now - begun, attempts)
            if now - begun > self.patience.give_up_s:
                raise ConfigurationError(
                    f"{self.address} had no answer to {method} {path} in {now - begun:.0f} s"
                )
            self.sleep(pause_s * float(self.generator.uniform(0.5, 1.5)))
            pause_s = min(pause_s * 2, self.patience.longest_s)

    def _once(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        scheme, place, prefix, _, _ = urlsplit(self.address)
        if self._connection is None:
            secure = scheme == "https"
            kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
            self._connection = kind(place, timeout=_TIMEOUT_S)
        headers = {"Origin": f"{scheme}://{place}", "Sec-Fetch-Site": "same-origin"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if self.cookie is not None:
            headers["Cookie"] = self.cookie
        if self.token is not None:
            headers["X-Beholder-Session"] = self.token
        self._connection.request(method, prefix.rstrip("/") + "/" + path, body, headers)
        response = self._connection.getresponse()
        data = response.read()
        for given in response.headers.get_all("Set-Cookie") or []:
            self.cookie = given.partition(";")[0]
        if response.will_close:
            self.close()
        return response.status, data


def checked_address(address: str) -> str:
    """Return a study's address, or raise ConfigurationError where it is none."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query:
        raise ConfigurationError(f"{address!r} is not an address such as http://127.0.0.1:8000/")
    return address


def _is_paused(status: int, data: bytes) -> bool:
    """Tell whether a 503 is an answer for good: the study takes nobody new."""
    return status == 503 and b'"paused"' in data
