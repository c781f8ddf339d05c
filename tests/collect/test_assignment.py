"""Assignment: no set is over-filled and no seat is lost, whoever arrives, lingers or crashes."""

from __future__ import annotations

import multiprocessing
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from web_study import DEFINITION, Person, Turned, definition_in, new_sessions

from beholder.collect.assignment import plan
from beholder.collect.database import Database
from beholder.collect.database.models import ParticipantRow, RecordingRow, SessionRow
from beholder.collect.definition import Definition
from beholder.collect.platforms import Entry
from beholder.collect.refusals import RefusedError
from beholder.collect.sessions import Sessions
from beholder.collect.sets import image_sets
from beholder.collect.store import Store, open_store

SEATS = 4  # two sets of two viewers


def people(sessions: Sessions, number: int) -> list[Person]:
    return [Person(sessions, Entry("prolific", f"p{n}", f"s{n}")) for n in range(number)]


def seats_of(database: Database) -> list[tuple[str | None, int | None]]:
    with database.reading() as db:
        query = select(SessionRow.set_name, SessionRow.seat).where(SessionRow.seat.is_not(None))
        return [(name, seat) for name, seat in db.execute(query)]


def test_a_plan_shows_the_set_and_the_validation_and_practice_first(
    definition: Definition,
) -> None:
    chosen = image_sets(definition)[0]
    orders = set()
    for seed in range(60):
        trials = plan(definition, chosen, np.random.default_rng(seed))
        assert trials[0] == ("practice", "practice.png")
        assert trials[1][0] == "image"
        assert sorted(trials[1:]) == sorted(
            [("validation", "check.png"), *(("image", image) for image in chosen.images)]
        )
        orders.add(tuple(trials))
    both_orders, both_places = 2, 2
    assert len(orders) == both_orders * both_places


def test_sets_fill_one_after_the_other_and_then_nobody_gets_in(
    sessions: Sessions, store: Store
) -> None:
    stages, taken = [], []
    for person in people(sessions, 6):
        stages.append(person.take_seat())
        taken.append(sorted(Counter(row.set_name for row in store.participants()).values()))
    assert stages == ["practice"] * SEATS + ["full"] * 2
    assert taken[:SEATS] == [[1], [2], [1, 2], [2, 2]]
    assert len(store.participants()) == SEATS  # nothing is kept of whoever was not let in


def test_whoever_came_before_the_last_seat_went_is_told_after_the_consent(
    sessions: Sessions, store: Store
) -> None:
    late, *others = people(sessions, SEATS + 1)
    late.enter()
    for person in others:
        person.take_seat()
    assert late.take_seat() == "closed"
    assert store.participant(late.session).outcome == "full"
    assert store.trials(late.session) == []


def test_a_seat_is_given_again_only_after_its_time(
    sessions: Sessions, clock: Turned, store: Store
) -> None:
    first, *others, late = people(sessions, SEATS + 1)
    for person in (first, *others):
        person.take_seat()
    clock.turn(minutes=6)
    for person in others:
        person.save_next()
    clock.turn(minutes=4)
    assert late.enter() == "full"
    clock.turn(minutes=0.1)
    assert sum(count.free for count in store.set_counts()) == 1
    assert late.take_seat() == "practice"
    assert store.participant(late.session).set_name == store.participant(first.session).set_name


def test_the_seat_of_whoever_completed_is_never_given_again(
    sessions: Sessions, clock: Turned, store: Store
) -> None:
    done, *others = people(sessions, SEATS + 1)
    done.take_seat()
    done.complete()
    clock.turn(days=30)
    stages = [person.take_seat() for person in others]
    assert stages == ["practice"] * (SEATS - 1) + ["full"]
    assert store.participant(done.session).holds_seat


def test_a_seat_nobody_wants_stays_with_whoever_comes_back(
    sessions: Sessions, clock: Turned
) -> None:
    person = Person(sessions, Entry("link"))
    person.take_seat()
    clock.turn(days=1)
    person.complete()
    assert person.stage == "debrief"


def test_whoever_lost_the_seat_gets_it_again_if_it_is_free(
    sessions: Sessions, clock: Turned, store: Store
) -> None:
    first, *others = people(sessions, SEATS + 1)
    for person in (first, *others[:-1]):
        person.take_seat()
    first.save_next()
    clock.turn(minutes=11)
    for person in others[:-1]:
        person.save_next()
    others[-1].take_seat()
    assert not store.participant(first.session).holds_seat
    with pytest.raises(RefusedError) as caught:
        first.save_next()
    assert caught.value.code == "closed"
    assert store.participant(first.session).outcome == "timed_out"
    lost = others[0]
    clock.turn(minutes=11)
    for person in others[1:]:
        person.save_next()
    in_set = [p for p in others if _set(store, p) == _set(store, lost)]
    assert Person(sessions, Entry("link")).take_seat() == "practice"
    in_set[1].sessions.leave(in_set[1].token)
    lost.save_next()
    assert store.participant(lost.session).holds_seat


def _set(store: Store, person: Person) -> str | None:
    return store.participant(person.session).set_name


def test_the_database_itself_refuses_a_second_holder(database: Database, sessions) -> None:
    one, other = people(sessions, 2)
    one.take_seat()
    other.enter()
    with pytest.raises(IntegrityError), database.writing() as db:
        held = db.get_one(SessionRow, one.session)
        rival = db.get_one(SessionRow, other.session)
        rival.set_name, rival.seat = held.set_name, held.seat


def test_arrivals_at_once_never_over_fill(sessions: Sessions, database: Database) -> None:
    everybody = people(sessions, 24)
    with ThreadPoolExecutor(12) as pool:
        stages = list(pool.map(Person.take_seat, everybody))
    assert Counter(stages)["practice"] == SEATS
    assert sorted(seats_of(database)) == sorted(
        (each.name, seat) for each in sessions.sets for seat in range(2)
    )


def test_one_person_arriving_at_once_gets_one_session(sessions: Sessions, store: Store) -> None:
    browsers = [Person(sessions, Entry("prolific", "p1", "s1")) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(Person.enter, browsers)) == {None}
    assert len({browser.session for browser in browsers}) == 1
    assert len(store.participants()) == 1


def test_savers_and_claimants_at_once_never_share_a_seat(
    sessions: Sessions, clock: Turned, store: Store
) -> None:
    """Those whose seats have lapsed save while others claim the very same seats."""
    slow, claimants = people(sessions, SEATS), people(sessions, 2 * SEATS)[SEATS:]
    for person in slow:
        person.take_seat()
    clock.turn(minutes=11)

    def save(person: Person) -> None:
        try:
            person.save_next()
        except RefusedError as error:
            assert error.code in ("closed", "unavailable")

    steps: list[Callable[[], Any]] = [lambda p=p: save(p) for p in slow]
    steps += [lambda p=p: p.take_seat() for p in claimants]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda step: step(), steps))
    held = Counter(row.set_name for row in store.participants() if row.holds_seat)
    assert all(number <= 2 for number in held.values())
    for person in slow:  # a save that was acknowledged was made with a seat
        row = store.participant(person.session)
        assert row.saved == 0 or row.holds_seat or row.outcome is None


def _arrive(url: str, folder: str, first: int, results: Any) -> None:
    definition = definition_in(Path(folder))
    database = Database(url)
    sessions = new_sessions(database, definition, Turned())
    for number in range(first, first + 6):
        results.put(Person(sessions, Entry("prolific", f"p{number}", "s")).take_seat())
    database.close()


def test_processes_at_once_never_over_fill(
    database_url: str, study_folder: Path, store: Store, database: Database
) -> None:
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    processes = [
        context.Process(target=_arrive, args=(database_url, str(study_folder), 6 * n, results))
        for n in range(3)
    ]
    for process in processes:
        process.start()
    stages = Counter(results.get(timeout=60) for _ in range(18))
    for process in processes:
        process.join()
        assert process.exitcode == 0
    assert stages["practice"] == SEATS
    assert len(set(seats_of(database))) == SEATS


class Arrivals(RuleBasedStateMachine):
    """Random arrivals, steps, waits, departures, rejections and crashes, against a model."""

    template: Path
    study: Path

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        shutil.copy(self.template, self.folder / "x.sqlite")
        self.definition = definition_in(self.study, practice=[], survey=None)
        self.clock = Turned()
        self.people: list[Person] = []
        self.acknowledged: Counter[str] = Counter()
        self.open()

    def open(self) -> None:
        url = f"sqlite:///{self.folder / 'x.sqlite'}"
        self.store = open_store(url, self.definition, clock=self.clock)
        self.sessions = new_sessions(self.store.database, self.definition, self.clock)
        for person in self.people:
            person.sessions = self.sessions

    @rule()
    def arrive(self) -> None:
        number = len(self.people)
        person = Person(self.sessions, Entry("prolific", f"p{number}", f"s{number}"))
        free = sum(count.free for count in self.store.set_counts())
        assert (person.take_seat() == "trials") == (free > 0)
        if person.session:
            self.people.append(person)

    @precondition(lambda self: self.people)
    @rule(data=st.data())
    def save(self, data: st.DataObject) -> None:
        person = data.draw(st.sampled_from(self.people))
        if person.stage != "trials":
            return
        try:
            assert person.save_next() is False
        except RefusedError as error:
            assert error.code == "closed"
            assert self.store.participant(person.session).outcome in (None, "timed_out")
        else:
            self.acknowledged[person.session] += 1

    @precondition(lambda self: self.people)
    @rule(data=st.data())
    def come_back(self, data: st.DataObject) -> None:
        assert data.draw(st.sampled_from(self.people)).enter() is None

    @precondition(lambda self: self.people)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        person = data.draw(st.sampled_from(self.people))
        self.sessions.leave(person.token)

    @precondition(lambda self: self.people)
    @rule(data=st.data(), kind=st.sampled_from(["approve", "reject"]))
    def judge(self, data: st.DataObject, kind: Any) -> None:
        person = data.draw(st.sampled_from(self.people))
        if self.store.participant(person.session).outcome == "complete":
            self.store.decide(person.session, kind, "because", "somebody")

    @rule(minutes=st.sampled_from([1, 9, 11, 60 * 50]))
    def wait(self, minutes: int) -> None:
        self.clock.turn(minutes=minutes)

    @rule()
    def crash(self) -> None:
        """A transaction is cut off in its middle, and another server starts."""

        with pytest.raises(KeyboardInterrupt), self.store.database.changing_seats() as db:
            db.add(ParticipantRow(id="ghost", platform="link", created_ms=0))
            for row in db.scalars(select(SessionRow)):
                row.seat = None
            db.flush()
            raise KeyboardInterrupt
        self.store.close()
        self.open()

    @invariant()
    def no_set_is_over_filled(self) -> None:
        if not hasattr(self, "store"):
            return
        held = Counter(name for name, _ in seats_of(self.store.database))
        assert all(number <= 2 for number in held.values())
        for count in self.store.set_counts():
            assert count.complete + count.active + count.free == count.wanted

    @invariant()
    def every_acknowledged_trial_is_there_once(self) -> None:
        if not hasattr(self, "store"):
            return
        with self.store.database.reading() as db:
            kept = Counter(db.scalars(select(RecordingRow.session_id)))
        assert kept == self.acknowledged

    @invariant()
    def counts_are_those_of_the_rows(self) -> None:
        if not hasattr(self, "store"):
            return
        rows = self.store.participants()
        assert {row.session: row.saved for row in rows if row.saved} == dict(self.acknowledged)
        complete = Counter(r.set_name for r in rows if r.outcome == "complete" and r.holds_seat)
        assert {c.set_name: c.complete for c in self.store.set_counts() if c.complete} == complete
        for image in self.store.image_counts():
            assert image.complete == complete[image.set_name]

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            shutil.rmtree(self.folder)


def test_random_arrivals(migrated_sqlite: Path, study_folder: Path) -> None:
    class Run(Arrivals):
        template, study = migrated_sqlite, study_folder

    Run.TestCase.settings = settings(
        max_examples=10,
        stateful_step_count=20,
        suppress_health_check=list(HealthCheck),
    )
    Run.TestCase("runTest").runTest()


def test_a_named_set_may_want_viewers_of_its_own(
    database: Database, study_folder: Path, clock: Turned
) -> None:
    named = [{"name": "a", "images": ["1.png"], "viewers": 1}, {"name": "b", "images": ["2.png"]}]
    definition = definition_in(study_folder, sets=named, images=DEFINITION["images"])
    sessions = new_sessions(database, definition, clock)
    stages = [person.take_seat() for person in people(sessions, 4)]
    assert stages == ["practice"] * 3 + ["full"]
    assert sorted(seats_of(database)) == [("a", 0), ("b", 0), ("b", 1)]
