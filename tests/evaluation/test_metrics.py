"""Measures over ranks, chance by enumeration, and intervals that cover."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from beholder.evaluation.metrics import (
    TOPS,
    chance_of_top,
    cluster_bootstrap,
    mean_reciprocal_rank,
    top,
)


def test_measures_are_the_naive_ones() -> None:
    ranks = np.array([1, 2, 3, 4, 11, 3])
    for k in TOPS:
        assert top(ranks, k) == sum(rank <= k for rank in ranks.tolist()) / 6
    expected = sum(1 / rank for rank in ranks.tolist()) / 6
    assert mean_reciprocal_rank(ranks) == pytest.approx(expected)


@pytest.mark.parametrize("gallery", range(1, 8))
@pytest.mark.parametrize("k", [1, 3, 5])
def test_chance_is_that_of_every_order(gallery: int, k: int) -> None:
    for right in range(1, gallery + 1):
        firsts = list(combinations(range(gallery), min(k, gallery)))
        hit = sum(any(place < right for place in first) for first in firsts)
        found = chance_of_top(k, np.array([gallery]), np.array([right]))
        assert found[0] == pytest.approx(hit / len(firsts))


def test_chance_of_many_queries_is_that_of_a_simulation() -> None:
    generator = np.random.default_rng(0)
    gallery, right = np.array([40, 7, 4]), np.array([6, 1, 4])
    for g, r, chance in zip(gallery, right, chance_of_top(3, gallery, right), strict=True):
        orders = generator.random((20_000, g)).argsort(axis=1)[:, :3]
        share = (orders < r).any(axis=1).mean()
        assert abs(share - chance) <= 4 * np.sqrt(0.25 / 20_000)


@given(st.integers(1, 10**6), st.integers(1, 20))
def test_chance_is_a_share(gallery: int, k: int) -> None:
    chance = float(chance_of_top(k, np.array([gallery]), np.array([1]))[0])
    assert chance == pytest.approx(min(k / gallery, 1))


def test_an_interval_is_that_of_the_naive_resampling() -> None:
    values = np.array([1, 0, 1, 1, 0, 0, 1.0])
    clusters = np.array([5, 5, 5, 2, 2, 9, 9])
    interval = cluster_bootstrap(values, clusters, np.random.default_rng(3), resamples=200)
    means = []
    for draw in np.random.default_rng(3).integers(0, 3, (200, 3)):
        drawn = [values[clusters == (2, 5, 9)[place]] for place in draw]
        means.append(np.concatenate(drawn).mean())
    # Expanded for three people: Student's t of two degrees, times the root of 3 / 2.
    tail = stats.norm.cdf(stats.t.ppf(0.025, 2) * np.sqrt(3 / 2))
    expected = np.quantile(means, [tail, 1 - tail])
    assert [interval.low, interval.high] == pytest.approx(list(expected))


def test_intervals_cover_where_queries_of_a_person_depend() -> None:
    """Of 200 studies of 40 people about 95% of the intervals hold the truth; naive ones do not."""
    generator = np.random.default_rng(4)
    covered, naive_covered = 0, 0
    for _ in range(200):
        skill = generator.beta(0.5, 1.5, size=40)  # mean 0.25
        people = np.repeat(np.arange(40), generator.integers(5, 15, 40))
        values = generator.random(len(people)) < skill[people]
        interval = cluster_bootstrap(values, people, generator, resamples=400)
        naive = cluster_bootstrap(values, np.arange(len(values)), generator, resamples=400)
        covered += interval.low <= 0.25 <= interval.high
        naive_covered += naive.low <= 0.25 <= naive.high
    assert 0.89 <= covered / 200 <= 0.99
    assert naive_covered / 200 < 0.8


def test_large_tables_of_draws_are_made_in_blocks() -> None:
    clusters = np.arange(3000).repeat(2)
    values = clusters % 2
    interval = cluster_bootstrap(values, clusters, np.random.default_rng(0))
    assert interval.low < 0.5 < interval.high
    assert interval.high - interval.low == pytest.approx(4 * 0.5 / np.sqrt(3000), rel=0.1)


def test_one_person_says_nothing() -> None:
    interval = cluster_bootstrap(np.ones(4), np.zeros(4, np.int64), np.random.default_rng(0))
    assert np.isnan([interval.low, interval.high]).all()
