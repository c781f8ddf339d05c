"""When an approximate index may propose who is first, and how much of the truth it finds.

An index only proposes; the scores are always computed from the vectors.
"""

from collections.abc import Sequence

import numpy as np

from beholder.retrieval.layout import Description, Side, Vectors
from beholder.retrieval.store import Filters, Hits, Probe, Ranking

LEAST_ROWS = 50_000
"""Below this exact answers are quick enough: `benchmarks/search.py` measures them."""

LEAST_EXAMINED, _PER_ANSWER = 200, 4  # at least, and for each answer asked for
_JUDGED, _TOP = 100, 10  # queries that the recall is measured with, and its depth


def examined(ranking: Ranking, most: int) -> int | None:
    """Return how many an index should propose, or None where only an exact ranking will do.

    That is so for filters, several probes, people, images, and pages so far that an index
    would have to propose more than ``most``.
    """
    if len(ranking.probes) != 1 or ranking.find in ("participants", "images"):
        return None
    wanted = max(LEAST_EXAMINED, _PER_ANSWER * (ranking.offset + ranking.top))
    return wanted if ranking.filters == Filters() and wanted <= most else None


def judged(rows: int) -> slice:
    """Return which rows of a side the index of the other side is asked with."""
    return slice(None, None, max(1, rows // _JUDGED))


def questions(description: Description, side: Side, asked: Vectors) -> list[Ranking]:
    """Return the rankings of a side by which its index is judged, one for each row asked with.

    The rows (n, width) are of the pair's other side.
    """
    layout = description.layout(side)
    other = next(one for one in side.pair if one != side.modality)
    vectors = layout.asked(asked, layout.weights, between=True)
    return [
        Ranking(side.modality, (Probe(other, side, one),), {other: 1.0}, top=_TOP, approximate=True)
        for one in vectors
    ]


def recall(exactly: Sequence[Hits], found: Sequence[Hits]) -> float:
    """Return the share of the exact first answers that were found too, on average."""
    shares = [
        np.mean([hit.number in {other.number for other in quick.hits} for hit in exact.hits])
        for exact, quick in zip(exactly, found, strict=True)
        if exact.hits
    ]
    return float(np.mean(shares)) if shares else 1.0
