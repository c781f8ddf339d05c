"""The researchers' side of the store, on both kinds of database."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select
from web_study import Person, Turned

from beholder.collect.database import Database
from beholder.collect.database.models import Base
from beholder.collect.platforms import Entry
from beholder.collect.rows import Signal
from beholder.collect.sessions import Sessions
from beholder.collect.store import Store
from beholder.errors import StudyError


def done(sessions: Sessions, name: str, text: str = "a dog") -> Person:
    person = Person(sessions, Entry("prolific", name, f"s-{name}"))
    person.take_seat()
    while person.stage in ("practice", "trials"):
        person.save_next(text=text)
    person.answer()
    return person


def test_counts_follow_the_rows(sessions: Sessions, store: Store) -> None:
    complete = done(sessions, "p1")
    begun = Person(sessions, Entry("prolific", "p2", "s2"))
    begun.take_seat()
    for _ in range(4):
        begun.save_next()
    theirs = store.participant(complete.session).set_name
    sets = {count.set_name: count for count in store.set_counts()}
    assert (sets[theirs].complete, sets[theirs].active, sets[theirs].free) == (1, 1, 0)
    assert sum(count.free for count in sets.values()) == 2
    images = [count for count in store.image_counts() if count.set_name == theirs]
    assert [(c.wanted, c.complete, c.saved) for c in images] == [(2, 1, 2), (2, 1, 2)]
    assert len(store.image_counts()) == 4
    begun.sessions.leave(begun.token)
    assert [c.free for c in store.set_counts() if c.set_name == theirs] == [1]


def test_recorded_trials_are_those_of_complete_sessions_in_order(sessions, store: Store) -> None:
    first, second = done(sessions, "p1"), done(sessions, "p2")
    Person(sessions, Entry("link")).take_seat()
    found = list(store.recorded_trials())
    assert [row.session for row, _ in found] == sorted(
        [first.session] * 4 + [second.session] * 4,
        key=[row.session for row in store.participants()].index,
    )
    assert [trial.position for _, trial in found] == [0, 1, 2, 3] * 2
    assert all(trial.record is not None for _, trial in found)


def test_surveys(sessions: Sessions, store: Store) -> None:
    person = done(sessions, "p1")
    Person(sessions, Entry("link")).take_seat()
    (survey,) = store.surveys()
    assert (survey.session, survey.participant) == (person.session, "p1")
    assert survey.answers == {"a": 1, "b": 3}
    assert store.survey(person.session) == survey
    assert store.survey("nobody") is None
    assert store.surveys(pilot=True) == []


def test_a_rejected_session_frees_its_seat_and_an_approved_one_takes_it_again(
    sessions: Sessions, store: Store, clock: Turned
) -> None:
    person = done(sessions, "p1")
    clock.turn(minutes=1)
    seen = store.participant(person.session).seen_ms
    store.decide(person.session, "reject", "copied", "ada")
    row = store.participant(person.session)
    assert (row.decision, row.reason, row.holds_seat) == ("reject", "copied", False)
    assert sum(count.free for count in store.set_counts()) == 4
    store.decide(person.session, "approve", "it was not", "bo")
    row = store.participant(person.session)
    assert (row.decision, row.reason, row.holds_seat) == ("approve", "it was not", True)
    assert row.seen_ms == seen
    assert [(d.kind, d.actor) for d in store.decisions(person.session)] == [
        ("reject", "ada"),
        ("approve", "bo"),
    ]
    assert [entry.action for entry in store.audit()] == ["approve", "reject"]


def test_approving_does_not_push_out_whoever_came_instead(sessions, store: Store) -> None:
    rejected = done(sessions, "p0")
    store.decide(rejected.session, "reject", "x", "me")
    others = [done(sessions, f"p{n}") for n in range(1, 5)]
    store.decide(rejected.session, "approve", "after all", "me")
    assert not store.participant(rejected.session).holds_seat
    assert all(store.participant(each.session).holds_seat for each in others)
    assert store.participant(rejected.session).decision == "approve"


def test_a_bonus_is_noted_beside_the_judgement(sessions: Sessions, store: Store) -> None:
    person = done(sessions, "p1")
    store.decide(person.session, "approve", "good", "me")
    store.bonus(person.session, 150, "very good", "me")
    assert store.participant(person.session).decision == "approve"
    assert [d.amount_cents for d in store.decisions()] == [None, 150]
    with pytest.raises(StudyError, match="-1 cents"):
        store.bonus(person.session, -1, "", "me")


def test_signals_are_replaced_as_a_whole(sessions: Sessions, store: Store) -> None:
    person = done(sessions, "p1")
    trial = store.trials(person.session)[0].id
    first = [Signal("speed", True, 1.5, trial, {"ms": [1, 2]}), Signal("paste", False)]
    store.put_signals(person.session, first)
    assert store.signals(person.session) == first
    store.put_signals(person.session, first[1:])
    assert store.signals(person.session) == first[1:]


def test_what_is_not_there_is_said(store: Store) -> None:
    for step in (
        lambda: store.participant("nobody"),
        lambda: store.decide("nobody", "reject", "x", "me"),
        lambda: store.bonus("nobody", 1, "x", "me"),
        lambda: store.put_signals("nobody", []),
        lambda: store.withdraw("nobody", "me"),
    ):
        with pytest.raises(StudyError, match="'nobody'"):
            step()
    assert store.withdrawals() == []
    assert store.audit() == []


def rows_by_table(database: Database) -> dict[str, int]:
    with database.reading() as db:
        return {
            name: db.scalar(select(func.count()).select_from(table)) or 0
            for name, table in Base.metadata.tables.items()
        }


def test_withdrawing_a_person_leaves_the_store_as_if_they_had_never_come(
    sessions: Sessions, store: Store, database: Database
) -> None:
    stays = done(sessions, "p1")
    store.decide(stays.session, "approve", "good", "me")
    before = rows_by_table(database)
    goes = done(sessions, "p2", "a secret that must go")
    store.put_signals(goes.session, [Signal("speed", True, trial=None)])
    store.decide(goes.session, "reject", "why", "me")
    store.bonus(goes.session, 1, "why", "me")
    receipt = store.withdraw("p2", "me")
    after = rows_by_table(database)
    assert receipt.counts == {
        "signals": 1,
        "decisions": 2,
        "surveys": 1,
        "recordings": 4,
        "trials": 4,
        "audit": 2,
        "sessions": 1,
        "participants": 1,
    }
    assert after == before | {"withdrawals": 1, "audit": before["audit"] + 1}
    assert [row.participant for row in store.participants()] == ["p1"]
    assert store.withdrawals() == [receipt]
    assert store.audit()[0].subject == receipt.receipt
    assert Person(sessions, Entry("prolific", "p3", "s3")).take_seat() == "practice"


def test_what_was_withdrawn_is_in_no_byte_of_the_file(
    sessions: Sessions, store: Store, database: Database
) -> None:
    if not database.is_sqlite:
        pytest.skip("PostgreSQL's files are its own: VACUUM is its administrator's")
    done(sessions, "p1", "a secret that must go")
    path = Path(str(database.url.database))
    files = [path, path.with_name(path.name + "-wal")]
    assert any(b"a secret that must go" in file.read_bytes() for file in files)
    store.withdraw("p1", "me")
    assert not any(b"a secret that must go" in file.read_bytes() for file in files)


def test_the_log_of_what_was_done_outside(store: Store) -> None:
    store.note("me", "export", None, files=3)
    (entry,) = store.audit()
    assert (entry.actor, entry.action, entry.details) == ("me", "export", {"files": 3})
    for _ in range(3):
        store.note("me", "export", None)
    assert len(store.audit(limit=2)) == 2
