"""Standardising and whitening against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from beholder.features.encoder import standardise, standardise_fit, unit_rows, whiten, whiten_fit


@pytest.fixture
def values() -> np.ndarray:
    generator = np.random.default_rng(3)
    return generator.normal(size=(200, 5)) * [1, 2, 0.1, 50, 3] + [0, 1, 2, 3, 4]


def test_standardised_columns_share_a_mean_square_length_of_one(values: np.ndarray) -> None:
    scores = standardise(values, standardise_fit(values), limit=np.inf)
    assert_allclose(scores.mean(axis=0), 0, atol=1e-6)
    assert_allclose(scores.std(axis=0), 1 / np.sqrt(5), rtol=1e-5)
    assert (scores**2).sum(axis=1).mean() == pytest.approx(1, rel=1e-5)
    assert scores.dtype == np.float32


def test_z_scores_are_limited() -> None:
    statistics = standardise_fit(np.array([[-1.0], [1.0]]))
    scores = standardise(np.array([[2.0], [10.0], [-10.0]]), statistics)
    assert_allclose(scores[:, 0], [2, 3, -3])


def test_a_constant_column_gives_zeros_not_infinities() -> None:
    train = np.array([[7.0, 1.0], [7.0, 3.0]])
    scores = standardise(train, standardise_fit(train))
    assert_array_equal(scores[:, 0], 0)
    assert_allclose(scores[:, 1] * np.sqrt(2), [-1, 1])


def test_whole_whitening_leaves_no_covariance(values: np.ndarray) -> None:
    mixed = values @ np.random.default_rng(0).normal(size=(5, 5))
    found = whiten(mixed, whiten_fit(mixed, 5))
    assert found.shape == (200, 5)
    assert_allclose(found.T @ found / 200, np.eye(5) / 5, atol=1e-4)


def test_no_whitening_keeps_the_angles(values: np.ndarray) -> None:
    found = whiten(values, whiten_fit(values, 5, power=0))
    scores = (values - values.mean(axis=0)) / values.std(axis=0)
    assert_allclose(found @ found.T, scores @ scores.T / 5, atol=1e-4)


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
def test_training_rows_have_a_mean_square_length_of_one(values: np.ndarray, power: float) -> None:
    found = whiten(values, whiten_fit(values, 3, power))
    assert found.shape == (200, 3)
    assert (found**2).sum(axis=1).mean() == pytest.approx(1, rel=1e-4)


def test_directions_without_variance_are_left_out(values: np.ndarray) -> None:
    doubled = np.concatenate([values, 2 * values + 1, np.full((200, 2), 4.0)], axis=1)
    found = whiten(doubled, whiten_fit(doubled, 100))
    assert found.shape == (200, 5)
    assert np.isfinite(found).all()


def test_one_training_row_gives_no_directions() -> None:
    statistics = whiten_fit(np.ones((1, 4)), 3)
    assert whiten(np.zeros((2, 4)), statistics).shape == (2, 0)


def test_unit_rows() -> None:
    assert_allclose(unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]])), [[0.6, 0.8], [0, 0]])
