"""What the server answers a page: where its session stands, and what is to be done next."""

from typing import Literal, cast

from pydantic import BaseModel

from beholder.collect.application import Application
from beholder.collect.definition import Area, Outcome, PlatformName
from beholder.collect.platforms import Exit, exit_of
from beholder.collect.standing import PlannedTrial, Stage, Standing
from beholder.collect.texts import in_language


class StateArea(BaseModel):
    """A rectangle of a practice image, in fractions of it."""

    x: float
    y: float
    width: float
    height: float
    name: str | None


class StateImage(BaseModel):
    """An image's size in pixels, and where it is got."""

    width: int
    height: int
    blurred: str | None
    sharp: str


class StateTrial(BaseModel):
    """The trial to be done now; validation looks like any other."""

    id: str
    kind: Literal["practice", "trial"]
    number: int
    image: StateImage
    bubble_radius_px: float | None
    areas: list[StateArea]


class Count(BaseModel):
    """How many are saved, of how many."""

    saved: int
    total: int


class Progress(BaseModel):
    """How far a session is."""

    practice: Count
    trials: Count


class CompletionState(BaseModel):
    """How a session ended and how the page leaves."""

    outcome: Outcome
    code: str | None
    receipt: str | None
    exit: Exit


class State(BaseModel):
    """Everything that a page needs to go on."""

    session: str | None
    stage: Stage
    language: str
    languages: list[str]
    platform: PlatformName
    pilot: bool
    server_time_ms: int
    progress: Progress
    trial: StateTrial | None
    next_blurred: str | None
    completion: CompletionState | None


class EnteredState(State):
    """The state after entering; a page in a frame also gets its token."""

    token: str | None = None


class Saved(BaseModel):
    """That a record is kept, whether it was kept before, and what comes next."""

    saved: Literal[True] = True
    duplicate: bool
    state: State


def state_of(app: Application, standing: Standing) -> State:
    """Return the state of a session."""
    session, current, following = standing.session, standing.current, standing.following
    outcome = standing.outcome if standing.stage in ("done", "closed") else None
    return State(
        session=session.id,
        stage=standing.stage,
        language=session.language,
        languages=list(app.definition.languages),
        platform=cast(PlatformName, session.platform),
        pilot=session.pilot,
        server_time_ms=app.clock(),
        progress=_progress(standing.trials),
        trial=_trial(app, standing, current) if current else None,
        next_blurred=_blurred(app, following) if following else None,
        completion=completion_of(app, session.platform, outcome, session.id[:8], session.submit_to)
        if outcome
        else None,
    )


def state_at_door(
    app: Application, platform: PlatformName, language: str, outcome: Outcome | None
) -> State:
    """Return the state of somebody without a session: a preview, or not let in."""
    return State(
        session=None,
        stage="closed" if outcome else "preview",
        language=language,
        languages=list(app.definition.languages),
        platform=platform,
        pilot=app.settings.pilot,
        server_time_ms=app.clock(),
        progress=_progress(()),
        trial=None,
        next_blurred=None,
        completion=completion_of(app, platform, outcome, None, None) if outcome else None,
    )


def completion_of(
    app: Application, platform: str, outcome: Outcome, receipt: str | None, submit_to: str | None
) -> CompletionState:
    """Return how an outcome ends, with the code that the definition gives it."""
    code = app.definition.completion.codes.get(outcome)
    return CompletionState(
        outcome=outcome,
        code=code,
        receipt=receipt,
        exit=exit_of(platform, outcome, code, receipt, submit_to),
    )


def _trial(app: Application, standing: Standing, trial: PlannedTrial) -> StateTrial:
    prepared = app.images.prepared(trial.image)
    alike = [each for each in standing.trials if each.is_practice == trial.is_practice]
    return StateTrial(
        id=trial.id,
        kind="practice" if trial.is_practice else "trial",
        number=alike.index(trial) + 1,
        image=StateImage(
            width=prepared.width,
            height=prepared.height,
            blurred=_blurred(app, trial),
            sharp=f"api/images/{trial.id}/sharp",
        ),
        bubble_radius_px=prepared.bubble_radius_px,
        areas=_areas(app, trial, standing.session.language) if trial.is_practice else [],
    )


def _blurred(app: Application, trial: PlannedTrial) -> str | None:
    return f"api/images/{trial.id}/blurred" if app.definition.bubbles else None


def _areas(app: Application, trial: PlannedTrial, language: str) -> list[StateArea]:
    practices = [each for each in app.definition.practice if each.image == trial.image]
    return [_area(area, language) for each in practices[:1] for area in each.areas]


def _area(area: Area, language: str) -> StateArea:
    name = in_language(area.name, language) if area.name else None
    return StateArea(**area.model_dump(exclude={"name"}), name=name)


def _progress(trials: tuple[PlannedTrial, ...]) -> Progress:
    def count(practice: bool) -> Count:
        alike = [trial for trial in trials if trial.is_practice == practice]
        return Count(saved=sum(trial.is_saved for trial in alike), total=len(alike))

    return Progress(practice=count(True), trials=count(False))
