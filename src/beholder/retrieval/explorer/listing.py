"""What the pages list: people and images by name, with how much there is of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from beholder.retrieval.current import counts
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


def listing_of(snapshot: Snapshot) -> Listing:
    """Return the listing of a snapshot."""
    catalogue = snapshot.catalogue()
    of_people, of_images = counts(catalogue.participant), counts(catalogue.image)
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
