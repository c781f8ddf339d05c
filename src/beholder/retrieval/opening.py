"""Opening and making stores of either kind: a folder, or a URL of a PostgreSQL database."""

import importlib
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from beholder.errors import ConfigurationError, UnsupportedError
from beholder.retrieval.embedded import EmbeddedStore
from beholder.retrieval.store import Store, Writer

if TYPE_CHECKING:
    from beholder.retrieval.server import ServerStore

_SCHEMES = ("postgresql://", "postgres://")


def open_store(where: str | Path) -> Store:
    """Open the store in a folder, or at ``postgresql://user@host/database?schema=name``.

    A store on a server is a schema, ``beholder`` unless the URL names another one. Raises
    StoreError saying why it cannot be opened, UnsupportedError where a library is missing.
    """
    if _is_url(where):
        return _server_store().open(str(where))
    return EmbeddedStore.open(where)


def create_store(where: str | Path, *, overwrite: bool = False) -> AbstractContextManager[Writer]:
    """Give the writer of a new store, or of one to be replaced as a whole.

    Until the block ends there is no store, or the old one. Raises FileExistsError if one is
    there and must not be overwritten, StoreError if something else is.
    """
    if _is_url(where):
        return _server_store().create(str(where), overwrite=overwrite)
    return EmbeddedStore.create(where, overwrite=overwrite)


def _is_url(where: str | Path) -> bool:
    if isinstance(where, Path) or "://" not in where:
        return False
    if not where.startswith(_SCHEMES):
        raise ConfigurationError(
            "a store is a folder, or a URL such as postgresql://user@host/database?schema=name, "
            f"not one of {where.partition('://')[0]}"
        )
    return True


def _server_store() -> "type[ServerStore]":
    try:
        server = importlib.import_module("beholder.retrieval.server")
    except ImportError as error:
        raise UnsupportedError(
            "a store on PostgreSQL needs psycopg: pip install 'beholder[postgres]'"
        ) from error
    kind: type[ServerStore] = server.ServerStore
    return kind
