"""The tables. Times are milliseconds since 1970, UTC; ids tell nothing but who is who.

Nothing here is a counter: how many took part, saved or finished is counted from the rows.
"""

from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

ID = 32
"""Length of the columns that hold an id."""


class Base(DeclarativeBase):
    """Names constraints alike on every database, so that migrations can speak of them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        dict[str, Any]: JSON,
        int: BigInteger,
        bool: Boolean,
        float: Float,
    }


class StudyRow(Base):
    """The one study of this database; whoever takes or frees a seat holds a lock on this row."""

    __tablename__ = "studies"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(64))
    fingerprint: Mapped[str] = mapped_column(String(64))
    definition: Mapped[dict[str, Any]]
    paused: Mapped[bool]
    created_ms: Mapped[int]


class ParticipantRow(Base):
    """A person, known by a pseudonym alone."""

    __tablename__ = "participants"

    id: Mapped[str] = mapped_column(String(ID), primary_key=True)
    platform: Mapped[str] = mapped_column(String(16))
    created_ms: Mapped[int]


class SessionRow(Base):
    """One participation: who, with which set, how far and how it ended.

    A seat is one of the set's places, numbered from 0, and no two sessions hold the same: no
    number of arrivals at once can fill a set beyond its viewers.
    """

    __tablename__ = "sessions"
    __table_args__ = (
        UniqueConstraint("participant_id", "pilot", "turn"),
        UniqueConstraint("pilot", "set_name", "seat"),
    )

    id: Mapped[str] = mapped_column(String(ID), primary_key=True)
    participant_id: Mapped[str] = mapped_column(ForeignKey("participants.id"))
    turn: Mapped[int] = mapped_column(Integer)
    pilot: Mapped[bool]
    platform: Mapped[str] = mapped_column(String(16))
    submission: Mapped[str | None] = mapped_column(String(ID))
    submit_to: Mapped[str | None] = mapped_column(String(200))
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    language: Mapped[str] = mapped_column(String(20))
    outcome: Mapped[str | None] = mapped_column(String(20))  # null: it goes on
    set_name: Mapped[str | None] = mapped_column(String(64))
    seat: Mapped[int | None] = mapped_column(Integer)
    seed: Mapped[int]
    consent_version: Mapped[str | None] = mapped_column(String(100))
    consented_ms: Mapped[int | None]
    device: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    created_ms: Mapped[int]
    seen_ms: Mapped[int]  # the last step that was saved or resumed
    ended_ms: Mapped[int | None]
    finished_ms: Mapped[int | None]  # the debriefing was left
    comment: Mapped[str | None] = mapped_column(Text)


class TrialRow(Base):
    """A trial that a session is to do, planned when it got its seat."""

    __tablename__ = "trials"
    __table_args__ = (UniqueConstraint("session_id", "position"),)

    id: Mapped[str] = mapped_column(String(ID), primary_key=True)
    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.id"))
    position: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(String(16))  # practice, image or validation
    image: Mapped[str] = mapped_column(Text)


class RecordingRow(Base):
    """What was done in a trial, whole: its existence is what the server acknowledges."""

    __tablename__ = "recordings"
    __table_args__ = (UniqueConstraint("session_id", "client_id"),)

    trial_id: Mapped[str] = mapped_column(ForeignKey("trials.id"), primary_key=True)
    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.id"))
    client_id: Mapped[str] = mapped_column(String(36))
    received_ms: Mapped[int]
    record: Mapped[dict[str, Any]]


class SurveyRow(Base):
    """A session's answered survey."""

    __tablename__ = "surveys"

    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.id"), primary_key=True)
    client_id: Mapped[str] = mapped_column(String(36))
    received_ms: Mapped[int]
    answers: Mapped[dict[str, Any]]
    record: Mapped[dict[str, Any]]


class SignalRow(Base):
    """A named hint at a session's quality, with its evidence; it decides nothing."""

    __tablename__ = "signals"
    __table_args__ = (Index(None, "session_id"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.id"))
    trial_id: Mapped[str | None] = mapped_column(ForeignKey("trials.id"))
    name: Mapped[str] = mapped_column(String(64))
    flagged: Mapped[bool]
    value: Mapped[float | None]
    evidence: Mapped[dict[str, Any]]
    made_ms: Mapped[int]


class DecisionRow(Base):
    """What a person decided of a session and why; the newest of a kind counts."""

    __tablename__ = "decisions"
    __table_args__ = (Index(None, "session_id"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.id"))
    kind: Mapped[str] = mapped_column(String(16))  # approve, reject or bonus
    reason: Mapped[str] = mapped_column(Text)
    amount_cents: Mapped[int | None]
    actor: Mapped[str] = mapped_column(String(64))
    made_ms: Mapped[int]


class AuditRow(Base):
    """What the researchers did, and when."""

    __tablename__ = "audit"
    __table_args__ = (Index(None, "subject"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    made_ms: Mapped[int]
    actor: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str | None] = mapped_column(String(64))
    details: Mapped[dict[str, Any]]


class WithdrawalRow(Base):
    """That somebody was withdrawn and how many rows went; it does not say who."""

    __tablename__ = "withdrawals"

    receipt: Mapped[str] = mapped_column(String(ID), primary_key=True)
    made_ms: Mapped[int]
    counts: Mapped[dict[str, Any]]
