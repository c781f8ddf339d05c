"""The database: its migrations, its settings, and transactions on both kinds."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlalchemy.exc import IntegrityError
from web_study import definition_in

from beholder.collect.database import Database
from beholder.collect.database.models import Base, ParticipantRow, StudyRow
from beholder.collect.definition import Definition
from beholder.collect.store import Store, open_store
from beholder.errors import ConfigurationError


def test_migrations_make_exactly_the_tables_of_the_models(database: Database) -> None:
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
        names = set(inspect(connection).get_table_names())
    assert names == {*Base.metadata.tables, "alembic_version"}


def test_unique_constraints_are_in_the_database_itself(database: Database) -> None:
    found = inspect(database.engine).get_unique_constraints("sessions")
    assert sorted(sorted(each["column_names"]) for each in found) == [
        ["participant_id", "pilot", "turn"],
        ["pilot", "seat", "set_name"],
        ["token_sha256"],
    ]


def test_migrating_again_changes_nothing(store: Store, database: Database) -> None:
    store.set_paused(True, "me")
    database.migrate()
    assert store.paused()


def test_a_database_of_a_newer_version_is_refused(empty_url: str) -> None:
    database = Database(empty_url)
    database.migrate()
    with database.writing() as db:
        db.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigurationError, match="made by a newer Beholder"):
        database.migrate()
    database.close()


def test_a_failed_migration_leaves_nothing(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import beholder.collect.database.migration as migration

    upgrade = migration.upgrade

    def breaks(connection: object) -> None:
        upgrade(connection)  # type: ignore[arg-type]
        raise RuntimeError("the machine stops")

    monkeypatch.setattr(migration, "upgrade", breaks)
    database = Database(empty_url)
    with pytest.raises(RuntimeError):
        database.migrate()
    assert inspect(database.engine).get_table_names() == []
    database.close()


def test_sqlite_writes_ahead_and_waits_for_the_disk(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    with database.engine.connect() as connection:
        stated = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        }
    database.close()
    full = 2
    assert stated == {
        "journal_mode": "wal",
        "synchronous": full,
        "foreign_keys": 1,
        "secure_delete": 1,
    }


def test_a_failed_block_keeps_nothing(database: Database) -> None:
    with pytest.raises(RuntimeError), database.writing() as db:
        db.add(ParticipantRow(id="p1", platform="link", created_ms=1))
        db.flush()
        raise RuntimeError
    with database.reading() as db:
        assert db.get(ParticipantRow, "p1") is None


def test_there_is_one_study_a_database(database: Database) -> None:
    with pytest.raises(IntegrityError), database.writing() as db:
        db.add(StudyRow(id=2, name="b", fingerprint="", definition={}, paused=False, created_ms=1))


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("what", "must be a URL"),
        ("mysql://host/name", "mysql is not served"),
        ("sqlite://", "in memory would be lost"),
        ("sqlite:////nowhere/at/all.sqlite", "cannot be opened"),
        ("postgresql://x@127.0.0.1:1/none", "cannot be opened"),
    ],
)
def test_a_database_that_cannot_be_is_one_sentence(
    url: str, sentence: str, definition: Definition
) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        open_store(url, definition)


def test_a_password_is_in_no_message(definition: Definition) -> None:
    with pytest.raises(ConfigurationError) as caught:
        open_store("postgresql://x:hidden@127.0.0.1:1/none", definition)
    assert "hidden" not in str(caught.value)


def test_a_database_is_for_one_study(
    store: Store, database_url: str, study_folder: Path, definition: Definition
) -> None:
    other = definition_in(study_folder, name="other")
    with pytest.raises(ConfigurationError, match="holds the study 'small', not 'other'"):
        open_store(database_url, other)


def test_a_study_that_began_keeps_its_tasks_but_may_change_its_words(
    store: Store, sessions, database_url: str, study_folder: Path
) -> None:
    from web_study import DEFINITION, Person

    from beholder.collect.platforms import Entry

    shorter = definition_in(study_folder, tasks=DEFINITION["tasks"][:1])
    open_store(database_url, shorter).close()  # nobody has been asked yet
    open_store(database_url, store.definition).close()
    Person(sessions, Entry("link")).take_seat()
    with pytest.raises(ConfigurationError, match="has begun with other images"):
        open_store(database_url, shorter)
    reworded = definition_in(study_folder, title="Other words", contact="somebody")
    open_store(database_url, reworded).close()
