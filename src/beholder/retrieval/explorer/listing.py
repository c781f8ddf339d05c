"""What the pages list: people and images by name, with how much there is of each."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from beholder.retrieval.records import ParticipantRecord
from beholder.retrieval.store import Catalogue, Snapshot

Item = TypeVar("Item")
Other = TypeVar("Other")


@dataclass(frozen=True)
class Named:
    """An image or a person in a list; ``person`` is None for an image."""

    number: int
    name: str
    samples: int
    person: ParticipantRecord | None = None


@dataclass(frozen=True)
class Sheet(Generic[Item]):
    """One page of a list, counted from 1, out of ``pages`` with ``total`` items in all."""

    items: tuple[Item, ...]
    page: int
    pages: int
    total: int
    first: int  # the place of the first item, from 1 on; 0 where there is none

    def of(self, records: Mapping[Item, Other]) -> "Sheet[Other]":
        """Return the same page with what is known of each item in its place."""
        items = tuple(records[item] for item in self.items if item in records)
        return Sheet(items, self.page, self.pages, self.total, self.first)


def sheet(items: Sequence[Item], page: int, size: int) -> Sheet[Item]:
    """Return a page of a list; a page beyond its ends is the nearest one."""
    pages = max(1, -(-len(items) // size))
    page = min(max(page, 1), pages)
    start = (page - 1) * size
    shown = tuple(items[start : start + size])
    return Sheet(shown, page, pages, len(items), start + 1 if shown else 0)


@dataclass(frozen=True)
class Listing:
    """All people and images of one state of a store, in the order of their numbers."""

    generation: int
    people: tuple[Named, ...]
    images: tuple[Named, ...]
    catalogue: Catalogue

    def samples_of(self, participant: int) -> list[int]:
        """Return the numbers of what a person did."""
        numbers: list[int] = self.catalogue.samples[
            self.catalogue.participant == participant
        ].tolist()
        return numbers

    def samples_on(self, image: int) -> list[int]:
        """Return the numbers of what was done with an image."""
        numbers: list[int] = self.catalogue.samples[self.catalogue.image == image].tolist()
        return numbers


class Listings:
    """The listing of the store's present state; it is made anew when the store has changed."""

    def __init__(self) -> None:
        self._held: Listing | None = None
        self._making = threading.Lock()

    def of(self, snapshot: Snapshot) -> Listing:
        """Return the listing of a snapshot."""
        held = self._held
        if held is not None and held.generation == snapshot.generation:
            return held
        with self._making:
            held = self._held
            if held is None or held.generation != snapshot.generation:
                held = self._held = _listing(snapshot)
            return held


def _listing(snapshot: Snapshot) -> Listing:
    catalogue = snapshot.catalogue()
    of_people, of_images = _counts(catalogue.participant), _counts(catalogue.image)
    return Listing(
        snapshot.generation,
        tuple(
            Named(one.number, one.name, of_people.get(one.number, 0), one)
            for one in catalogue.participants
        ),
        tuple(
            Named(number, name, of_images.get(number, 0))
            for number, name in catalogue.images.items()
        ),
        catalogue,
    )


def _counts(numbers: NDArray[np.int64]) -> dict[int, int]:
    values, counts = np.unique(numbers, return_counts=True)
    return dict(zip(values.tolist(), counts.tolist(), strict=True))
