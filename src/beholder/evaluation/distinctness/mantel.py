"""The Mantel test: how far one distance between people follows another."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations as orders
from math import factorial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from beholder.errors import UnsupportedError
from beholder.evaluation.clusters import Interval
from beholder.study.gaze import Floats
from beholder.study.tasks import Codes

Correlation = Literal["spearman", "pearson"]

FEWEST_PEOPLE = 4
"""With three people there are six orders, so nothing could be told from chance."""

MOST_PEOPLE = 1000
"""People that a test is made of, drawn where there are more.

The time grows with the pairs: 1,000 people have 499,500, which 9,999 permutations go through in
about a minute. More people would hardly matter: among 1,000 a correlation of 0.01 to 0.02 stands
out already, one thousandth of a percent to four of what varies.
"""

_ENUMERATED = 7  # people whose orders are all gone through: 5,040
_NUMBERS_HELD = 1 << 20  # of permuted distances in a block: 8 MiB an array
_ROUNDING = 1e-12  # correlations this close are equal
_DECIMALS = 10  # of a distance as a part of the largest


@dataclass(frozen=True)
class Mantel:
    """A Mantel test: the correlation of two distances over ``pairs`` pairs of ``n`` people.

    ``p`` is one-sided: the share of the orders of people in which the distances correlate at
    least as much. ``null_interval`` holds the middle 95% of those correlations, and
    ``permutations`` says how many orders were gone through, all where ``exact``.
    """

    correlation: float
    p: float
    null_interval: Interval
    n: int
    pairs: int
    permutations: int
    exact: bool
    warning: str | None = None


def mantel(
    first: Floats,
    second: Floats,
    generator: np.random.Generator,
    permutations: int = 9999,
    correlation: Correlation = "spearman",
) -> Mantel:
    """Test whether people who are far apart in ``first`` are so in ``second`` (Mantel 1967).

    Both are square, shape (n, n), or condensed, shape (n (n - 1) / 2,); NaN where a pair's
    distance is not known. People without a pair that is known in both are left out. The rest
    change places in ``first``, a pair's gaps with it, and the pairs known in both are
    correlated anew. Up to seven people all orders are gone through; else ``permutations`` are
    drawn, and the order as found counts as one more (Phipson and Smyth 2010). For Spearman
    each distance is ranked once, among its own known pairs. Raises UnsupportedError where
    fewer than four people or only equal distances are left.
    """
    return mantel_of_each(first, [second], generator, permutations, correlation)[0]


def mantel_of_each(
    first: Floats,
    seconds: Sequence[Floats],
    generator: np.random.Generator,
    permutations: int = 9999,
    correlation: Correlation = "spearman",
) -> tuple[Mantel, ...]:
    """Return the `mantel` test of one distance against each of several, over the same orders.

    Only people with a pair that is known in all of them count.
    """
    matrices = [_square(matrix) for matrix in (first, *seconds)]
    if len({len(matrix) for matrix in matrices}) > 1:
        raise ValueError("the distances are not of the same people")
    unknown = np.any([np.isnan(matrix) for matrix in matrices], axis=0)
    kept = np.flatnonzero(~np.all(unknown, axis=1))
    if len(kept) < FEWEST_PEOPLE:
        raise UnsupportedError(
            f"a Mantel test needs {FEWEST_PEOPLE} people with known distances, not {len(kept)}"
        )
    drawn, warning = draw_people(len(kept), generator)
    kept = kept[drawn]
    here, *others = (_scores(m[np.ix_(kept, kept)], correlation) for m in matrices)
    one, other = np.triu_indices(len(kept), 1)
    flat = np.stack([matrix[one, other] for matrix in others])  # (seconds, pairs)
    observed = correlations_of_rows(here[one, other][None], flat)[0]
    if np.isnan(observed).any():
        raise UnsupportedError("a Mantel test needs distances that differ")
    exact = len(kept) <= _ENUMERATED
    by_place = here.ravel()  # taking by one number is many times faster than by two
    null = np.concatenate(
        [
            correlations_of_rows(
                by_place[np.take(order * len(kept), one, 1) + np.take(order, other, 1)], flat
            )
            for order in _orders(len(kept), permutations, generator, exact)
        ]
    )  # (permutations, seconds)
    # An order without a correlation counts against the test.
    as_large = (~(null < observed - _ROUNDING)).sum(axis=0)
    p = as_large / len(null) if exact else (1 + as_large) / (1 + len(null))
    low, high = np.nanquantile(null, [0.025, 0.975], axis=0)
    pairs = (~np.isnan(here[one, other]) & ~np.isnan(flat)).sum(axis=1)
    return tuple(
        Mantel(
            float(observed[k]),
            float(p[k]),
            Interval(float(low[k]), float(high[k])),
            len(kept),
            int(pairs[k]),
            len(null),
            exact,
            warning,
        )
        for k in range(len(seconds))
    )


def draw_people(
    count: int, generator: np.random.Generator, most: int = MOST_PEOPLE
) -> tuple[Codes, str | None]:
    """Return which of ``count`` people a test is made of, ascending, and a warning if not all."""
    if count <= most:
        return np.arange(count), None
    drawn = np.sort(generator.choice(count, most, replace=False))
    return drawn, f"{most} of {count} people were drawn"


def correlations_of_rows(values: Floats, others: Floats) -> Floats:
    """Return Pearson's correlation of every row with every row, over what both know.

    ``values`` has shape (n, pairs), ``others`` (k, pairs), both about 0 and of a spread of
    about 1; the result has shape (n, k), NaN where either does not vary.
    """
    if not (np.isnan(values).any() or np.isnan(others).any()):
        values = values - values.mean(axis=1, keepdims=True)
        others = others - others.mean(axis=1, keepdims=True)
        squares = np.einsum("np,np->n", values, values)[:, None] * (others**2).sum(axis=1)
        return _ratio(values @ others.T, squares)
    known, known_too = ~np.isnan(values) * 1.0, ~np.isnan(others) * 1.0
    x, y = np.nan_to_num(values), np.nan_to_num(others)
    # Each of three passes over the large array gives several sums, all of shape (n, k).
    of_known = known @ np.concatenate([known_too, y, y * y]).T
    of_values = x @ np.concatenate([known_too, y]).T
    count, sum_y, square_y = np.split(of_known, 3, axis=1)
    sum_x, product = np.split(of_values, 2, axis=1)
    square_x = (x * x) @ known_too.T
    count = np.maximum(count, 1)
    squares = (square_x - sum_x**2 / count) * (square_y - sum_y**2 / count)
    return _ratio(product - sum_x * sum_y / count, squares)


def _ratio(product: Floats, squares: Floats) -> Floats:
    varies = squares > 1e-18
    root = np.sqrt(np.where(varies, squares, 1.0))
    return np.where(varies, product / root, np.nan)


def _orders(
    people: int, count: int, generator: np.random.Generator, exact: bool
) -> Iterator[NDArray[np.int64]]:
    """Yield orders of people, shape (orders, people), in blocks of bounded size."""
    pairs = people * (people - 1) // 2
    block = max(1, _NUMBERS_HELD // pairs)
    if exact:
        every = np.array(list(orders(range(people))))
        assert len(every) == factorial(people)
        yield from (every[start : start + block] for start in range(0, len(every), block))
        return
    for start in range(0, count, block):
        rows = np.tile(np.arange(people), (min(block, count - start), 1))
        yield generator.permuted(rows, axis=1)


def _square(distances: Floats) -> Floats:
    values = np.asarray(distances, dtype=float)
    if values.ndim == 1:
        people = round((1 + np.sqrt(1 + 8 * len(values))) / 2)
        if people * (people - 1) // 2 != len(values):
            raise ValueError(f"{len(values)} distances are not those of all pairs of some people")
        matrix = np.full((people, people), np.nan)
        matrix[np.triu_indices(people, 1)] = values
        return np.fmax(matrix, matrix.T)
    if values.ndim != 2 or values.shape[0] != values.shape[1]:
        raise ValueError(f"distances of people are square or condensed, not {values.shape}")
    if not np.allclose(values, values.T, rtol=1e-6, atol=1e-9, equal_nan=True):
        raise ValueError("the distance from one person to another is not the one back")
    values = values.copy()
    np.fill_diagonal(values, np.nan)
    return values


def _scores(matrix: Floats, correlation: Correlation) -> Floats:
    """Return the distances, or their ranks, with mean 0 and spread 1 where they are known."""
    from scipy.stats import rankdata

    places: Any = np.triu_indices(len(matrix), 1)
    values = matrix[places]
    known = ~np.isnan(values)
    if correlation == "spearman":
        largest = np.abs(values[known]).max(initial=0)
        # Distances that are equal in fact are equal after rounding, and tie.
        equal = np.round(values[known] / (largest if largest > 0 else 1.0), _DECIMALS)
        values[known] = rankdata(equal)
    spread = values[known].std()
    values = (values - values[known].mean()) / (spread if spread > 0 else 1.0)
    scores = np.full_like(matrix, np.nan)
    scores[places] = values
    return np.fmax(scores, scores.T)
