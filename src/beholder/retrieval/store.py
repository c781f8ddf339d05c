"""What every store does, embedded or on a server: rank, show, add and remove.

A store is read through snapshots, each one consistent whatever is written meanwhile, and
written by one writer at a time, whose changes all take effect at once or not at all.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from beholder.errors import ConfigurationError
from beholder.progress import Progress, silent
from beholder.retrieval.layout import Description, Side, Vectors
from beholder.retrieval.records import Addition, ImageRecord, ParticipantRecord, SampleRecord

FINDS = ("text", "gaze", "personality", "participants", "images")
"""What can be found: samples by their text or gaze, people by their survey, people, images."""

TARGETS: Mapping[str, tuple[str, ...]] = {
    "text": ("text",),
    "gaze": ("gaze",),
    "personality": ("personality",),
    "participants": ("gaze", "text", "personality"),
    "images": ("gaze", "text"),
}
"""The modalities that each find compares a query with."""

ROUNDING = 9
"""Scores that agree to so many decimals are ties, which the lower number wins."""


@dataclass(frozen=True)
class Filters:
    """What may answer: everything that matches one of the names of each kind that is given.

    A person matches ``images``, ``tasks`` and ``parts`` if one of their samples does.
    ``traits`` holds (trait, lowest, highest) on the survey's scale, both included; who has
    no survey does not match.
    """

    participants: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    traits: tuple[tuple[str, float, float], ...] = ()

    @property
    def of_samples(self) -> bool:
        """Whether anything is asked of samples, and not of people alone."""
        return bool(self.images or self.tasks or self.parts)


@dataclass(frozen=True)
class Probe:
    """One inner product: a query's row (width,) with the rows of a side."""

    modality: str  # the query's own
    side: Side
    vector: Vectors


@dataclass(frozen=True)
class Ranking:
    """What to rank and by what: ``weights`` weigh the query's modalities and sum to 1.

    A candidate's score is the weighted sum, over the query's modalities, of the mean, over
    those of the modality's probes that have a row of the candidate, of the mean inner product
    with these rows. Who has no row for one of the query's modalities is no candidate.
    ``approximate`` allows the store to miss some answers, if that is quicker.
    """

    find: str
    probes: tuple[Probe, ...]
    weights: Mapping[str, float]
    filters: Filters = field(default_factory=Filters)
    top: int = 10
    offset: int = 0
    approximate: bool = False

    def __post_init__(self) -> None:
        if self.find not in FINDS:
            raise ConfigurationError(f"cannot find {self.find!r}, only {', '.join(FINDS)}")
        if self.top < 1 or self.offset < 0:
            raise ConfigurationError(
                f"a page has from 1 answer on and begins from 0 on, not {self.top} at {self.offset}"
            )


@dataclass(frozen=True)
class Hit:
    """An answer's number, its score, and the score's parts by query modality and part."""

    number: int
    score: float
    parts: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Hits:
    """One page of a ranking; ``candidates`` is how many were ranked in all.

    ``is_approximate`` says that an index proposed who may be first, and may have missed some.
    """

    candidates: int
    hits: tuple[Hit, ...]
    is_approximate: bool = False


@dataclass(frozen=True)
class Catalogue:
    """All that a store holds, by number and name, without what is large.

    ``participant`` and ``image`` hold the numbers of each sample's participant (-1 where it
    is nobody's) and image; numbers ascend everywhere.
    """

    participants: tuple[ParticipantRecord, ...]
    images: Mapping[int, str]  # names by number
    samples: NDArray[np.int64]  # (n,)
    participant: NDArray[np.int64]  # (n,)
    image: NDArray[np.int64]  # (n,)
    tasks: NDArray[np.object_]  # (n,) texts or None
    parts: NDArray[np.object_]  # (n,) texts or None


class Snapshot(Protocol):
    """One state of a store, to read."""

    @property
    def generation(self) -> int:
        """A number that every writing raises."""

    @property
    def description(self) -> Description:
        """What the vectors mean."""

    def counts(self) -> dict[str, int]:
        """Return how many samples, participants and images there are."""

    def rank(self, rankings: Sequence[Ranking]) -> list[Hits]:
        """Return the asked page of each ranking, exactly unless it may be approximate."""

    def recalls(self) -> dict[str, float]:
        """Return the share of the first ten that each index finds, by the names of sides."""

    def catalogue(self) -> Catalogue:
        """Return what there is, in memory."""

    def vectors(self, side: Side) -> tuple[NDArray[np.int64], Vectors]:
        """Return all rows (n, width) of a side and whose they are, by ascending number (n,)."""

    def rows(self, side: Side, numbers: Sequence[int]) -> Vectors:
        """Return the rows (n, width) of these items of a side, by ascending number.

        Items that have none there are left out.
        """

    def vectors_of(self, side: Side, participant: str) -> Vectors:
        """Return the rows (n, width) of a person's samples, or of their survey."""

    def samples(self, numbers: Iterable[int]) -> dict[int, SampleRecord]:
        """Return samples by their numbers; those that are not there are left out."""

    def participants(self, numbers: Iterable[int]) -> dict[int, ParticipantRecord]:
        """Return people by their numbers; those that are not there are left out."""

    def images(self, numbers: Iterable[int]) -> dict[int, ImageRecord]:
        """Return images by their numbers; those that are not there are left out."""

    def participant(self, name: str) -> ParticipantRecord:
        """Return a person by name; StoreError if nobody is called so."""

    def image(self, name: str) -> ImageRecord:
        """Return an image by name; StoreError if none is called so."""

    def samples_of(self, participant: str) -> list[SampleRecord]:
        """Return all that a person did, in the order of the numbers."""

    def samples_on(self, image: str) -> list[SampleRecord]:
        """Return all that was done with an image, in the order of the numbers."""

    def model(self) -> dict[str, bytes]:
        """Return the files of the run that embed a query, by their paths in a run."""


class Writer(Protocol):
    """Changes a store; nothing of it shows before the writing ends."""

    def clear(self, description: Description, model: Mapping[str, bytes]) -> None:
        """Empty the store, for the vectors of another run."""

    def add(self, addition: Addition) -> None:
        """Add items, or put them in the place of those that have their numbers."""

    def next_number(self, table: str) -> int:
        """Return a number that no item of ``samples``, ``participants`` or ``images`` had."""

    def remove_samples(self, numbers: Iterable[int]) -> int:
        """Remove samples and their vectors; return how many were there."""

    def remove_participant(self, name: str) -> tuple[str, ...]:
        """Remove a person and all that they did; return the images that nobody else saw.

        Those images go as well. StoreError if nobody is called so.
        """


class Store(Protocol):
    """A place that holds one run's vectors and what they are of."""

    where: str
    """Its folder, or its URL without a password: what may be shown."""

    remains: tuple[str, ...]
    """Sentences on where else, out of the store's reach, removed things may be kept."""

    def read(self) -> AbstractContextManager[Snapshot]:
        """Give the present state, which stays as it is while it is held."""

    def write(self) -> AbstractContextManager[Writer]:
        """Give the only writer; StoreError if another one is at work."""

    def compact(self) -> None:
        """Write everything anew, without indexes, so that nothing that was removed is left.

        Raises StoreError if a reader holds an old state for too long.
        """

    def wants_indexes(self) -> bool:
        """Tell whether some side is so large that an index pays, and one can be built."""

    def build_indexes(self, progress: Progress = silent, least_rows: int = ...) -> dict[str, float]:
        """Build an approximate index of every side of so many rows; return their recalls.

        The next writing removes them. Raises UnsupportedError where they cannot be built.
        """

    def texts(self) -> bytes:
        """Return every text that the store holds now, its model's among them."""

    def look_for(self, pieces: Collection[bytes]) -> tuple[int, int]:
        """Look for pieces in every file, or table; return how many and their bytes.

        Raises StoreError naming what holds one.
        """
