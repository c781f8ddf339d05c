"""`ours`: the spaces' similarities added with weights chosen on the validation part.

A weighted sum of cosines is one inner product of vectors scaled by the square roots of the
weights and laid end to end, so that a single vector an item goes into an index.
"""

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from beholder.model.ranking import ROUNDING, ranks_of_scores
from beholder.study.tasks import Retrieval

STEPS = 20
"""The weights are multiples of 1 / STEPS that sum to 1."""

RESAMPLES = 50
"""How often the weights are chosen before they are averaged."""

MOST_QUERIES = 1000
"""More validation queries than these hardly change the choice."""

Embedded = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Embeddings of a retrieval's queries (q, d) and of its gallery (g, d)."""


def choose_weights(
    retrievals: Sequence[Retrieval],
    embedded: Sequence[Mapping[str, Embedded]],
    generator: np.random.Generator,
) -> dict[str, float]:
    """Return the weight of each space, chosen by mean reciprocal rank.

    ``embedded`` holds, for each retrieval, the embeddings of every space by its name. The
    weights are the mean of the best ones in the queries as they are and in resamples of them
    (bagging, Breiman 1996): the best of a few hundred queries alone hang on a few of these.
    Of equals, the weights nearest to equal ones win.
    """
    spaces = list(embedded[0])
    grid = _simplex(len(spaces))
    # One array a retrieval: every grid point's reciprocal ranks, (points, queries).
    reciprocal = [
        _reciprocal_ranks(*_scores(retrieval, of_spaces), grid)
        for retrieval, of_spaces in zip(retrievals, embedded, strict=True)
    ]
    best = []
    for resample in range(RESAMPLES):
        merits = [
            values[:, _drawn(values.shape[1], resample, generator)].mean(axis=1)
            for values in reciprocal
        ]
        best.append(grid[int(np.argmax(np.mean(merits, axis=0)))])
    return dict(zip(spaces, np.mean(best, axis=0).tolist(), strict=True))


def _drawn(count: int, resample: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Return all queries the first time, then as many drawn with replacement."""
    return np.arange(count) if resample == 0 else generator.integers(count, size=count)


def _reciprocal_ranks(
    scores: NDArray[np.float32], right: NDArray[np.int64], grid: NDArray[np.float64]
) -> NDArray[np.float64]:
    mixed = (np.tensordot(weights, scores, axes=1) for weights in grid)
    return np.stack([1 / ranks_of_scores(of_point, right, ROUNDING) for of_point in mixed])


def combine(
    embeddings: Mapping[str, NDArray[np.float32]], weights: Mapping[str, float]
) -> NDArray[np.float32]:
    """Return the scaled vectors of every space laid end to end, shape (n, sum of dimensions)."""
    parts = [np.sqrt(np.float32(weight)) * embeddings[name] for name, weight in weights.items()]
    return np.concatenate(parts, axis=1)


def _scores(
    retrieval: Retrieval, of_spaces: Mapping[str, Embedded]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return every space's scores (spaces, q, g) and the right pairs of at most so many queries.

    Those that are kept lie evenly among all, as neighbours are often of one person.
    """
    step = -(-len(retrieval.queries) // MOST_QUERIES)
    query, answer = retrieval.right[:, retrieval.right[0] % step == 0]
    scores = [query[::step] @ gallery.T for query, gallery in of_spaces.values()]
    return np.stack(scores), np.stack([query // step, answer])


def _simplex(count: int) -> NDArray[np.float64]:
    """Return the grid of weights that sum to 1, the most equal ones first, (points, count)."""
    points = [point for point in product(range(STEPS + 1), repeat=count) if sum(point) == STEPS]
    return np.array(sorted(points, key=max)) / STEPS
