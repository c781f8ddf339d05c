"""What a participant does, step by step; each step is one transaction, kept whole or not at all."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from sqlalchemy import ColumnElement, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from beholder.collect import bodies
from beholder.collect.assignment import plan, take_seat
from beholder.collect.clock import Clock
from beholder.collect.database import Database
from beholder.collect.database.models import RecordingRow, SessionRow, SurveyRow, TrialRow
from beholder.collect.definition import Definition, Outcome
from beholder.collect.entering import Door, Entered, hashed, new_id
from beholder.collect.platforms import Entry
from beholder.collect.records import check_survey, check_trial
from beholder.collect.refusals import RefusedError
from beholder.collect.sets import image_sets
from beholder.collect.standing import Standing, is_expired, standing_of

T = TypeVar("T")


@dataclass(frozen=True)
class Kept:
    """A record that is kept: where its session stands now, and whether it was there before."""

    standing: Standing
    duplicate: bool


class _SeatLostError(Exception):
    """A step needs the seat that was released meanwhile: it must be taken again first."""

    def __init__(self, session: str) -> None:
        super().__init__(session)
        self.session = session


class Sessions:
    """The participants' side of the store; whoever takes a step shows their session's token.

    A token that is no session's is refused, in the step's own transaction.
    """

    def __init__(
        self, database: Database, definition: Definition, clock: Clock, *, pilot: bool = False
    ) -> None:
        self._database, self._definition, self._clock = database, definition, clock
        self.sets = image_sets(definition)
        self._door = Door(database, definition, self.sets, clock, pilot)

    def enter(self, entry: Entry, language: str, token: str | None) -> Entered:
        """Let somebody in, or let their session go on, with its seat if it is to be had."""
        entered = self._door.enter(entry, language, token)
        if entered.session is not None and not entered.is_new:
            self._resume(entered.session)
        return entered

    def standing(self, token: str | None) -> Standing:
        """Return where a session stands."""
        with self._database.reading() as db:
            return standing_of(db, _found(db.scalar(select(SessionRow).where(_has(token)))))

    def choose_language(self, token: str | None, language: str) -> None:
        """Let the session go on in another language."""
        if language not in self._definition.languages:
            raise RefusedError("invalid", "The study is not offered in this language.")
        with self._database.writing() as db:
            _locked(db, _has(token)).language = language

    def consent(self, token: str | None, answer: bodies.Consent) -> None:
        """Keep that somebody agreed to the consent text, or close the session if not."""
        with self._database.writing() as db:
            row = self._open(db, token)
            if row.consented_ms is not None:
                return
            if answer.version != self._definition.consent.version:
                raise RefusedError(
                    "wrong_version", "The consent text has changed; please reload it."
                )
            if not answer.agreed:
                self._close(row, "no_consent")
                return
            row.consent_version, row.consented_ms = answer.version, self._clock()
            row.seen_ms = self._clock()

    def device(self, token: str | None, device: bodies.Device) -> None:
        """Keep what the device is like and hand out a seat with its plan, if it suits."""
        with self._database.changing_seats() as db:
            row = self._open(db, token)
            standing = standing_of(db, row)
            if standing.stage == "consent":
                raise RefusedError("wrong_stage", "The consent comes first.")
            if standing.trials:
                return
            row.device = device.model_dump(mode="json")
            if not self._suits(device):
                self._close(row, "screened_out")
                return
            generator = np.random.default_rng(row.seed)
            chosen = take_seat(db, row, self.sets, self._seat_minutes, self._clock(), generator)
            if chosen is None:
                self._close(row, "full")
                return
            for position, (kind, image) in enumerate(plan(self._definition, chosen, generator)):
                db.add(
                    TrialRow(
                        id=new_id(), session_id=row.id, position=position, kind=kind, image=image
                    )
                )

    def save_trial(self, token: str | None, trial: str, record: bodies.TrialRecord) -> Kept:
        """Keep a trial, once."""
        check_trial(record, self._definition)
        plain = record.model_dump(mode="json")  # before the turn to write comes: it takes a while
        return self._with_seat(token, lambda db, row: self._save_trial(db, row, trial, plain))

    def save_survey(self, token: str | None, record: bodies.SurveyRecord) -> Kept:
        """Keep the survey, once."""
        if self._definition.instrument is None:
            raise RefusedError("wrong_stage", "This study has no survey.")
        check_survey(record, self._definition.instrument)
        plain = record.model_dump(mode="json")
        return self._with_seat(token, lambda db, row: self._save_survey(db, row, plain))

    def finish(self, token: str | None, comment: str | None) -> None:
        """Close the debriefing of a session of which everything is saved."""
        with self._database.writing() as db:
            row = _locked(db, _has(token))
            if row.outcome != "complete":
                raise RefusedError("wrong_stage", "Not everything is saved yet.")
            if row.finished_ms is None:
                row.finished_ms, row.comment = self._clock(), comment

    def leave(self, token: str | None) -> None:
        """Close an open session because the participant stops."""
        with self._database.writing() as db:
            row = _locked(db, _has(token))
            if row.outcome is None:
                self._close(row, "left")

    @property
    def _seat_minutes(self) -> float:
        return self._definition.session.seat_minutes

    def _save_trial(self, db: Session, row: SessionRow, trial: str, record: dict[str, Any]) -> Kept:
        standing = standing_of(db, row)
        planned = next((each for each in standing.trials if each.id == trial), None)
        if planned is None:
            raise RefusedError("not_found", "This session has no such trial.")
        if planned.is_saved:
            _refuse_another(db.get_one(RecordingRow, trial).client_id, record)
            return Kept(standing, duplicate=True)
        self._may_save(row)
        if standing.current != planned:
            raise RefusedError("wrong_order", "This trial is not the one to be done now.")
        db.add(
            RecordingRow(
                trial_id=trial,
                session_id=row.id,
                client_id=record["client_id"],
                received_ms=self._clock(),
                record=record,
            )
        )
        last = standing.following is None
        self._saved(row, complete=last and self._definition.survey is None)
        return Kept(standing.with_saved(planned), duplicate=False)

    def _save_survey(self, db: Session, row: SessionRow, record: dict[str, Any]) -> Kept:
        standing = standing_of(db, row)
        if (earlier := db.get(SurveyRow, row.id)) is not None:
            _refuse_another(earlier.client_id, record)
            return Kept(standing, duplicate=True)
        self._may_save(row)
        if standing.stage != "survey":
            raise RefusedError("wrong_stage", "The survey comes after the trials.")
        db.add(
            SurveyRow(
                session_id=row.id,
                client_id=record["client_id"],
                received_ms=self._clock(),
                answers=record["answers"],
                record=record,
            )
        )
        self._saved(row, complete=True)
        return Kept(standing, duplicate=False)

    def _with_seat(self, token: str | None, step: Callable[[Session, SessionRow], T]) -> T:
        """Run a step that needs a seat; one that was released meanwhile is taken again first."""
        for _ in range(3):
            try:
                with self._database.writing() as db:
                    return step(db, _locked(db, _has(token)))
            except _SeatLostError as lost:
                self._resume(lost.session)
            except IntegrityError as error:
                raise RefusedError(
                    "conflict", "This client_id was used for something else."
                ) from error
        raise RefusedError("unavailable", "The server is busy; please try again.")

    def _may_save(self, row: SessionRow) -> None:
        if row.outcome is not None or is_expired(row, self._definition, self._clock()):
            raise RefusedError("closed", "The session is closed.")
        if row.set_name is not None and row.seat is None:
            raise _SeatLostError(row.id)

    def _saved(self, row: SessionRow, *, complete: bool) -> None:
        row.seen_ms = self._clock()
        if complete:
            # The seat stays: this is one of the viewers that the set wanted.
            row.outcome, row.ended_ms = "complete", self._clock()

    def _resume(self, session: str) -> None:
        """Note that somebody is here, or close a session that is too old or without a seat."""
        with self._database.writing() as db:
            row = _locked(db, SessionRow.id == session)
            if is_expired(row, self._definition, self._clock()):
                self._close(row, "expired")
            if row.outcome is not None:
                return
            if row.set_name is None or row.seat is not None:
                row.seen_ms = self._clock()
                return
        with self._database.changing_seats() as db:
            row = _locked(db, SessionRow.id == session)
            if row.outcome is not None or row.seat is not None:
                return
            generator = np.random.default_rng(row.seed)
            if not take_seat(db, row, self.sets, self._seat_minutes, self._clock(), generator):
                self._close(row, "timed_out")

    def _open(self, db: Session, token: str | None) -> SessionRow:
        """Return the locked row of a session that is open."""
        row = _locked(db, _has(token))
        if row.outcome is not None or is_expired(row, self._definition, self._clock()):
            raise RefusedError("closed", "The session is closed.")
        return row

    def _close(self, row: SessionRow, outcome: Outcome) -> None:
        row.outcome, row.ended_ms, row.seat = outcome, self._clock(), None

    def _suits(self, device: bodies.Device) -> bool:
        wanted, screen = self._definition.device, device.environment
        return (
            screen.viewport_width >= wanted.minimum_width
            and screen.viewport_height >= wanted.minimum_height
            and not set(wanted.inputs).isdisjoint(device.inputs)
            and not (wanted.calibration == "required" and device.calibration is None)
        )


def _has(token: str | None) -> ColumnElement[bool]:
    return SessionRow.token_sha256 == hashed(token or "")


def _locked(db: Session, which: ColumnElement[bool]) -> SessionRow:
    query = select(SessionRow).where(which).with_for_update()
    return _found(db.scalar(query.execution_options(populate_existing=True)))


def _found(session: SessionRow | None) -> SessionRow:
    if session is None:
        raise RefusedError("no_session", "There is no session here; open the study's link.")
    return session


def _refuse_another(earlier: str, record: dict[str, Any]) -> None:
    """Refuse a record in the place of one that is saved, unless it is that very one."""
    if earlier != record["client_id"]:
        raise RefusedError("already_saved", "Another record of this was saved before.")
