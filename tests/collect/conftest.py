"""What the tests of collecting share: a small web study, and both kinds of database."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from served import Browser, Served, served
from sqlalchemy import text
from web_study import Turned, definition_in, new_sessions, write_files

import postgres
from beholder.collect.database import Database
from beholder.collect.database.models import Base
from beholder.collect.definition import Definition
from beholder.collect.sessions import Sessions
from beholder.collect.store import Store, open_store


@pytest.fixture(scope="session")
def study_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the small web study; read only."""
    folder = tmp_path_factory.mktemp("web-study")
    write_files(folder)
    return folder


@pytest.fixture(scope="session")
def definition(study_folder: Path) -> Definition:
    """The small web study."""
    return definition_in(study_folder)


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'collect.sqlite'}"
    server: postgres.Server = request.getfixturevalue("postgres_server")
    return server.new_database()


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the tables in it, to be copied: making them anew takes longer."""
    path = tmp_path_factory.mktemp("made") / "made.sqlite"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: postgres.Server) -> str:
    """The URL of a database with the tables in it, to be emptied before each use."""
    url = postgres_server.new_database()
    _migrate(url)
    return url


def _migrate(url: str) -> None:
    database = Database(url)
    database.migrate()
    database.close()


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database of either kind, with its tables and nothing in them."""
    if request.param == "sqlite":
        path = shutil.copy(request.getfixturevalue("migrated_sqlite"), tmp_path / "collect.sqlite")
        return f"sqlite:///{path}"
    url: str = request.getfixturevalue("migrated_postgres")
    database = Database(url)
    with database.writing() as db:
        db.execute(text(f"TRUNCATE {', '.join(Base.metadata.tables)}"))
    database.close()
    return url


@pytest.fixture
def clock() -> Turned:
    return Turned()


@pytest.fixture
def store(database_url: str, definition: Definition, clock: Turned) -> Iterator[Store]:
    """The small web study's store, on either kind of database."""
    opened = open_store(database_url, definition, clock=clock)
    yield opened
    opened.close()


@pytest.fixture
def database(store: Store) -> Database:
    return store.database


@pytest.fixture
def sessions(database: Database, definition: Definition, clock: Turned) -> Sessions:
    return new_sessions(database, definition, clock)


@pytest.fixture(scope="session")
def image_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("image-cache")


@pytest.fixture
def service(
    migrated_sqlite: Path, tmp_path: Path, definition: Definition, image_cache: Path
) -> Iterator[Served]:
    """The small web study behind its HTTP interface, on SQLite."""
    path = shutil.copy(migrated_sqlite, tmp_path / "collect.sqlite")
    with served(f"sqlite:///{path}", definition, image_cache) as running:
        yield running


@pytest.fixture
def browser(service: Served) -> Browser:
    return service.browser()
