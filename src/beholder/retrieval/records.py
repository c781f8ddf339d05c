"""What a store keeps of people, images and samples, and how a gaze is written down."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beholder.errors import StudyError
from beholder.retrieval.layout import Side, Vectors
from beholder.study.gaze import Areas, DenseMap, Gaze, Points, resample

_MOST_CELLS = 32
"""A map is kept as finely as a page shows it."""

_DIGITS = 5
"""Decimals of coordinates that are kept: a hundred-thousandth of the image."""


@dataclass(frozen=True)
class ParticipantRecord:
    """One person; ``answers`` and ``traits`` are None without a survey."""

    number: int
    name: str
    answers: tuple[int, ...] | None = None
    traits: Mapping[str, float] | None = None


@dataclass(frozen=True)
class ImageRecord:
    """One image: its size in pixels, a small JPEG, and what its pixels show.

    ``grid`` has shape (cells, cells, channels), as `beholder.features.ImageGrid` describes it.
    """

    number: int
    name: str
    width: int
    height: int
    thumbnail: bytes
    grid: NDArray[np.float32]


@dataclass(frozen=True)
class SampleRecord:
    """What one person did with one image; ``part`` is the split's, or None."""

    number: int
    participant: str | None
    image: str
    task: str | None = None
    part: str | None = None
    text: str | None = None
    gaze: Mapping[str, Any] | None = None  # as of `gaze_record`


@dataclass(frozen=True)
class Addition:
    """Items to add. A record with the number of one that is there takes its place.

    What was replaced loses its vectors; images come before samples, samples before vectors.
    ``vectors`` holds, for each side, the numbers of its samples (of its participants, for
    personality), shape (n,), and their rows, shape (n, width).
    """

    participants: tuple[ParticipantRecord, ...] = ()
    images: tuple[ImageRecord, ...] = ()
    samples: tuple[SampleRecord, ...] = ()
    vectors: Mapping[Side, tuple[NDArray[np.int64], Vectors]] = field(default_factory=dict)


def gaze_record(gaze: Gaze) -> dict[str, Any]:
    """Return a gaze as what JSON can hold, precise enough to be shown and searched with."""
    match gaze:
        case Points():
            named = {name: value for name, value in vars(gaze).items() if value is not None}
            return {"form": "points"} | {name: _rounded(value) for name, value in named.items()}
        case Areas():
            return {
                "form": "areas",
                "fixations": int(gaze.fixations),
                "fixation": [int(number) for number in gaze.fixation],
                "label": list(gaze.label),
                "box": [_rounded(row) for row in gaze.box],
            }
        case DenseMap():
            height, width = (min(side, _MOST_CELLS) for side in gaze.values.shape)
            values = resample(gaze.values, height, width)
            values = values / max(values.max(), 1e-12)
            return {"form": "map", "values": [_rounded(row) for row in values]}


def parse_gaze(record: Mapping[str, Any], where: str) -> Gaze:
    """Return the gaze of a record such as `gaze_record` makes, or raise StudyError.

    Coordinates are fractions of the image; without a form it is of points.
    """
    form = record.get("form", "points")
    try:
        if form == "points":
            return _points(record, where)
        if form == "areas":
            fixation = np.array(record["fixation"], dtype=np.int64)
            box = np.array(record["box"], dtype=float).reshape(len(fixation), 4)
            label = tuple(map(str, record["label"]))
            fixations = int(record["fixations"])
            if len(label) != len(fixation) or not np.isfinite(box).all() or (box[:, 2:] <= 0).any():
                raise StudyError(f"{where}: each area has a fixation, a label and a box with area")
            if len(fixation) and not 0 <= fixation.min() <= fixation.max() < fixations:
                raise StudyError(f"{where}: an area names a fixation beyond the {fixations} made")
            return Areas(fixations, fixation, label, box)
        if form == "map":
            values = np.array(record["values"], dtype=float)
            if values.ndim != 2 or not np.isfinite(values).all() or not (values >= 0).all():
                raise StudyError(f"{where}: a map is rows of numbers from 0")
            return DenseMap(values)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise StudyError(f"{where} does not hold a gaze of {form}: {error!r}") from error
    raise StudyError(f"{where}: a gaze is of points, areas or a map, not {form!r}")


def _points(record: Mapping[str, Any], where: str) -> Points:
    names = ("x", "y", "time", "duration")
    columns = {
        name: np.array(record[name], dtype=float)
        for name in names
        if name in ("x", "y") or record.get(name) is not None
    }
    if any(column.shape != columns["x"].shape or column.ndim != 1 for column in columns.values()):
        raise StudyError(f"{where}: {', '.join(columns)} are lists of one length")
    if not len(columns["x"]):
        raise StudyError(f"{where} holds no point")
    if not all(np.isfinite(column).all() for column in columns.values()):
        raise StudyError(f"{where} holds values that are not numbers")
    if any(abs(columns[name] - 0.5).max() > 1.5 for name in ("x", "y")):
        raise StudyError(f"{where}: x and y are fractions of the image, from 0 to 1")
    return Points(**columns)


def _rounded(values: NDArray[Any]) -> list[float]:
    return [round(float(value), _DIGITS) for value in values]
