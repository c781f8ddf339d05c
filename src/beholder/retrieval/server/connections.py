"""Connections to a server, lent to one thread at a time, and what can be wrong with it."""

import contextlib
import errno
import os
import select
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg import errors
from psycopg.pq import TransactionStatus

from beholder.errors import StoreError
from beholder.retrieval.proposals import LEAST_EXAMINED
from beholder.retrieval.server.address import Address

Connection = psycopg.Connection[tuple[Any, ...]]

_MOST_IDLE = 8

# What the server does for each connection: it looks for tables in the store's schema and for
# pgvector where that was put; compiling our statements would take longer than they do.
_PREPARE = """SELECT
    set_config('search_path', concat_ws(', ', quote_ident(%s), (
        SELECT quote_ident(nspname) FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace
        WHERE extname = 'vector')), false),
    set_config('jit', 'off', false),
    set_config('hnsw.ef_search', %s, false)"""


class Connections:
    """The open connections of one store. Processes that fork never share one."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._idle: dict[int, list[Connection]] = {}  # by process
        self._turn = threading.Lock()
        weakref.finalize(self, _close, self._idle)

    @contextlib.contextmanager
    def lent(self) -> Iterator[Connection]:
        """Give a connection outside of any transaction, and undo what is left open in it."""
        connection = self._taken() or self._opened()
        try:
            yield connection
        finally:
            with contextlib.suppress(psycopg.Error):  # what ended the block is the news
                if connection.info.transaction_status != TransactionStatus.IDLE:
                    connection.execute("ROLLBACK")
            self._put_back(connection)

    def _taken(self) -> Connection | None:
        with self._turn:
            idle = self._idle.setdefault(os.getpid(), [])
            while idle:
                connection = idle.pop()
                if not _has_news(connection):
                    return connection
                connection.close()
        return None

    def _put_back(self, connection: Connection) -> None:
        is_usable = connection.info.transaction_status == TransactionStatus.IDLE
        with self._turn:
            idle = self._idle.setdefault(os.getpid(), [])
            if is_usable and len(idle) < _MOST_IDLE:
                idle.append(connection)
                return
        connection.close()

    def _opened(self) -> Connection:
        try:
            # Statements are planned for their values: a plan for any value misses the index.
            connection = psycopg.connect(
                self._address.conninfo, autocommit=True, prepare_threshold=None
            )
        except psycopg.Error as error:
            raise StoreError(
                f"{self._address.shown} cannot be reached: {_sentence(error)}"
            ) from error
        try:
            prepare(connection, self._address)
        except BaseException:
            connection.close()
            raise
        return connection


def prepare(connection: Connection, address: Address) -> None:
    """Let a connection find the store's tables, and pgvector where the database has it."""
    connection.execute(_PREPARE, (address.schema, str(LEAST_EXAMINED)))


@contextlib.contextmanager
def reported(where: str) -> Iterator[None]:
    """Say what the server found in one sentence that names the store."""
    try:
        yield
    except errors.DiskFull as error:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), where) from error
    except psycopg.Error as error:
        if isinstance(error, psycopg.OperationalError) and (
            error.sqlstate is None or error.sqlstate[:3] in ("57P", "080")
        ):
            raise StoreError(
                f"the connection to {where} was lost; a writing has taken effect as a whole or "
                f"not at all: {_sentence(error)}"
            ) from error
        raise StoreError(f"{where} cannot be used: {_sentence(error)}") from error


def _has_news(connection: Connection) -> bool:
    """Tell whether an idle connection was closed: the server says nothing else unasked."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def _close(idle: dict[int, list[Connection]]) -> None:
    for connection in idle.pop(os.getpid(), []):
        connection.close()


def _sentence(error: psycopg.Error) -> str:
    """Return the server's words on one line."""
    return " ".join((error.diag.message_primary or str(error)).split())
