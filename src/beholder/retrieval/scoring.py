"""The exact order of those that may be first: the same for every kind of store.

A float32 product errs by less than `SLACK`; whoever comes that near to the last place of a
page is scored again here, in float64. So answers depend on nothing but the vectors: not on the
store, the batch, the page or the order in which a processor adds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from beholder.retrieval.layout import Description, Vectors
from beholder.retrieval.store import ROUNDING, Hit, Hits, Ranking

SLACK = 1e-4
"""More than a float32 product of vectors of length one errs by."""

_ROWS_AT_ONCE = 1 << 14  # rows that are scored at once

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Compared:
    """What a probe is compared with: rows (m,) of a matrix, and the candidate of each (m,).

    Candidates are places among those that may be first; rows ascend by the item's number.
    """

    matrix: Vectors  # (any, width)
    rows: Numbers
    candidate: Numbers


def page(
    ranking: Ranking,
    description: Description,
    numbers: Numbers,
    compared: Sequence[Compared],
    candidates: int,
) -> Hits:
    """Return a ranking's page among the candidates that have these numbers (n,).

    ``compared`` is by probe; the numbers hold all that may be on the page or before it.
    """
    last = ranking.offset + ranking.top
    scores, parts = _scores(ranking, description, compared, len(numbers))
    order = np.lexsort((numbers, -np.round(scores, ROUNDING)))
    hits = tuple(
        Hit(
            int(numbers[row]),
            float(scores[row]),
            {
                modality: {name: float(values[row]) for name, values in own.items()}
                for modality, own in parts.items()
            },
        )
        for row in order[ranking.offset : last]
    )
    return Hits(candidates, hits)


def _scores(
    ranking: Ranking, description: Description, compared: Sequence[Compared], count: int
) -> tuple[Floats, dict[str, dict[str, Floats]]]:
    """Return the scores (count,) of the candidates, and their parts by modality."""
    parts: dict[str, dict[str, Floats]] = {}
    for modality, weight in ranking.weights.items():
        own: dict[str, Floats] = {}
        known = np.zeros(count, np.int64)
        for probe, one in zip(ranking.probes, compared, strict=True):
            if probe.modality != modality:
                continue
            layout = description.layout(probe.side)
            blocks = _blocks(one.matrix, one.rows, probe.vector, layout.starts)
            size = np.bincount(one.candidate, minlength=count)
            known += size > 0
            for name, values in zip(layout.parts, blocks.T, strict=True):
                mean = np.bincount(one.candidate, values, minlength=count) / np.maximum(size, 1)
                own[name] = own.get(name, 0) + mean
        parts[modality] = {
            name: weight * values / np.maximum(known, 1) for name, values in own.items()
        }
    scores = np.zeros(count)
    for own in parts.values():
        for values in own.values():
            scores += values
    return scores, parts


def _blocks(matrix: Vectors, rows: Numbers, vector: Vectors, starts: Numbers) -> Floats:
    """Return the inner products of some rows with a vector, block by block, (rows, blocks)."""
    result = np.empty((len(rows), len(starts)))
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        chunk = slice(start, start + _ROWS_AT_ONCE)
        products = matrix[rows[chunk]].astype(np.float64) * vector
        result[chunk] = np.add.reduceat(products, starts, axis=1)
    return result
