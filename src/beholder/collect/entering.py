"""The door: who is let in, who is known already, and whose session goes on."""

import secrets
from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.orm import Session

from beholder.collect.assignment import is_full
from beholder.collect.clock import Clock
from beholder.collect.database import Database
from beholder.collect.database.models import ParticipantRow, SessionRow, StudyRow
from beholder.collect.definition import Definition, Outcome
from beholder.collect.platforms import Entry
from beholder.collect.refusals import RefusedError
from beholder.collect.sets import ImageSet


@dataclass(frozen=True)
class Entered:
    """A session that was begun or goes on, or the outcome of somebody who was not let in."""

    session: str | None = None
    token: str | None = None  # a new one; None where the one that was sent stays
    outcome: Outcome | None = None
    is_new: bool = False


def new_id() -> str:
    """Return an id that nobody can guess, of 22 characters."""
    return secrets.token_urlsafe(16)


def hashed(token: str) -> str:
    """Return what the store keeps of a session's token."""
    return sha256(token.encode("utf-8", "replace")).hexdigest()


class Door:
    """Lets people in; all that concerns tokens and repeated participation is decided here."""

    def __init__(
        self,
        database: Database,
        definition: Definition,
        sets: tuple[ImageSet, ...],
        clock: Clock,
        pilot: bool,
    ) -> None:
        self._database, self._definition, self._sets = database, definition, sets
        self._clock, self._pilot = clock, pilot

    def enter(self, entry: Entry, language: str, token: str | None) -> Entered:
        """Return the session that goes on or begins, or why there is none.

        Raises RefusedError while the study is paused, but never to somebody whose session goes on.
        """
        # Entering takes turns: one person in two browsers at once must not get two sessions.
        with self._database.changing_seats() as db:
            return self._enter(db, entry, language, token)

    def _enter(self, db: Session, entry: Entry, language: str, token: str | None) -> Entered:
        if known := self._by_token(db, entry, token):
            return Entered(known.id)
        if known := self._by_submission(db, entry):
            fresh = secrets.token_urlsafe(32)
            known.token_sha256 = hashed(fresh)
            return Entered(known.id, fresh)
        if entry.person and self._has_taken_part(db, entry.person):
            return Entered(outcome="returning")
        if db.scalars(select(StudyRow.paused)).one():
            raise RefusedError("paused", "The study is paused; please come back later.")
        if is_full(
            db, self._sets, self._pilot, self._definition.session.seat_minutes, self._clock()
        ):
            return Entered(outcome="full")
        return self._begin(db, entry, language)

    def _by_token(self, db: Session, entry: Entry, token: str | None) -> SessionRow | None:
        """Return the session of a browser with its token, unless it brings another person."""
        if not token:
            return None
        query = select(SessionRow).where(SessionRow.token_sha256 == hashed(token))
        session = db.scalars(query.with_for_update()).one_or_none()
        if session is None or (entry.person and entry.person != session.participant_id):
            return None
        if entry.submission and entry.submission != session.submission:
            if session.outcome is not None:
                return None
            # The platform sent the same person again: an assignment returned and taken anew.
            session.submission, session.submit_to = entry.submission, entry.submit_to
        return session

    def _by_submission(self, db: Session, entry: Entry) -> SessionRow | None:
        """Return the session of a submission, whose id only the platform and its worker know."""
        if not entry.submission:
            return None
        query = select(SessionRow).where(
            SessionRow.participant_id == entry.person,
            SessionRow.submission == entry.submission,
            SessionRow.pilot == self._pilot,
        )
        return db.scalars(query.order_by(SessionRow.turn.desc()).with_for_update()).first()

    def _has_taken_part(self, db: Session, person: str) -> bool:
        """Tell whether somebody has had all their turns; what never got to a set goes."""
        taken = 0
        for session in self._sessions_of(db, person):
            if session.outcome is None and session.set_name is None:
                session.outcome, session.ended_ms = "left", self._clock()
            elif session.set_name is not None or session.outcome != "left":
                taken += 1
        return taken >= self._definition.session.participations

    def _sessions_of(self, db: Session, person: str) -> list[SessionRow]:
        query = select(SessionRow).where(
            SessionRow.participant_id == person, SessionRow.pilot == self._pilot
        )
        return list(db.scalars(query.order_by(SessionRow.turn).with_for_update()))

    def _begin(self, db: Session, entry: Entry, language: str) -> Entered:
        now, token = self._clock(), secrets.token_urlsafe(32)
        person = entry.person or "p" + secrets.token_hex(8)
        if db.get(ParticipantRow, person) is None:
            db.add(ParticipantRow(id=person, platform=entry.platform, created_ms=now))
            db.flush()
        earlier = self._sessions_of(db, person)
        session = SessionRow(
            id=new_id(),
            participant_id=person,
            turn=max((session.turn for session in earlier), default=0) + 1,
            pilot=self._pilot,
            platform=entry.platform,
            submission=entry.submission,
            submit_to=entry.submit_to,
            token_sha256=hashed(token),
            language=language,
            seed=secrets.randbits(53),
            created_ms=now,
            seen_ms=now,
        )
        db.add(session)
        db.flush()
        return Entered(session.id, token, is_new=True)
