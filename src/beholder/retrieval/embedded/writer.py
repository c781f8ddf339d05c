"""Changes an embedded store within one transaction."""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from beholder.errors import StoreError
from beholder.retrieval.embedded.contents import description_of
from beholder.retrieval.layout import Description, Side, Vectors
from beholder.retrieval.records import Addition, ImageRecord, ParticipantRecord, SampleRecord

_EMPTIED = ("vectors", "samples", "participants", "images", "model")


class EmbeddedWriter:
    """Changes a store; nothing of it shows before the writing ends."""

    def __init__(self, connection: sqlite3.Connection, where: str) -> None:
        self._connection = connection
        self._where = where

    def clear(self, description: Description, model: Mapping[str, bytes]) -> None:
        """Empty the store, for the vectors of another run."""
        for table in _EMPTIED:
            self._connection.execute(f"DELETE FROM {table}")
        self._connection.execute(
            "INSERT OR REPLACE INTO facts VALUES ('description', ?)", (description.json(),)
        )
        self._connection.executemany("INSERT INTO model VALUES (?, ?)", model.items())

    def add(self, addition: Addition) -> None:
        """Add items, or put them in the place of those that have their numbers.

        Raises StoreError for a sample of an unknown participant or image, and for vectors of
        another shape than the store's or of nobody.
        """
        for person in addition.participants:
            self._put("participants", _participant_row(person))
            self._drop_vectors([person.number], "LIKE")
        for image in addition.images:
            self._put("images", _image_row(image))
        for sample in addition.samples:
            self._put("samples", self._sample_row(sample))
        self._drop_vectors([sample.number for sample in addition.samples], "NOT LIKE")
        description = description_of(self._connection, self._where)
        for side, (numbers, rows) in addition.vectors.items():
            if side not in description.sides:
                raise StoreError(f"{self._where} has no vectors of {side.name}")
            self._put_vectors(side, numbers, rows, description.layout(side).width)

    def remove_samples(self, numbers: Iterable[int]) -> int:
        """Remove samples and their vectors; return how many were there."""
        wanted = [int(number) for number in numbers]
        before = self._connection.total_changes
        self._connection.executemany(
            "DELETE FROM samples WHERE number = ?", [(number,) for number in wanted]
        )
        removed = self._connection.total_changes - before
        self._drop_vectors(wanted, "NOT LIKE")
        return removed

    def remove_participant(self, name: str) -> tuple[str, ...]:
        """Remove a person and all that they did; return the images that nobody else saw.

        Those images go as well. StoreError if nobody is called so.
        """
        number = self._number("participants", name)
        own = self._connection.execute(
            "SELECT number, image FROM samples WHERE participant = ?", (number,)
        ).fetchall()
        self.remove_samples(row[0] for row in own)
        self._drop_vectors([number], "LIKE")
        self._connection.execute("DELETE FROM participants WHERE number = ?", (number,))
        removed = []
        for image in sorted({row[1] for row in own}):
            seen = self._connection.execute(
                "SELECT 1 FROM samples WHERE image = ? LIMIT 1", (image,)
            ).fetchone()
            if seen is None:
                row = self._connection.execute(
                    "DELETE FROM images WHERE number = ? RETURNING name", (image,)
                ).fetchall()
                removed.append(str(row[0][0]))
        return tuple(removed)

    def next_number(self, table: str) -> int:
        """Return a number that no item of ``samples``, ``participants`` or ``images`` had."""
        row = self._connection.execute(
            "SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)
        ).fetchone()
        return 0 if row is None else int(row[0]) + 1

    def _drop_vectors(self, numbers: Iterable[int], like: str) -> None:
        """Remove the vectors of people (LIKE) or of samples (NOT LIKE)."""
        self._connection.executemany(
            f"DELETE FROM vectors WHERE item = ? AND side {like} '%/personality'",
            [(number,) for number in numbers],
        )

    def _put(self, table: str, row: Mapping[str, Any]) -> None:
        """Insert a row, or change the one that has its number."""
        names, marks = ", ".join(row), ", ".join("?" * len(row))
        changes = ", ".join(f"{name} = excluded.{name}" for name in row)
        try:
            self._connection.execute(
                f"INSERT INTO {table} ({names}) VALUES ({marks}) "
                f"ON CONFLICT (number) DO UPDATE SET {changes}",
                tuple(row.values()),
            )
        except sqlite3.IntegrityError as error:
            raise StoreError(
                f"{self._where} has one of {table} called {row.get('name')!r} already"
            ) from error

    def _put_vectors(self, side: Side, numbers: Iterable[int], rows: Vectors, width: int) -> None:
        wanted = [int(number) for number in numbers]
        if rows.shape != (len(wanted), width) or not np.isfinite(rows).all():
            raise StoreError(
                f"vectors of {side.name} are numbers of shape ({len(wanted)}, {width}), "
                f"not {rows.shape}"
            )
        table = "participants" if side.modality == "personality" else "samples"
        for number, row in zip(wanted, rows.astype("<f4"), strict=True):
            done = self._connection.execute(
                f"INSERT OR REPLACE INTO vectors SELECT ?, number, ? FROM {table} WHERE number = ?",
                (side.name, row.tobytes(), number),
            )
            if not done.rowcount:
                raise StoreError(f"{self._where} has nobody with number {number} in {table}")

    def _sample_row(self, sample: SampleRecord) -> dict[str, Any]:
        owner = sample.participant
        return {
            "number": sample.number,
            "participant": None if owner is None else self._number("participants", owner),
            "image": self._number("images", sample.image),
            "task": sample.task,
            "part": sample.part,
            "text": sample.text,
            "gaze": None if sample.gaze is None else json.dumps(sample.gaze, ensure_ascii=False),
        }

    def _number(self, table: str, name: str) -> int:
        row = self._connection.execute(
            f"SELECT number FROM {table} WHERE name = ?", (name,)
        ).fetchone()
        if row is None:
            raise StoreError(f"{self._where} has no {table.removesuffix('s')} {name!r}")
        return int(row[0])


def _participant_row(person: ParticipantRecord) -> dict[str, Any]:
    return {
        "number": person.number,
        "name": person.name,
        "answers": None if person.answers is None else json.dumps(person.answers),
        "traits": None if person.traits is None else json.dumps(dict(person.traits)),
    }


def _image_row(image: ImageRecord) -> dict[str, Any]:
    return {
        "number": image.number,
        "name": image.name,
        "width": image.width,
        "height": image.height,
        "thumbnail": image.thumbnail,
        "cells": image.grid.shape[0],
        "grid": image.grid.astype("<f4").tobytes(),
    }
