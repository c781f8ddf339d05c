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

MOST_QUERIES = 1000
"""More validation queries than these hardly change the choice."""

Embedded = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Embeddings of a retrieval's queries (q, d) and of its gallery (g, d)."""


def choose_weights(
    retrievals: Sequence[Retrieval], embedded: Sequence[Mapping[str, Embedded]]
) -> dict[str, float]:
    """Return the weight of each space that has the highest mean reciprocal rank.

    ``embedded`` holds, for each retrieval, the embeddings of every space by its name. Of
    equals, the weights nearest to equal ones win.
    """
    spaces = list(embedded[0])
    problems = [
        _scores(retrieval, of_spaces)
        for retrieval, of_spaces in zip(retrievals, embedded, strict=True)
    ]

    def merit(weights: tuple[float, ...]) -> tuple[float, float]:
        reciprocal = [
            np.mean(1 / ranks_of_scores(np.tensordot(weights, scores, axes=1), right, ROUNDING))
            for scores, right in problems
        ]
        return float(np.mean(reciprocal)), -max(weights)

    best = max(_simplex(len(spaces)), key=merit)
    return dict(zip(spaces, best, strict=True))


def combine(
    embeddings: Mapping[str, NDArray[np.float32]], weights: Mapping[str, float]
) -> NDArray[np.float32]:
    """Return the scaled vectors of every space laid end to end, shape (n, sum of dimensions)."""
    parts = [np.sqrt(np.float32(weight)) * embeddings[name] for name, weight in weights.items()]
    return np.concatenate(parts, axis=1)


def _scores(
    retrieval: Retrieval, of_spaces: Mapping[str, Embedded]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return every space's scores (spaces, q, g) and the right pairs of at most so many queries."""
    kept = min(len(retrieval.queries), MOST_QUERIES)
    right = retrieval.right[:, retrieval.right[0] < kept]
    scores = [query[:kept] @ gallery.T for query, gallery in of_spaces.values()]
    return np.stack(scores), right


def _simplex(count: int) -> list[tuple[float, ...]]:
    points = product(range(STEPS + 1), repeat=count)
    return [tuple(k / STEPS for k in point) for point in points if sum(point) == STEPS]
