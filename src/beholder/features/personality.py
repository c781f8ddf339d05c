"""Features of a personality: the survey's items, and the traits that they measure."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from beholder.features.encoder import Array, Statistics, standardise, standardise_fit
from beholder.study.gaze import Floats
from beholder.study.survey import Instrument


@dataclass(frozen=True)
class Surveys:
    """Whole surveys: ``answers`` of shape (n, items) on the instrument's scale."""

    answers: Floats
    instrument: Instrument

    def __len__(self) -> int:
        return len(self.answers)


@dataclass(frozen=True)
class Items:
    """The answers to the items, as z-scores within the training participants."""

    name: ClassVar[str] = "items"

    def fit(self, inputs: Surveys) -> Statistics:
        """Return the mean and spread of each item."""
        return standardise_fit(inputs.answers)

    def encode(self, inputs: Surveys, statistics: Statistics) -> Array:
        """Return z-scores of the items, shape (n, items)."""
        return standardise(inputs.answers, statistics)


@dataclass(frozen=True)
class Traits:
    """The scores of the traits, as z-scores within the training participants: no norms exist."""

    name: ClassVar[str] = "traits"

    def fit(self, inputs: Surveys) -> Statistics:
        """Return the mean and spread of each trait."""
        return standardise_fit(_traits(inputs))

    def encode(self, inputs: Surveys, statistics: Statistics) -> Array:
        """Return z-scores of the traits, shape (n, traits)."""
        return standardise(_traits(inputs), statistics)


def _traits(inputs: Surveys) -> Floats:
    return np.asarray(inputs.instrument.trait_scores(inputs.answers))
