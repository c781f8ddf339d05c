"""Paired tests against SciPy and statsmodels, their level, and Holm's correction."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats
from statsmodels.stats.multitest import multipletests

from beholder.evaluation import significance as module
from beholder.evaluation.significance import (
    Comparison,
    compare_methods,
    holm,
    paired_test,
    sign_flip_p,
)


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@given(st.lists(st.integers(-4, 4), min_size=2, max_size=9))
def test_p_of_few_people_is_the_share_of_all_flips(sums: list[int]) -> None:
    totals = [sum(np.multiply(signs, sums)) for signs in product((1, -1), repeat=len(sums))]
    expected = np.mean([abs(total) >= abs(sum(sums)) for total in totals])
    assert sign_flip_p(np.array(sums, float), generator()) == pytest.approx(expected)


@given(st.lists(st.integers(-4, 4), min_size=2, max_size=9))
def test_one_direction_counts_the_flips_on_its_side(sums: list[int]) -> None:
    totals = [sum(np.multiply(signs, sums)) for signs in product((1, -1), repeat=len(sums))]
    above = np.mean([total >= sum(sums) for total in totals])
    below = np.mean([total <= sum(sums) for total in totals])
    values = np.array(sums, float)
    assert sign_flip_p(values, generator(), direction=1) == pytest.approx(above)
    assert sign_flip_p(values, generator(), direction=-1) == pytest.approx(below)


@pytest.mark.parametrize("people", [9, 40])
def test_one_direction_is_scipys(people: int) -> None:
    sums = generator(people).normal(0.2, 1, people)
    for direction, alternative in ((1, "greater"), (-1, "less")):
        result = stats.permutation_test(
            (sums,),
            lambda x, axis: np.sum(x, axis=axis),
            permutation_type="samples",
            n_resamples=9999,
            vectorized=True,
            alternative=alternative,
            rng=generator(1),
        )
        p = sign_flip_p(sums, generator(), direction=direction)
        assert p == pytest.approx(result.pvalue, abs=0 if people < 14 else 0.025)


def test_chance_is_a_floor_that_nobody_is_found_to_be_below() -> None:
    people = np.repeat(np.arange(10), 3)
    values = {"chance": np.full(30, 0.3), "base": np.zeros(30), "ours": np.ones(30)}
    found = {(t.method, t.against): t for t in compare_methods(values, people, generator())}
    assert found["chance", "base"].p == 1
    assert found["chance", "base"].sides == 1
    assert found["ours", "chance"].p == 1 / 2**10
    assert found["ours", "base"].p == 2 / 2**10
    assert found["ours", "base"].sides == 2
    symmetric = compare_methods(values, people, generator(), floor=None)
    assert {t.p for t in symmetric} == {2 / 2**10}


@pytest.mark.parametrize("people", [6, 13, 14, 60])
def test_p_is_scipys(people: int) -> None:
    """Up to 13 people both try every flip; above, both draw them."""
    sums = generator(people).normal(0.3, 1, people)
    p = sign_flip_p(sums, generator())
    result = stats.permutation_test(
        (sums,),
        lambda x, axis: np.sum(x, axis=axis),
        permutation_type="samples",
        n_resamples=9999,
        vectorized=True,
        rng=generator(1),
    )
    if people <= 13:
        assert p == pytest.approx(result.pvalue)
    else:
        assert p == pytest.approx(result.pvalue, abs=5 * np.sqrt(0.5 / 9999))
        assert (p * 10_000) == pytest.approx(round(p * 10_000))


def test_p_of_ones_is_that_of_the_sign_test() -> None:
    sums = np.array([1.0] * 30 + [-1.0] * 14 + [0.0] * 50)
    exact = stats.binomtest(30, 44).pvalue
    assert sign_flip_p(sums, generator(), flips=99_999) == pytest.approx(exact, rel=0.07)


def test_p_of_normal_sums_is_that_of_the_t_test() -> None:
    sums = generator(5).normal(0.2, 1, 200)
    p = sign_flip_p(sums, generator(), flips=99_999)
    assert p == pytest.approx(stats.ttest_1samp(sums, 0).pvalue, rel=0.1)


@given(st.lists(st.integers(1, 20), min_size=2, max_size=10), st.data())
def test_sums_equal_but_for_rounding_are_ties(ranks: list[int], data: st.DataObject) -> None:
    """Reciprocal ranks added in another order give the same p."""
    gains = np.array([1 / rank - 1 / 3 for rank in ranks])
    orders = [data.draw(st.permutations(range(len(gains)))) for _ in range(4)]
    sums = np.array([sum(gains[order].tolist()) for order in orders])
    signs = np.array([1, 1, -1, 1])
    expected = 1.0 if abs(sums[0]) < 1e-9 else 10 / 16
    assert sign_flip_p(sums * signs, generator()) == expected


@given(st.lists(st.integers(-9, 9), min_size=2, max_size=10))
def test_totals_equal_but_for_rounding_are_ties(tenths: list[int]) -> None:
    """0.1 + 0.2 is as far from zero as 0.3."""
    whole = sign_flip_p(np.array(tenths, float), generator())
    assert sign_flip_p(np.array(tenths) / 10, generator()) == whole


def test_people_without_a_difference_change_nothing() -> None:
    sums = generator(3).normal(0.5, 1, 9)
    among = np.concatenate([np.zeros(500), sums])
    assert sign_flip_p(among, generator()) == sign_flip_p(sums, generator())  # exact


def test_p_is_symmetric_and_never_zero() -> None:
    sums = generator().random(50)
    assert sign_flip_p(sums, generator(), flips=499) == 1 / 500
    assert sign_flip_p(-sums, generator(), flips=499) == 1 / 500
    assert sign_flip_p(np.ones(6), generator()) == 2 / 2**6


def test_blocks_change_only_the_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    sums = generator(2).normal(0.2, 1, 40)
    whole = sign_flip_p(sums, generator())
    monkeypatch.setattr(module, "_CELLS", 40 * 7)
    assert sign_flip_p(sums, generator()) == pytest.approx(whole, abs=0.02)


def test_the_test_of_people_with_unequal_queries_is_the_naive_one() -> None:
    differences = np.array([1, 0, 1, -1, 1, 1, 0, 0.5])
    people = np.array([7, 7, 7, 2, 9, 9, 4, 4])
    test = paired_test(differences, people, generator(3), resamples=5000)
    assert test.difference == pytest.approx(differences.mean())
    assert test.clusters == 4
    assert test.p == sign_flip_p(np.array([-1, 0.5, 2, 2]), generator())
    means = []
    for drawn in generator(3).integers(0, 4, (5000, 4)):
        own = np.concatenate([differences[people == (2, 4, 7, 9)[who]] for who in drawn])
        means.append(own.mean())
    assert np.quantile(means, 0.0001) <= test.interval.low < np.quantile(means, 0.025)
    assert np.quantile(means, 0.975) < test.interval.high <= np.quantile(means, 0.9999)


def test_the_interval_of_single_queries_is_scipys_bootstrap() -> None:
    values = generator(1).normal(0.1, 0.3, 400)
    test = paired_test(values, np.arange(400), generator(), resamples=20_000)
    result = stats.bootstrap((values,), np.mean, method="percentile", rng=generator(2))
    found = (test.interval.low, test.interval.high)
    assert found == pytest.approx(tuple(result.confidence_interval), abs=0.002)


def test_equal_methods_give_one_and_a_single_person_says_nothing() -> None:
    same = paired_test(np.zeros(30), np.arange(30) // 3, generator())
    assert (same.difference, same.p) == (0, 1)
    assert (same.interval.low, same.interval.high) == (0, 0)
    alone = paired_test(np.ones(5), np.zeros(5, np.int64), generator())
    assert (alone.difference, alone.clusters) == (1, 1)
    assert np.isnan([alone.p, alone.interval.low, alone.interval.high]).all()
    nobody = paired_test(np.zeros(0), np.zeros(0, np.int64), generator())
    assert nobody.clusters == 0
    assert np.isnan([nobody.difference, nobody.p, nobody.interval.low]).all()


@pytest.mark.parametrize("people", [6, 20])
def test_the_level_is_kept_where_queries_of_a_person_depend(people: int) -> None:
    """Equal methods, people who lean: ours finds 5% at most, a t-test of queries many more."""
    draw = generator(people)
    studies, ours, naive = 400, 0, 0
    for _ in range(studies):
        queries = draw.integers(2, 40, people)
        who = np.repeat(np.arange(people), queries)
        lean = draw.normal(0, 0.2, people)[who]
        values = np.sign(draw.random(len(who)) - 0.5 + lean)
        sums = np.bincount(who, weights=values)
        ours += sign_flip_p(sums, draw, flips=499) <= 0.05
        naive += stats.ttest_1samp(values, 0).pvalue <= 0.05
    assert ours / studies <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / studies)
    assert naive / studies > 0.25


def test_a_hundred_thousand_people_take_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[int] = []
    original = module.random_signs

    def counted(count: int, people: int, source: np.random.Generator) -> NDArray[np.uint8]:
        rows.append(count * people)
        return original(count, people, source)

    monkeypatch.setattr(module, "random_signs", counted)
    test = paired_test(
        generator().normal(0.01, 0.3, 100_000),
        np.arange(100_000),
        generator(),
        flips=99,
        resamples=20,
    )
    assert test.p == 0.01
    assert max(rows) <= 1 << 22


@given(st.lists(st.one_of(st.floats(0, 1), st.just(float("nan"))), max_size=12))
def test_holm_is_the_naive_step_down(p_values: list[float]) -> None:
    tested = [p for p in p_values if not np.isnan(p)]
    for p, adjusted in zip(p_values, holm(p_values).tolist(), strict=True):
        # Each step asks for the whole rest of the family, as does each step before it.
        steps = [other * sum(q >= other for q in tested) for other in tested if other <= p]
        assert np.isnan(adjusted) if np.isnan(p) else adjusted == min(1, max(steps))


@pytest.mark.parametrize("size", [1, 5, 40])
def test_holm_is_that_of_statsmodels(size: int) -> None:
    p = generator(size).random(size) ** 3
    p[::4] = p[0]  # ties
    with_gaps = np.concatenate([[np.nan], p, [np.nan]])
    np.testing.assert_allclose(holm(with_gaps)[1:-1], multipletests(p, method="holm")[1])


def made(methods: tuple[str, ...], people: int = 12) -> tuple[dict[str, NDArray], NDArray]:
    draw = generator(9)
    clusters = np.repeat(np.arange(people), 10)
    share = {method: 0.3 + 0.1 * place for place, method in enumerate(methods)}
    return {m: (draw.random(len(clusters)) < share[m]).astype(int) for m in methods}, clusters


def test_a_family_is_each_against_base_and_ours_against_each() -> None:
    values, clusters = made(("base", "content", "style", "ours"))
    found = compare_methods(values, clusters, generator())
    assert [(row.method, row.against) for row in found] == [
        ("content", "base"),
        ("style", "base"),
        ("ours", "base"),
        ("ours", "content"),
        ("ours", "style"),
    ]
    for row in found:
        difference = values[row.method].mean() - values[row.against].mean()
        assert row.difference == pytest.approx(difference)
        sums = np.bincount(clusters, weights=values[row.method] - values[row.against])
        assert row.p == sign_flip_p(sums, generator())  # 12 people: exact
        assert row.interval.low <= row.difference <= row.interval.high
    assert [row.p_holm for row in found] == holm([row.p for row in found]).tolist()
    assert any(row.p_holm > row.p for row in found)


def test_a_pair_does_not_depend_on_the_other_methods() -> None:
    values, clusters = made(("base", "content", "style", "ours"), people=30)

    def pair(values: dict[str, NDArray]) -> Comparison:
        found = compare_methods(values, clusters, generator(4), flips=199, resamples=100)
        return next(row for row in found if (row.method, row.against) == ("ours", "base"))

    alone = pair({method: values[method] for method in ("ours", "base")})
    among = pair(values)
    assert (alone.p, alone.interval) == (among.p, among.interval)
    assert alone.p_holm == alone.p
    again = compare_methods(values, clusters, generator(4), flips=199, resamples=100)
    other = compare_methods(values, clusters, generator(5), flips=199, resamples=100)
    assert again == compare_methods(values, clusters, generator(4), flips=199, resamples=100)
    assert again != other


def test_absent_methods_are_passed_over() -> None:
    values, clusters = made(("content", "style", "ours"))
    found = compare_methods(values, clusters, generator())
    assert [(row.method, row.against) for row in found] == [("ours", "content"), ("ours", "style")]
    del values["ours"]
    assert compare_methods(values, clusters, generator()) == []
    other = compare_methods(values, clusters, generator(), reference="style", champion="style")
    assert [(row.method, row.against) for row in other] == [("content", "style")]
