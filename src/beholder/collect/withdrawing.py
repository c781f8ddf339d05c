"""Withdrawing a person from everything: rows, prepared exports, and what others' signals say."""

from dataclasses import dataclass
from pathlib import Path

from beholder.collect.export import Archives
from beholder.collect.quality import assess
from beholder.collect.rows import Receipt
from beholder.collect.store import Store
from beholder.errors import StudyError

EXPORTED = "export"
"""The action under which the audit log names every export."""
_ALL = 1_000_000


@dataclass(frozen=True)
class Withdrawal:
    """What went with a person, and the exports elsewhere that only their owner can remove."""

    receipt: Receipt
    removed_exports: tuple[str, ...]
    exports_elsewhere: tuple[str, ...]


def withdraw(store: Store, archives: Archives, participant: str, actor: str) -> Withdrawal:
    """Remove a person's rows and every prepared export that holds them.

    Files go first: if the work is interrupted the person is still known, and the withdrawal can
    be asked for again. Then the others' signals are computed anew, which may have named the
    person's trials. Raises StudyError where there is no such person.
    """
    sessions = [row for pilot in (False, True) for row in store.participants(pilot=pilot)]
    if participant not in {row.participant for row in sessions}:
        raise StudyError(f"there is no participant {participant!r}")
    with archives.alone():
        removed = archives.remove_with(participant)
        receipt = store.withdraw(participant, actor)
    for pilot in (False, True):
        assess(store, pilot=pilot)
    store.database.forget_deleted()  # the evidence that named the person's trials, too
    return Withdrawal(receipt, removed, exports_elsewhere(store))


def exports_elsewhere(store: Store) -> tuple[str, ...]:
    """Return the folders that were exported outside the data folder and are still there."""
    paths = {
        str(path)
        for entry in store.audit(_ALL)
        if entry.action == EXPORTED
        for path in entry.details.get("paths", ())
    }
    return tuple(sorted(path for path in paths if Path(path).exists()))
