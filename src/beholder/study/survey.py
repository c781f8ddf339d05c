"""Survey instruments as data, their scoring and their reliability.

An instrument is a TOML file: its scale and its items, each with the trait it measures and
whether it is reversed. Answers are arrays of shape (participants, items) on the instrument's
scale.
"""

import json
import tomllib
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from beholder.errors import ConfigurationError, StudyError
from beholder.study.gaze import Floats

_SMALLEST, _LARGEST = -128, 127  # a study keeps each answer in one byte


@dataclass(frozen=True)
class Item:
    """One statement of a survey and what agreeing with it says."""

    key: str
    text: str
    trait: str
    reversed: bool = False


@dataclass(frozen=True)
class Instrument:
    """A survey: its items, and the scale from ``minimum`` to ``maximum`` that answers use."""

    name: str
    title: str
    source: str
    notice: str
    stem: str
    minimum: int
    maximum: int
    labels: tuple[str, ...]
    items: tuple[Item, ...]

    @cached_property
    def traits(self) -> tuple[str, ...]:
        """The traits measured, in the order in which the items first name them."""
        return tuple(dict.fromkeys(item.trait for item in self.items))

    @cached_property
    def _reversed(self) -> NDArray[np.bool_]:
        return np.array([item.reversed for item in self.items])

    def validate(self, answers: ArrayLike) -> NDArray[np.int8]:
        """Return answers of shape (n, items) as integers, or raise StudyError naming the fault."""
        values = np.asarray(answers, dtype=float)
        if values.ndim != 2 or values.shape[1] != len(self.items):
            raise StudyError(
                f"{self.name} has {len(self.items)} items, but the answers have shape "
                f"{values.shape}"
            )
        wrong = ~np.isfinite(values) | (values != np.round(values))
        wrong |= (values < self.minimum) | (values > self.maximum)
        if wrong.any():
            row, column = np.argwhere(wrong)[0]
            raise StudyError(
                f"{self.name}: answer {values[row, column]:g} to item {column + 1} "
                f"({self.items[column].key}) in row {row + 1} is no whole number from "
                f"{self.minimum} to {self.maximum}"
            )
        return values.astype(np.int8)

    def keyed(self, answers: ArrayLike) -> Floats:
        """Return the answers with reversed items turned round, shape (n, items)."""
        values = np.asarray(answers, dtype=float)
        return np.where(self._reversed, self.minimum + self.maximum - values, values)

    def trait_scores(self, answers: ArrayLike) -> Floats:
        """Return the mean of each trait's keyed items, shape (n, traits), on the item scale."""
        keyed = self.keyed(answers)
        return np.stack([keyed[:, self.columns_of(trait)].mean(axis=1) for trait in self.traits], 1)

    def columns_of(self, trait: str) -> list[int]:
        """Return the columns of the items that measure a trait."""
        return [number for number, item in enumerate(self.items) if item.trait == trait]

    def reliability(self, answers: ArrayLike) -> dict[str, float]:
        """Return each trait's Cronbach's alpha (NaN where it is undefined).

        For the two items a trait has in a ten-item survey this is the Spearman-Brown
        reliability under equal variances. Participants without a survey (NaN) do not count.
        """
        keyed = self.keyed(answers)
        keyed = keyed[~np.isnan(keyed).any(axis=1)]
        return {trait: _cronbach_alpha(keyed[:, self.columns_of(trait)]) for trait in self.traits}


def _cronbach_alpha(items: Floats) -> float:
    """Cronbach (1951) for answers of shape (n, k)."""
    count = items.shape[1]
    if len(items) < 2 or count < 2:
        return float("nan")
    variance_of_sum = items.sum(axis=1).var(ddof=1)
    if variance_of_sum == 0:
        return float("nan")
    return float(count / (count - 1) * (1 - items.var(axis=0, ddof=1).sum() / variance_of_sum))


def instruments() -> tuple[str, ...]:
    """Return the names of the instruments that come with Beholder."""
    folder = resources.files("beholder.study").joinpath("instruments")
    return tuple(sorted(f.name[:-5] for f in folder.iterdir() if f.name.endswith(".toml")))


def load_instrument(name_or_path: str | Path) -> Instrument:
    """Return an instrument that comes with Beholder, by name, or one from a TOML file."""
    if str(name_or_path) in instruments():
        folder = resources.files("beholder.study").joinpath("instruments")
        return parse_instrument(folder.joinpath(f"{name_or_path}.toml").read_text("utf-8"))
    path = Path(name_or_path)
    if not path.is_file():
        raise ConfigurationError(
            f"instrument {str(name_or_path)!r} is neither a file nor one of "
            f"{', '.join(instruments())}"
        )
    try:
        return parse_instrument(path.read_text("utf-8"), where=str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"instrument {path} cannot be read: {error}") from error


def parse_instrument(toml: str, where: str = "instrument") -> Instrument:
    """Return the instrument that a TOML text describes, or raise ConfigurationError."""
    try:
        data: dict[str, Any] = tomllib.loads(toml)
        scale = data.pop("scale")
        items = tuple(Item(**item) for item in data.pop("items"))
        labels = tuple(scale.pop("labels", ()))
        instrument = Instrument(**data, **scale, labels=labels, items=items)
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
        raise ConfigurationError(
            f"{where} does not describe an instrument (name, title, source, notice, stem, "
            f"[scale] and [[items]]): {error}"
        ) from error
    if fault := _fault(instrument):
        raise ConfigurationError(f"{where}: {fault}")
    return instrument


def _fault(instrument: Instrument) -> str | None:
    """Say what makes an instrument unusable, if anything does."""
    items, labels = instrument.items, instrument.labels
    texts = [instrument.name, instrument.title, instrument.source, instrument.notice]
    texts += [instrument.stem, *labels]
    texts += [text for item in items for text in (item.key, item.text, item.trait)]
    if not all(isinstance(text, str) for text in texts):
        return "every name, label and item is a text in quotation marks"
    if not all(isinstance(item.reversed, bool) for item in items):
        return "an item's reversed is true or false"
    if len({item.key for item in items}) < len(items) or not items:
        return "an instrument has items, each with a key of its own"
    low, high = instrument.minimum, instrument.maximum
    if not (type(low) is type(high) is int and _SMALLEST <= low < high <= _LARGEST):
        return (
            f"a scale runs between whole numbers from {_SMALLEST} to {_LARGEST}, not from "
            f"{low!r} to {high!r}"
        )
    if labels and len(labels) != high - low + 1:
        return f"a scale from {low} to {high} has {high - low + 1} labels, not {len(labels)}"
    return None


def instrument_toml(instrument: Instrument) -> str:
    """Return the TOML text from which `parse_instrument` makes the same instrument."""
    lines = [
        f"{key} = {quoted(getattr(instrument, key))}"
        for key in ("name", "title", "source", "notice", "stem")
    ]
    lines += ["", "[scale]", f"minimum = {instrument.minimum}", f"maximum = {instrument.maximum}"]
    lines += [f"labels = [{', '.join(map(quoted, instrument.labels))}]"]
    for item in instrument.items:
        lines += ["", "[[items]]", f"key = {quoted(item.key)}", f"text = {quoted(item.text)}"]
        lines += [f"trait = {quoted(item.trait)}", f"reversed = {str(item.reversed).lower()}"]
    return "\n".join(lines) + "\n"


def quoted(text: str) -> str:
    """Return a text as a TOML basic string: its escapes are those of JSON but for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
