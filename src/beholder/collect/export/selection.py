"""Whose data an export holds: complete participations that nobody rejected, unless asked."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from beholder.collect.recordings import Recording, recordings
from beholder.collect.rows import ParticipantRow
from beholder.collect.store import Store


@dataclass(frozen=True)
class Choice:
    """Which participations are exported, and which caption becomes a sample's text.

    Flags reject nobody: flagged participations that nobody decided on are exported unless
    ``include_flagged`` is off. ``caption`` names a caption task; the first one by default.
    """

    only_approved: bool = False
    include_flagged: bool = True
    pilot: bool = False
    caption: str | None = None


@dataclass(frozen=True)
class Selection:
    """The participations that are exported, oldest first, and why the others are not."""

    sessions: tuple[ParticipantRow, ...]
    left_out: dict[str, int]

    @property
    def consent_versions(self) -> tuple[str, ...]:
        """The versions of the consent text under which all this was given."""
        given = {row.consent_version for row in self.sessions if row.consent_version is not None}
        return tuple(sorted(given))


def select_sessions(store: Store, choice: Choice) -> Selection:
    """Return the participations that a choice asks for."""
    kept: list[ParticipantRow] = []
    left_out: Counter[str] = Counter()
    for row in store.participants(pilot=choice.pilot):
        if (reason := _why_not(store, row, choice)) is None:
            kept.append(row)
        else:
            left_out[reason] += 1
    return Selection(tuple(kept), dict(left_out))


def trials_of(
    store: Store, row: ParticipantRow, *, validation: bool = False
) -> tuple[Recording, ...]:
    """Return a participation's trials that are exported: never practice."""
    kinds = ("image", "validation") if validation else ("image",)
    return tuple(one for one in recordings(store.trials(row.session)) if one.kind in kinds)


def flags_of(store: Store, row: ParticipantRow) -> Iterator[str]:
    """Yield the names of the signals that were raised for a participation."""
    yield from (signal.name for signal in store.signals(row.session) if signal.flagged)


def _why_not(store: Store, row: ParticipantRow, choice: Choice) -> str | None:
    if row.outcome != "complete":
        return "not complete"
    if row.decision == "reject":
        return "rejected"
    if row.decision == "approve":
        return None
    if choice.only_approved:
        return "not approved"
    if not choice.include_flagged and any(flags_of(store, row)):
        return "flagged"
    return None
