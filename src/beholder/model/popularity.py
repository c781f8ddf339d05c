"""Popularity: how near an item lies to everything, taken off its scores in `ours`.

In many dimensions some items are near to most queries, whatever these ask (hubs, Radovanović
et al., JMLR 2010): a text of common words is a fair answer to every gaze. What an item scores
with queries of the training part tells how popular it is, as in the inverted softmax (Smith et
al., ICLR 2017). The items of a test are never looked at together.
"""

import numpy as np
from numpy.typing import NDArray

from beholder.model.ranking import SCORES_PER_CHUNK

Embeddings = NDArray[np.float32]

TEMPERATURE = 0.07
"""The cosines, so divided, of a popular item are high: the softest maximum of them counts."""

SHARE = 0.5
"""How much of an item's popularity is taken off; all of it would ask as often for every item."""

LENGTH = 2 + SHARE**2
"""The square of the length of the longest vector there can be: scores are divided by it."""

MOST_KNOWN = 4000
"""More queries than these hardly change how popular an item is."""


def popularity(items: Embeddings, known: Embeddings) -> Embeddings:
    """Return τ · log mean exp(s / τ) of items (n, d) over the known queries (m, d), shape (n,).

    Both are of length one, so that the result lies between -1 and 1.
    """
    result = np.empty(len(items), dtype=np.float32)
    rows = max(1, SCORES_PER_CHUNK // len(known))
    for start in range(0, len(items), rows):
        scores = items[start : start + rows] @ known.T  # (rows, m)
        raised = np.exp((scores - 1) / np.float32(TEMPERATURE))
        result[start : start + rows] = 1 + TEMPERATURE * np.log(raised.mean(axis=1))
    return result


def less_popularity(items: Embeddings, known: Embeddings, *, first: bool) -> Embeddings:
    """Return vectors (n, d + 4) of length one that score less by the popularity of both sides.

    ``items`` are of the pair's first modality or of its second, ``known`` (m, d) embeddings of
    the other one. The inner product of a first and a second vector is their cosine less
    ``SHARE`` of both popularities, divided by a constant; a query's own popularity changes
    nothing in its ranking, so that one vector an item serves both directions.
    """
    taken = np.float32(SHARE) * popularity(items, known)  # (n,)
    ones = np.ones_like(taken)
    # Two numbers meet zeros of the other side: they bring all vectors to one length.
    rest = np.sqrt(np.maximum(SHARE**2 - taken**2, 0))
    zeros = np.zeros_like(taken)
    added = [ones, -taken, rest, zeros] if first else [-taken, ones, zeros, rest]
    vectors = np.concatenate([items, np.stack(added, axis=1)], axis=1)
    return np.asarray(vectors / np.sqrt(np.float32(LENGTH)), dtype=np.float32)
