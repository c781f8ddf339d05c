"""Agreement: how well two measured sides of one sample fit, as one canonical correlation.

Whoever looks long writes long: one number of each side carries what a space of hundreds of
dimensions, learnt to tell images apart, hardly weighs. The two numbers are the first canonical
variates (Hotelling, "Relations between two sets of variates", 1936).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beholder.model.canonical import canonical_directions
from beholder.study.gaze import Floats

RIDGE = 0.1
"""Added to every column's variance, as a share of the mean of these: steadies the directions."""

FOLDS = 5
"""The correlation is measured in fifths of the samples that the directions were not fitted to."""

MOST_CORRELATION = 0.95
"""A higher one would let single samples decide."""


@dataclass(frozen=True)
class Side:
    """A direction of one side's features: ``mean`` and ``weights`` have shape (width,)."""

    mean: Floats
    weights: Floats

    def of(self, features: NDArray[np.floating[Any]]) -> Floats:
        """Return the variates of features (n, width), shape (n,), of variance 1 where fitted."""
        return np.asarray((features - self.mean) @ self.weights)


@dataclass(frozen=True)
class Agreement:
    """Both sides' directions, and how far their variates correlate in samples not fitted to."""

    first: Side
    second: Side
    correlation: float

    def vectors(self, features: NDArray[np.floating[Any]], *, first: bool) -> Floats:
        """Return vectors (n, 3) of one side's features (n, width); ``first`` tells of which.

        The inner product of a first and a second vector is log p(u, v) / (p(u) p(v)) of their
        variates as Gaussians: above 0 where a pair fits better than two sides of different
        samples do. With correlation r it is -½ log(1 - r²) - (r² (u² + v²) - 2 r u v) / 2 (1 - r²).
        """
        r = self.correlation
        rest = 1 - r**2
        variate = (self.first if first else self.second).of(features)  # (n,)
        own = -0.25 * np.log(rest) - r**2 / (2 * rest) * variate**2
        ones = np.ones_like(variate)
        columns = [ones, own] if first else [own, ones]
        return np.stack([np.sqrt(r / rest) * variate, *columns], axis=1)


def fit_agreement(first: NDArray[np.floating[Any]], second: NDArray[np.floating[Any]]) -> Agreement:
    """Return the agreement of two sides of n samples, features of shape (n, width) each.

    Where the sides have nothing to do with each other the correlation is about 0, and never
    below it, so that no ratio counts.
    """
    sides = _directions(first, second)
    fold = np.arange(len(first)) % FOLDS
    left_out = []
    for number in range(FOLDS):
        own = fold == number
        if (~own).sum() >= 2 and own.any():
            fitted = _directions(first[~own], second[~own])
            left_out.append(fitted[0].of(first[own]) * fitted[1].of(second[own]))
    # Products of variates of mean 0 and variance 1: their mean is the correlation.
    found = float(np.concatenate(left_out).mean()) if left_out else 0.0
    return Agreement(*sides, min(max(found, 0.0), MOST_CORRELATION))


def _directions(
    first: NDArray[np.floating[Any]], second: NDArray[np.floating[Any]]
) -> tuple[Side, Side]:
    """Return the pair of directions whose variates correlate most."""
    one, other = np.asarray(first, float), np.asarray(second, float)
    means = one.mean(axis=0), other.mean(axis=0)
    one, other = one - means[0], other - means[1]
    found = canonical_directions(one, other, RIDGE)
    return (
        _side(one, means[0], found.first[:, 0]),
        _side(other, means[1], found.second[:, 0]),
    )


def _side(centred: Floats, mean: Floats, weights: Floats) -> Side:
    spread = float((centred @ weights).std())
    return Side(mean, weights / spread if spread > 1e-9 else np.zeros_like(weights))
