"""Samples made of a table of texts and a table of fixations, a stretch of them at a time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from beholder.errors import StudyError
from beholder.study.problems import Problems
from beholder.study.readers.events import SAMPLES_AT_ONCE, Events
from beholder.study.readers.fixations import (
    AREA_COLUMNS,
    areas_columns,
    check_areas,
    check_points,
    has_points,
    points_columns,
)
from beholder.study.readers.mapping import COLUMNS, Mapping
from beholder.study.readers.table import Table, TableFile

Key = tuple[str, str, str]
"""What identifies a sample: participant, image and task."""


def distinct_keys(table: Table) -> tuple[list[Key], NDArray[np.int64]]:
    """Return the keys of a table in the order that they come in, and which one each row has."""
    columns = ("participant", "image", *(["task"] if "task" in table else []))
    codes = np.zeros(len(table), dtype=np.int64)
    coded = [table.codes(column) for column in columns]
    for own, distinct in coded:
        codes = codes * max(len(distinct), 1) + own
    _, first, key = np.unique(codes, return_index=True, return_inverse=True)
    order = np.argsort(first)
    cells = [[distinct[code] for code in own[first[order]].tolist()] for own, distinct in coded]
    keys = [(*names, "")[:3] for names in zip(*cells, strict=True)]
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return keys, place[key.ravel()]


def named(table: Table, columns: tuple[str, ...], problems: Problems) -> Table:
    """Return the rows that say who or which image."""
    for column in columns:
        table = table.reject(table.empty(column), column, f"the {column}'s name", problems)
    return table


@dataclass(frozen=True)
class Samples:
    """All samples that tables hold: those with a text or a gaze are kept.

    ``texts`` are of the first keys, as many as the table of samples has rows.
    """

    keys: list[Key]
    texts: pa.Array
    has_text: NDArray[np.bool_]
    has_gaze: NDArray[np.bool_]
    gaze_of: Callable[[slice], dict[str, Any]]

    @property
    def is_kept(self) -> NDArray[np.bool_]:
        """Whether each key has a text or a gaze."""
        return self.has_text | self.has_gaze

    def distinct(self, column: int) -> list[str]:
        """Return the people (0) or images (1) of the samples that are kept, in their order."""
        kept = zip(self.keys, self.is_kept.tolist(), strict=True)
        return list(dict.fromkeys(key[column] for key, is_kept in kept if is_kept))

    def tables(self, pseudonym: Callable[[str], str]) -> Iterator[pa.Table]:
        """Give the samples that are kept, as `schema.SAMPLES` has them."""
        for start in range(0, len(self.keys), SAMPLES_AT_ONCE):
            stretch = slice(start, min(start + SAMPLES_AT_ONCE, len(self.keys)))
            keys = self.keys[stretch]
            texts = self.texts.slice(start, len(keys))
            missing = pa.nulls(len(keys) - len(texts), pa.string())
            columns: dict[str, Any] = {
                "participant": [pseudonym(key[0]) for key in keys],
                "image": [key[1] for key in keys],
                "task": pa.array([key[2] or None for key in keys], pa.string()),
                "text": pa.concat_arrays([texts, missing]),
            }
            rows = pa.table(columns | self.gaze_of(stretch))
            yield rows.filter(pa.array(self.is_kept[stretch]))


@dataclass(frozen=True)
class Joining:
    """What the fixations of a source are checked against, and where they are put meanwhile."""

    mapping: Mapping
    sizes: dict[str, tuple[int, int]]  # of the sound images
    faults: dict[str, str]  # of the others
    problems: Problems
    scratch: Path

    def join(self, samples: Table | None, fixations: TableFile | None) -> Samples:
        """Return the samples of both tables: each key with a text or a gaze."""
        keys: list[Key] = []
        texts = pa.array([], pa.string())
        if samples is not None:
            keys, _ = distinct_keys(samples)  # one row each, as was checked
            trimmed = pc.utf8_trim_whitespace(samples.cells("text"))
            trimmed = pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed)
            texts = pa.concat_arrays([texts, *trimmed.chunks])
        numbers = {key: row for row, key in enumerate(keys)}
        looked: list[NDArray[np.int64]] = []
        gaze_of: Callable[[slice], dict[str, Any]] = _no_gaze
        if fixations is not None:
            looked, gaze_of = self._fixations(samples, fixations, numbers)
        has_text = np.zeros(len(numbers), dtype=bool)
        has_text[: len(texts)] = texts.is_valid()
        has_gaze = np.zeros(len(numbers), dtype=bool)
        for rows in looked:
            has_gaze[rows] = True
        return Samples(list(numbers), texts, has_text, has_gaze, gaze_of)

    def _fixations(
        self, samples: Table | None, fixations: TableFile, numbers: dict[Key, int]
    ) -> tuple[list[NDArray[np.int64]], Callable[[slice], dict[str, Any]]]:
        """Check all fixations and put them aside by their samples, which get the numbers to come.

        Returns the samples that have some, and what gives a stretch's columns of gaze.
        """
        is_points = has_points(fixations)
        if not is_points and not all(name in fixations for name in ("fixation", *AREA_COLUMNS)):
            raise StudyError(
                f"{fixations.file} has neither x and y nor fixation, "
                f"{', '.join(AREA_COLUMNS)}; it has {', '.join(fixations.columns)}"
            )
        check = check_points if is_points else check_areas
        with_task = _tasks(samples, fixations)
        used = [column for column in COLUMNS["fixations"] if column in fixations]
        looked = []
        found = Problems(skip=True)  # of all pieces together, as the table is one
        with Events(self.scratch, used) as events:
            # What was wrong with whole rows and their names is known from the first reading.
            for whole in fixations.pieces(Problems(skip=True)):
                piece = named(whole, ("participant", "image"), Problems(skip=True))
                piece = piece.reject_values("image", self.faults, found)
                piece = check(piece, self.sizes, self.mapping, found)
                keys, key = distinct_keys(piece)
                own = [numbers.setdefault(with_task(one), len(numbers)) for one in keys]
                sample = np.array(own, dtype=np.int64)
                looked.append(sample)
                events.add(piece, sample[key])
        self.problems.add(found.found)
        columns = points_columns if is_points else areas_columns

        def gaze_of(stretch: slice) -> dict[str, Any]:
            own = events.of(stretch.start, fixations)
            count = stretch.stop - stretch.start
            return {} if own is None else columns(*own, count, self.sizes, self.mapping)

        return looked, gaze_of


def _no_gaze(stretch: slice) -> dict[str, Any]:
    """Return the columns of gaze of samples that have none."""
    return {}


def _tasks(samples: Table | None, fixations: TableFile) -> Callable[[Key], Key]:
    """Return what gives a key its task: a table without tasks takes them from the samples'."""
    if samples is None or ("task" in fixations) == ("task" in samples):
        return lambda key: key
    name = fixations.file
    if "task" in fixations:
        raise StudyError(f"{name} has a column task, expected one in {samples.file} too")
    tasks = {(person, image): task for person, image, task in distinct_keys(samples)[0]}
    if len(tasks) < len(samples):
        raise StudyError(
            f"{name} has no column task, expected one as {samples.file} has several tasks for one "
            "participant and image"
        )
    return lambda key: (key[0], key[1], tasks.get((key[0], key[1]), ""))
