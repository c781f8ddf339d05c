"""The researcher's routes: each needs the token, parses, calls and answers."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import FileResponse

from beholder.collect import researcher_bodies as bodies
from beholder.collect import researcher_views as views
from beholder.collect.answers import documented
from beholder.collect.export import Archives, Choice
from beholder.collect.participant import App
from beholder.collect.quality import assess
from beholder.collect.refusals import RefusedError
from beholder.collect.rows import ParticipantRow
from beholder.collect.withdrawing import withdraw
from beholder.errors import StudyError
from beholder.serving import matches


def allowed(request: Request, app: App) -> None:
    """Refuse whoever has not the researcher's token; a participant's cookie is none."""
    kind, _, given = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not matches(given.strip(), app.settings.researcher_token):
        raise RefusedError("no_access", "This needs the researcher's token.")


router = APIRouter(
    prefix="/api/researcher",
    dependencies=[Depends(allowed)],
    responses=documented(401, 422, 503),
)

SessionID = Annotated[str, Path(pattern="^[A-Za-z0-9_-]{1,32}$")]
TrialID = Annotated[str, Path(pattern="^[A-Za-z0-9_-]{1,32}$")]
FileName = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,150}\.zip$")]
_ACT = documented(400, 403, 408, 413, 415)
_ONE = documented(404)


@contextmanager
def _found() -> Iterator[None]:
    """Answer 404 for what is not there."""
    try:
        yield
    except StudyError as error:
        raise RefusedError("not_found", str(error)) from error


def archives(app: App) -> Archives:
    """Return where exports lie ready."""
    if app.settings.data is None:
        raise RefusedError("not_found", "This server keeps no exports: it has no data folder.")
    return Archives(app.settings.data / "exports")


Exports = Annotated[Archives, Depends(archives)]


@router.get("/overview")
def overview(app: App) -> bodies.Overview:
    """Return how far the study is."""
    return views.overview(app)


@router.get("/images")
def images(app: App) -> list[bodies.ImageProgress]:
    """Return how often each image was seen."""
    counts = app.store.image_counts(pilot=app.settings.pilot)
    return [bodies.ImageProgress(**vars(count)) for count in counts]


@router.get("/images/{which}", response_class=FileResponse, responses=_ONE)
def image(
    which: Annotated[str, Path(pattern="^(sharp|blurred)$")],
    image: Annotated[str, Query(max_length=1000)],
    app: App,
) -> FileResponse:
    """Return an image of the definition, as participants get it."""
    prepared = views.prepared(app, image)
    if which == "sharp":
        return FileResponse(prepared.sharp, media_type=prepared.media_type)
    if prepared.blurred is None:
        raise RefusedError("not_found", "Nothing is blurred in this study.")
    return FileResponse(prepared.blurred, media_type="image/jpeg")


@router.get("/sessions")
def sessions(app: App) -> list[bodies.SessionSummary]:
    """Return every participation, oldest first."""
    return views.summaries(app)


@router.get("/sessions/{session}", responses=_ONE)
def session(session: SessionID, app: App) -> bodies.SessionDetail:
    """Return one participation."""
    return views.detail(app, _row(app, session))


@router.get("/sessions/{session}/trials/{trial}", responses=_ONE)
def trial(session: SessionID, trial: TrialID, app: App) -> bodies.TrialDetail:
    """Return a trial that was done, to be replayed."""
    return views.trial(app, _row(app, session), trial)


@router.post("/sessions/{session}/decision", responses=_ONE | _ACT)
def decide(session: SessionID, body: bodies.Judge, app: App) -> bodies.Done:
    """Approve or reject a participation; a rejection has a reason."""
    if body.kind == "reject" and not body.reason.strip():
        raise RefusedError("invalid", "A rejection needs a reason.")
    row = _row(app, session)
    with _found():
        app.store.decide(row.session, body.kind, body.reason.strip(), body.by)
    return bodies.Done()


@router.post("/sessions/{session}/bonus", responses=_ONE | _ACT)
def bonus(session: SessionID, body: bodies.GiveBonus, app: App) -> bodies.Done:
    """Note a bonus."""
    row = _row(app, session)
    with _found():
        app.store.bonus(row.session, body.amount_cents, body.reason.strip(), body.by)
    return bodies.Done()


@router.post("/bonuses", responses=_ACT)
def bonuses(body: bodies.BonusList, app: App) -> list[bodies.Pay]:
    """Join a platform's ids with decisions and bonuses; the ids are not kept."""
    return views.pay(app, body)


@router.post("/paused", responses=_ACT)
def pause(body: bodies.Pause, app: App) -> bodies.Done:
    """Let nobody new in, or let people in again."""
    app.store.set_paused(body.paused, body.by)
    return bodies.Done()


@router.post("/signals", responses=_ACT)
def signals(body: bodies.Act, app: App) -> bodies.Assessed:
    """Compute the signals of every complete participation anew."""
    found = assess(app.store, pilot=app.settings.pilot)
    flagged = sum(any(one.flagged for one in of_session) for of_session in found.values())
    return bodies.Assessed(assessed=len(found), flagged=flagged)


@router.post("/withdrawals", responses=_ONE | _ACT)
def withdraw_person(body: bodies.WithdrawPerson, app: App, exports: Exports) -> bodies.Withdrawn:
    """Remove a person: every row, and every export that holds them."""
    if body.typed != body.participant:
        raise RefusedError("invalid", "The pseudonym was typed otherwise.")
    with _found():
        gone = withdraw(app.store, exports, body.participant, body.by)
    return bodies.Withdrawn(
        receipt=gone.receipt.receipt,
        made_ms=gone.receipt.made_ms,
        counts=gone.receipt.counts,
        removed_exports=list(gone.removed_exports),
        exports_elsewhere=list(gone.exports_elsewhere),
    )


@router.get("/exports", responses=_ONE)
def all_exports(exports: Exports) -> list[bodies.Prepared]:
    """Return the exports that lie ready, newest first."""
    return [bodies.Prepared(**vars(one)) for one in exports.all()]


@router.post("/exports", responses=_ONE | _ACT)
def prepare(body: bodies.PrepareExport, app: App, exports: Exports) -> bodies.Prepared:
    """Make an export: the study, tables and events in one ZIP file."""
    choice = Choice(body.only_approved, body.include_flagged, app.settings.pilot)
    made = exports.prepare(app.store, app.images, choice)
    app.store.note(body.by, "prepare", made.name)
    return bodies.Prepared(**vars(made))


@router.get("/exports/{name}", response_class=FileResponse, responses=_ONE)
def download(name: FileName, exports: Exports) -> FileResponse:
    """Return an export's file."""
    with _found():
        return FileResponse(exports.path(name), media_type="application/zip", filename=name)


@router.post("/exports/{name}/removal", responses=_ONE | _ACT)
def remove(name: FileName, body: bodies.Act, app: App, exports: Exports) -> bodies.Done:
    """Remove an export."""
    with _found():
        exports.remove(name)
    app.store.note(body.by, "remove", name)
    return bodies.Done()


@router.get("/audit")
def audit(app: App) -> list[bodies.Noted]:
    """Return what was done last, newest first."""
    return [bodies.Noted(**vars(entry)) for entry in app.store.audit()]


def _row(app: Any, session: str) -> ParticipantRow:
    with _found():
        row: ParticipantRow = app.store.participant(session)
        return row
