"""What is asked of a store, and how a gaze is read from a file."""

import csv
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from beholder.errors import ConfigurationError, StudyError
from beholder.retrieval.records import parse_gaze
from beholder.retrieval.store import Filters
from beholder.study.gaze import Gaze


@dataclass(frozen=True)
class Query:
    """A gaze, a text, a survey or several of them, and what is to be found.

    ``image`` is what the gaze is of: a path of a file, or the name (a str) of an image of the
    store. ``weights`` weigh the modalities that are given, 1 each unless told otherwise.
    ``seen_as`` names a person of the store whose style takes the place of the query's own.
    ``approximate`` lets an index choose who may answer, where the store has one that fits.
    """

    gaze: Gaze | None = None
    image: str | Path | None = None
    text: str | None = None
    personality: tuple[int, ...] | None = None
    weights: Mapping[str, float] = field(default_factory=dict)
    find: str = "text"
    seen_as: str | None = None
    filters: Filters = field(default_factory=Filters)
    top: int = 10
    offset: int = 0
    approximate: bool = False

    def __post_init__(self) -> None:
        if not self.modalities:
            raise ConfigurationError("a query is a gaze, a text, a personality, or several of them")
        if (self.gaze is None) != (self.image is None):
            raise ConfigurationError("a gaze is asked with the image that it is of, and no other")
        for modality, weight in self.weights.items():
            if modality not in self.modalities:
                raise ConfigurationError(
                    f"a weight is of what is asked with, {', '.join(self.modalities)}, "
                    f"not of {modality!r}"
                )
            if not (math.isfinite(weight) and weight > 0):
                raise ConfigurationError(f"the weight of {modality} is above 0, not {weight}")

    @property
    def modalities(self) -> tuple[str, ...]:
        """What is asked with."""
        given = {"gaze": self.gaze, "text": self.text, "personality": self.personality}
        return tuple(modality for modality, value in given.items() if value is not None)

    @property
    def shares(self) -> dict[str, float]:
        """The weights of the modalities, summing to 1."""
        weights = {modality: self.weights.get(modality, 1.0) for modality in self.modalities}
        total = sum(weights.values())
        return {modality: weight / total for modality, weight in weights.items()}


def read_gaze(file: Path) -> Gaze:
    """Return the gaze in a CSV or JSON file, or raise StudyError naming file and row.

    CSV has columns ``x`` and ``y``, fractions of the image, and perhaps ``time`` and
    ``duration`` in seconds; JSON has lists of these names, or what a search prints.
    """
    try:
        text = file.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise StudyError(f"{file} is not text in UTF-8: {error}") from error
    if text.lstrip()[:1] in ("{", "["):
        try:
            record: Any = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise StudyError(f"{file} is not valid JSON: {error}") from error
        if not isinstance(record, dict):
            raise StudyError(f"{file} is a list, expected an object with x and y")
        return parse_gaze(record, str(file))
    return parse_gaze(_columns(text, file), str(file))


def _columns(text: str, file: Path) -> dict[str, list[float]]:
    reader = csv.DictReader(text.splitlines())
    names = reader.fieldnames or []
    if not {"x", "y"} <= set(names):
        raise StudyError(f"{file} has columns {', '.join(names) or 'none'}, expected x and y")
    columns: dict[str, list[float]] = {
        name: [] for name in ("x", "y", "time", "duration") if name in names
    }
    for number, row in enumerate(reader, start=2):
        for name, column in columns.items():
            try:
                column.append(float(row[name]))
            except (TypeError, ValueError) as error:
                raise StudyError(
                    f"{file}, row {number}, column {name}: {row[name]!r} is no number"
                ) from error
    return columns
