"""Values summed by the person they came from, and those people drawn again and again.

The queries of one person are not independent, so a person is the unit of every interval and
test: with all their queries of all seeds. Where people are unknown an image takes the place.
Nothing here calls a linear algebra library, whose last bit differs from machine to machine.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtrit

from beholder.study.gaze import Floats


@dataclass(frozen=True)
class Interval:
    """A 95% interval."""

    low: float
    high: float


NOTHING = Interval(float("nan"), float("nan"))
"""The interval that says nothing."""

_CELLS = 1 << 20  # of a table of draws that is in memory at a time


def cluster_sums(
    columns: Sequence[NDArray[Any]], clusters: NDArray[np.integer[Any]]
) -> tuple[Floats, NDArray[np.int64]]:
    """Return the sum of every column over each cluster, shape (k, c), and its queries, (k,).

    The columns and ``clusters`` have shape (q,). The clusters are in ascending order. Raises
    ValueError for columns of another shape and for a value that is not a number.
    """
    for column in columns:
        if column.shape != clusters.shape:
            raise ValueError(
                f"a value a query is expected: there are {column.shape} and {clusters.shape}"
            )
        if not np.isfinite(column).all():
            raise ValueError("a value that is not a finite number cannot be summed by person")
    present, cluster = np.unique(clusters, return_inverse=True)
    sums = [np.bincount(cluster, weights=column, minlength=len(present)) for column in columns]
    return np.stack(sums, axis=1), np.bincount(cluster, minlength=len(present))


def drawn_sums(table: Floats, generator: np.random.Generator, resamples: int) -> Floats:
    """Return a table's column sums over rows drawn with replacement, shape (resamples, c).

    ``table`` has shape (k, c): a row a person. Each resample draws k rows, the same for every
    column. A hundred thousand rows take no more memory than a thousand.
    """
    people, columns = table.shape
    sums = np.empty((resamples, columns))
    block = max(1, _CELLS // people)
    by_column = np.ascontiguousarray(table.T)
    for start in range(0, resamples, block):
        stop = min(start + block, resamples)
        drawn = generator.integers(0, people, (stop - start, people), dtype=np.int64)
        for column in range(columns):
            sums[start:stop, column] = by_column[column][drawn].sum(axis=1)
    return sums


def percentile_interval(draws: Floats, people: int, level: float = 0.95) -> Interval:
    """Return the expanded percentile interval of a statistic over resamples of ``people``.

    The percentiles of a bootstrap are too narrow where people are few, by the same two causes
    as an interval with the normal quantile and the uncorrected spread. They are therefore
    taken further out, at Φ(−t √(k / (k − 1))) with Student's t of k − 1 degrees (Hesterberg,
    The American Statistician 2015); for 95% and many people they are 2.5% and 97.5%.
    Resamples in which the statistic has no value (NaN) are left out. With one person, or no
    value at all, the interval says nothing.
    """
    defined = draws[~np.isnan(draws)]
    if people < 2 or not len(defined):
        return NOTHING
    tail = (1 - level) / 2
    outer = ndtr(stdtrit(people - 1, tail) * np.sqrt(people / (people - 1)))
    low, high = np.quantile(defined, [outer, 1 - outer])
    return Interval(float(low), float(high))
