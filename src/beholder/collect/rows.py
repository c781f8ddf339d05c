"""What the researcher's side reads of the store: plain, frozen rows without a database behind."""

from dataclasses import dataclass, field
from typing import Any, Literal

from beholder.collect.definition import Outcome
from beholder.collect.standing import Stage

Judgement = Literal["approve", "reject"]


@dataclass(frozen=True)
class ParticipantRow:
    """One participation of one person; times are milliseconds since 1970, UTC."""

    session: str
    participant: str
    turn: int
    platform: str
    pilot: bool
    language: str
    stage: Stage
    outcome: Outcome | None  # None: it goes on
    set_name: str | None
    holds_seat: bool
    created_ms: int
    consented_ms: int | None
    consent_version: str | None
    seen_ms: int
    ended_ms: int | None
    saved: int  # trials, practice among them
    planned: int
    decision: Judgement | None
    reason: str | None
    comment: str | None
    device: dict[str, Any] | None  # as the page sent it, calibration among it


@dataclass(frozen=True)
class TrialRow:
    """A planned trial and, where it was done, its record as the page sent it."""

    id: str
    position: int
    kind: Literal["practice", "image", "validation"]
    image: str
    received_ms: int | None
    record: dict[str, Any] | None


@dataclass(frozen=True)
class SurveyRow:
    """A session's answers by item key, and the whole record."""

    session: str
    participant: str
    answers: dict[str, int]
    record: dict[str, Any]
    received_ms: int


@dataclass(frozen=True)
class SetCount:
    """A set's seats: complete ones, those of open sessions, and those free for newcomers.

    A seat that has lapsed counts as free, though it stays with its session until it is wanted.
    """

    set_name: str
    wanted: int
    complete: int
    active: int
    free: int


@dataclass(frozen=True)
class ImageCount:
    """An image's viewers: wanted, complete, and the trials with it that are saved at all."""

    image: str
    set_name: str
    wanted: int
    complete: int
    saved: int


@dataclass(frozen=True)
class Signal:
    """A named hint at a session's quality, of one trial or of all, with its evidence."""

    name: str
    flagged: bool
    value: float | None = None
    trial: str | None = None
    evidence: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Decision:
    """What a person decided of a session, when and why."""

    session: str
    participant: str
    kind: Literal["approve", "reject", "bonus"]
    reason: str
    amount_cents: int | None
    actor: str
    made_ms: int


@dataclass(frozen=True)
class Receipt:
    """Proof that somebody was withdrawn: how many rows of each table went."""

    receipt: str
    counts: dict[str, int]
    made_ms: int


@dataclass(frozen=True)
class AuditEntry:
    """What a researcher did."""

    made_ms: int
    actor: str
    action: str
    subject: str | None
    details: dict[str, Any]
