"""Measures over ranks, and what chance would score, exactly."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from beholder.evaluation.clusters import (
    NOTHING,
    Interval,
    cluster_sums,
    drawn_sums,
    percentile_interval,
)
from beholder.study.gaze import Floats

Counts = NDArray[np.integer[Any]]

TOPS = (1, 3, 5, 10)


def top(ranks: Counts, k: int) -> float:
    """Return the share of queries whose best right answer is among the first ``k``."""
    return float(np.mean(ranks <= k))


def mean_reciprocal_rank(ranks: Counts) -> float:
    """Return the mean of 1 / rank."""
    return float(np.mean(1.0 / ranks))


def chance_of_top(k: int, gallery: Counts, right: Counts) -> Floats:
    """Return the chance that a random order puts a right answer among the first ``k``.

    ``gallery`` and ``right`` give each query's number of candidates and right answers, shape
    (q,). The chance is 1 - C(g - r, k) / C(g, k): that not all of the first k are wrong.
    """
    gallery, right = np.broadcast_arrays(np.asarray(gallery, float), np.asarray(right, float))
    drawn = np.arange(k)[:, None]
    wrong = np.maximum(gallery - right - drawn, 0)
    left = np.maximum(gallery - drawn, 1)  # past the end the product is 0 already
    return np.asarray(1 - np.prod(wrong / left, axis=0))


def chance_of_rank(gallery: int, right: int) -> Floats:
    """Return the chance of each rank of the first of ``right`` right answers in a random order.

    Element k - 1 is the chance of rank k, shape (gallery - right + 1,).
    """
    places = np.arange(gallery - right + 1)
    # That the first k items are all wrong, and that the next one is then right.
    wrong = np.cumprod(np.r_[1.0, (gallery - right - places[:-1]) / (gallery - places[:-1])])
    return np.asarray(wrong * right / (gallery - places))


def cluster_bootstrap(
    values: NDArray[Any],
    clusters: NDArray[np.int64],
    generator: np.random.Generator,
    resamples: int = 2000,
) -> Interval:
    """Return the expanded 95% percentile interval of a mean whose queries come in clusters.

    ``values`` and ``clusters`` have shape (q,). Whole clusters (people) are drawn with
    replacement, as the queries of one person are not independent. With one cluster the
    interval says nothing and is [NaN, NaN].
    """
    sums, counts = cluster_sums([np.asarray(values, float)], clusters)
    if len(counts) < 2:
        return NOTHING
    drawn = drawn_sums(np.column_stack([sums, counts]), generator, resamples)
    return percentile_interval(drawn[:, 0] / drawn[:, 1], len(counts))
