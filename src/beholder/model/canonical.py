"""Canonical directions of two sides: the pairs of directions that correlate most.

After Hotelling, "Relations between two sets of variates" (1936), in closed form; a ridge on
each side's covariance steadies the directions where columns are many and samples few.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from beholder.study.gaze import Floats

Features = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Directions:
    """The directions of both sides, (width, kept) each, the most correlated first."""

    first: Floats
    second: Floats
    correlations: Floats  # (kept,), in the samples fitted to, with the ridge counted as variance


@dataclass(frozen=True)
class Projection:
    """Features of one side to vectors of length one: ``mean`` (width,), ``weights`` (width, d)."""

    mean: Floats
    weights: Floats

    def of(self, features: Features) -> NDArray[np.float32]:
        """Return the vectors (n, d) of features (n, width); zeros where nothing is left."""
        vectors = (features - self.mean) @ self.weights
        length = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.where(length > 0, length, 1), dtype=np.float32)


def fit_projections(
    first: Features, second: Features, dimensions: int, ridge: float
) -> tuple[Projection, Projection]:
    """Return both sides' projections on their canonical directions, from n samples.

    Each variate counts by its correlation, so that those of chance hardly matter.
    """
    one, other = np.asarray(first, float), np.asarray(second, float)
    means = one.mean(axis=0), other.mean(axis=0)
    found = canonical_directions(one - means[0], other - means[1], ridge)
    counted = found.correlations[:dimensions]
    return (
        Projection(means[0], found.first[:, :dimensions] * counted),
        Projection(means[1], found.second[:, :dimensions] * counted),
    )


def canonical_directions(first: Floats, second: Floats, ridge: float) -> Directions:
    """Return all canonical directions of rows of mean 0, (n, width) each.

    ``ridge``, a share of the mean of a side's variances, is added to every one of them.
    """
    lower = _cholesky(first, ridge), _cholesky(second, ridge)
    between = solve_triangular(lower[0], first.T @ second / len(first), lower=True)
    between = solve_triangular(lower[1], between.T, lower=True).T
    left, correlations, right = np.linalg.svd(between, full_matrices=False)
    return Directions(
        solve_triangular(lower[0].T, left),
        solve_triangular(lower[1].T, right.T),
        correlations,
    )


def _cholesky(centred: Floats, ridge: float) -> Floats:
    covariance = centred.T @ centred / len(centred)
    added = ridge * np.trace(covariance) / len(covariance)
    # A side without any variance still has directions, which correlate with nothing.
    return np.asarray(np.linalg.cholesky(covariance + max(added, 1e-12) * np.eye(len(covariance))))
