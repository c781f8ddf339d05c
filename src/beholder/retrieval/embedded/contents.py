"""A store's vectors and the columns that filters ask about, in memory as arrays."""

import json
import sqlite3
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beholder.errors import StoreError
from beholder.retrieval.layout import Description, Side, Vectors, parse_description
from beholder.retrieval.scoring import Numbers
from beholder.retrieval.store import Filters

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Matrix:
    """The rows of a side: ``place`` (n,) tells whose they are, in samples or participants."""

    place: Numbers
    rows: Vectors  # (n, width)


@dataclass(frozen=True)
class Contents:
    """One generation of a store. Places are positions in the columns; -1 stands for none."""

    generation: int
    description: Description
    samples: Numbers  # (samples,) their numbers, ascending
    person: Numbers  # (samples,) the place of each sample's participant
    image: Numbers  # (samples,) the place of each sample's image
    tasks: NDArray[Any]  # (samples,) texts
    parts: NDArray[Any]  # (samples,) texts
    people: Numbers  # (participants,) their numbers, ascending
    people_names: NDArray[Any]
    traits: dict[str, NDArray[np.float64]]  # each (participants,), NaN without a survey
    images: Numbers
    image_names: NDArray[Any]
    matrices: dict[str, Matrix]

    def chosen(self, filters: Filters, where: str) -> tuple[Flags, Flags]:
        """Return which samples and which participants match, (samples,) and (participants,).

        Raises StoreError for a participant, image, task, part or trait that is not there.
        """
        people = np.ones(len(self.people), bool)
        if filters.participants:
            people &= _among(self.people_names, filters.participants, "participant", where)
        for trait, low, high in filters.traits:
            if trait not in self.traits:
                known = ", ".join(self.traits) or "none"
                raise StoreError(f"{where} knows no trait {trait!r}, only {known}")
            people &= (self.traits[trait] >= low) & (self.traits[trait] <= high)  # never NaN
        samples = np.ones(len(self.samples), bool)
        if filters.participants or filters.traits:
            samples &= np.append(people, False)[self.person]
        if filters.images:
            images = _among(self.image_names, filters.images, "image", where)
            samples &= images[self.image]
        if filters.tasks:
            samples &= _among(self.tasks, filters.tasks, "task", where)
        if filters.parts:
            samples &= _among(self.parts, filters.parts, "split part", where)
        if filters.of_samples:
            owners = self.person[samples]
            people &= np.bincount(owners[owners >= 0], minlength=len(people)) > 0
        return samples, people


def _among(values: NDArray[Any], wanted: tuple[str, ...], kind: str, where: str) -> Flags:
    matches = np.zeros(len(values), bool)
    for name in wanted:
        own = values == name
        if not own.any():
            raise StoreError(f"{where} has no {kind} {name!r}")
        matches |= own
    return matches


def generation_of(connection: sqlite3.Connection, where: str) -> int:
    """Return the number of a store's present state, or raise StoreError where it is lost."""
    row = connection.execute("SELECT value FROM facts WHERE name = 'generation'").fetchone()
    if row is None or not str(row[0]).isdecimal():
        raise StoreError(f"{where} is damaged: the number of its state is lost")
    return int(row[0])


def description_of(connection: sqlite3.Connection, where: str) -> Description:
    """Return what a store's vectors mean."""
    row = connection.execute("SELECT value FROM facts WHERE name = 'description'").fetchone()
    if row is None:
        raise StoreError(f"{where} does not describe its vectors")
    return parse_description(row[0], where)


def load(connection: sqlite3.Connection, where: str) -> Contents:
    """Return what the connection's transaction sees."""
    description = description_of(connection, where)
    people = connection.execute(
        "SELECT number, name, traits FROM participants ORDER BY number"
    ).fetchall()
    images = connection.execute("SELECT number, name FROM images ORDER BY number").fetchall()
    samples = connection.execute(
        "SELECT number, participant, image, task, part FROM samples ORDER BY number"
    ).fetchall()
    number, person, image, task, part = zip(*samples, strict=True) if samples else ((),) * 5
    numbers = _numbers(number)
    people_numbers = _numbers([row[0] for row in people])
    image_numbers = _numbers([row[0] for row in images])
    owners = _numbers([-1 if one is None else one for one in person])
    matrices = {
        side.name: _matrix(
            connection,
            side,
            description.layout(side).width,
            people_numbers if side.modality == "personality" else numbers,
            where,
        )
        for side in description.sides
    }
    return Contents(
        generation_of(connection, where),
        description,
        numbers,
        np.where(owners < 0, -1, np.searchsorted(people_numbers, owners)),
        np.searchsorted(image_numbers, _numbers(image)),
        np.array(task, object),
        np.array(part, object),
        people_numbers,
        np.array([row[1] for row in people], object),
        _traits([row[2] for row in people]),
        image_numbers,
        np.array([row[1] for row in images], object),
        matrices,
    )


def _matrix(
    connection: sqlite3.Connection, side: Side, width: int, numbers: Numbers, where: str
) -> Matrix:
    rows = connection.execute(
        "SELECT item, vector FROM vectors WHERE side = ? ORDER BY item", (side.name,)
    ).fetchall()
    values = np.frombuffer(bytearray().join(row[1] for row in rows), "<f4")  # writable, for PyTorch
    if values.size != len(rows) * width:
        raise StoreError(f"{where} is damaged: the vectors of {side.name} are not {width} long")
    items = _numbers([row[0] for row in rows])
    place = np.searchsorted(numbers, items)
    if len(items) and (place.max() >= len(numbers) or (numbers[place] != items).any()):
        raise StoreError(f"{where} is damaged: a vector of {side.name} belongs to nobody")
    return Matrix(place, values.reshape(len(rows), width))


def _traits(texts: list[str | None]) -> dict[str, NDArray[np.float64]]:
    scores = [json.loads(text) if text else {} for text in texts]
    names = dict.fromkeys(name for own in scores for name in own)
    return {name: np.array([own.get(name, np.nan) for own in scores]) for name in names}


def _numbers(values: Any) -> Numbers:
    return np.array(values, dtype=np.int64)
