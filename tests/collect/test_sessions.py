"""What a participant does, on both kinds of database, without a server."""

from __future__ import annotations

from pathlib import Path

import pytest
from web_study import (
    DEVICE,
    ENVIRONMENT,
    Person,
    Turned,
    definition_in,
    new_sessions,
    survey_record,
    trial_record,
)

from beholder.collect import bodies
from beholder.collect.database import Database
from beholder.collect.database.models import RecordingRow, SessionRow, SurveyRow
from beholder.collect.definition import Definition
from beholder.collect.platforms import Entry
from beholder.collect.records import check_trial
from beholder.collect.refusals import RefusedError
from beholder.collect.sessions import Sessions
from beholder.collect.store import Store

LINK = Entry("link")


def prolific(person: str, submission: str = "s1") -> Entry:
    return Entry("prolific", person, submission)


@pytest.fixture
def person(sessions: Sessions) -> Person:
    return Person(sessions, prolific("p1"))


def test_a_whole_session(person: Person, store: Store) -> None:
    person.enter("es")
    stages = [person.stage]
    person.take_seat()
    stages.append(person.stage)
    while person.stage in ("practice", "trials"):
        assert person.save_next() is False
        stages.append(person.stage)
    person.answer()
    stages.append(person.stage)
    person.sessions.finish(person.token, "thanks")
    assert [*stages, person.stage] == [
        *("consent", "practice", "trials", "trials", "trials", "survey", "debrief", "done")
    ]
    row = store.participant(person.session)
    assert (row.participant, row.language, row.outcome) == ("p1", "es", "complete")
    assert (row.saved, row.planned, row.comment, row.consent_version) == (4, 4, "thanks", "1")
    assert row.device == bodies.Device.model_validate(DEVICE).model_dump(mode="json")
    kinds = [trial.kind for trial in store.trials(person.session)]
    assert kinds[:2] == ["practice", "image"]
    assert sorted(kinds) == ["image", "image", "practice", "validation"]


def test_what_is_saved_is_what_was_sent(person: Person, store: Store, clock: Turned) -> None:
    person.take_seat()
    sent = trial_record("«ñ» 猫 <script>alert(1)</script>")
    current = person.sessions.standing(person.token).current
    clock.turn(minutes=1)
    person.sessions.save_trial(person.token, current.id, bodies.TrialRecord.model_validate(sent))
    kept = store.trials(person.session)[0]
    assert kept.record == sent
    assert kept.received_ms == clock.now


def test_a_record_sent_twice_is_kept_once(person: Person, store: Store) -> None:
    person.take_seat()
    current = person.sessions.standing(person.token).current
    record = bodies.TrialRecord.model_validate(trial_record())
    altered = record.model_copy(update={"duration_ms": 9.0})
    kept = [person.sessions.save_trial(person.token, current.id, r) for r in (record, altered)]
    assert [each.duplicate for each in kept] == [False, True]
    assert store.trials(person.session)[0].record["duration_ms"] == record.duration_ms
    person.complete()
    survey = store.survey(person.session).record
    again = bodies.SurveyRecord.model_validate(survey)
    assert person.sessions.save_survey(person.token, again).duplicate
    assert person.sessions.save_trial(person.token, current.id, record).duplicate


def test_a_save_tells_where_the_session_then_stands(person: Person) -> None:
    person.take_seat()
    while (stood := person.sessions.standing(person.token)).current is not None:
        record = bodies.TrialRecord.model_validate(trial_record())
        kept = person.sessions.save_trial(person.token, stood.current.id, record)
        stands = person.sessions.standing(person.token)
        assert (kept.standing.trials, kept.standing.stage) == (stands.trials, stands.stage)
        assert kept.standing.current == stands.current != stood.current
    survey = bodies.SurveyRecord.model_validate(survey_record())
    assert person.sessions.save_survey(person.token, survey).standing.stage == "debrief"


def test_another_record_of_a_saved_trial_is_refused(person: Person, store: Store) -> None:
    person.take_seat()
    current = person.sessions.standing(person.token).current
    person.save_next(text="the first")
    other = bodies.TrialRecord.model_validate(trial_record("the other"))
    with pytest.raises(RefusedError) as caught:
        person.sessions.save_trial(person.token, current.id, other)
    assert caught.value.code == "already_saved"
    assert store.trials(person.session)[0].record["tasks"][1]["text"] == "the first"
    person.complete()
    with pytest.raises(RefusedError) as caught:
        person.answer()
    assert caught.value.code == "already_saved"


def test_a_client_id_is_for_one_trial(person: Person) -> None:
    person.take_seat()
    record = trial_record()
    person.save_next(**record)
    with pytest.raises(RefusedError) as caught:
        person.save_next(**record)
    assert caught.value.code == "conflict"


def test_steps_have_their_order(person: Person, store: Store) -> None:
    device = bodies.Device.model_validate(DEVICE)
    survey = bodies.SurveyRecord.model_validate(survey_record())
    person.enter()
    for step, code in (
        (lambda: person.sessions.device(person.token, device), "wrong_stage"),
        (lambda: person.sessions.finish(person.token, None), "wrong_stage"),
    ):
        with pytest.raises(RefusedError) as caught:
            step()
        assert caught.value.code == code
    person.take_seat()
    with pytest.raises(RefusedError) as caught:
        person.sessions.save_survey(person.token, survey)
    assert caught.value.code == "wrong_stage"
    later = store.trials(person.session)[2].id
    with pytest.raises(RefusedError) as caught:
        person.sessions.save_trial(
            person.token, later, bodies.TrialRecord.model_validate(trial_record())
        )
    assert caught.value.code == "wrong_order"
    while person.stage != "survey":
        person.save_next()
    with pytest.raises(RefusedError) as caught:
        person.sessions.finish(person.token, None)
    assert caught.value.code == "wrong_stage"


def test_no_session_has_anothers_trial(sessions: Sessions, store: Store) -> None:
    one, other = Person(sessions, prolific("p1")), Person(sessions, prolific("p2"))
    one.take_seat()
    other.take_seat()
    theirs = store.trials(other.session)[0].id
    with pytest.raises(RefusedError) as caught:
        sessions.save_trial(one.token, theirs, bodies.TrialRecord.model_validate(trial_record()))
    assert caught.value.code == "not_found"


@pytest.mark.parametrize(
    "change",
    [
        {"environment": ENVIRONMENT | {"viewport_width": 319}},
        {"environment": ENVIRONMENT | {"viewport_height": 299}},
        {"inputs": []},
    ],
)
def test_a_device_that_does_not_suit_closes_the_session(person: Person, change, store) -> None:
    person.enter()
    person.sessions.consent(person.token, bodies.Consent(agreed=True, version="1"))
    person.sessions.device(person.token, bodies.Device.model_validate(DEVICE | change))
    assert store.participant(person.session).outcome == "screened_out"
    assert store.trials(person.session) == []


def test_whoever_does_not_agree_leaves_no_more_than_that(person: Person, store: Store) -> None:
    person.enter()
    with pytest.raises(RefusedError, match="changed"):
        person.sessions.consent(person.token, bodies.Consent(agreed=True, version="0"))
    person.sessions.consent(person.token, bodies.Consent(agreed=False, version="1"))
    row = store.participant(person.session)
    assert (row.stage, row.outcome, row.consented_ms) == ("closed", "no_consent", None)
    with pytest.raises(RefusedError) as caught:
        person.sessions.consent(person.token, bodies.Consent(agreed=True, version="1"))
    assert caught.value.code == "closed"


def test_a_reload_goes_on_where_it_was(person: Person, sessions, database, definition, clock):
    person.take_seat()
    person.save_next()
    before = person.sessions.standing(person.token)
    person.sessions = new_sessions(database, definition, clock)  # the server was started again
    assert person.enter() is None
    after = person.sessions.standing(person.token)
    assert (after.current, after.stage) == (before.current, before.stage)


def test_the_same_submission_goes_on_in_another_browser(sessions: Sessions) -> None:
    one, other = Person(sessions, prolific("p1")), Person(sessions, prolific("p1"))
    one.take_seat()
    assert other.enter() is None
    assert other.session == one.session
    assert sessions.standing(other.token).session.id == one.session
    for token in (one.token, None, ""):  # the first browser has lost the session
        with pytest.raises(RefusedError) as caught:
            sessions.standing(token)
        assert caught.value.code == "no_session"


def test_another_submission_does_not_get_the_session(sessions: Sessions, store: Store) -> None:
    one, forged = Person(sessions, prolific("p1")), Person(sessions, prolific("p1", "guess"))
    one.take_seat()
    assert forged.enter() == "returning"
    assert forged.token is None
    assert len(store.participants()) == 1


def test_a_token_is_no_use_to_another_person(sessions: Sessions) -> None:
    one, other = Person(sessions, prolific("p1")), Person(sessions, prolific("p2"))
    one.take_seat()
    other.token = one.token
    other.enter()
    assert other.session != one.session


def test_an_assignment_taken_anew_goes_on_in_the_same_browser(sessions, store: Store) -> None:
    person = Person(sessions, Entry("mturk", "p1", "a1", "https://www.mturk.com"))
    person.take_seat()
    person.save_next()
    person.entry = Entry("mturk", "p1", "a2", "https://workersandbox.mturk.com")
    person.enter()
    assert [row.saved for row in store.participants()] == [1]
    assert sessions.standing(person.token).session.submit_to.endswith("sandbox.mturk.com")


def test_nobody_takes_part_twice(sessions: Sessions, store: Store) -> None:
    person = Person(sessions, prolific("p1"))
    person.take_seat()
    person.complete()
    again = Person(sessions, prolific("p1", "s2"))
    assert again.enter() == "returning"
    person.entry = prolific("p1", "s2")  # also not in the browser that was used before
    assert person.enter() == "returning"
    assert len(store.participants()) == 1


def test_whoever_came_no_further_than_the_consent_may_come_again(sessions, store) -> None:
    Person(sessions, prolific("p1")).enter()
    assert Person(sessions, prolific("p1", "s2")).take_seat() == "practice"
    assert [row.outcome for row in store.participants()] == ["left", None]


def test_a_second_participation_gets_another_set(
    database: Database, study_folder: Path, clock: Turned, store: Store
) -> None:
    twice = definition_in(
        study_folder, session={"participations": 2, "seat_minutes": 10, "resume_days": 2}
    )
    sessions = new_sessions(database, twice, clock)
    for number in range(2):
        person = Person(sessions, prolific("p1", f"s{number}"))
        person.take_seat()
        person.complete()
    assert Person(sessions, prolific("p1", "s3")).enter() == "returning"
    assert len({row.set_name for row in store.participants()}) == 2
    assert [row.turn for row in store.participants()] == [1, 2]


def test_a_session_is_not_resumed_after_its_age(person: Person, clock: Turned, store) -> None:
    person.take_seat()
    clock.turn(days=1.9)
    person.enter()
    assert person.stage == "practice"
    clock.turn(days=2.1)
    with pytest.raises(RefusedError) as caught:
        person.save_next()
    assert caught.value.code == "closed"
    person.enter()
    assert store.participant(person.session).outcome == "expired"
    assert not store.participant(person.session).holds_seat


def test_a_complete_session_does_not_expire(person: Person, clock: Turned) -> None:
    person.take_seat()
    person.complete()
    clock.turn(days=300)
    person.enter()
    person.sessions.finish(person.token, None)
    assert person.stage == "done"


def test_leaving_frees_the_seat_and_keeps_what_was_saved(person: Person, store: Store) -> None:
    person.take_seat()
    person.save_next()
    person.sessions.leave(person.token)
    row = store.participant(person.session)
    assert (row.outcome, row.holds_seat, row.saved) == ("left", False, 1)
    left = next(t.id for t in store.trials(person.session) if t.record is None)
    record = bodies.TrialRecord.model_validate(trial_record())
    with pytest.raises(RefusedError) as caught:
        person.sessions.save_trial(person.token, left, record)
    assert caught.value.code == "closed"


def test_leaving_after_the_end_changes_nothing(person: Person, store: Store) -> None:
    person.take_seat()
    person.complete()
    person.sessions.leave(person.token)
    assert store.participant(person.session).outcome == "complete"


def test_a_paused_study_lets_nobody_new_in(person: Person, sessions, store: Store) -> None:
    person.take_seat()
    store.set_paused(True, "me")
    person.enter()
    person.save_next()
    with pytest.raises(RefusedError) as caught:
        Person(sessions, prolific("p2")).enter()
    assert caught.value.code == "paused"
    store.set_paused(False, "me")
    assert Person(sessions, prolific("p2")).enter() is None


def test_a_pilot_takes_no_seat_from_the_study(database, definition, clock, store: Store) -> None:
    pilot = new_sessions(database, definition, clock, pilot=True)
    for number in range(4):
        assert Person(pilot, prolific(f"p{number}")).take_seat() == "practice"
    assert Person(pilot, prolific("p9")).enter() == "full"
    assert sum(count.free for count in store.set_counts()) == 4
    assert (len(store.participants()), len(store.participants(pilot=True))) == (0, 4)
    study = new_sessions(database, definition, clock)
    assert Person(study, prolific("p0", "s2")).take_seat() == "practice"


def test_a_study_without_a_survey_ends_with_its_last_trial(
    database: Database, study_folder: Path, clock: Turned, store: Store
) -> None:
    sessions = new_sessions(database, definition_in(study_folder, survey=None), clock)
    person = Person(sessions, LINK)
    person.take_seat()
    while person.stage in ("practice", "trials"):
        person.save_next()
    assert person.stage == "debrief"
    with pytest.raises(RefusedError):
        person.answer()


def test_links_without_a_code_are_all_different_people(sessions: Sessions, store: Store) -> None:
    for _ in range(2):
        assert Person(sessions, LINK).enter() is None
    assert len({row.participant for row in store.participants()}) == 2


def test_the_store_keeps_no_token(person: Person, database: Database) -> None:
    person.take_seat()
    with database.reading() as db:
        row = db.get_one(SessionRow, person.session)
        assert person.token not in [str(value) for value in vars(row).values()]


def _clicks(*changes: dict[str, object]) -> dict[str, object]:
    tasks = trial_record()["tasks"]
    tasks[0]["clicks"] = [click | c for click, c in zip(tasks[0]["clicks"], changes, strict=True)]
    return {"tasks": tasks}


def _task(number: int, **changes: object) -> dict[str, object]:
    tasks = trial_record()["tasks"]
    tasks[number] |= changes
    return {"tasks": tasks}


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        (_clicks({}, {"n": 3}, {"n": 2}), "body.tasks.0.clicks"),
        (_clicks({"n": 2}, {"n": 3}, {"n": 4}), "body.tasks.0.clicks"),
        (_clicks({}, {"t": 5}, {}), "body.tasks.0.clicks"),
        (_task(0, clicks=[]), "body.tasks.0.clicks"),
        (
            _task(
                0, clicks=[trial_record()["tasks"][0]["clicks"][0] | {"n": n} for n in range(1, 7)]
            ),
            "body.tasks.0.clicks",
        ),
        (_task(0, ended_ms=0, started_ms=1), "body.tasks.0.ended_ms"),
        (_task(1, text="  hm   "), "body.tasks.1.text"),
        (_task(1, text="x" * 51), "body.tasks.1.text"),
        (_task(1, name="other"), "body.tasks"),
        ({"tasks": trial_record()["tasks"][::-1]}, "body.tasks"),
        ({"tasks": trial_record()["tasks"][:1]}, "body.tasks"),
    ],
)
def test_a_record_that_the_definition_forbids_is_refused(
    changes: dict[str, object], where: str, definition: Definition
) -> None:
    with pytest.raises(RefusedError) as caught:
        check_trial(bodies.TrialRecord.model_validate(trial_record(**changes)), definition)
    assert (caught.value.code, caught.value.fields[0].where) == ("invalid", where)


def test_who_ran_out_of_time_may_have_done_less(definition: Definition) -> None:
    tasks = trial_record()["tasks"]
    tasks[0] |= {"clicks": [], "timed_out": True}
    tasks[1] |= {"text": "", "timed_out": True}
    check_trial(bodies.TrialRecord.model_validate(trial_record(tasks=tasks)), definition)


@pytest.mark.parametrize(
    "answers", [{"a": 1}, {"a": 1, "b": 1, "c": 1}, {"a": 0, "b": 1}, {"a": 1, "b": 4}]
)
def test_a_survey_has_one_answer_to_each_item(person: Person, answers, store, database) -> None:
    person.take_seat()
    while person.stage != "survey":
        person.save_next()
    record = bodies.SurveyRecord.model_validate(survey_record(answers=answers))
    with pytest.raises(RefusedError) as caught:
        person.sessions.save_survey(person.token, record)
    assert caught.value.code == "invalid"
    with database.reading() as db:
        assert db.get(SurveyRow, person.session) is None
        assert db.query(RecordingRow).count() == 4
