"""Ranks, computed once and exactly, in chunks; every measure is a line over ranks."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beholder.study.tasks import Codes, Retrieval, SameImageRetrieval

Ranks = NDArray[np.int64]
Embeddings = NDArray[np.floating[Any]]

SCORES_PER_CHUNK = 1 << 24
"""How many scores are held at once: 64 MiB of float32."""

ROUNDING = 1e-6
"""Cosines of float32 vectors this close are ties: equal vectors may differ by so much."""


Scorer = Callable[[Codes], NDArray[np.floating[Any]]]
"""Samples that ask (q,) → their scores of the gallery's items, (q, g), the best one highest."""


@dataclass(frozen=True)
class Ranking:
    """Each query's rank, shape (q,), and the first items of its order, the best one first.

    ``first`` (q, depth) holds places in the gallery and ``scores`` (q, depth) their scores;
    among ties wrong items come first.
    """

    ranks: Ranks
    first: NDArray[np.int32]
    scores: NDArray[np.float32]


def rank(
    retrieval: Retrieval, scorer: Scorer, depth: int = 0, tolerance: float = ROUNDING
) -> Ranking:
    """Rank each query's gallery and return the rank, from 1, of its best right answer.

    A wrong item that scores the same counts as ranked before the right one; other right
    answers do not count. A score that is not a number counts as the worst for a right answer
    and as the best for a wrong one.
    """
    count, size = len(retrieval.queries), len(retrieval.gallery)
    depth = min(depth, size)
    result = Ranking(
        np.empty(count, np.int64),
        np.empty((count, depth), np.int32),
        np.empty((count, depth), np.float32),
    )
    first_right = np.searchsorted(retrieval.right[0], np.arange(count + 1))
    for block in _blocks(count, size):
        pairs = retrieval.right[:, first_right[block.start] : first_right[block.stop]]
        right = np.stack([pairs[0] - block.start, pairs[1]])
        scores = scorer(retrieval.queries[block])  # (rows, g)
        result.ranks[block] = ranks_of_scores(scores, right, tolerance)
        if depth:
            result.first[block], result.scores[block] = _first(scores, right, depth, tolerance)
    return result


def _blocks(queries: int, gallery: int) -> Iterator[slice]:
    rows = max(1, SCORES_PER_CHUNK // max(1, gallery))
    for start in range(0, queries, rows):
        yield slice(start, min(start + rows, queries))


def _first(
    scores: NDArray[np.floating[Any]], right: NDArray[np.int64], depth: int, tolerance: float
) -> tuple[NDArray[np.int64], NDArray[np.floating[Any]]]:
    """Return the places and scores (q, depth) of the first items, ties against what is right."""
    against = np.where(np.isnan(scores), np.inf, scores)
    against[right[0], right[1]] = np.where(
        np.isnan(scores[right[0], right[1]]), -np.inf, scores[right[0], right[1]] - tolerance
    )
    places = np.argpartition(-against, depth - 1, axis=1)[:, :depth]
    places.sort(axis=1)  # so that the order of ties depends on the gallery alone
    held = np.take_along_axis(against, places, axis=1)
    order = np.argsort(-held, axis=1, kind="stable")
    return np.take_along_axis(places, order, axis=1), np.take_along_axis(held, order, axis=1)


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
    retrieval: SameImageRetrieval, scorer: Scorer, tolerance: float = ROUNDING
) -> Ranks:
    """Return the rank of each query's best right answer among its image's items, shape (q,)."""
    return OwnImages(retrieval).ranks(scorer, tolerance)


class OwnImages:
    """Ranks queries among their own images' items by scores that a whole ranking has asked for.

    To score a query's whole gallery twice would cost twice as much: `heard` gives a scorer on
    and keeps the few scores that matter here.
    """

    def __init__(self, retrieval: SameImageRetrieval) -> None:
        self._retrieval = retrieval
        places = retrieval.candidates[0]
        self._scores = np.empty(len(places))
        self._first_pair = np.searchsorted(places, np.arange(len(retrieval.queries) + 1))
        self._is_known = np.zeros(len(retrieval.queries), dtype=bool)
        self._order = np.argsort(retrieval.queries)

    def heard(self, scorer: Scorer) -> Scorer:
        """Return a scorer of the same gallery, whose scores are kept for their queries' images."""

        def scores(queries: Codes) -> NDArray[np.floating[Any]]:
            found = scorer(queries)  # (rows, g)
            self._keep(queries, found)
            return found

        return scores

    def ranks(self, scorer: Scorer, tolerance: float = ROUNDING) -> Ranks:
        """Return each query's rank, shape (q,), asking the scorer what was not heard."""
        retrieval, count = self._retrieval, len(self._retrieval.queries)
        asked = retrieval.queries[~self._is_known]
        for block in _blocks(len(asked), len(retrieval.gallery)):
            self._keep(asked[block], scorer(asked[block]))
        places, scores = retrieval.candidates[0], self._scores
        best = np.full(count, -np.inf)
        right_scores = scores[retrieval.right]
        right_scores = np.where(np.isnan(right_scores), -np.inf, right_scores)
        np.maximum.at(best, places[retrieval.right], right_scores)
        before = ~retrieval.right & ~(scores < best[places] - tolerance)  # NaN counts as before
        return np.asarray(1 + np.bincount(places[before], minlength=count))

    def _keep(self, queries: Codes, scores: NDArray[np.floating[Any]]) -> None:
        """Keep what samples (rows,) score of their image's items, of scores (rows, g)."""
        known = self._retrieval.queries
        if not len(known):
            return
        place = np.searchsorted(known, queries, sorter=self._order)
        place = self._order[np.minimum(place, len(known) - 1)]
        row = np.flatnonzero(known[place] == queries)  # those that ask here too
        place = place[row]
        lengths = self._first_pair[place + 1] - self._first_pair[place]
        before = np.cumsum(lengths) - lengths
        pair = np.repeat(self._first_pair[place] - before, lengths) + np.arange(lengths.sum())
        items = self._retrieval.candidates[1][pair]
        self._scores[pair] = scores[np.repeat(row, lengths), items]
        self._is_known[place] = True


def mean_average_precision(scores: NDArray[np.floating[Any]], right: NDArray[np.bool_]) -> float:
    """Return the mean over the rows of the average precision of their right items.

    Both arrays have shape (q, g); every row has a right item. Used to watch a training, where
    ties do not matter; reported measures come from `ranks`.
    """
    order = np.argsort(-scores, axis=1, kind="stable")
    hits = np.take_along_axis(right, order, axis=1)
    precision = np.cumsum(hits, axis=1) / np.arange(1, hits.shape[1] + 1)
    return float(((precision * hits).sum(axis=1) / hits.sum(axis=1)).mean())
