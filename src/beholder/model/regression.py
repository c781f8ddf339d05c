"""Linear regression of one side's features on the other's, with a ridge.

After Hoerl and Kennard, "Ridge regression: biased estimation for nonorthogonal problems" (1970).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve

from beholder.model.canonical import Projection

Features = NDArray[np.floating[Any]]


def fit_regression(known: Features, sought: Features, ridge: float) -> Projection:
    """Return the projection of ``known`` (n, width) on what it foretells of ``sought`` (n, d).

    What is foretold is the departure from the mean. ``ridge``, a share of the mean of the known
    columns' variances, is added to every one of them.
    """
    one, other = np.asarray(known, float), np.asarray(sought, float)
    mean = one.mean(axis=0)
    one = one - mean
    covariance = one.T @ one / len(one)
    added = max(ridge * np.trace(covariance) / len(covariance), 1e-12)
    between = one.T @ (other - other.mean(axis=0)) / len(one)
    weights = solve(covariance + added * np.eye(len(covariance)), between, assume_a="pos")
    return Projection(mean, weights)
