"""The file of an embedded store: its schema, how it is opened, and what can be wrong with it.

SQLite's write-ahead log gives what a store needs: a transaction is whole or absent whatever
is killed or filled up meanwhile, and readers see one state while another is written.
"""

import contextlib
import errno
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from beholder.errors import StoreError
from beholder.retrieval.tables import first_generation

SCHEMA_VERSION = 2
_APPLICATION = 0x62686C64  # "bhld"
_PATIENCE_S = 30.0  # how long a statement waits for another's

FILE, LOCK = "store.sqlite", ".lock"
_BEGUN = ".begun.sqlite"
_LOGS = ("", "-journal", "-wal", "-shm")
_OWN = {LOCK, "index", *(name + log for name in (FILE, _BEGUN) for log in _LOGS)}

_TABLES = (
    "CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE model (name TEXT PRIMARY KEY, data BLOB NOT NULL)",
    # A number is never given twice, so that a link never leads to someone else.
    """CREATE TABLE participants (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        answers TEXT, traits TEXT)""",
    """CREATE TABLE images (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        width INTEGER NOT NULL, height INTEGER NOT NULL,
        thumbnail BLOB NOT NULL, cells INTEGER NOT NULL, grid BLOB NOT NULL)""",
    """CREATE TABLE samples (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        participant INTEGER REFERENCES participants,
        image INTEGER NOT NULL REFERENCES images,
        task TEXT, part TEXT, text TEXT, gaze TEXT)""",
    "CREATE INDEX samples_of_participant ON samples (participant)",
    "CREATE INDEX samples_of_image ON samples (image)",
    """CREATE TABLE vectors (
        side TEXT NOT NULL, item INTEGER NOT NULL, vector BLOB NOT NULL,
        PRIMARY KEY (side, item)) WITHOUT ROWID""",
)


def create_tables(connection: sqlite3.Connection) -> None:
    """Make the tables in place of those of an older schema, within the caller's transaction."""
    older = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' "
        "ORDER BY rowid DESC"  # what refers to a table was made after it
    ).fetchall()
    for statement in (*(f'DROP TABLE "{name}"' for (name,) in older), *_TABLES):
        connection.execute(statement)
    connection.execute("INSERT INTO facts VALUES ('generation', ?)", (first_generation(),))
    connection.execute(f"PRAGMA application_id = {_APPLICATION}")
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def is_unwritten(path: Path) -> bool:
    """Tell whether nothing is here but perhaps what an indexing left that never ended.

    Raises StoreError if something else than a store is here.
    """
    if not path.exists():
        return True
    if not path.is_dir():
        raise StoreError(f"{path} is no store: it is no folder")
    if foreign := sorted({entry.name for entry in path.iterdir()} - _OWN):
        raise StoreError(f"{path} is no store: it holds {foreign[0]}")
    file = path / FILE
    if not file.exists():
        return True
    with contextlib.closing(_connect(path, writing=False)) as connection:
        return _number(connection, "application_id") == 0 and not _has_tables(connection)


def open_to_read(path: Path) -> sqlite3.Connection:
    """Open a store's file to read it, or raise StoreError saying what is wrong with it."""
    if not (path / FILE).is_file():
        raise StoreError(f"{path} is no store: it has no {FILE}")
    connection = _connect(path, writing=False)
    try:
        version = _version(connection, path)
    except BaseException:
        connection.close()
        raise
    if version != SCHEMA_VERSION:
        connection.close()
        raise StoreError(
            f"{path} has schema version {version}, and this Beholder reads version "
            f"{SCHEMA_VERSION}: index the run again into a new folder, or with --overwrite"
        )
    return connection


def is_older(path: Path) -> bool:
    """Tell whether a store has an older schema; StoreError if it must not be replaced."""
    with contextlib.closing(_connect(path, writing=False)) as connection:
        version = _version(connection, path)
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"{path} has schema version {version} of a newer Beholder, which replaces it"
        )
    return version < SCHEMA_VERSION


def begin(path: Path) -> None:
    """Make the empty file of a new store, within the caller's lock.

    It takes its name once it has a write-ahead log: until then a kill leaves a journal that
    only a writer could undo.
    """
    if (path / FILE).exists() and (path / FILE).stat().st_size:
        return
    for log in _LOGS:
        (path / f"{_BEGUN}{log}").unlink(missing_ok=True)
    with contextlib.closing(sqlite3.connect(path / _BEGUN)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    (path / _BEGUN).replace(path / FILE)


def open_to_write(path: Path) -> sqlite3.Connection:
    """Open a store's file to write it."""
    connection = _connect(path, writing=True)
    try:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA foreign_keys = ON")
    except BaseException:
        connection.close()
        raise
    return connection


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a store for one writer; StoreError if another one is at work."""
    with (path / LOCK).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StoreError(f"another process is writing {path}") from error
        yield


@contextlib.contextmanager
def reported(path: Path) -> Iterator[None]:
    """Say what SQLite found in one sentence that names the store."""
    try:
        yield
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "") or ""
        if name == "SQLITE_FULL":
            full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
            raise full from error
        if name == "SQLITE_NOTADB":
            raise StoreError(f"{path} is no store: {FILE} is of another kind") from error
        if name.startswith("SQLITE_CORRUPT"):
            raise StoreError(
                f"{path} is damaged, so index the run again into a new folder: {error}"
            ) from error
        raise StoreError(f"{path} cannot be used: {error}") from error


def _connect(path: Path, *, writing: bool) -> sqlite3.Connection:
    mode = "rw" if writing else "ro"
    # Where nothing can be written, nobody writes, and SQLite needs no files beside its own.
    fixed = "" if os.access(path, os.W_OK) else "&immutable=1"
    address = f"{(path / FILE).resolve().as_uri()}?mode={mode}{fixed}"
    connection = sqlite3.connect(
        address, uri=True, timeout=_PATIENCE_S, isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA temp_store = MEMORY")  # nothing of a person beside the store
    return connection


def _version(connection: sqlite3.Connection, path: Path) -> int:
    """Return the version of a store's schema, or raise StoreError if this is no store."""
    application = _number(connection, "application_id")
    if application != _APPLICATION:
        if application == 0 and not _has_tables(connection):
            raise StoreError(f"{path} is no store yet: its indexing never ended; index it again")
        raise StoreError(f"{path} is no store: {FILE} belongs to another program")
    return _number(connection, "user_version")


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])


def _has_tables(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_master").fetchone() is not None
