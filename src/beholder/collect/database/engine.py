"""Connections: SQLite by default, PostgreSQL by its URL, and transactions that hold on both."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, select, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from beholder.collect.database.models import StudyRow
from beholder.errors import ConfigurationError

_BUSY_SECONDS = 30
_POOL, _MORE = 10, 40  # more than the threads that requests run in: each uses one connection


class Database:
    """A study's database. Threads share one; processes may share one database.

    SQLite runs in WAL with synchronous=FULL, so that whatever was committed survives the
    machine's loss of power; PostgreSQL does so by default.
    """

    def __init__(self, url: str) -> None:
        self.url = _address(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = _engine(self.url, self.is_sqlite)
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)
        writers = self.engine.execution_options(beholder_writes=True)
        self._writing_sessions = sessionmaker(writers, expire_on_commit=False)
        # SQLite lets one write at a time and makes others poll; ours queue here instead.
        self._turn = threading.Lock() if self.is_sqlite else nullcontext()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Give a session whose reads see one state of the database."""
        with self._sessions.begin() as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Give a session that commits when the block ends and keeps nothing if it fails."""
        with self._turn, self._writing_sessions.begin() as session:
            yield session

    @contextmanager
    def changing_seats(self) -> Iterator[Session]:
        """Give a writing session that alone may hand out seats until it commits."""
        with self.writing() as session:
            session.execute(select(StudyRow.id).with_for_update())
            yield session

    def is_ready(self) -> bool:
        """Tell whether the database answers."""
        try:
            with self.engine.connect() as connection:
                connection.execute(text("SELECT 1"))
        except DBAPIError:
            return False
        return True

    def migrate(self) -> None:
        """Bring the tables to this version's form, all at once or not at all."""
        from beholder.collect.database.migration import upgrade

        try:
            with self._turn, self.engine.execution_options(beholder_writes=True).begin() as c:
                upgrade(c)
        except OperationalError as error:
            raise ConfigurationError(
                f"the database {self.url.render_as_string()} cannot be opened: {error.orig}"
            ) from error

    def forget_deleted(self) -> None:
        """Let nothing of deleted rows stay in SQLite's journal (its pages are overwritten)."""
        if self.is_sqlite:
            with self._turn, self.engine.connect() as connection:
                raw: Any = connection.connection.dbapi_connection
                raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def _address(url: str) -> URL:
    try:
        address = make_url(url)
    except ArgumentError as error:
        raise ConfigurationError(
            "the database must be a URL such as sqlite:///study.sqlite or "
            "postgresql://user@host/name"
        ) from error
    backend = address.get_backend_name()
    if backend == "postgresql":
        return address.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise ConfigurationError(f"{backend} is not served: use SQLite or PostgreSQL")
    if address.database in (None, "", ":memory:"):
        raise ConfigurationError("a study needs an SQLite file: what is in memory would be lost")
    return address


def _engine(url: URL, is_sqlite: bool) -> Engine:
    options: dict[str, Any] = {"timeout": _BUSY_SECONDS} if is_sqlite else {"connect_timeout": 10}
    try:
        engine = create_engine(
            url,
            connect_args=options,
            hide_parameters=True,  # an error's text goes to the log, a participant's must not
            pool_size=_POOL,
            max_overflow=_MORE,
            pool_pre_ping=not is_sqlite,
        )
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise ConfigurationError(
            "PostgreSQL needs psycopg: pip install 'beholder[collect,postgres]'"
        ) from error
    if is_sqlite:
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves: the module begins too late
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA secure_delete=ON")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later could not be retried from its middle.
    writes = connection.get_execution_options().get("beholder_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
