"""Canonical directions: those of an independent implementation, steady, and counted."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cross_decomposition import CCA

from beholder.model.canonical import canonical_directions, fit_projections


def sides(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two sides of several columns, off 0, that share two numbers, the first more strongly."""
    generator = np.random.default_rng(seed)
    common = generator.normal(size=(count, 2)) * [2, 1]
    first, second = generator.normal(size=(count, 5)) + 3, generator.normal(size=(count, 4))
    first[:, :2] += common
    second[:, 2:] -= common
    return first, second


def test_the_directions_and_correlations_are_those_of_canonical_correlation() -> None:
    first, second = sides(400, 0)
    centred = first - first.mean(axis=0), second - second.mean(axis=0)
    found = canonical_directions(*centred, ridge=0.0)
    theirs = CCA(2, scale=False, max_iter=10_000, tol=1e-12).fit_transform(first, second)
    assert len(found.correlations) == 4
    for k in range(2):
        own = centred[0] @ found.first[:, k], centred[1] @ found.second[:, k]
        assert np.corrcoef(*own)[0, 1] == pytest.approx(found.correlations[k])
        for variate, other in zip(own, theirs, strict=True):
            assert variate.std() == pytest.approx(1)
            assert abs(np.corrcoef(variate, other[:, k])[0, 1]) == pytest.approx(1, abs=1e-4)


def test_a_pair_lies_nearer_than_strangers_in_samples_not_fitted_to() -> None:
    one, other = fit_projections(*sides(2000, 1), dimensions=2, ridge=1.0)
    first, second = sides(300, 2)
    vectors = one.of(first), other.of(second)
    assert [own.shape for own in vectors] == [(300, 2)] * 2
    for own in vectors:
        assert np.linalg.norm(own, axis=1) == pytest.approx(np.ones(300), abs=1e-6)
    cosines = vectors[0] @ vectors[1].T
    assert np.diag(cosines).mean() > cosines.mean() + 0.4


def test_a_variate_counts_by_its_correlation() -> None:
    first, second = sides(400, 3)
    one, other = fit_projections(first, second, dimensions=9, ridge=0.0)
    found = canonical_directions(first - first.mean(axis=0), second - second.mean(axis=0), 0.0)
    for side, features in ((one, first), (other, second)):
        spread = ((features - side.mean) @ side.weights).std(axis=0)
        assert spread == pytest.approx(found.correlations)  # all four, where nine were asked for


def test_more_columns_than_samples_and_columns_without_variance_are_no_trouble() -> None:
    generator = np.random.default_rng(4)
    one, other = fit_projections(generator.normal(size=(20, 50)), np.ones((20, 3)), 64, 1.0)
    assert np.isfinite(one.of(generator.normal(size=(5, 50)))).all()
    assert other.of(np.ones((2, 3))).tolist() == [[0, 0, 0]] * 2
