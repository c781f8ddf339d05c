"""The address of a folder on object storage, and what of it may be shown.

An address may hold secrets: ``user:password@``, or a signed query. They are used to reach the
storage and nowhere else: no message, no file and no result has more than `Address.shown`.
"""

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from beholder.errors import BeholderError, ConfigurationError, RunError, StudyError

Kind = Literal["study", "run"]

ERRORS: dict[Kind, type[BeholderError]] = {"study": StudyError, "run": RunError}
"""What is raised where a folder of a kind cannot be read or written."""

MARKERS: dict[Kind, str] = {"study": "study.toml", "run": "configuration.toml"}
"""The file without which a folder is not of its kind."""

WEB = ("http", "https")
"""The protocols that are only read, that take a query, and that list nothing."""

_ODD_PORT = re.compile(r":(?!\d+$)(?![^\[]*\])")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


def is_remote(place: object) -> bool:
    """Tell whether a place is the address of a folder on object storage, not a path."""
    return isinstance(place, str) and _SCHEME.match(place) is not None


def without_secrets(place: str | Path) -> str:
    """Return a place as it may be shown and kept: without user, password and query."""
    return Address.parse(place).shown if isinstance(place, str) and is_remote(place) else str(place)


@dataclass(frozen=True)
class Address:
    """An address, parsed: ``url`` has no query and no slash at its end."""

    protocol: str
    url: str = field(repr=False)
    query: str = field(repr=False)
    shown: str

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Return an address, or raise ConfigurationError saying what is wrong with it."""
        protocol, _, rest = text.partition("://")
        protocol = protocol.lower()
        rest, _, query = rest.partition("?")
        host, slash, path = rest.partition("/")
        user, at, host = host.rpartition("@")
        if _ODD_PORT.search(host):
            raise ConfigurationError(
                f"an address of {protocol}:// has no number after its colon: a user name or "
                "password with / or ? in it must have these as %2F and %3F"
            )
        # A name without a password is part of the place, such as an Azure container's.
        name = "" if protocol in WEB or ":" in user else f"{user}{at}"
        shown = f"{protocol}://{name}{host}{slash}{path}".rstrip("/")
        if query and protocol not in WEB:
            raise ConfigurationError(
                f"{shown} takes no query: credentials for {protocol}:// belong in the "
                "environment or in its library's own configuration"
            )
        if not (host + path).strip("/"):
            raise ConfigurationError(f"{protocol}:// is the address of no folder")
        return cls(protocol, f"{protocol}://{rest}".rstrip("/"), query, shown)

    @property
    def has_secrets(self) -> bool:
        """Whether there is more in the address than may be shown."""
        return self.shown != self.url or bool(self.query)

    @property
    def name(self) -> str:
        """The name of the folder, fit for a local one."""
        return re.sub(r"[^\w.-]", "_", self.shown.rpartition("/")[2]).lstrip(".") or "folder"

    @property
    def key(self) -> str:
        """What stands for the address among the local folders."""
        return hashlib.sha256(self.shown.encode()).hexdigest()[:32]
