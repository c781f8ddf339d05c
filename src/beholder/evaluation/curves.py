"""Learning curves: how a score grows with the training data, and what twice as much would bring.

Scores follow a − b · n^(−c) for most learners (Hestness et al. 2017; Viering and Loog, IEEE
TPAMI 2023, who also show how little a few points say beyond their range: hence the band, and
no prediction further than a doubling).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from beholder.evaluation.clusters import Interval, cluster_sums, drawn_sums, percentile_interval
from beholder.study.gaze import Floats

RESAMPLES = 1000
SLOWEST, FASTEST = 0.02, 5.0
"""The range of the exponent c: below it a power cannot be told from a line in log n."""

_STEPS = 33  # exponents tried a round
_ROUNDS = 8  # each round looks between the neighbours of the best: far below any error


@dataclass(frozen=True)
class Trial:
    """One training with ``size`` of the data (samples, participants or a share) and its test.

    ``values`` is what each query scored, in [0, 1], and ``clusters`` whose it is, shape (q,).
    """

    size: float
    seed: int
    values: NDArray[Any]
    clusters: NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Power:
    """The curve a − b · n^(−c): it ends at a, the asymptote. Numbers, or arrays of shape (r,)."""

    asymptote: Any
    drop: Any
    exponent: Any

    def at(self, size: ArrayLike) -> Any:
        """Return the score with ``size`` of the data."""
        return self.asymptote - self.drop * np.asarray(size, float) ** -np.asarray(self.exponent)


@dataclass(frozen=True)
class Line:
    """The curve a + b · ln n, held within [0, 1]: all that two sizes can tell."""

    intercept: Any
    slope: Any

    def at(self, size: ArrayLike) -> Any:
        """Return the score with ``size`` of the data."""
        return np.clip(self.intercept + self.slope * np.log(np.asarray(size, float)), 0, 1)


Curve: TypeAlias = Power | Line


@dataclass(frozen=True)
class LearningCurve:
    """A fitted curve, its scores at the sizes asked for with a 95% band, and a doubling.

    ``sizes``, ``scores``, ``low`` and ``high`` have shape (s,). ``doubling`` is what twice
    the largest size tried would add to the score there, with its interval. A power law never
    falls, so an interval from 0 says that more data may bring nothing.
    """

    curve: Curve
    sizes: Floats
    scores: Floats
    low: Floats
    high: Floats
    doubling: float
    doubling_interval: Interval


def learning_curve(
    trials: Sequence[Trial],
    generator: np.random.Generator,
    *,
    sizes: ArrayLike | None = None,
    resamples: int = RESAMPLES,
) -> LearningCurve | None:
    """Return the curve through trials of several sizes and seeds, None with only one size.

    The fit is by least squares over the queries, with 0 <= a <= 1, b >= 0 and c between
    `SLOWEST` and `FASTEST`; with two sizes it is a line in ln n. ``sizes`` says where to give
    scores, by default at the sizes tried. The band draws people with replacement, and seeds
    too where there are several, both for all sizes at once as they recur in all (crossed
    draws, after Owen, Annals of Applied Statistics 2007: no narrower than they should be).
    """
    tried = np.unique([trial.size for trial in trials])
    if len(tried) < 2:
        return None
    if tried[0] <= 0:
        raise ValueError(f"a training has more than {tried[0]} of the data")
    at = tried if sizes is None else np.asarray(sizes, float)
    size = np.array([trial.size for trial in trials])
    sums, counts = _by_person(trials)
    curve = _fit(size, sums.sum(axis=0)[None], counts.sum(axis=0)[None], len(tried))
    drawn = _fit(size, *_drawn(trials, sums, counts, generator, resamples), len(tried))
    largest = float(tried[-1])
    # A column a size, and one more for twice the largest.
    ends = np.array([largest, 2 * largest])[:, None]
    scores, (now, then) = curve.at(at[:, None])[:, 0], curve.at(ends)[:, 0]
    people = len(sums)
    band = [percentile_interval(draws, people) for draws in drawn.at(at[:, None])]
    gains = drawn.at(ends)
    return LearningCurve(
        _only(curve),
        at,
        scores,
        np.array([interval.low for interval in band]),
        np.array([interval.high for interval in band]),
        float(then - now),
        percentile_interval(gains[1] - gains[0], people),
    )


def _by_person(trials: Sequence[Trial]) -> tuple[Floats, Floats]:
    """Return each person's sum and number of queries in each trial, both of shape (k, trials)."""
    people = np.unique(np.concatenate([trial.clusters for trial in trials]))
    sums, counts = np.zeros((2, len(people), len(trials)))
    for column, trial in enumerate(trials):
        values, queries = cluster_sums([np.asarray(trial.values, float)], trial.clusters)
        rows = np.searchsorted(people, np.unique(trial.clusters))
        sums[rows, column], counts[rows, column] = values[:, 0], queries
    return sums, counts


def _drawn(
    trials: Sequence[Trial],
    sums: Floats,
    counts: Floats,
    generator: np.random.Generator,
    resamples: int,
) -> tuple[Floats, Floats]:
    """Return each trial's sum and queries over drawn people and seeds, each (resamples, trials)."""
    _, seed = np.unique([trial.seed for trial in trials], return_inverse=True)
    seeds = int(seed.max()) + 1
    drawn = drawn_sums(np.hstack([sums, counts]), generator, resamples)  # (resamples, 2 trials)
    which = generator.integers(0, seeds, (resamples, seeds), dtype=np.int64)
    times = (which[:, :, None] == np.arange(seeds)).sum(axis=1)  # (resamples, seeds)
    drawn *= np.tile(times[:, seed], 2)
    return drawn[:, : len(trials)], drawn[:, len(trials) :]


def _fit(size: Floats, sums: Floats, counts: Floats, sizes: int) -> Curve:
    """Fit one curve a row of ``sums`` and ``counts``, both (r, trials), by how many sizes.

    The squares over a trial's queries are those of its mean, weighted by its queries, and a
    constant. A row without queries gives NaN.
    """
    weights = counts / np.where(counts.any(axis=1), counts.sum(axis=1), np.nan)[:, None]
    scores = np.divide(sums, counts, out=np.zeros_like(sums), where=counts > 0)
    if sizes == 2:
        slope, mean_x, mean_y = _regression(np.log(size)[None], scores, weights)
        return Line(mean_y - slope * mean_x, slope)
    return _fit_power(size, scores, weights)


def _fit_power(size: Floats, scores: Floats, weights: Floats) -> Power:
    """Fit a power law to each row of ``scores`` and ``weights``, both (r, trials).

    With c given the rest is a regression on n^(−c) (variable projection, Golub and Pereyra
    1973), so only c is searched: on a grid that closes in on the best, for all rows at once.
    """
    unit = size / size.max()  # the fit is the same whatever n counts
    rows = len(scores)
    low, high = np.full(rows, np.log(SLOWEST)), np.full(rows, np.log(FASTEST))
    for _ in range(_ROUNDS):
        exponents = np.exp(np.linspace(low, high, _STEPS, axis=1))  # (r, steps)
        powers = unit ** -exponents[:, :, None]  # (r, steps, trials)
        asymptote, drop, error = _bounded(powers, scores[:, None], weights[:, None])
        best = np.argmin(error, axis=1)
        tried = np.log(exponents)
        low = _at(tried, np.maximum(best - 1, 0))
        high = _at(tried, np.minimum(best + 1, _STEPS - 1))
    exponent = _at(exponents, best)
    return Power(_at(asymptote, best), _at(drop, best) * float(size.max()) ** exponent, exponent)


def _bounded(powers: Floats, scores: Floats, weights: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the best a <= 1 and b >= 0 and their squared error, over the last axis."""
    slope, mean_x, mean_y = _regression(powers, scores, weights)
    drop = np.maximum(-slope, 0)
    asymptote = mean_y + drop * mean_x
    at_the_top = (weights * powers * (1 - scores)).sum(axis=-1) / (weights * powers**2).sum(axis=-1)
    drop = np.where(asymptote > 1, at_the_top, drop)
    asymptote = np.minimum(asymptote, 1)
    rest = scores - asymptote[..., None] + drop[..., None] * powers
    return asymptote, drop, (weights * rest**2).sum(axis=-1)


def _regression(x: Floats, y: Floats, weights: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the slope and the weighted means of x and y, over the last axis.

    The slope is 0 where all the weight is on one x.
    """
    mean_x, mean_y = (weights * x).sum(axis=-1), (weights * y).sum(axis=-1)
    from_mean = x - mean_x[..., None]
    spread = (weights * from_mean**2).sum(axis=-1)
    product = (weights * from_mean * (y - mean_y[..., None])).sum(axis=-1)
    slope = np.where(np.isnan(spread), np.nan, 0.0)
    np.divide(product, spread, out=slope, where=spread > 1e-12)
    return slope, mean_x, mean_y


def _at(table: Floats, column: NDArray[np.int64]) -> Floats:
    """Return one cell of each row of ``table``."""
    return np.asarray(table[np.arange(len(table)), column])


def _only(curve: Curve) -> Curve:
    """Return the curve of a fit of one row, its parameters plain numbers."""
    return type(curve)(*(float(value[0]) for value in vars(curve).values()))
