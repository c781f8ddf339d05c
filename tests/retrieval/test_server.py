"""What can be wrong with a store on a server is one sentence, and harms nothing."""

from __future__ import annotations

import builtins
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from made_stores import DESCRIPTION, Places, made_addition, made_store
from rounds import SAMPLES, of_round, rounds_in
from test_exact import rankings

import postgres
from beholder.errors import ConfigurationError, StoreError, UnsupportedError
from beholder.retrieval import Store, create_store, open_store
from beholder.retrieval.store import Probe, Ranking

psycopg = pytest.importorskip("psycopg")

from beholder.retrieval.server import schema  # noqa: E402
from beholder.retrieval.server.address import parse_address  # noqa: E402

SECRET = "hush-7741"


@pytest.fixture
def url(server_places: Places) -> str:
    return server_places()


@pytest.fixture
def store(url: str) -> Store:
    return made_store(url, of_round(0))


@contextmanager
def connected(url: str) -> Iterator[Any]:
    """Give a connection that finds a store's tables, as another program would."""
    address = parse_address(url)
    with psycopg.connect(address.conninfo, autocommit=True) as connection:
        connection.execute("SELECT set_config('search_path', %s, false)", (f'"{address.schema}"',))
        yield connection


@pytest.mark.parametrize(
    ("url", "shown", "name"),
    [
        (
            f"postgresql://ada:{SECRET}@db.example:5433/gaze",
            "postgresql://ada@db.example:5433/gaze?schema=beholder",
            "beholder",
        ),
        (
            f"postgres://ada@db/gaze?schema=pilot%20one&password={SECRET}&sslmode=require",
            "postgresql://ada@db/gaze?schema=pilot%20one",
            "pilot one",
        ),
        (
            "postgresql:///gaze?host=/var/run/postgresql&schema=b",
            "postgresql:///gaze?host=/var/run/postgresql&schema=b",
            "b",
        ),
        (f"postgresql://a:b?{SECRET}@h/d", "postgresql://a@h/d?schema=beholder", "beholder"),
    ],
)
def test_an_address_is_shown_without_its_password(url: str, shown: str, name: str) -> None:
    address = parse_address(url)
    assert (address.shown, address.schema) == (shown, name)
    assert SECRET not in repr(address)
    assert SECRET in address.conninfo or SECRET not in url


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        (f"postgresql://a:{SECRET}%zz@host/d", "cannot be read as such"),
        (f"postgresql://a:{SECRET}@host/d?colour=red", "cannot be read as such"),
        ("postgresql://h/d?schema=", "a name of 1 to 63 bytes"),
        ("postgresql://h/d?schema=" + "x" * 64, "a name of 1 to 63 bytes"),
        ("postgresql://h/d?schema=pg_catalog", "does not begin with pg_"),
        (f"mysql://a:{SECRET}@h/d", "not one of mysql"),
    ],
)
def test_addresses_that_cannot_be_used(url: str, sentence: str) -> None:
    for opened in (open_store, lambda where: create_store(where).__enter__()):
        with pytest.raises(ConfigurationError, match=sentence) as caught:
            opened(url)
        assert SECRET not in str(caught.value)
        assert SECRET not in str(caught.value.__cause__)


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = builtins.__import__

    def without(name: str, *more: Any) -> Any:
        if name.startswith("psycopg"):
            raise ImportError(name)
        return whole(name, *more)

    for name in [name for name in sys.modules if name.startswith("beholder.retrieval.server")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UnsupportedError, match=r"pip install 'beholder\[postgres\]'"):
        open_store("postgresql://h/d")


def refusal(url: str) -> str:
    """Return the sentence that opening a store ends with."""
    with pytest.raises(StoreError) as caught:
        open_store(url)
    sentence = str(caught.value)
    assert SECRET not in sentence
    assert "\n" not in sentence
    return sentence


def test_no_server_and_no_database_are_one_sentence(database_url: str) -> None:
    nowhere = refusal(f"postgresql://x:{SECRET}@127.0.0.1:1/none")
    assert nowhere.startswith("postgresql://x@127.0.0.1:1/none?schema=beholder cannot be reached:")
    before, _, query = database_url.partition("?")
    assert 'database "none" does not exist' in refusal(f"{before.rpartition('/')[0]}/none?{query}")


@pytest.fixture
def stranger(database_url: str) -> Iterator[str]:
    """The URL of the database for somebody who needs a password and may make nothing."""
    with connected(database_url) as connection:
        ((file,),) = connection.execute("SHOW hba_file")
        rules = Path(file)
        if os.environ.get(postgres.GIVEN) or not os.access(rules, os.W_OK):
            pytest.skip("the server's rules cannot be changed here")
        connection.execute(f"CREATE ROLE stranger LOGIN PASSWORD '{SECRET}'")
        before = rules.read_text()
        rules.write_text(f"local all stranger scram-sha-256\n{before}")
        connection.execute("SELECT pg_reload_conf()")
        yield database_url.replace("postgres@", f"stranger:{SECRET}@")
        rules.write_text(before)
        connection.execute("SELECT pg_reload_conf()")
        connection.execute("DROP OWNED BY stranger")
        connection.execute("DROP ROLE stranger")


def test_a_wrong_password_and_missing_rights_are_one_sentence(stranger: str) -> None:
    assert "no table in its schema" in refusal(f"{stranger}&schema=none")
    assert "password authentication failed" in refusal(stranger.replace(SECRET, "wrong"))
    with pytest.raises(StoreError, match="permission denied for database"), create_store(stranger):
        pytest.fail("the block must not start")


def test_who_may_only_read_does(stranger: str, url: str, store: Store) -> None:
    theirs = f"{stranger}&schema={url.rpartition('=')[2]}"
    with connected(url) as connection:
        for right in ("USAGE ON SCHEMA {}", "SELECT ON ALL TABLES IN SCHEMA {}"):
            granted = right.format(f'"{parse_address(url).schema}"')
            connection.execute(f"GRANT {granted} TO stranger")
        connection.execute(
            f'ALTER DEFAULT PRIVILEGES IN SCHEMA "{parse_address(url).schema}" '
            "GRANT SELECT ON TABLES TO stranger"
        )
    side = DESCRIPTION.sides[0]
    probe = Probe("text", side, np.ones(13, np.float32))
    for least in (SAMPLES + 1, SAMPLES):
        store.build_indexes(least_rows=least)
        opened = open_store(theirs)
        with opened.read() as snapshot:
            assert bool(snapshot.recalls()) == (least == SAMPLES)
            (hits,) = snapshot.rank(
                [Ranking("gaze", (probe,), {"text": 1.0}, approximate=True, top=3)]
            )
            assert [hit.number for hit in hits.hits] == [0, 1, 2]
    store.compact()
    with opened.read() as snapshot:
        assert rounds_in(snapshot) == {0}
    with pytest.raises(StoreError, match="permission denied"), opened.write() as writer:
        writer.remove_samples([0])


def test_a_database_without_pgvector_is_told(
    stranger: str, postgres_server: postgres.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = postgres_server.new_database()
    theirs = bare.replace("postgres@", f"stranger:{SECRET}@")
    with (
        pytest.raises(StoreError, match="let its owner execute CREATE EXTENSION vector in it"),
        create_store(theirs),
    ):
        pytest.fail("the block must not start")
    made = made_store(bare, of_round(0))  # who may, makes it
    with made.read() as snapshot:
        assert rounds_in(snapshot) == {0}
    monkeypatch.setattr(schema, "_EXTENSION", "vector-of-another-world")
    with (
        pytest.raises(StoreError, match=r"install its package there, such as postgresql-\d+-pgv"),
        create_store(f"{bare}&schema=other"),
    ):
        pytest.fail("the block must not start")


def test_what_is_no_store_is_one_sentence(url: str, store: Store) -> None:
    other = url.rpartition("=")[0] + "=other_program"
    assert "no table in its schema" in refusal(other)
    with connected(url) as connection:
        connection.execute("CREATE SCHEMA other_program")
        connection.execute("CREATE TABLE other_program.bookmarks (url text)")
        assert "holds the table bookmarks of another program" in refusal(other)
        connection.execute("CREATE TABLE other_program.facts (colour text)")
    assert "of another program" in refusal(other)
    for overwrite in (False, True):
        with (
            pytest.raises(StoreError, match="of another program"),
            create_store(other, overwrite=overwrite),
        ):
            pytest.fail("the block must not start")
    with store.read() as snapshot:
        assert rounds_in(snapshot) == {0}


def test_an_older_schema_is_one_sentence_and_can_be_replaced(url: str, store: Store) -> None:
    def of_version(number: int) -> None:
        with connected(url) as connection:
            connection.execute(f"UPDATE facts SET value = {number} WHERE name = 'schema_version'")

    of_version(0)
    for opened in (store.read, store.write):
        with pytest.raises(StoreError, match="schema version 0, and this"), opened():
            pytest.fail("the block must not start")
    with pytest.raises(ZeroDivisionError), create_store(url, overwrite=True):
        raise ZeroDivisionError
    assert "schema version 0, and this" in refusal(url)
    with create_store(url, overwrite=True) as writer:
        writer.clear(DESCRIPTION, {})
        writer.add(of_round(5))
    with store.read() as snapshot:
        assert rounds_in(snapshot) == {5}
    of_version(9)
    with (
        pytest.raises(StoreError, match="version 9 of a newer Beholder"),
        create_store(url, overwrite=True),
    ):
        pytest.fail("the block must not start")


def test_a_lost_connection_is_one_sentence(url: str, store: Store) -> None:
    def cut_off() -> None:
        with connected(url) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> "
                "pg_backend_pid() AND datname = current_database() AND backend_type = "
                "'client backend'"
            )

    with pytest.raises(StoreError, match=r"connection to .* was lost"), store.write() as writer:
        writer.add(of_round(1))
        cut_off()
        writer.add(of_round(2))
    with pytest.raises(StoreError, match=r"connection to .* was lost"), store.read() as snapshot:
        cut_off()
        snapshot.counts()
    with store.read() as snapshot:  # on a connection of its own, kept for the next
        assert rounds_in(snapshot) == {0}
    cut_off()
    time.sleep(0.05)
    with store.read() as snapshot:
        assert rounds_in(snapshot) == {0}


def test_a_full_disk_leaves_the_state_before(url: str, store: Store) -> None:
    with connected(url) as connection:
        connection.execute(
            "CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$"
        )
        connection.execute(
            "CREATE TRIGGER fill BEFORE INSERT ON samples FOR EACH ROW "
            "WHEN (NEW.number = 250) EXECUTE FUNCTION fill()"
        )
    with pytest.raises(OSError, match="No space left") as caught, store.write() as writer:
        writer.remove_samples(range(200))
        writer.add(of_round(1))
    assert caught.value.filename == store.where
    with store.read() as snapshot:
        assert rounds_in(snapshot) == {0}
        assert snapshot.counts()["samples"] == SAMPLES


def test_stores_of_one_database_do_not_touch(server_places: Places) -> None:
    first, second = (made_store(server_places(), of_round(number)) for number in (1, 2))
    with first.write(), second.write() as writer:  # each has a writer of its own
        writer.remove_participant("person-1")
    second.compact()
    with first.read() as one, second.read() as other:
        assert rounds_in(one) == {1}
        assert one.counts()["participants"] == 2
        assert other.counts()["participants"] == 1


@pytest.mark.parametrize("name", ['an "odd" one', "Größe", "50%s?", "x" * 63, "public"])
def test_a_schema_may_have_any_name(postgres_server: postgres.Server, name: str) -> None:
    from urllib.parse import quote

    url = f"{postgres_server.new_database()}&schema={quote(name)}"
    made_store(url, of_round(3)).compact()
    with open_store(url).read() as snapshot:
        assert rounds_in(snapshot) == {3}


def test_readers_wait_while_tables_are_written_anew(store: Store) -> None:
    faults: list[BaseException] = []
    end = threading.Event()

    def read() -> None:
        try:
            while not end.is_set():
                with store.read() as snapshot:
                    assert rounds_in(snapshot) == {0}
                    assert snapshot.counts()["samples"] == SAMPLES
        except BaseException as error:
            faults.append(error)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for _ in range(5):
        store.compact()
        store.build_indexes(least_rows=SAMPLES)
    end.set()
    for reader in readers:
        reader.join()
    assert not faults


@pytest.fixture(scope="module")
def twins(server_places: Places, folder_places: Places) -> tuple[Store, Store]:
    addition = made_addition(7, 5, 60, np.random.default_rng(0))
    return made_store(server_places(), addition), made_store(folder_places(), addition)


@settings(max_examples=60)
@given(asked=rankings())
def test_both_kinds_of_store_give_the_same_bits(twins: tuple[Store, Store], asked: Ranking) -> None:
    found: list[Any] = []
    for store in twins:
        with store.read() as snapshot:
            try:
                found.append(snapshot.rank([asked]))
            except StoreError as error:
                found.append(str(error).removeprefix(store.where))
    assert found[0] == found[1]
