"""What one state of a store calls things: names to numbers, kept until the store changes."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from beholder.retrieval.current import counts
from beholder.retrieval.query import Query
from beholder.retrieval.records import ParticipantRecord
from beholder.retrieval.service.bodies import ImageNumber, SearchBody
from beholder.retrieval.service.refusals import RefusedError
from beholder.retrieval.store import Catalogue, Snapshot
from beholder.study.survey import Instrument, parse_instrument

_LONGEST_SHOWN = 100


@dataclass(frozen=True)
class Names:
    """The people and images of one state; samples are counted by their numbers."""

    generation: int
    catalogue: Catalogue
    people: Mapping[str, int]
    person_by_number: Mapping[int, ParticipantRecord]
    images: Mapping[str, int]
    samples: frozenset[int]
    samples_of: Mapping[int, int]  # by participant
    samples_on: Mapping[int, int]  # by image
    tasks: tuple[str, ...]
    parts: tuple[str, ...]
    traits: tuple[str, ...]
    instrument: Instrument | None

    def numbers(self, find: str) -> Collection[int]:
        """Return the numbers of all that a search for something could find."""
        if find in ("participants", "personality"):
            return self.person_by_number.keys()
        if find == "images":
            return self.catalogue.images.keys()
        return self.samples

    def query(self, body: SearchBody) -> Query:
        """Return the query that a body asks, or refuse what this state has not."""
        image = body.image
        if isinstance(image, ImageNumber):
            name = self.catalogue.images.get(image.number)
            if name is None:
                raise RefusedError("unknown", f"The store has no image number {image.number}.")
            image = name
        filters = body.filters
        _known("image", [image] if image is not None else [], self.images)
        _known("image", filters.images, self.images)
        _known("participant", [body.seen_as] if body.seen_as is not None else [], self.people)
        _known("participant", filters.participants, self.people)
        _known("task", filters.tasks, self.tasks)
        _known("split part", filters.parts, self.parts)
        _known("trait", [one.trait for one in filters.traits], self.traits)
        return body.query(image)


def _known(kind: str, wanted: Iterable[str], there: Iterable[str]) -> None:
    for name in wanted:
        if name not in there:
            shown = name if len(name) <= _LONGEST_SHOWN else name[:_LONGEST_SHOWN] + "…"
            raise RefusedError("unknown", f"The store has no {kind} {shown!r}.")


def names_of(snapshot: Snapshot) -> Names:
    """Return the names of a snapshot."""
    catalogue, description = snapshot.catalogue(), snapshot.description
    instrument = None
    if description.instrument is not None:
        instrument = parse_instrument(description.instrument)
    traits = instrument.traits if instrument is not None else ()
    scored = (one.traits or {} for one in catalogue.participants)
    return Names(
        snapshot.generation,
        catalogue,
        {one.name: one.number for one in catalogue.participants},
        {one.number: one for one in catalogue.participants},
        {name: number for number, name in catalogue.images.items()},
        frozenset(catalogue.samples.tolist()),
        counts(catalogue.participant),
        counts(catalogue.image),
        _labels(catalogue.tasks),
        _labels(catalogue.parts),
        tuple(dict.fromkeys([*traits, *(name for own in scored for name in own)])),
        instrument,
    )


def _labels(column: NDArray[np.object_]) -> tuple[str, ...]:
    return tuple(label for label in dict.fromkeys(column.tolist()) if label is not None)
