"""The participants' routes: each parses, calls `Sessions` and says where the session stands."""

from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import FileResponse
from starlette.requests import HTTPConnection

from beholder.collect import bodies
from beholder.collect.answers import documented
from beholder.collect.application import Application
from beholder.collect.clock import DAY, SECOND
from beholder.collect.platforms import recognise
from beholder.collect.public import PublicDefinition, public_definition
from beholder.collect.refusals import RefusedError
from beholder.collect.standing import PlannedTrial
from beholder.collect.states import EnteredState, Saved, State, state_at_door, state_of

COOKIE, HEADER = "beholder_session", "X-Beholder-Session"

router = APIRouter(prefix="/api")


def application(connection: HTTPConnection) -> Application:
    """Return the study that is served."""
    return cast(Application, connection.app.state.application)


App = Annotated[Application, Depends(application)]


def token(request: Request) -> str | None:
    """Return the session's token, from its header or its cookie."""
    return request.headers.get(HEADER) or request.cookies.get(COOKIE)


def session(request: Request, app: App) -> str:
    """Return the session of whoever asks; refuse whoever has none."""
    return app.sessions.by_token(token(request))


Session = Annotated[str, Depends(session)]
TrialID = Annotated[str, Path(pattern="^[A-Za-z0-9_-]{1,32}$")]

_BODY = documented(400, 403, 408, 413, 415, 422, 503)
_STEP = documented(401, 409) | _BODY


@router.get("/definition", responses=documented(422))
def definition(
    app: App, language: Annotated[str | None, Query(max_length=20)] = None
) -> PublicDefinition:
    """Return what the page shows, in a language, or in the default where it is not offered."""
    return public_definition(app.definition, app.definition.language(language))


@router.post("/session", responses=_BODY)
def enter(body: bodies.Enter, request: Request, response: Response, app: App) -> EnteredState:
    """Let somebody in, or let their session go on."""
    entry = recognise(body.entry, app.definition, app.pseudonymiser)
    language = app.definition.language(body.language)
    if entry.is_preview:
        return EnteredState(**state_at_door(app, entry.platform, language, None).model_dump())
    entered = app.sessions.enter(entry, language, token(request))
    if entered.session is None:
        door = state_at_door(app, entry.platform, language, entered.outcome)
        return EnteredState(**door.model_dump())
    state = _state(app, entered.session)
    if entered.token is not None:
        _set_cookie(app, request, response, entered.token, framed=entry.platform == "mturk")
    shown = entered.token if state.platform == "mturk" else None
    return EnteredState(**state.model_dump(), token=shown)


@router.get("/session", responses=documented(401, 503))
def standing(app: App, session: Session) -> State:
    """Return where the session stands."""
    return _state(app, session)


@router.post("/session/language", responses=_STEP)
def language(body: bodies.Language, app: App, session: Session) -> State:
    """Go on in another language."""
    app.sessions.choose_language(session, body.language)
    return _state(app, session)


@router.post("/session/consent", responses=_STEP)
def consent(body: bodies.Consent, app: App, session: Session) -> State:
    """Agree to the consent text, or not."""
    app.sessions.consent(session, body)
    return _state(app, session)


@router.post("/session/device", responses=_STEP)
def device(body: bodies.Device, app: App, session: Session) -> State:
    """Say what the device is like; a seat and its trials are given out now."""
    app.sessions.device(session, body)
    return _state(app, session)


@router.post("/session/trials/{trial}", responses=documented(404) | _STEP)
def save_trial(trial: TrialID, body: bodies.TrialRecord, app: App, session: Session) -> Saved:
    """Keep a trial; the answer comes when it is on the disk."""
    duplicate = app.sessions.save_trial(session, trial, body)
    return Saved(duplicate=duplicate, state=_state(app, session))


@router.post("/session/survey", responses=_STEP)
def save_survey(body: bodies.SurveyRecord, app: App, session: Session) -> Saved:
    """Keep the survey; the answer comes when it is on the disk."""
    duplicate = app.sessions.save_survey(session, body)
    return Saved(duplicate=duplicate, state=_state(app, session))


@router.post("/session/finish", responses=_STEP)
def finish(body: bodies.Finish, app: App, session: Session) -> State:
    """End the debriefing; the completion code is in the answer."""
    app.sessions.finish(session, body.comment)
    return _state(app, session)


@router.post("/session/leave", responses=_STEP)
def leave(body: bodies.Leave, app: App, session: Session) -> State:
    """Stop here."""
    app.sessions.leave(session)
    return _state(app, session)


_FILE: dict[int | str, dict[str, Any]] = {200: {"content": {"image/jpeg": {}, "image/png": {}}}}
_IMAGE = _FILE | documented(401, 404, 422, 503)


@router.get("/images/{trial}/blurred", response_class=FileResponse, responses=_IMAGE)
def blurred(trial: TrialID, app: App, session: Session) -> FileResponse:
    """Return the blurred image of the trial to be done now, or of the next, to have it ready."""
    standing = app.sessions.standing(session)
    prepared = app.images.prepared(_one_of(trial, standing.current, standing.following).image)
    if prepared.blurred is None:
        raise RefusedError("not_found", "There is no such image.")
    return FileResponse(
        prepared.blurred,
        media_type="image/jpeg",
        headers={"Cache-Control": "private, max-age=3600"},
    )


@router.get("/images/{trial}/sharp", response_class=FileResponse, responses=_IMAGE)
def sharp(trial: TrialID, app: App, session: Session) -> FileResponse:
    """Return the sharp image behind the bubbles, of the trial to be done now alone."""
    standing = app.sessions.standing(session)
    prepared = app.images.prepared(_one_of(trial, standing.current).image)
    return FileResponse(
        prepared.sharp, media_type=prepared.media_type, headers={"Cache-Control": "no-store"}
    )


def _state(app: Application, session: str) -> State:
    return state_of(app, app.sessions.standing(session))


def _one_of(trial: str, *allowed: PlannedTrial | None) -> PlannedTrial:
    for each in allowed:
        if each is not None and each.id == trial:
            return each
    raise RefusedError("not_found", "There is no such image.")


def _set_cookie(
    app: Application, request: Request, response: Response, token: str, *, framed: bool
) -> None:
    seconds = round(app.definition.session.resume_days * DAY / SECOND)
    parts = [f"{COOKIE}={token}", f"Max-Age={seconds}", f"Path={app.settings.root_path}/"]
    parts += ["HttpOnly"]
    is_secure = request.url.scheme == "https"
    if framed and is_secure:
        # In a frame the cookie is a third party's; it is kept apart by the site around it.
        parts += ["Secure", "SameSite=None", "Partitioned"]
    else:
        parts += ["SameSite=Lax"] + ["Secure"] * is_secure
    response.headers.append("Set-Cookie", "; ".join(parts))
