"""Where a store on a server is: a PostgreSQL URL that may name a schema."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote_plus

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from beholder.errors import ConfigurationError

DEFAULT_SCHEMA = "beholder"
_MOST_BYTES = 63  # of a name; the server cuts off what is longer
_CONNECT_S = 10


@dataclass(frozen=True)
class Address:
    """How a store is reached; ``shown`` is its URL without a password."""

    conninfo: str = field(repr=False)
    schema: str
    shown: str


def parse_address(url: str) -> Address:
    """Return what ``postgresql://user@host/database?schema=name`` means.

    All else is as in any PostgreSQL URL, passwords from the environment and the password file
    included. Raises ConfigurationError, which never repeats the URL.
    """
    before, mark, query = url.rpartition("?") if "?" in url else (url, "", "")
    settings = [setting for setting in query.split("&") if setting]
    others = [setting for setting in settings if not setting.startswith("schema=")]
    named = [setting for setting in settings if setting.startswith("schema=")]
    schema = unquote_plus(named[-1].removeprefix("schema=")) if named else DEFAULT_SCHEMA
    size = len(schema.encode())
    if not 0 < size <= _MOST_BYTES or schema.startswith("pg_") or "\0" in schema:
        raise ConfigurationError(
            f"a schema has a name of 1 to {_MOST_BYTES} bytes that does not begin with pg_, "
            f"not {schema!r}"
        )
    try:
        given = conninfo_to_dict(f"{before}{mark}{'&'.join(others)}")
        defaults = make_conninfo("", connect_timeout=_CONNECT_S, application_name="beholder")
        conninfo = make_conninfo(defaults, **given)
        conninfo = make_conninfo(conninfo, client_encoding="UTF8")
    except psycopg.Error:
        # The cause would repeat pieces of the URL, and with them perhaps the password.
        raise ConfigurationError(
            "a store on a server is a URL such as postgresql://user@host/database?schema=name, "
            "and this one cannot be read as such"
        ) from None
    return Address(conninfo, schema, _shown(given, schema))


def _shown(given: dict[str, Any], schema: str) -> str:
    def part(name: str, before: str = "", after: str = "") -> str:
        return f"{before}{quote(str(given[name]), safe='')}{after}" if given.get(name) else ""

    host = str(given.get("host", ""))
    is_folder = host.startswith("/")
    place = "" if is_folder else host
    folder = f"host={quote(host)}&" if is_folder else ""
    return (
        f"postgresql://{part('user', after='@')}{place}{part('port', ':')}/{part('dbname')}"
        f"?{folder}schema={quote(schema, safe='')}"
    )
