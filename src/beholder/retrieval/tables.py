"""How both kinds of store keep people, images and samples in tables, in SQL that both speak.

A value's place in a statement is a question mark.
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from beholder.errors import StoreError
from beholder.retrieval.records import ImageRecord, ParticipantRecord, SampleRecord

Row = tuple[Any, ...]
Ask = Callable[[str, Sequence[Any]], Iterable[Row]]
"""Executes a statement with its values and returns what comes of it."""

PARTICIPANT = "SELECT number, name, answers, traits FROM participants"
_IMAGE = "SELECT number, name, width, height, thumbnail, cells, grid FROM images"
_SAMPLE = """SELECT samples.number, participants.name, images.name, task, part, text, gaze
    FROM samples JOIN images ON images.number = samples.image
    LEFT JOIN participants ON participants.number = samples.participant"""

_AT_ONCE = 500  # values in one statement
_LARGEST = 2**63 - 1  # of what a column of numbers holds


def first_generation() -> str:
    """Return the number of a new store's state, which none that was in its place had.

    So whoever keeps what was read, by the number of its state, never takes one for the other.
    """
    return str(time.time_ns() // 1_000_000)


class Records:
    """The part of a snapshot that shows what there is."""

    def __init__(self, ask: Ask, where: str) -> None:
        self._ask = ask
        self._where = where

    def samples(self, numbers: Iterable[int]) -> dict[int, SampleRecord]:
        """Return samples by their numbers; those that are not there are left out."""
        return {row[0]: _sample(row) for row in self._by_number(_SAMPLE, "samples", numbers)}

    def participants(self, numbers: Iterable[int]) -> dict[int, ParticipantRecord]:
        """Return people by their numbers; those that are not there are left out."""
        rows = self._by_number(PARTICIPANT, "participants", numbers)
        return {row[0]: participant_of(row) for row in rows}

    def images(self, numbers: Iterable[int]) -> dict[int, ImageRecord]:
        """Return images by their numbers; those that are not there are left out."""
        return {row[0]: _image(row) for row in self._by_number(_IMAGE, "images", numbers)}

    def participant(self, name: str) -> ParticipantRecord:
        """Return a person by name; StoreError if nobody is called so."""
        return participant_of(self._by_name(PARTICIPANT, "participant", name))

    def image(self, name: str) -> ImageRecord:
        """Return an image by name; StoreError if none is called so."""
        return _image(self._by_name(_IMAGE, "image", name))

    def samples_of(self, participant: str) -> list[SampleRecord]:
        """Return all that a person did, in the order of the numbers."""
        return self._samples_where("participants.name", participant)

    def samples_on(self, image: str) -> list[SampleRecord]:
        """Return all that was done with an image, in the order of the numbers."""
        return self._samples_where("images.name", image)

    def model(self) -> dict[str, bytes]:
        """Return the files of the run that embed a query, by their paths in a run."""
        return {name: bytes(data) for name, data in self._ask("SELECT name, data FROM model", ())}

    def _samples_where(self, column: str, name: str) -> list[SampleRecord]:
        rows = self._ask(f"{_SAMPLE} WHERE {column} = ? ORDER BY samples.number", (name,))
        return [_sample(row) for row in rows]

    def _by_number(self, select: str, table: str, numbers: Iterable[int]) -> Iterator[Row]:
        wanted = [int(number) for number in numbers if abs(number) <= _LARGEST]
        return among(self._ask, select, f"{table}.number", wanted)

    def _by_name(self, select: str, kind: str, name: str) -> Row:
        for row in self._ask(f"{select} WHERE name = ?", (name,)):
            return row
        raise StoreError(f"{self._where} has no {kind} {name!r}")


def among(ask: Ask, statement: str, column: str, values: Sequence[Any]) -> Iterator[Row]:
    """Give what a statement finds where a column has one of these values."""
    for start in range(0, len(values), _AT_ONCE):
        some = values[start : start + _AT_ONCE]
        yield from ask(f"{statement} WHERE {column} IN ({', '.join('?' * len(some))})", some)


def participant_of(row: Row) -> ParticipantRecord:
    """Return the person of a row of `PARTICIPANT`."""
    number, name, answers, traits = row
    given: Mapping[str, float] | None = json.loads(traits) if traits else None
    return ParticipantRecord(number, name, tuple(json.loads(answers)) if answers else None, given)


def participant_row(person: ParticipantRecord) -> dict[str, Any]:
    """Return a person's cells by column."""
    return {
        "number": person.number,
        "name": person.name,
        "answers": None if person.answers is None else json.dumps(person.answers),
        "traits": None if person.traits is None else json.dumps(dict(person.traits)),
    }


def image_row(image: ImageRecord) -> dict[str, Any]:
    """Return an image's cells by column."""
    return {
        "number": image.number,
        "name": image.name,
        "width": image.width,
        "height": image.height,
        "thumbnail": image.thumbnail,
        "cells": image.grid.shape[0],
        "grid": image.grid.astype("<f4").tobytes(),
    }


def sample_row(sample: SampleRecord, participant: int | None, image: int) -> dict[str, Any]:
    """Return a sample's cells by column, given whose and of which image it is."""
    return {
        "number": sample.number,
        "participant": participant,
        "image": image,
        "task": sample.task,
        "part": sample.part,
        "text": sample.text,
        "gaze": None if sample.gaze is None else json.dumps(sample.gaze, ensure_ascii=False),
    }


def _image(row: Row) -> ImageRecord:
    number, name, width, height, thumbnail, cells, grid = row
    values = np.frombuffer(grid, "<f4").reshape(cells, cells, -1)
    return ImageRecord(number, name, width, height, bytes(thumbnail), values)


def _sample(row: Row) -> SampleRecord:
    number, participant, image, task, part, text, gaze = row
    kept = json.loads(gaze) if gaze else None
    return SampleRecord(number, participant, image, task, part, text, kept)
