"""How far the study is, counted from the rows: by session, by set and by image."""

from collections import Counter
from collections.abc import Sequence
from typing import cast

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from beholder.collect.database import models
from beholder.collect.definition import Outcome
from beholder.collect.rows import ImageCount, Judgement, ParticipantRow, SetCount
from beholder.collect.sets import ImageSet
from beholder.collect.standing import stage_of

_ON = models.SessionRow.id == models.TrialRow.session_id


def participants(db: Session, query: Select[models.SessionRow]) -> list[ParticipantRow]:
    """Return the sessions of a query as rows, oldest first, in a fixed number of queries."""
    sessions = db.scalars(
        query.order_by(models.SessionRow.created_ms, models.SessionRow.turn, models.SessionRow.id)
    ).all()
    chosen = query.with_only_columns(models.SessionRow.id).scalar_subquery()
    planned: Counter[tuple[str, bool]] = Counter()
    for session, kind, count in db.execute(
        select(models.TrialRow.session_id, models.TrialRow.kind, func.count())
        .where(models.TrialRow.session_id.in_(chosen))
        .group_by(models.TrialRow.session_id, models.TrialRow.kind)
    ):
        planned[session, kind == "practice"] += count
    saved: dict[str, int] = dict(
        db.execute(
            select(models.RecordingRow.session_id, func.count())
            .where(models.RecordingRow.session_id.in_(chosen))
            .group_by(models.RecordingRow.session_id)
        ).all()
    )
    judged = {
        row.session_id: row
        for row in db.scalars(
            select(models.DecisionRow)
            .where(models.DecisionRow.kind != "bonus", models.DecisionRow.session_id.in_(chosen))
            .order_by(models.DecisionRow.id)
        )
    }
    return [
        _participant(
            row,
            practice=planned[row.id, True],
            planned=planned[row.id, True] + planned[row.id, False],
            saved=saved.get(row.id, 0),
            judged=judged.get(row.id),
        )
        for row in sessions
    ]


def set_counts(
    db: Session, sets: Sequence[ImageSet], pilot: bool, fresh_since: int
) -> list[SetCount]:
    """Return how each set is filled; an open session not seen since a time holds no seat."""
    complete: Counter[str | None] = Counter()
    active: Counter[str | None] = Counter()
    query = select(
        models.SessionRow.set_name, models.SessionRow.outcome, models.SessionRow.seen_ms
    ).where(models.SessionRow.pilot == pilot, models.SessionRow.seat.is_not(None))
    for name, outcome, seen_ms in db.execute(query):
        complete[name] += outcome is not None
        active[name] += outcome is None and seen_ms >= fresh_since
    return [
        SetCount(
            each.name,
            each.viewers,
            complete[each.name],
            active[each.name],
            max(each.viewers - complete[each.name] - active[each.name], 0),
        )
        for each in sets
    ]


def image_counts(db: Session, sets: Sequence[ImageSet], pilot: bool) -> list[ImageCount]:
    """Return the viewers of each image of each set, in the sets' order."""
    query = (
        select(
            models.SessionRow.set_name,
            models.TrialRow.image,
            func.count(),
            func.count().filter(
                models.SessionRow.outcome == "complete", models.SessionRow.seat.is_not(None)
            ),
        )
        .join(models.TrialRow, _ON)
        .join(models.RecordingRow, models.RecordingRow.trial_id == models.TrialRow.id)
        .where(models.SessionRow.pilot == pilot, models.TrialRow.kind == "image")
        .group_by(models.SessionRow.set_name, models.TrialRow.image)
    )
    counted = {(name, image): (saved, done) for name, image, saved, done in db.execute(query)}
    result = []
    for each in sets:
        for image in each.images:
            saved, done = counted.get((each.name, image), (0, 0))
            result.append(ImageCount(image, each.name, each.viewers, done, saved))
    return result


def _participant(
    row: models.SessionRow,
    *,
    practice: int,
    planned: int,
    saved: int,
    judged: models.DecisionRow | None,
) -> ParticipantRow:
    return ParticipantRow(
        session=row.id,
        participant=row.participant_id,
        turn=row.turn,
        platform=row.platform,
        pilot=row.pilot,
        language=row.language,
        stage=stage_of(row, practice=practice, planned=planned, saved=saved),
        outcome=cast(Outcome | None, row.outcome),
        set_name=row.set_name,
        holds_seat=row.seat is not None,
        created_ms=row.created_ms,
        consented_ms=row.consented_ms,
        consent_version=row.consent_version,
        seen_ms=row.seen_ms,
        ended_ms=row.ended_ms,
        saved=saved,
        planned=planned,
        decision=cast(Judgement, judged.kind) if judged else None,
        reason=judged.reason if judged else None,
        comment=row.comment,
        device=row.device,
    )
