"""What the researcher's page sends and gets: strict models, as of the participants' side."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, StringConstraints

from beholder.collect.bodies import Body
from beholder.collect.definition import PlatformName
from beholder.collect.texts import storable


def _cleaned(value: Any) -> Any:
    return storable(value) if isinstance(value, str) else value


Actor = Annotated[str, StringConstraints(min_length=1, max_length=64), BeforeValidator(_cleaned)]
Reason = Annotated[str, StringConstraints(max_length=2000), BeforeValidator(_cleaned)]
Worker = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Act(Body):
    """Something a researcher does; ``by`` is what they call themselves."""

    by: Actor = "researcher"


class Judge(Act):
    """Approve or reject, with the reason; to reject without one is refused."""

    kind: Literal["approve", "reject"]
    reason: Reason = ""


class GiveBonus(Act):
    """A bonus in cents; the newest amount counts."""

    amount_cents: Annotated[int, Field(ge=0, le=1_000_000)]
    reason: Reason = ""


class Pause(Act):
    """Let nobody new in, or let people in again."""

    paused: bool


class WithdrawPerson(Act):
    """Remove a person for good; the pseudonym is typed once more, to be sure."""

    participant: Annotated[str, StringConstraints(max_length=32)]
    typed: Annotated[str, StringConstraints(max_length=32)]


class PrepareExport(Act):
    """Which participations an export holds."""

    only_approved: bool = False
    include_flagged: bool = True
    pilot: bool = False


class BonusList(Body):
    """The platform's own ids of whom bonuses or decisions are asked; they are not kept."""

    platform: PlatformName
    workers: Annotated[list[Worker], Field(max_length=5000)]
    pilot: bool = False


class SetProgress(BaseModel):
    """How a set is filled."""

    set_name: str
    wanted: int
    complete: int
    active: int
    free: int


class ImageProgress(BaseModel):
    """How often an image was seen."""

    image: str
    set_name: str
    wanted: int
    complete: int
    saved: int


class Overview(BaseModel):
    """The study in numbers; ``unassessed`` complete participations have no signals yet."""

    name: str
    paused: bool
    pilot: bool
    server_time_ms: int
    outcomes: dict[str, int]  # by outcome; "open" for those that go on
    decisions: dict[str, int]
    flagged: int
    unassessed: int
    wanted: int
    sets: list[SetProgress]


class SessionSummary(BaseModel):
    """One participation in a list."""

    session: str
    participant: str
    turn: int
    platform: str
    language: str
    stage: str
    outcome: str | None
    set_name: str | None
    created_ms: int
    seen_ms: int
    ended_ms: int | None
    saved: int
    planned: int
    decision: str | None
    reason: str | None
    comment: str | None
    bonus_cents: int | None
    flags: list[str]


class TrialSummary(BaseModel):
    """One trial in a list; what was not done has no numbers."""

    id: str
    number: int
    kind: str
    image: str
    seconds: float | None
    clicks: int | None
    captions: list[str]


class SignalShown(BaseModel):
    """A signal with its evidence."""

    name: str
    flagged: bool
    value: float | None
    trial: str | None
    evidence: dict[str, Any]


class DecisionShown(BaseModel):
    """What was decided."""

    kind: str
    reason: str
    amount_cents: int | None
    actor: str
    made_ms: int


class AnswerShown(BaseModel):
    """An item of the survey and its answer."""

    item: str
    answer: int
    label: str | None


class SessionDetail(BaseModel):
    """One participation with all but the records of its trials."""

    summary: SessionSummary
    consent_version: str | None
    device: dict[str, Any] | None
    trials: list[TrialSummary]
    signals: list[SignalShown]
    decisions: list[DecisionShown]
    survey: list[AnswerShown]
    survey_seconds: float | None


class TrialDetail(BaseModel):
    """A trial to be replayed."""

    trial: TrialSummary
    width: int
    height: int
    has_blurred: bool
    record: dict[str, Any]


class Assessed(BaseModel):
    """How many participations were assessed, and how many of them have a flag."""

    assessed: int
    flagged: int


class Withdrawn(BaseModel):
    """The receipt of a withdrawal."""

    receipt: str
    made_ms: int
    counts: dict[str, int]
    removed_exports: list[str]
    exports_elsewhere: list[str]


class Prepared(BaseModel):
    """An export that lies ready."""

    name: str
    bytes: int
    made_ms: int


class Pay(BaseModel):
    """A line of the bonus list; an unknown worker has no participation here."""

    worker: str
    turn: int | None
    outcome: str | None
    decision: str | None
    reason: str | None
    bonus_cents: int | None


class Noted(BaseModel):
    """A line of the audit log."""

    made_ms: int
    actor: str
    action: str
    subject: str | None
    details: dict[str, Any]


class Done(BaseModel):
    """It was done."""

    done: Literal[True] = True
