"""The Mantel test: SciPy's correlations, a naive loop over orders, gaps, and its level."""

from __future__ import annotations

from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import squareform
from scipy.stats import binom, pearsonr, spearmanr

from beholder.errors import UnsupportedError
from beholder.evaluation.distinctness import mantel as module
from beholder.evaluation.distinctness.mantel import draw_people, mantel, mantel_of_each

SCIPY = {"pearson": pearsonr, "spearman": spearmanr}


def made(people: int, seed: int, gaps: float = 0.0, like: np.ndarray | None = None) -> np.ndarray:
    """Return square distances, some of them unknown, perhaps like others."""
    generator = np.random.default_rng(seed)
    places = generator.standard_normal((people, 3))
    matrix = np.linalg.norm(places[:, None] - places, axis=2)
    if like is not None:
        matrix = matrix + np.nan_to_num(like)
    unknown = np.triu(generator.random(matrix.shape) < gaps, 1)
    matrix[unknown | unknown.T] = np.nan
    return matrix


def naive(first: np.ndarray, second: np.ndarray, order: tuple[int, ...]) -> float:
    """Return Pearson's correlation over the pairs known when people change places in first."""
    pairs = [
        (first[order[i], order[j]], second[i, j]) for i, j in combinations(range(len(order)), 2)
    ]
    kept = np.array([pair for pair in pairs if not np.isnan(pair).any()])
    return float(np.corrcoef(kept.T)[0, 1])


@pytest.mark.parametrize("correlation", ["pearson", "spearman"])
def test_the_correlation_is_scipys(correlation: str) -> None:
    first = made(12, 0)
    second = made(12, 1, like=first)
    found = mantel(first, second, np.random.default_rng(0), 99, correlation)
    expected = SCIPY[correlation](squareform(first), squareform(second)).statistic
    assert found.correlation == pytest.approx(expected)
    assert (found.n, found.pairs, found.permutations, found.exact) == (12, 66, 99, False)
    condensed = mantel(
        squareform(first), squareform(second), np.random.default_rng(0), 99, correlation
    )
    assert condensed == found


@pytest.mark.parametrize("gaps", [0.0, 0.3])
def test_few_people_are_put_into_every_order(gaps: float) -> None:
    first, second = made(6, 2, gaps), made(6, 3, gaps / 2)
    known = ~np.isnan(first) & ~np.isnan(second)
    np.fill_diagonal(known, False)
    assert known.any(axis=1).all()
    null = np.array([naive(first, second, order) for order in permutations(range(6))])
    found = mantel(first, second, np.random.default_rng(0), correlation="pearson")
    assert found.correlation == pytest.approx(null[0])
    assert found.exact
    assert found.permutations == 720
    assert found.p == pytest.approx(np.mean(null >= null[0] - 1e-9))
    expected = np.quantile(null, [0.025, 0.975])
    assert (found.null_interval.low, found.null_interval.high) == pytest.approx(tuple(expected))
    assert found.pairs == known.sum() // 2


@pytest.mark.parametrize("gaps", [0.0, 0.4])
def test_drawn_orders_are_those_of_a_loop(gaps: float) -> None:
    first = made(9, 4, gaps)
    second = made(9, 5, like=first)
    found = mantel(first, second, np.random.default_rng(8), 200, "pearson")
    orders = np.random.default_rng(8).permuted(np.tile(np.arange(9), (200, 1)), axis=1)
    null = np.array([naive(first, second, tuple(order)) for order in orders])
    observed = naive(first, second, tuple(range(9)))
    assert found.correlation == pytest.approx(observed)
    assert found.p == pytest.approx((1 + (null >= observed - 1e-9).sum()) / 201)
    expected = np.quantile(null, [0.025, 0.975])
    assert (found.null_interval.low, found.null_interval.high) == pytest.approx(tuple(expected))


def test_spearman_ranks_each_distance_once() -> None:
    first, second = made(8, 6, 0.3), made(8, 7)
    ranks = np.full_like(first, np.nan)
    known = ~np.isnan(first) & ~np.eye(8, dtype=bool)
    ranks[known] = np.unique(first[known], return_inverse=True)[1] + 1
    on_ranks = np.unique(second, return_inverse=True)[1].reshape(second.shape).astype(float)
    found = mantel(first, second, np.random.default_rng(0), 300)
    expected = mantel(ranks, on_ranks, np.random.default_rng(0), 300, "pearson")
    assert found.correlation == pytest.approx(expected.correlation)
    assert found.p == expected.p


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = made(10, 8, 0.3), made(10, 9)
    whole = mantel(first, second, np.random.default_rng(0), 150)
    exact = mantel(first[:6, :6], second[:6, :6], np.random.default_rng(0))
    monkeypatch.setattr(module, "_NUMBERS_HELD", 100)
    small = mantel(first, second, np.random.default_rng(0), 150)
    assert vars(small) | {"null_interval": None} == vars(whole) | {"null_interval": None}
    assert mantel(first[:6, :6], second[:6, :6], np.random.default_rng(0)).p == exact.p


def test_several_are_each_as_one() -> None:
    first, seconds = made(9, 10, 0.3), [made(9, 11), made(9, 12)]
    several = mantel_of_each(first, seconds, np.random.default_rng(0), 99)
    for second, found in zip(seconds, several, strict=True):
        alone = mantel(first, second, np.random.default_rng(0), 99)
        assert found.correlation == pytest.approx(alone.correlation)
        assert found.p == alone.p


def test_people_without_a_known_pair_do_not_count() -> None:
    first, second = made(9, 13), made(9, 14)
    first[4] = first[:, 4] = np.nan
    second[7] = second[:, 7] = np.nan
    kept = [0, 1, 2, 3, 5, 6, 8]
    found = mantel(first, second, np.random.default_rng(0))
    expected = mantel(
        first[np.ix_(kept, kept)], second[np.ix_(kept, kept)], np.random.default_rng(0)
    )
    assert found == expected
    assert found.n == 7


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.permutations(range(6)))
def test_the_order_of_people_does_not_matter(seed: int, order: list[int]) -> None:
    first, second = made(6, seed, 0.2), made(6, seed + 1)
    try:
        found = mantel(first, second, np.random.default_rng(0))
    except UnsupportedError:
        return
    places = np.ix_(order, order)
    again = mantel(first[places], second[places], np.random.default_rng(0))
    assert again.correlation == pytest.approx(found.correlation)
    assert again.p == pytest.approx(found.p)
    assert 1 / found.permutations <= found.p <= 1


@pytest.mark.parametrize("gaps", [0.0, 0.6])
def test_the_level_is_kept_where_nothing_is_to_be_found(gaps: float) -> None:
    """Of 300 studies without a relation about 5% have p <= 0.05, with or without gaps."""
    tests = 300
    found = [
        mantel(made(12, 2 * seed, gaps), made(12, 2 * seed + 1), np.random.default_rng(seed), 199).p
        for seed in range(1000, 1000 + tests)
    ]
    rejected = int(np.sum(np.array(found) <= 0.05))
    low, high = binom.ppf([0.001, 0.999], tests, 0.05)
    assert low <= rejected <= high


def test_a_relation_is_found() -> None:
    first = made(20, 20, 0.5)
    second = made(20, 21, like=2 * made(20, 20))
    found = mantel(first, second, np.random.default_rng(0), 999)
    assert found.p == 1 / 1000
    assert found.null_interval.low < 0 < found.null_interval.high < found.correlation
    opposite = mantel(first, second.max() - second, np.random.default_rng(0), 999)
    assert opposite.p > 0.99


def test_people_are_drawn_where_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.draw_people, "__defaults__", (8,))
    found = mantel(made(12, 30), made(12, 31), np.random.default_rng(0), 99)
    assert (found.n, found.pairs) == (8, 28)
    assert found.warning == "8 of 12 people were drawn"
    assert mantel(made(8, 30), made(8, 31), np.random.default_rng(0), 99).warning is None


def test_whom_is_drawn() -> None:
    drawn, warning = draw_people(5, np.random.default_rng(0), 5)
    assert drawn.tolist() == [0, 1, 2, 3, 4]
    assert warning is None
    drawn, _ = draw_people(50, np.random.default_rng(0), 5)
    assert sorted(set(drawn.tolist())) == drawn.tolist()
    assert len(drawn) == 5


def test_what_cannot_be_tested_is_an_error() -> None:
    generator = np.random.default_rng(0)
    with pytest.raises(UnsupportedError, match="needs 4 people with known distances, not 3"):
        mantel(made(3, 0), made(3, 1), generator)
    with pytest.raises(UnsupportedError, match="distances that differ"):
        mantel(made(5, 0), np.ones((5, 5)), generator)
    with pytest.raises(ValueError, match="not of the same people"):
        mantel(made(5, 0), made(6, 0), generator)
    with pytest.raises(ValueError, match="7 distances are not those"):
        mantel(np.ones(7), np.ones(7), generator)
    with pytest.raises(ValueError, match="not the one back"):
        mantel(np.triu(made(5, 0)), made(5, 1), generator)
    with pytest.raises(ValueError, match="square or condensed"):
        mantel(np.ones((2, 3)), made(5, 1), generator)
