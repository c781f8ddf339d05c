"""What is found at once, in closed form, beside the trained spaces of gaze and text.

Two canonical correlations: that of how a person looks with how one writes, a part of a score
that knows no image and no person; and those of all features of both sides, a space beside the
trained ones. Both are inner products, so that one vector an item carries them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beholder.features.gaze import Scanpath
from beholder.features.text import Manner
from beholder.model.agreement import Agreement, Side, fit_agreement
from beholder.model.canonical import Projection, fit_projections
from beholder.model.networks import Pair

PAIR: Pair = ("gaze", "text")
"""The pair of modalities that these are of."""

MANNERS: Mapping[str, str] = {"gaze": Scanpath.name, "text": Manner.name}
"""The encoders that tell how a person looks and writes."""

CANONICAL = "canonical"
"""The name of the space."""

DIMENSIONS = 64

RIDGE = 1.0
"""As much as a column's mean variance: columns may be as many as samples."""

SHARE = 0.15
"""The weight of the canonical space beside the trained ones, which share the rest."""

MOST_TAUGHT = 20_000
"""More samples than these hardly change the directions."""

MANNER_WIDTH = 3
"""How many numbers a vector of the manners' agreement has."""

_FIRST, _SECOND = PAIR


def has_correlations(method: str, pair: Pair) -> bool:
    """Tell whether a run's method uses these for a pair."""
    return method in ("manner", CANONICAL) and pair == PAIR


def weights_with_canonical(weights: Mapping[str, float]) -> dict[str, float]:
    """Return the weights of trained spaces and, beside them, of the canonical one."""
    return {space: (1 - SHARE) * weight for space, weight in weights.items()} | {CANONICAL: SHARE}


@dataclass(frozen=True)
class Correlations:
    """Both correlations, of features of the whole width of a modality."""

    agreement: Agreement
    projections: Mapping[str, Projection]  # by modality

    @property
    def dimensions(self) -> int:
        """How many numbers a vector of the canonical space has."""
        return int(self.projections[_FIRST].weights.shape[1])

    def space(self, modality: str, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the canonical space's vectors (n, d) of items, of length one."""
        return self.projections[modality].of(features)

    def manner(
        self, modality: str, features: NDArray[np.float32], rate: float
    ) -> NDArray[np.float32]:
        """Return vectors (n, 3) whose inner products are ``rate`` × the manners' log ratios.

        A contrastively learnt similarity divided by a temperature τ stands for the log ratio of a
        pair's density to that of unrelated sides (van den Oord et al., 2018), so that what the
        manners tell is added to it at the rate τ.
        """
        vectors = self.agreement.vectors(features, first=modality == _FIRST)
        return np.asarray(np.sqrt(rate) * vectors, dtype=np.float32)

    def arrays(self) -> dict[str, NDArray[np.float64]]:
        """Return all that there is to keep, by name."""
        arrays = {"correlation": np.array([self.agreement.correlation])}
        sides = {_FIRST: self.agreement.first, _SECOND: self.agreement.second}
        for modality in PAIR:
            side, projection = sides[modality], self.projections[modality]
            arrays |= {f"manner.{modality}.{name}": value for name, value in vars(side).items()}
            arrays |= {
                f"{CANONICAL}.{modality}.{name}": value for name, value in vars(projection).items()
            }
        return arrays

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "Correlations":
        """Return what `arrays` gave; KeyError if something is missing."""

        def kept(part: str, modality: str) -> dict[str, NDArray[Any]]:
            return {name: arrays[f"{part}.{modality}.{name}"] for name in ("mean", "weights")}

        first, second = (Side(**kept("manner", modality)) for modality in PAIR)
        projections = {modality: Projection(**kept(CANONICAL, modality)) for modality in PAIR}
        return cls(Agreement(first, second, float(arrays["correlation"][0])), projections)


def fit_correlations(
    features: Mapping[str, NDArray[np.float32]], manners: Mapping[str, slice]
) -> Correlations:
    """Return the correlations of n samples, by modality: features (n, width) of all encoders.

    ``manners`` tells which columns are those of `MANNERS`.
    """
    first, second = (features[modality] for modality in PAIR)
    own, other = (manners[modality] for modality in PAIR)
    found = fit_agreement(first[:, own], second[:, other])
    agreement = Agreement(
        _widened(found.first, own, first.shape[1]),
        _widened(found.second, other, second.shape[1]),
        found.correlation,
    )
    sides = fit_projections(first, second, DIMENSIONS, RIDGE)
    return Correlations(agreement, dict(zip(PAIR, sides, strict=True)))


def _widened(side: Side, columns: slice, width: int) -> Side:
    """Return a side of some columns as one of all of them."""
    mean, weights = np.zeros(width), np.zeros(width)
    mean[columns], weights[columns] = side.mean, side.weights
    return Side(mean, weights)
