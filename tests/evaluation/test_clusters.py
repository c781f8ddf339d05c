"""People summed and drawn: against naive loops, in bounded memory."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from beholder.evaluation import clusters as module
from beholder.evaluation.clusters import cluster_sums, drawn_sums, percentile_interval


@given(st.lists(st.tuples(st.integers(-3, 9), st.integers(-5, 5)), min_size=1, max_size=40))
def test_sums_are_those_of_a_loop(queries: list[tuple[int, int]]) -> None:
    codes = np.array([code for code, _ in queries])
    values = np.array([value for _, value in queries])
    sums, counts = cluster_sums([values, values**2], codes)
    for row, code in enumerate(sorted(set(codes.tolist()))):
        own = [value for other, value in queries if other == code]
        assert sums[row].tolist() == [sum(own), sum(value**2 for value in own)]
        assert counts[row] == len(own)


def test_values_that_cannot_be_summed_are_refused() -> None:
    with pytest.raises(ValueError, match=r"there are \(3,\) and \(2,\)"):
        cluster_sums([np.zeros(3)], np.zeros(2, np.int64))
    with pytest.raises(ValueError, match="not a finite number"):
        cluster_sums([np.array([0, np.nan])], np.zeros(2, np.int64))


def test_draws_are_whole_rows_and_the_same_in_every_column() -> None:
    table = np.array([[1, 10], [2, 20], [4, 40.0]])
    sums = drawn_sums(table, np.random.default_rng(0), 500)
    drawn = np.random.default_rng(0).integers(0, 3, (500, 3))
    assert sums.tolist() == [table[rows].sum(axis=0).tolist() for rows in drawn]
    assert (sums[:, 1] == 10 * sums[:, 0]).all()


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    table = np.random.default_rng(1).random((7, 3))
    whole = drawn_sums(table, np.random.default_rng(2), 50)
    monkeypatch.setattr(module, "_CELLS", 21)
    assert (drawn_sums(table, np.random.default_rng(2), 50) == whole).all()


def test_intervals_of_a_mean_are_those_of_student() -> None:
    """Of normal values the expanded percentiles are the t-interval; plain ones are narrower."""
    values = np.random.default_rng(0).normal(size=8)
    draws = drawn_sums(values[:, None], np.random.default_rng(1), 100_000)[:, 0] / 8
    interval = percentile_interval(draws, 8)
    student = stats.t.interval(0.95, 7, values.mean(), values.std(ddof=1) / np.sqrt(8))
    plain = np.subtract(*np.quantile(draws, [0.975, 0.025]))
    assert interval.high - interval.low == pytest.approx(np.subtract(*student[::-1]), rel=0.08)
    assert plain < 0.85 * (interval.high - interval.low)


def test_percentiles_are_taken_further_out_the_fewer_people_there_are() -> None:
    for people in (2, 5, 40):
        interval = percentile_interval(np.linspace(0, 1, 100_001), people)
        outer = stats.t.ppf(0.025, people - 1) * np.sqrt(people / (people - 1))
        expected = stats.norm.cdf(outer)
        assert (interval.low, 1 - interval.high) == pytest.approx((expected, expected))


def test_intervals_of_many_people_are_plain_percentiles() -> None:
    draws = np.random.default_rng(0).normal(size=2000)
    for level in (0.95, 0.6):
        interval = percentile_interval(draws, 1_000_000, level)
        tails = [(1 - level) / 2, (1 + level) / 2]
        assert (interval.low, interval.high) == pytest.approx(np.quantile(draws, tails), abs=1e-5)


def test_intervals_leave_out_what_has_no_value() -> None:
    draws = np.random.default_rng(0).normal(size=99)
    with_gaps = np.concatenate([[np.nan], draws, [np.nan]])
    assert percentile_interval(with_gaps, 9) == percentile_interval(draws, 9)
    for nothing in (
        percentile_interval(draws, 1),
        percentile_interval(np.full(5, np.nan), 9),
        percentile_interval(np.zeros(0), 0),
    ):
        assert np.isnan([nothing.low, nothing.high]).all()
