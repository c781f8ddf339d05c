"""Regression: that of an independent implementation, and steady."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import Ridge

from beholder.model.regression import fit_regression


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.01, 1.0, 30.0]), st.integers(2, 30))
def test_what_is_foretold_is_that_of_ridge_regression(seed: int, ridge: float, width: int) -> None:
    generator = np.random.default_rng(seed)
    known = generator.normal(size=(20, width)) * generator.uniform(0.1, 3, width) + 5
    sought = known[:, :2] @ generator.normal(size=(2, 3)) + generator.normal(size=(20, 3)) - 2
    alpha = ridge * known.var(axis=0).mean() * len(known)  # theirs is not divided by the samples
    theirs = Ridge(alpha=alpha).fit(known, sought)
    new = generator.normal(size=(4, width)) + 5
    foretold = fit_regression(known, sought, ridge)
    departure = theirs.predict(new) - sought.mean(axis=0)
    assert (new - foretold.mean) @ foretold.weights == pytest.approx(departure, rel=1e-6, abs=1e-8)
    assert foretold.of(new) == pytest.approx(unit(departure), abs=1e-5)


def test_columns_without_variance_are_no_trouble() -> None:
    sought = np.random.default_rng(0).normal(size=(20, 2))
    assert (
        fit_regression(np.ones((20, 3)), sought, 1.0).of(np.ones((2, 3))).tolist() == [[0, 0]] * 2
    )
