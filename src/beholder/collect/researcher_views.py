"""What the researcher's page shows, read from the store."""

from collections import Counter

from sqlalchemy import select

from beholder.collect import researcher_bodies as bodies
from beholder.collect.application import Application
from beholder.collect.database.models import SignalRow
from beholder.collect.images import Prepared
from beholder.collect.platforms import pseudonym
from beholder.collect.recordings import recording
from beholder.collect.refusals import RefusedError
from beholder.collect.rows import ParticipantRow, TrialRow
from beholder.collect.sets import all_images
from beholder.collect.store import Store


def overview(app: Application) -> bodies.Overview:
    """Return the study in numbers."""
    rows = app.store.participants(pilot=app.settings.pilot)
    flags = flags_by_session(app.store)
    sets = app.store.set_counts(pilot=app.settings.pilot)
    complete = [row for row in rows if row.outcome == "complete"]
    return bodies.Overview(
        name=app.definition.name,
        paused=app.store.paused(),
        pilot=app.settings.pilot,
        server_time_ms=app.clock(),
        outcomes=dict(Counter(row.outcome or "open" for row in rows)),
        decisions=dict(Counter(row.decision for row in rows if row.decision)),
        flagged=sum(bool(flags.get(row.session)) for row in rows),
        unassessed=sum(row.session not in flags for row in complete),
        wanted=sum(count.wanted for count in sets),
        sets=[bodies.SetProgress(**vars(count)) for count in sets],
    )


def summaries(app: Application) -> list[bodies.SessionSummary]:
    """Return every participation, oldest first."""
    flags, paid = flags_by_session(app.store), _bonuses(app.store)
    return [
        _summary(row, flags.get(row.session, []), paid.get(row.session))
        for row in app.store.participants(pilot=app.settings.pilot)
    ]


def detail(app: Application, row: ParticipantRow) -> bodies.SessionDetail:
    """Return one participation with its trials, signals, decisions and survey."""
    signals = app.store.signals(row.session)
    decisions = app.store.decisions(row.session)
    survey = app.store.survey(row.session)
    flags = [signal.name for signal in signals if signal.flagged]
    paid = [decision.amount_cents for decision in decisions if decision.kind == "bonus"]
    return bodies.SessionDetail(
        summary=_summary(row, flags, paid[-1] if paid else None),
        consent_version=row.consent_version,
        device=row.device,
        trials=[_trial(each) for each in app.store.trials(row.session)],
        signals=[bodies.SignalShown(**vars(signal)) for signal in signals],
        decisions=[
            bodies.DecisionShown(
                kind=each.kind,
                reason=each.reason,
                amount_cents=each.amount_cents,
                actor=each.actor,
                made_ms=each.made_ms,
            )
            for each in decisions
        ],
        survey=_answers(app, survey.answers) if survey else [],
        survey_seconds=survey.record["duration_ms"] / 1000 if survey else None,
    )


def trial(app: Application, row: ParticipantRow, trial: str) -> bodies.TrialDetail:
    """Return one trial of a participation; refuse what was not done."""
    wanted = next((each for each in app.store.trials(row.session) if each.id == trial), None)
    if wanted is None or wanted.record is None:
        raise RefusedError("not_found", "This participation has no record of such a trial.")
    image = prepared(app, wanted.image)
    return bodies.TrialDetail(
        trial=_trial(wanted),
        width=image.width,
        height=image.height,
        has_blurred=image.blurred is not None,
        record=wanted.record,
    )


def prepared(app: Application, image: str) -> Prepared:
    """Return an image of the definition; refuse any other name."""
    if image not in all_images(app.definition):
        raise RefusedError("not_found", "This study has no such image.")
    return app.images.prepared(image)


def pay(app: Application, asked: bodies.BonusList) -> list[bodies.Pay]:
    """Return a line for each participation of each worker, and one for whoever is unknown.

    The pseudonym holds the platform: the same id elsewhere is another person.
    """
    paid = _bonuses(app.store)
    by_person: dict[str, list[ParticipantRow]] = {}
    for row in app.store.participants(pilot=app.settings.pilot):
        by_person.setdefault(row.participant, []).append(row)
    lines: list[bodies.Pay] = []
    for worker in dict.fromkeys(each.strip() for each in asked.workers):
        rows = by_person.get(pseudonym(app.pseudonymiser, asked.platform, worker), [])
        lines += [
            bodies.Pay(
                worker=worker,
                turn=row.turn,
                outcome=row.outcome or "open",
                decision=row.decision,
                reason=row.reason,
                bonus_cents=paid.get(row.session),
            )
            for row in rows
        ]
        if not rows:
            nothing = dict.fromkeys(("turn", "outcome", "decision", "reason", "bonus_cents"))
            lines.append(bodies.Pay.model_validate({"worker": worker, **nothing}))
    return lines


def flags_by_session(store: Store) -> dict[str, list[str]]:
    """Return the raised signals' names of every session that was assessed, in one query."""
    flags: dict[str, list[str]] = {}
    query = select(SignalRow.session_id, SignalRow.name, SignalRow.flagged).order_by(SignalRow.id)
    with store.database.reading() as db:
        for session, name, flagged in db.execute(query):
            flags.setdefault(session, []).extend([name] * flagged)
    return flags


def _bonuses(store: Store) -> dict[str, int | None]:
    return {
        decision.session: decision.amount_cents
        for decision in store.decisions()
        if decision.kind == "bonus"
    }


def _summary(
    row: ParticipantRow, flags: list[str], bonus_cents: int | None
) -> bodies.SessionSummary:
    return bodies.SessionSummary(
        session=row.session,
        participant=row.participant,
        turn=row.turn,
        platform=row.platform,
        language=row.language,
        stage=row.stage,
        outcome=row.outcome,
        set_name=row.set_name,
        created_ms=row.created_ms,
        seen_ms=row.seen_ms,
        ended_ms=row.ended_ms,
        saved=row.saved,
        planned=row.planned,
        decision=row.decision,
        reason=row.reason,
        comment=row.comment,
        bonus_cents=bonus_cents,
        flags=flags,
    )


def _trial(row: TrialRow) -> bodies.TrialSummary:
    one = recording(row) if row.record is not None else None
    return bodies.TrialSummary(
        id=row.id,
        number=row.position + 1,
        kind=row.kind,
        image=row.image,
        seconds=one.duration_ms / 1000 if one else None,
        clicks=len(one.clicks) if one else None,
        captions=[caption.text for caption in one.captions] if one else [],
    )


def _answers(app: Application, answers: dict[str, int]) -> list[bodies.AnswerShown]:
    instrument = app.definition.instrument
    if instrument is None:
        return []
    shown = []
    for item in instrument.items:
        if (answer := answers.get(item.key)) is not None:
            label = instrument.labels[answer - instrument.minimum] if instrument.labels else None
            statement = f"{instrument.stem} {item.text}"
            shown.append(bodies.AnswerShown(item=statement, answer=answer, label=label))
    return shown
