"""Ranks, computed once and exactly, in chunks; every measure is a line over ranks."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from beholder.study.tasks import Retrieval, SameImageRetrieval

Ranks = NDArray[np.int64]
Embeddings = NDArray[np.floating[Any]]

SCORES_PER_CHUNK = 1 << 24
"""How many scores are held at once: 64 MiB of float32."""

ROUNDING = 1e-6
"""Cosines of float32 vectors this close are ties: equal vectors may differ by so much."""


def ranks(
    retrieval: Retrieval, query: Embeddings, gallery: Embeddings, tolerance: float = ROUNDING
) -> Ranks:
    """Return the rank, from 1, of each query's best right answer, shape (q,).

    ``query`` has shape (q, d), ``gallery`` (g, d); the score is their inner product. A wrong
    item that scores the same counts as ranked before the right one; other right answers do
    not count. A score that is not a number counts as the worst for a right answer and as the
    best for a wrong one.
    """
    result = np.empty(len(query), dtype=np.int64)
    rows = max(1, SCORES_PER_CHUNK // max(1, len(gallery)))
    first_right = np.searchsorted(retrieval.right[0], np.arange(len(query) + 1))
    for start in range(0, len(query), rows):
        stop = min(start + rows, len(query))
        pairs = retrieval.right[:, first_right[start] : first_right[stop]]
        scores = query[start:stop] @ gallery.T  # (rows, g)
        result[start:stop] = ranks_of_scores(
            scores, np.stack([pairs[0] - start, pairs[1]]), tolerance
        )
    return result


def ranks_of_scores(
    scores: NDArray[np.floating[Any]], right: NDArray[np.int64], tolerance: float = 0.0
) -> Ranks:
    """Return the rank of each row's best right answer, shape (q,), from scores of shape (q, g).

    ``right`` holds pairs (row, column), shape (2, r); every row has at least one. Ties within
    ``tolerance`` count against the right answer.
    """
    right_scores = scores[right[0], right[1]]
    best = np.full(len(scores), -np.inf, dtype=scores.dtype)
    np.maximum.at(best, right[0], np.where(np.isnan(right_scores), -np.inf, right_scores))
    before = ~(scores < (best - tolerance)[:, None])  # NaN counts as before
    before[right[0], right[1]] = False
    return np.asarray(1 + np.count_nonzero(before, axis=1), dtype=np.int64)


def same_image_ranks(
    retrieval: SameImageRetrieval,
    query: Embeddings,
    gallery: Embeddings,
    tolerance: float = ROUNDING,
) -> tuple[Ranks, Ranks]:
    """Return each query's rank among its image's items, and how many those are, shapes (q,)."""
    places, items = retrieval.candidates
    scores = _pair_scores(query, gallery, places, items)
    count = len(retrieval.queries)
    best = np.full(count, -np.inf)
    right_scores = scores[retrieval.right]
    right_scores = np.where(np.isnan(right_scores), -np.inf, right_scores)
    np.maximum.at(best, places[retrieval.right], right_scores)
    before = ~retrieval.right & ~(scores < best[places] - tolerance)  # NaN counts as before
    return 1 + np.bincount(places[before], minlength=count), np.bincount(places, minlength=count)


def _pair_scores(
    query: Embeddings, gallery: Embeddings, places: Ranks, items: Ranks
) -> NDArray[np.float64]:
    scores = np.empty(len(places))
    step = max(1, SCORES_PER_CHUNK // max(1, query.shape[1]))
    for start in range(0, len(places), step):
        chunk = slice(start, start + step)
        scores[chunk] = np.einsum("nd,nd->n", query[places[chunk]], gallery[items[chunk]])
    return scores


def mean_average_precision(scores: NDArray[np.floating[Any]], right: NDArray[np.bool_]) -> float:
    """Return the mean over the rows of the average precision of their right items.

    Both arrays have shape (q, g); every row has a right item. Used to watch a training, where
    ties do not matter; reported measures come from `ranks`.
    """
    order = np.argsort(-scores, axis=1, kind="stable")
    hits = np.take_along_axis(right, order, axis=1)
    precision = np.cumsum(hits, axis=1) / np.arange(1, hits.shape[1] + 1)
    return float(((precision * hits).sum(axis=1) / hits.sum(axis=1)).mean())
