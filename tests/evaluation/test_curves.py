"""Learning curves: known parameters, SciPy's least squares, and bands that cover."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import least_squares

from beholder.evaluation.curves import FASTEST, SLOWEST, Line, Power, Trial, learning_curve

SIZES = (50.0, 100.0, 200.0, 400.0, 800.0)


def exact(score: NDArray, sizes: tuple[float, ...] = SIZES, people: int = 3) -> list[Trial]:
    """Return trials in which every query scores the same."""
    clusters = np.arange(people)
    return [
        Trial(size, 0, np.full(people, value), clusters)
        for size, value in zip(sizes, score, strict=True)
    ]


def drawn(
    generator: np.random.Generator,
    curve: Power,
    sizes: tuple[float, ...] = SIZES,
    people: int = 20,
    seeds: int = 3,
) -> list[Trial]:
    """Return trials of people who differ, each tested with every size and seed."""
    ease = generator.uniform(-0.15, 0.15, people)
    clusters = np.repeat(np.arange(people), 10)
    return [
        Trial(
            size, seed, generator.random(len(clusters)) < curve.at(size) + ease[clusters], clusters
        )
        for seed in range(seeds)
        for size in sizes
    ]


def fitted(trials: list[Trial], resamples: int = 20, seed: int = 0, **options: object):
    return learning_curve(trials, np.random.default_rng(seed), resamples=resamples, **options)


@pytest.mark.parametrize(("a", "b", "c"), [(0.8, 2, 0.5), (0.3, 1.5, 0.9), (1, 2, 0.2)])
def test_known_parameters_are_found(a: float, b: float, c: float) -> None:
    truth = Power(a, b, c)
    result = fitted(exact(truth.at(SIZES)))
    assert vars(result.curve) == pytest.approx(vars(truth), rel=1e-5)
    assert result.scores == pytest.approx(truth.at(SIZES))
    assert result.doubling == pytest.approx(truth.at(1600) - truth.at(800))
    assert result.low == pytest.approx(result.scores)  # people do not differ


def queries(trials: list[Trial]) -> tuple[NDArray, NDArray]:
    sizes = np.concatenate([np.full(len(trial.values), trial.size) for trial in trials])
    return sizes, np.concatenate([trial.values for trial in trials]).astype(float)


@settings(max_examples=25)
@given(st.integers(0, 10**6))
def test_no_curve_within_the_bounds_is_nearer(seed: int) -> None:
    """SciPy's search, from several starts over all single queries, finds none with less error."""
    generator = np.random.default_rng(seed)
    trials = [
        Trial(size, 0, generator.random(4) ** generator.uniform(0.2, 4), np.arange(4))
        for size in SIZES[: generator.integers(3, 6)]
    ]
    curve = fitted(trials).curve
    assert isinstance(curve, Power)
    assert 0 <= curve.asymptote <= 1
    assert curve.drop >= 0
    assert SLOWEST * 0.999 <= curve.exponent <= FASTEST * 1.001
    size, value = queries(trials)
    error = np.sum((value - curve.at(size)) ** 2)
    unit = size / size.max()
    for start in (0.05, 0.5, 2.0):
        other = least_squares(
            lambda q: value - q[0] + q[1] * unit ** -q[2],
            [0.7, 0.1, start],
            bounds=([0, 0, SLOWEST], [1, np.inf, FASTEST]),
        )
        assert error <= 2 * other.cost * (1 + 1e-9) + 1e-12


def test_two_sizes_give_a_line_and_one_gives_nothing() -> None:
    result = fitted(exact(np.array([0.4, 0.5]), sizes=(100, 400)), sizes=[100, 200, 400, 10**9])
    assert isinstance(result.curve, Line)
    assert result.scores == pytest.approx([0.4, 0.45, 0.5, 1])
    assert result.doubling == pytest.approx(0.05)
    assert fitted(exact(np.array([0.4]), sizes=(100,))) is None
    assert fitted([]) is None
    with pytest.raises(ValueError, match="more than 0"):
        fitted(exact(np.array([0.4, 0.5]), sizes=(0, 1)))


def test_a_score_that_falls_gives_a_flat_curve() -> None:
    result = fitted(exact(np.array([0.6, 0.5, 0.4, 0.4, 0.35])))
    assert result.curve.drop == 0
    assert result.scores == pytest.approx(np.full(5, 0.45))
    assert result.doubling == 0


def test_the_unit_of_size_changes_nothing() -> None:
    trials = drawn(np.random.default_rng(1), Power(0.8, 2, 0.5))
    shares = [Trial(t.size / 800, t.seed, t.values, t.clusters) for t in trials]
    counted, shared = fitted(trials), fitted(shares)
    assert shared.scores == pytest.approx(counted.scores)
    assert shared.low == pytest.approx(counted.low)
    assert shared.doubling == pytest.approx(counted.doubling)


def test_queries_weigh_alike_whatever_the_trial() -> None:
    """A trial of ten times the queries counts as ten trials."""
    few = exact(np.array([0.3, 0.5, 0.55]), SIZES[:3])
    other = Trial(50, 1, np.full(30, 0.4), np.arange(30))
    tens = [Trial(50, seed, np.full(3, 0.4), np.arange(3)) for seed in range(1, 11)]
    assert vars(fitted([*few, other]).curve) == pytest.approx(vars(fitted(few + tens).curve))


def test_bands_are_the_naive_resampling() -> None:
    """The line of two sizes, over the same drawn people and seeds, worked out by a loop."""
    truth = Power(0.8, 2, 0.5)
    trials = drawn(np.random.default_rng(3), truth, sizes=(100, 400), people=6, seeds=2)
    result = fitted(trials, resamples=400, seed=5)
    generator = np.random.default_rng(5)
    who, which = generator.integers(0, 6, (400, 6)), generator.integers(0, 2, (400, 2))
    gains = []
    for people, seeds in zip(who, which, strict=True):
        means = {}
        for size in (100, 400):
            own = [
                trial.values[trial.clusters == person]
                for seed in seeds
                for trial in trials
                if (trial.size, trial.seed) == (size, seed)
                for person in people
            ]
            means[size] = np.mean(np.concatenate(own))
        gains.append((means[400] - means[100]) / 2)
    inner = np.quantile(gains, [0.025, 0.975])
    assert min(gains) <= result.doubling_interval.low <= inner[0]
    assert inner[1] <= result.doubling_interval.high <= max(gains)
    assert result.doubling_interval.high - result.doubling_interval.low < 2 * np.ptp(inner)


def test_seeds_are_drawn_with_the_people() -> None:
    """Of two seeds, one gains 0.1 and one 0.3 from a doubling: draws give 0.1, 0.2 or 0.3."""
    people = np.arange(9)
    trials = [
        Trial(size, seed, np.full(9, value), people)
        for size, seed, value in ((1, 0, 0.2), (2, 0, 0.3), (1, 1, 0.2), (2, 1, 0.5))
    ]
    result = fitted(trials, resamples=200)
    assert result.doubling == pytest.approx(0.2)
    interval = result.doubling_interval
    assert (interval.low, interval.high) == pytest.approx((0.1, 0.3))


def test_bands_cover_the_true_curve() -> None:
    truth = Power(0.75, 2, 0.5)
    generator = np.random.default_rng(2)
    held = []
    for _ in range(60):
        result = learning_curve(drawn(generator, truth), generator, resamples=200)
        assert result is not None
        held.append((result.low <= truth.at(SIZES)) & (truth.at(SIZES) <= result.high))
    assert 0.87 <= np.mean(held) <= 0.995


def test_one_person_and_people_of_other_seeds() -> None:
    """One person has no band; people who were each tested by one seed only do."""
    alone = fitted(exact(Power(0.8, 2, 0.5).at(SIZES), people=1))
    assert np.isnan(alone.low).all()
    assert not np.isnan(alone.scores).any()
    generator = np.random.default_rng(4)
    trials = [
        Trial(size, seed, generator.random(2), np.array([2 * seed, 2 * seed + 1]))
        for seed in (0, 1)
        for size in SIZES
    ]
    result = fitted(trials, resamples=300)  # some draws meet nobody of the drawn seeds
    assert (result.low <= result.high).all()


def test_the_generator_decides() -> None:
    trials = drawn(np.random.default_rng(1), Power(0.8, 2, 0.5))
    first, again, other = fitted(trials), fitted(trials), fitted(trials, seed=1)
    assert (first.low == again.low).all()
    assert first.doubling_interval == again.doubling_interval
    assert first.doubling_interval != other.doubling_interval
    assert first.curve == other.curve
