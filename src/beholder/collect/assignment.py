"""Assignment: who gets a seat in which set, and what they are then asked to do.

A set has as many seats as it wants viewers. A seat belongs to a session from the moment it is
taken; it is free again when its holder leaves, is rejected, or has not been seen for the time
that the definition sets while somebody else wants it. Everything here runs in a transaction
of `Database.changing_seats`; the table's constraint forbids two holders in any case.
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from beholder.collect.clock import MINUTE
from beholder.collect.database.models import SessionRow
from beholder.collect.definition import Definition
from beholder.collect.sets import ImageSet


def take_seat(
    db: Session,
    session: SessionRow,
    sets: Sequence[ImageSet],
    seat_minutes: float,
    now: int,
    generator: np.random.Generator,
) -> ImageSet | None:
    """Give a session a seat and return its set, or None where every seat is taken.

    A session that had a seat gets one in its own set only. Anybody else gets one in the set
    nearest to being full that the person has not seen, drawn among those as near.
    """
    _release_lapsed(db, now - round(seat_minutes * MINUTE))
    taken = taken_seats(db, session.pilot)
    seen = _sets_seen(db, session)
    open_sets = [
        each
        for each in sets
        if len(taken[each.name]) < each.viewers
        and (each.name == session.set_name if session.set_name else each.name not in seen)
    ]
    if not open_sets:
        return None
    missing = [each.viewers - len(taken[each.name]) for each in open_sets]
    nearest = [each for each, n in zip(open_sets, missing, strict=True) if n == min(missing)]
    chosen = nearest[int(generator.integers(len(nearest)))]
    session.set_name = chosen.name
    session.seat = min(set(range(chosen.viewers)) - taken[chosen.name])
    session.seen_ms = now
    db.flush()
    return chosen


def is_full(
    db: Session, sets: Sequence[ImageSet], pilot: bool, seat_minutes: float, now: int
) -> bool:
    """Tell whether nobody new could get a seat now; it holds no lock, so it is only a guess."""
    taken = taken_seats(db, pilot, fresh_since=now - round(seat_minutes * MINUTE))
    return all(len(taken[each.name]) >= each.viewers for each in sets)


def taken_seats(
    db: Session, pilot: bool, fresh_since: int | None = None
) -> defaultdict[str, set[int]]:
    """Return the numbers of the taken seats by set, without those not seen since a time."""
    query = select(SessionRow.set_name, SessionRow.seat).where(
        SessionRow.pilot == pilot, SessionRow.seat.is_not(None)
    )
    if fresh_since is not None:
        query = query.where(SessionRow.outcome.is_not(None) | (SessionRow.seen_ms >= fresh_since))
    taken: defaultdict[str, set[int]] = defaultdict(set)
    for name, seat in db.execute(query):
        if name is not None and seat is not None:
            taken[name].add(seat)
    return taken


def plan(
    definition: Definition, chosen: ImageSet, generator: np.random.Generator
) -> list[tuple[str, str]]:
    """Return the trials of a session as (kind, image): practice, then the set in random order.

    Validation images lie anywhere among the set's but at its very beginning.
    """
    images = [("image", chosen.images[n]) for n in generator.permutation(len(chosen.images))]
    for validation in definition.validation:
        place = int(generator.integers(1, len(images) + 1))
        images.insert(place, ("validation", validation.image))
    return [("practice", practice.image) for practice in definition.practice] + images


def _release_lapsed(db: Session, seen_before: int) -> None:
    db.execute(
        update(SessionRow)
        .where(
            SessionRow.seat.is_not(None),
            SessionRow.outcome.is_(None),
            SessionRow.seen_ms < seen_before,
        )
        .values(seat=None)
        .execution_options(synchronize_session="fetch")
    )


def _sets_seen(db: Session, session: SessionRow) -> set[str | None]:
    query = select(SessionRow.set_name).where(
        SessionRow.participant_id == session.participant_id, SessionRow.id != session.id
    )
    return set(db.scalars(query))
