"""Withdrawing a person: every row that derives from them goes, and what stays names nobody."""

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from beholder.collect.database import models

# In an order in which nothing points to what is gone.
_BY_SESSION = (
    models.SignalRow,
    models.DecisionRow,
    models.SurveyRow,
    models.RecordingRow,
    models.TrialRow,
)


def remove_person(db: Session, participant: str) -> dict[str, int]:
    """Delete a person's rows and return how many went, by table."""
    theirs = select(models.SessionRow.id).where(models.SessionRow.participant_id == participant)
    sessions = list(db.scalars(theirs.with_for_update()))
    counts = {
        row.__tablename__: _delete(db, row, row.session_id.in_(sessions)) for row in _BY_SESSION
    }
    counts["audit"] = _delete(
        db, models.AuditRow, models.AuditRow.subject.in_([*sessions, participant])
    )
    counts["sessions"] = _delete(
        db, models.SessionRow, models.SessionRow.participant_id == participant
    )
    counts["participants"] = _delete(
        db, models.ParticipantRow, models.ParticipantRow.id == participant
    )
    return counts


def _delete(db: Session, row: type[models.Base], condition: ColumnElement[bool]) -> int:
    number = db.scalar(select(func.count()).select_from(row).where(condition)) or 0
    db.execute(delete(row).where(condition).execution_options(synchronize_session=False))
    return number
