"""Agreement: one canonical correlation, measured honestly, and the log ratio that it gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import multivariate_normal, norm
from sklearn.cross_decomposition import CCA

from beholder.model import agreement
from beholder.model.agreement import MOST_CORRELATION, Agreement, Side, fit_agreement

ALONE = Side(np.zeros(1), np.ones(1))
"""A side whose only feature is the variate."""

Variates = st.lists(st.floats(-4, 4), min_size=1, max_size=4).map(np.array)


def sides(count: int, seed: int, shared: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Two sides of several columns, of which one column each carries a common number."""
    generator = np.random.default_rng(seed)
    common = generator.normal(size=count)
    first, second = generator.normal(size=(count, 4)), generator.normal(size=(count, 3))
    first[:, 2] += shared * common
    second[:, 0] -= shared * common
    return first, second


def ratios(agreement: Agreement, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The log ratio of every pair of features (n, width) and (m, width), (n, m)."""
    return agreement.vectors(first, first=True) @ agreement.vectors(second, first=False).T


@given(st.floats(0, MOST_CORRELATION), Variates, Variates)
def test_the_log_ratio_is_that_of_gaussian_densities(
    correlation: float, first: np.ndarray, second: np.ndarray
) -> None:
    found = ratios(Agreement(ALONE, ALONE, correlation), first[:, None], second[:, None])
    together = multivariate_normal([0, 0], [[1, correlation], [correlation, 1]])
    assert found.shape == (len(first), len(second))
    for n, u in enumerate(first):
        for m, v in enumerate(second):
            expected = together.logpdf([u, v]) - norm.logpdf(u) - norm.logpdf(v)
            assert found[n, m] == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_the_directions_are_those_of_canonical_correlation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(agreement, "RIDGE", 0.0)
    first, second = sides(400, 0)
    found = fit_agreement(first, second)
    theirs = CCA(1, scale=False, max_iter=10_000, tol=1e-12).fit_transform(first, second)
    for side, features, other in zip(
        (found.first, found.second), (first, second), theirs, strict=True
    ):
        variates = side.of(features)
        assert variates.mean() == pytest.approx(0, abs=1e-9)
        assert variates.std() == pytest.approx(1)
        assert abs(np.corrcoef(variates, other[:, 0])[0, 1]) == pytest.approx(1, abs=1e-5)


def test_the_correlation_is_that_of_samples_not_fitted_to() -> None:
    found = fit_agreement(*sides(20_000, 1))
    assert found.correlation == pytest.approx(0.5, abs=0.03)  # each half of the variance is shared
    assert np.corrcoef(found.first.of(sides(5000, 2)[0]), found.second.of(sides(5000, 2)[1]))[
        0, 1
    ] == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("seed", range(5))
def test_few_samples_of_unrelated_sides_agree_on_nothing(seed: int) -> None:
    generator = np.random.default_rng(seed)
    first, second = generator.normal(size=(40, 22)), generator.normal(size=(40, 15))
    found = fit_agreement(first, second)
    within = found.first.of(first) * found.second.of(second)
    assert within.mean() > 0.6  # what looking at the fitted samples would have claimed
    assert 0 <= found.correlation < 0.4


def test_how_large_the_features_are_changes_nothing() -> None:
    first, second = sides(200, 3)
    one, other = fit_agreement(first, second), fit_agreement(7 + first * 100, second / 50)
    assert other.correlation == pytest.approx(one.correlation)
    assert other.first.of(7 + first * 100) == pytest.approx(one.first.of(first))


def test_a_pair_that_fits_scores_above_one_that_does_not() -> None:
    first, second = sides(500, 4, shared=3)
    found = fit_agreement(first, second)
    every = ratios(found, first, second)
    assert found.correlation > 0.8
    assert np.diag(every).mean() > 0.3 > 0 > every.mean()


@pytest.mark.parametrize("count", [1, 2, 3, 8])
def test_what_never_varies_or_hardly_exists_tells_nothing(count: int) -> None:
    found = fit_agreement(np.ones((count, 3)), np.arange(count * 2.0).reshape(count, 2))
    assert found.correlation == 0
    assert (ratios(found, np.ones((2, 3)), np.ones((4, 2))) == 0).all()
