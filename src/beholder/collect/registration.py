"""Which study a database is for, and that it stays the study which people were asked for."""

import hashlib
import json

from sqlalchemy import select
from sqlalchemy.orm import Session

from beholder.collect.database.models import StudyRow, TrialRow
from beholder.collect.definition import Definition
from beholder.collect.sets import image_sets
from beholder.errors import ConfigurationError


def register(db: Session, definition: Definition, now: int) -> None:
    """Note the study that a new database is for, or check that the database is for this one.

    Texts, codes, viewers and rules may change while a study runs; raises ConfigurationError
    for another name, and for other images, sets, tasks or items once a trial was planned.
    """
    fingerprint, stated = fingerprint_of(definition), definition.model_dump(mode="json")
    row = db.get(StudyRow, 1)
    if row is None:
        db.add(
            StudyRow(
                id=1,
                name=definition.name,
                fingerprint=fingerprint,
                definition=stated,
                paused=False,
                created_ms=now,
            )
        )
        return
    if row.name != definition.name:
        raise ConfigurationError(
            f"the database holds the study {row.name!r}, not {definition.name!r}"
        )
    has_begun = db.scalar(select(TrialRow.id).limit(1)) is not None
    if row.fingerprint != fingerprint and has_begun:
        raise ConfigurationError(
            f"the study {row.name!r} has begun with other images, sets, tasks or items: "
            "give the changed definition another name and database"
        )
    row.fingerprint, row.definition = fingerprint, stated


def fingerprint_of(definition: Definition) -> str:
    """Return a hash of what must not change once people have been asked."""
    instrument = definition.instrument
    stated = {
        "sets": [[each.name, *each.images] for each in image_sets(definition)],
        "practice": [practice.image for practice in definition.practice],
        "validation": [validation.image for validation in definition.validation],
        "tasks": [
            task.model_dump(mode="json", exclude={"prompt", "template"})
            for task in definition.tasks
        ],
        "items": [item.key for item in instrument.items] if instrument else None,
    }
    return hashlib.sha256(json.dumps(stated, sort_keys=True).encode()).hexdigest()
