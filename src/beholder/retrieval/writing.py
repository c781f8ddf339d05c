"""What a writer of either kind of store does, in SQL that both speak."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from beholder.errors import StoreError
from beholder.retrieval.layout import Description, Side, Vectors, parse_description
from beholder.retrieval.records import Addition
from beholder.retrieval.tables import Row, among, image_row, participant_row, sample_row

_EMPTIED = ("samples", "participants", "images", "model")
_SET_FACT = (
    "INSERT INTO facts (name, value) VALUES (?, ?) "
    "ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)


class TableWriter(ABC):
    """Changes a store within the caller's transaction."""

    def __init__(self, where: str) -> None:
        self._where = where

    def clear(self, description: Description, model: Mapping[str, bytes]) -> None:
        """Empty the store, for the vectors of another run."""
        self._empty_vectors(description)
        for table in _EMPTIED:
            self._ask(f"DELETE FROM {table}")
        self.set_fact("description", description.json())
        self._repeat("INSERT INTO model (name, data) VALUES (?, ?)", list(model.items()))

    def add(self, addition: Addition) -> None:
        """Add items, or put them in the place of those that have their numbers.

        Raises StoreError for a sample of an unknown participant or image, and for vectors of
        another shape than the store's or of nobody.
        """
        people, images, samples = addition.participants, addition.images, addition.samples
        self._put("participants", [participant_row(one) for one in people])
        self._drop_vectors([one.number for one in people], of_people=True)
        self._put("images", [image_row(one) for one in images])
        owners = self._numbers("participants", {one.participant for one in samples} - {None})
        shown = self._numbers("images", {one.image for one in samples})
        self._put(
            "samples",
            [
                sample_row(
                    one,
                    None if one.participant is None else owners[one.participant],
                    shown[one.image],
                )
                for one in samples
            ],
        )
        self._drop_vectors([one.number for one in samples], of_people=False)
        if addition.vectors:
            description = self._description()
            for side, (numbers, rows) in addition.vectors.items():
                if side not in description.sides:
                    raise StoreError(f"{self._where} has no vectors of {side.name}")
                self._check(side, numbers, rows, description.layout(side).width)
                self._put_vectors(side, np.asarray(numbers, np.int64), rows)

    def remove_samples(self, numbers: Iterable[int]) -> int:
        """Remove samples and their vectors; return how many were there."""
        wanted = [int(number) for number in numbers]
        self._drop_vectors(wanted, of_people=False)
        removed = among(self._returning, "DELETE FROM samples", "number", wanted)
        return sum(1 for _ in removed)

    def remove_participant(self, name: str) -> tuple[str, ...]:
        """Remove a person and all that they did; return the images that nobody else saw.

        Those images go as well. StoreError if nobody is called so.
        """
        number = self._numbers("participants", [name])[name]
        own = self._ask("SELECT number, image FROM samples WHERE participant = ?", (number,))
        self.remove_samples(row[0] for row in own)
        self._drop_vectors([number], of_people=True)
        self._ask("DELETE FROM participants WHERE number = ?", (number,))
        removed = []
        for image in sorted({row[1] for row in own}):
            if not self._ask("SELECT 1 FROM samples WHERE image = ? LIMIT 1", (image,)):
                ((gone,),) = self._ask(
                    "DELETE FROM images WHERE number = ? RETURNING name", (image,)
                )
                removed.append(str(gone))
        return tuple(removed)

    def set_fact(self, name: str, value: str) -> None:
        """Write down what is true of the whole store."""
        self._ask(_SET_FACT, (name, value))

    @abstractmethod
    def next_number(self, table: str) -> int:
        """Return a number that no item of ``samples``, ``participants`` or ``images`` had."""

    @abstractmethod
    def _ask(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        """Execute a statement and return what comes of it."""

    @abstractmethod
    def _repeat(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Execute a statement once for each row of values."""

    @abstractmethod
    def _empty_vectors(self, description: Description) -> None:
        """Remove all vectors, and make room for those that a description speaks of."""

    @abstractmethod
    def _drop(self, side: Side, items: Sequence[int]) -> None:
        """Remove these items' vectors of one side."""

    @abstractmethod
    def _put_vectors(self, side: Side, numbers: Any, rows: Vectors) -> None:
        """Put rows of finite numbers (n, width) in the place of those of these items (n,)."""

    def _drop_vectors(self, numbers: Sequence[int], *, of_people: bool) -> None:
        """Remove the vectors of people's surveys or of samples."""
        if not numbers:
            return
        for side in self._description().sides:
            if (side.modality == "personality") == of_people:
                self._drop(side, numbers)

    def _description(self) -> Description:
        found = self._ask("SELECT value FROM facts WHERE name = 'description'")
        if not found:
            raise StoreError(f"{self._where} does not describe its vectors")
        return parse_description(found[0][0], self._where)

    def _returning(self, statement: str, values: Sequence[Any]) -> list[Row]:
        return self._ask(f"{statement} RETURNING number", values)

    def _put(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert rows, or change those that have their numbers."""
        if not rows:
            return
        if "name" in rows[0]:
            self._check_names(table, rows)
        names, marks = ", ".join(rows[0]), ", ".join("?" * len(rows[0]))
        changes = ", ".join(f"{name} = excluded.{name}" for name in rows[0])
        self._repeat(
            f"INSERT INTO {table} ({names}) VALUES ({marks}) "
            f"ON CONFLICT (number) DO UPDATE SET {changes}",
            [tuple(row.values()) for row in rows],
        )

    def _check_names(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        names = [row["name"] for row in rows]
        held: dict[str, int] = dict(
            among(self._ask, f"SELECT name, number FROM {table}", "name", names)
        )
        for row in rows:
            if held.setdefault(row["name"], row["number"]) != row["number"]:
                raise StoreError(f"{self._where} has one of {table} called {row['name']!r} already")

    def _check(self, side: Side, numbers: Any, rows: Vectors, width: int) -> None:
        if rows.shape != (len(numbers), width) or not np.isfinite(rows).all():
            raise StoreError(
                f"vectors of {side.name} are numbers of shape ({len(numbers)}, {width}), "
                f"not {rows.shape}"
            )
        table = "participants" if side.modality == "personality" else "samples"
        wanted = [int(number) for number in numbers]
        found = among(self._ask, f"SELECT number FROM {table}", "number", wanted)
        missing = set(wanted) - {row[0] for row in found}
        if missing:
            raise StoreError(f"{self._where} has nobody with number {min(missing)} in {table}")

    def _numbers(self, table: str, names: Collection[str | None]) -> dict[str, int]:
        """Return the numbers of people or images by their names; StoreError for unknown ones."""
        wanted = sorted(str(name) for name in names)
        found: dict[str, int] = dict(
            among(self._ask, f"SELECT name, number FROM {table}", "name", wanted)
        )
        for name in wanted:
            if name not in found:
                raise StoreError(f"{self._where} has no {table.removesuffix('s')} {name!r}")
        return found
