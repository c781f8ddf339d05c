"""What the tests of retrieval share: places for stores of both kinds, a store of the tiny run."""

from __future__ import annotations

import itertools

import pytest
from made_stores import Places

import postgres
from beholder.model import Run
from beholder.retrieval import Store, index
from beholder.retrieval.embedded import EmbeddedStore


@pytest.fixture(scope="session")
def database_url(postgres_server: postgres.Server) -> str:
    """The URL of a database with pgvector in it, or a skip."""
    import psycopg

    url = postgres_server.new_database()
    try:
        with psycopg.connect(url) as connection:
            connection.execute("CREATE EXTENSION vector")
    except psycopg.Error as error:
        pytest.skip(f"this PostgreSQL is without pgvector: {error}")
    return url


_names = (f"store {number}" for number in itertools.count())


@pytest.fixture(scope="session")
def server_places(database_url: str) -> Places:
    """Schemas of one database."""
    return lambda: f"{database_url}&schema={next(_names)}"


@pytest.fixture(scope="session")
def folder_places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    """Folders."""
    return lambda: str(tmp_path_factory.mktemp("stores") / "store")


@pytest.fixture(scope="session", params=["embedded", "server"])
def places(request: pytest.FixtureRequest) -> Places:
    """Places of either kind."""
    name = "folder_places" if request.param == "embedded" else "server_places"
    found: Places = request.getfixturevalue(name)
    return found


@pytest.fixture
def place(places: Places) -> str:
    """A place of either kind where no store is."""
    return places()


@pytest.fixture(scope="session")
def tiny_store(tiny_run: Run, folder_places: Places) -> EmbeddedStore:
    """The tiny study's 192 samples, in a folder; read only."""
    store = index(tiny_run, folder_places())
    assert isinstance(store, EmbeddedStore)
    return store


@pytest.fixture(scope="session")
def any_tiny_store(tiny_run: Run, places: Places) -> Store:
    """The tiny study's 192 samples, in a store of either kind; read only."""
    return index(tiny_run, places())
