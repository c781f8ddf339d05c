"""Where a session stands, computed from its rows: its trials, its stage, how it ended."""

from dataclasses import dataclass, replace
from typing import Literal, cast, get_args

from sqlalchemy import select
from sqlalchemy.orm import Session

from beholder.collect.clock import DAY
from beholder.collect.database.models import RecordingRow, SessionRow, TrialRow
from beholder.collect.definition import Definition, Outcome

Stage = Literal[
    "preview", "consent", "device", "practice", "trials", "survey", "debrief", "done", "closed"
]
STAGES: tuple[Stage, ...] = get_args(Stage)


@dataclass(frozen=True)
class PlannedTrial:
    """A trial of a session's plan, and whether it is saved."""

    id: str
    kind: str
    image: str
    is_saved: bool

    @property
    def is_practice(self) -> bool:
        """Whether it is for learning only."""
        return self.kind == "practice"


@dataclass(frozen=True)
class Standing:
    """A session's row and its trials in order; what is to be done next follows from them."""

    session: SessionRow
    trials: tuple[PlannedTrial, ...]

    @property
    def stage(self) -> Stage:
        """What is to be done next."""
        return stage_of(
            self.session,
            practice=sum(trial.is_practice for trial in self.trials),
            planned=len(self.trials),
            saved=sum(trial.is_saved for trial in self.trials),
        )

    def with_saved(self, saved: PlannedTrial) -> "Standing":
        """Return where the session stands once a trial of it is saved."""
        kept = replace(saved, is_saved=True)
        trials = tuple(kept if trial is saved else trial for trial in self.trials)
        return Standing(self.session, trials)

    @property
    def current(self) -> PlannedTrial | None:
        """The trial to be done now; None outside the trials."""
        if self.stage not in ("practice", "trials"):
            return None
        return next(trial for trial in self.trials if not trial.is_saved)

    @property
    def following(self) -> PlannedTrial | None:
        """The trial after the current one."""
        unsaved = [trial for trial in self.trials if not trial.is_saved]
        return unsaved[1] if self.current and len(unsaved) > 1 else None

    @property
    def outcome(self) -> Outcome | None:
        """How the session ended; None while it is open."""
        return cast(Outcome | None, self.session.outcome)


def standing_of(db: Session, session: SessionRow) -> Standing:
    """Return where a session stands now."""
    query = (
        select(TrialRow.id, TrialRow.kind, TrialRow.image, RecordingRow.trial_id)
        .outerjoin(RecordingRow, RecordingRow.trial_id == TrialRow.id)
        .where(TrialRow.session_id == session.id)
        .order_by(TrialRow.position)
    )
    trials = tuple(
        PlannedTrial(identity, kind, image, saved is not None)
        for identity, kind, image, saved in db.execute(query)
    )
    return Standing(session, trials)


def is_expired(session: SessionRow, definition: Definition, now: int) -> bool:
    """Tell whether an open session is too old to be resumed."""
    age = now - session.seen_ms
    return session.outcome is None and age > definition.session.resume_days * DAY


def stage_of(session: SessionRow, *, practice: int, planned: int, saved: int) -> Stage:
    """Return what is to be done next, from the trials planned (practice first) and saved."""
    if session.outcome == "complete":
        return "debrief" if session.finished_ms is None else "done"
    if session.outcome is not None:
        return "closed"
    if session.consented_ms is None:
        return "consent"
    if not planned:
        return "device"
    if saved < practice:
        return "practice"
    return "trials" if saved < planned else "survey"
