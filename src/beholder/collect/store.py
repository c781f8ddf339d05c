"""The store of a study as its researchers use it: reading, judging, withdrawing, pausing."""

import secrets
from collections.abc import Iterator, Sequence
from typing import Any, cast

import numpy as np
from sqlalchemy import ColumnElement, Select, delete, select
from sqlalchemy.orm import Session

from beholder.collect import counts
from beholder.collect.assignment import take_seat
from beholder.collect.clock import MINUTE, Clock, now_ms
from beholder.collect.database import Database, models
from beholder.collect.definition import Definition
from beholder.collect.registration import register
from beholder.collect.rows import (
    AuditEntry,
    Decision,
    ImageCount,
    Judgement,
    ParticipantRow,
    Receipt,
    SetCount,
    Signal,
    SurveyRow,
    TrialRow,
)
from beholder.collect.sets import image_sets
from beholder.collect.withdrawal import remove_person
from beholder.errors import StudyError


def open_store(url: str, definition: Definition, *, clock: Clock = now_ms) -> "Store":
    """Return the store of a definition at a database's URL, its tables made or migrated.

    Raises ConfigurationError where the database holds another study, or this one with other
    images, sets, tasks or items than people have already been asked.
    """
    database = Database(url)
    try:
        database.migrate()
        with database.writing() as db:
            register(db, definition, clock())
    except BaseException:
        database.close()
        raise
    return Store(database, definition, clock)


class Store:
    """A study's store; threads may share it, and every method is one transaction."""

    def __init__(self, database: Database, definition: Definition, clock: Clock) -> None:
        self.database, self.definition, self.clock = database, definition, clock
        self._sets = image_sets(definition)

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    def participants(self, *, pilot: bool = False) -> list[ParticipantRow]:
        """Return every session, oldest first."""
        with self.database.reading() as db:
            return counts.participants(db, _sessions().where(models.SessionRow.pilot == pilot))

    def participant(self, session: str) -> ParticipantRow:
        """Return one session; StudyError where there is none."""
        with self.database.reading() as db:
            found = counts.participants(db, _sessions().where(models.SessionRow.id == session))
        if not found:
            raise StudyError(f"there is no session {session!r}")
        return found[0]

    def trials(self, session: str) -> list[TrialRow]:
        """Return a session's trials in order, done or not."""
        query = (
            select(models.TrialRow, models.RecordingRow)
            .outerjoin(models.RecordingRow, models.RecordingRow.trial_id == models.TrialRow.id)
            .where(models.TrialRow.session_id == session)
            .order_by(models.TrialRow.position)
        )
        with self.database.reading() as db:
            return [
                TrialRow(
                    id=trial.id,
                    position=trial.position,
                    kind=cast(Any, trial.kind),
                    image=trial.image,
                    received_ms=recording.received_ms if recording else None,
                    record=recording.record if recording else None,
                )
                for trial, recording in db.execute(query)
            ]

    def recorded_trials(self, *, pilot: bool = False) -> Iterator[tuple[ParticipantRow, TrialRow]]:
        """Yield the saved trials of every complete session, a session at a time, in order."""
        for participant in self.participants(pilot=pilot):
            if participant.outcome == "complete":
                for trial in self.trials(participant.session):
                    if trial.record is not None:
                        yield participant, trial

    def survey(self, session: str) -> SurveyRow | None:
        """Return a session's survey, if it is answered."""
        with self.database.reading() as db:
            return next(_surveys(db, models.SessionRow.id == session), None)

    def surveys(self, *, pilot: bool = False) -> list[SurveyRow]:
        """Return every answered survey, the oldest session's first."""
        with self.database.reading() as db:
            return list(_surveys(db, models.SessionRow.pilot == pilot))

    def set_counts(self, *, pilot: bool = False) -> list[SetCount]:
        """Return how each set is filled."""
        fresh_since = self.clock() - round(self.definition.session.seat_minutes * MINUTE)
        with self.database.reading() as db:
            return counts.set_counts(db, self._sets, pilot, fresh_since)

    def image_counts(self, *, pilot: bool = False) -> list[ImageCount]:
        """Return the viewers of each image of each set."""
        with self.database.reading() as db:
            return counts.image_counts(db, self._sets, pilot)

    def put_signals(self, session: str, signals: Sequence[Signal]) -> None:
        """Put these signals in the place of a session's."""
        with self.database.writing() as db:
            _locked(db, session)
            db.execute(delete(models.SignalRow).where(models.SignalRow.session_id == session))
            db.add_all(
                models.SignalRow(
                    session_id=session,
                    trial_id=signal.trial,
                    name=signal.name,
                    flagged=signal.flagged,
                    value=signal.value,
                    evidence=signal.evidence,
                    made_ms=self.clock(),
                )
                for signal in signals
            )

    def signals(self, session: str) -> list[Signal]:
        """Return a session's signals in the order in which they were put."""
        query = select(models.SignalRow).where(models.SignalRow.session_id == session)
        with self.database.reading() as db:
            return [
                Signal(row.name, row.flagged, row.value, row.trial_id, row.evidence)
                for row in db.scalars(query.order_by(models.SignalRow.id))
            ]

    def decide(self, session: str, kind: Judgement, reason: str, actor: str) -> None:
        """Approve or reject a session. A rejected one frees its seat.

        Whoever is approved after having been rejected gets a seat again if one is free; if
        none is, the set has a viewer more than it wanted, by this person's decision.
        """
        with self.database.changing_seats() as db:
            row = _locked(db, session)
            if kind == "reject":
                row.seat = None
            elif row.outcome == "complete" and row.seat is None:
                generator = np.random.default_rng(row.seed)
                minutes, seen_ms = self.definition.session.seat_minutes, row.seen_ms
                take_seat(db, row, self._sets, minutes, self.clock(), generator)
                row.seen_ms = seen_ms
            self._note_decision(db, session, kind, reason, None, actor)

    def bonus(self, session: str, amount_cents: int, reason: str, actor: str) -> None:
        """Note that somebody is to get a bonus, in cents; the newest amount counts."""
        if amount_cents < 0:
            raise StudyError(f"a bonus of {amount_cents} cents cannot be paid")
        with self.database.writing() as db:
            _locked(db, session)
            self._note_decision(db, session, "bonus", reason, amount_cents, actor)

    def decisions(self, session: str | None = None) -> list[Decision]:
        """Return what was decided, of one session or of all, oldest first."""
        query = (
            select(models.DecisionRow, models.SessionRow.participant_id)
            .join(models.SessionRow, models.SessionRow.id == models.DecisionRow.session_id)
            .order_by(models.DecisionRow.id)
        )
        if session is not None:
            query = query.where(models.DecisionRow.session_id == session)
        with self.database.reading() as db:
            return [
                Decision(
                    row.session_id,
                    participant,
                    cast(Any, row.kind),
                    row.reason,
                    row.amount_cents,
                    row.actor,
                    row.made_ms,
                )
                for row, participant in db.execute(query)
            ]

    def withdraw(self, participant: str, actor: str) -> Receipt:
        """Delete a person's every row; StudyError where there is no such person.

        Files that were exported lie outside the store: whoever exported them removes them.
        """
        receipt, now = secrets.token_urlsafe(12), self.clock()
        with self.database.changing_seats() as db:
            removed = remove_person(db, participant)
            if not removed["participants"]:
                raise StudyError(f"there is no participant {participant!r}")
            db.add(models.WithdrawalRow(receipt=receipt, made_ms=now, counts=removed))
            self._note(db, actor, "withdraw", receipt)
        self.database.forget_deleted()
        return Receipt(receipt, removed, now)

    def withdrawals(self) -> list[Receipt]:
        """Return the receipts of everybody who was withdrawn, oldest first."""
        query = select(models.WithdrawalRow).order_by(models.WithdrawalRow.made_ms)
        with self.database.reading() as db:
            return [Receipt(row.receipt, row.counts, row.made_ms) for row in db.scalars(query)]

    def set_paused(self, paused: bool, actor: str) -> None:
        """Let nobody new in, or let people in again; open sessions go on either way."""
        with self.database.changing_seats() as db:
            db.get_one(models.StudyRow, 1).paused = paused
            self._note(db, actor, "pause" if paused else "resume", None)

    def paused(self) -> bool:
        """Tell whether nobody new is let in."""
        with self.database.reading() as db:
            return db.get_one(models.StudyRow, 1).paused

    def audit(self, limit: int = 200) -> list[AuditEntry]:
        """Return what was done last, newest first."""
        query = select(models.AuditRow).order_by(models.AuditRow.id.desc()).limit(limit)
        with self.database.reading() as db:
            return [
                AuditEntry(row.made_ms, row.actor, row.action, row.subject, row.details)
                for row in db.scalars(query)
            ]

    def note(self, actor: str, action: str, subject: str | None, **details: Any) -> None:
        """Add to the audit log something that is done outside the store, such as an export."""
        with self.database.writing() as db:
            self._note(db, actor, action, subject, **details)

    def _note_decision(
        self,
        db: Session,
        session: str,
        kind: str,
        reason: str,
        amount_cents: int | None,
        actor: str,
    ) -> None:
        db.add(
            models.DecisionRow(
                session_id=session,
                kind=kind,
                reason=reason,
                amount_cents=amount_cents,
                actor=actor,
                made_ms=self.clock(),
            )
        )
        self._note(db, actor, kind, session)

    def _note(
        self, db: Session, actor: str, action: str, subject: str | None, **details: Any
    ) -> None:
        db.add(
            models.AuditRow(
                made_ms=self.clock(), actor=actor, action=action, subject=subject, details=details
            )
        )


def _sessions() -> Select[models.SessionRow]:
    return select(models.SessionRow)


def _locked(db: Session, session: str) -> models.SessionRow:
    query = select(models.SessionRow).where(models.SessionRow.id == session).with_for_update()
    if (row := db.scalars(query).one_or_none()) is None:
        raise StudyError(f"there is no session {session!r}")
    return row


def _surveys(db: Session, condition: ColumnElement[bool]) -> Iterator[SurveyRow]:
    query = (
        select(models.SurveyRow, models.SessionRow.participant_id)
        .join(models.SessionRow, models.SessionRow.id == models.SurveyRow.session_id)
        .where(condition)
        .order_by(models.SessionRow.created_ms, models.SessionRow.id)
    )
    for row, participant in db.execute(query):
        yield SurveyRow(row.session_id, participant, row.answers, row.record, row.received_ms)
