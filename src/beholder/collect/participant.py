"""The participants' routes: each parses, calls `Sessions` and says where the session stands."""

from pathlib import Path as FilePath
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from starlette.requests import HTTPConnection

from beholder.collect import bodies
from beholder.collect.answers import documented
from beholder.collect.application import Application
from beholder.collect.clock import DAY, SECOND
from beholder.collect.platforms import recognise
from beholder.collect.public import PublicDefinition, public_definition
from beholder.collect.refusals import RefusedError
from beholder.collect.sessions import Kept
from beholder.collect.standing import PlannedTrial
from beholder.collect.states import EnteredState, Saved, State, state_at_door, state_of

COOKIE, HEADER = "beholder_session", "X-Beholder-Session"

router = APIRouter(prefix="/api")


# What is async here takes no thread: one hand-over to a thread is all that a request should need.
async def application(connection: HTTPConnection) -> Application:
    """Return the study that is served."""
    return cast(Application, connection.app.state.application)


App = Annotated[Application, Depends(application)]


async def token(request: Request) -> str | None:
    """Return the session's token, from its header or its cookie."""
    return request.headers.get(HEADER) or request.cookies.get(COOKIE)


Token = Annotated[str | None, Depends(token)]
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
def enter(
    body: bodies.Enter, request: Request, response: Response, app: App, token: Token
) -> EnteredState:
    """Let somebody in, or let their session go on."""
    entry = recognise(body.entry, app.definition, app.pseudonymiser)
    language = app.definition.language(body.language)
    if entry.is_preview:
        return EnteredState(**state_at_door(app, entry.platform, language, None).model_dump())
    entered = app.sessions.enter(entry, language, token)
    if entered.session is None:
        door = state_at_door(app, entry.platform, language, entered.outcome)
        return EnteredState(**door.model_dump())
    state = _state(app, entered.token or token)
    if entered.token is not None:
        _set_cookie(app, request, response, entered.token, framed=entry.platform == "mturk")
    shown = entered.token if state.platform == "mturk" else None
    return EnteredState(**state.model_dump(), token=shown)


@router.get("/session", responses=documented(401, 503))
def standing(app: App, token: Token) -> State:
    """Return where the session stands."""
    return _state(app, token)


@router.post("/session/language", responses=_STEP)
def language(body: bodies.Language, app: App, token: Token) -> State:
    """Go on in another language."""
    app.sessions.choose_language(token, body.language)
    return _state(app, token)


@router.post("/session/consent", responses=_STEP)
def consent(body: bodies.Consent, app: App, token: Token) -> State:
    """Agree to the consent text, or not."""
    app.sessions.consent(token, body)
    return _state(app, token)


@router.post("/session/device", responses=_STEP)
def device(body: bodies.Device, app: App, token: Token) -> State:
    """Say what the device is like; a seat and its trials are given out now."""
    app.sessions.device(token, body)
    return _state(app, token)


@router.post("/session/trials/{trial}", responses=documented(404) | _STEP)
def save_trial(trial: TrialID, body: bodies.TrialRecord, app: App, token: Token) -> Saved:
    """Keep a trial; the answer comes when it is on the disk."""
    return _saved(app, app.sessions.save_trial(token, trial, body))


@router.post("/session/survey", responses=_STEP)
def save_survey(body: bodies.SurveyRecord, app: App, token: Token) -> Saved:
    """Keep the survey; the answer comes when it is on the disk."""
    return _saved(app, app.sessions.save_survey(token, body))


@router.post("/session/finish", responses=_STEP)
def finish(body: bodies.Finish, app: App, token: Token) -> State:
    """End the debriefing; the completion code is in the answer."""
    app.sessions.finish(token, body.comment)
    return _state(app, token)


@router.post("/session/leave", responses=_STEP)
def leave(body: bodies.Leave, app: App, token: Token) -> State:
    """Stop here."""
    app.sessions.leave(token)
    return _state(app, token)


_FILE: dict[int | str, dict[str, Any]] = {200: {"content": {"image/jpeg": {}, "image/png": {}}}}
_IMAGE = _FILE | documented(401, 404, 422, 503)


@router.get("/images/{trial}/blurred", response_class=Response, responses=_IMAGE)
def blurred(trial: TrialID, app: App, token: Token) -> Response:
    """Return the blurred image of the trial to be done now, or of the next, to have it ready."""
    standing = app.sessions.standing(token)
    prepared = app.images.prepared(_one_of(trial, standing.current, standing.following).image)
    if prepared.blurred is None:
        raise RefusedError("not_found", "There is no such image.")
    return _image(prepared.blurred, "image/jpeg", "private, max-age=3600")


@router.get("/images/{trial}/sharp", response_class=Response, responses=_IMAGE)
def sharp(trial: TrialID, app: App, token: Token) -> Response:
    """Return the sharp image behind the bubbles, of the trial to be done now alone."""
    standing = app.sessions.standing(token)
    prepared = app.images.prepared(_one_of(trial, standing.current).image)
    return _image(prepared.sharp, prepared.media_type, "no-store")


def _state(app: Application, token: str | None) -> State:
    return state_of(app, app.sessions.standing(token))


def _saved(app: Application, kept: Kept) -> Saved:
    return Saved(duplicate=kept.duplicate, state=state_of(app, kept.standing))


def _image(file: FilePath, media_type: str, cached: str) -> Response:
    """Return a file whole, as the thread that answers read it: it is small enough."""
    return Response(file.read_bytes(), media_type=media_type, headers={"Cache-Control": cached})


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
