"""What a signal is computed from: a session, what its study asks for, and the others."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from beholder.collect.definition import Definition, Validation
from beholder.collect.quality.others import Others
from beholder.collect.quality.thresholds import Thresholds
from beholder.collect.recordings import Recording
from beholder.study.survey import Instrument


@dataclass(frozen=True)
class Expected:
    """What a study asks of people, as far as signals need it."""

    minimum_clicks: int = 0
    validation: Mapping[str, Validation] | None = None
    instrument: Instrument | None = None

    @classmethod
    def of(cls, definition: Definition) -> "Expected":
        """Return what a definition asks for."""
        bubbles = definition.bubbles
        return cls(
            minimum_clicks=bubbles.minimum_clicks if bubbles else 0,
            validation={entry.image: entry for entry in definition.validation},
            instrument=definition.instrument,
        )


@dataclass(frozen=True)
class Survey:
    """A session's answers by item key, and how long they took."""

    answers: Mapping[str, int]
    duration_ms: float


@dataclass(frozen=True)
class Judged:
    """One session and all that its signals are computed from; practice is not judged."""

    session: str
    participant: str
    recordings: tuple[Recording, ...]
    survey: Survey | None
    expected: Expected
    others: Others
    thresholds: Thresholds

    @cached_property
    def trials(self) -> tuple[Recording, ...]:
        """The trials that count: images and validation images."""
        return tuple(one for one in self.recordings if one.kind != "practice")

    @cached_property
    def viewings(self) -> tuple[Recording, ...]:
        """The trials in which there was something to click."""
        return tuple(one for one in self.trials if one.has_bubbles)
