"""When an approximate index may propose who is first, and how much of the truth it finds.

An index only proposes; the scores are always computed from the vectors. How many items it has to
look at is found when it is built. It is asked from another modality, whose vectors lie elsewhere
than the items, and what suffices for a query like the items finds half of the answers then: so it
is tried with the other modality's own vectors.
"""

from collections.abc import Callable, Sequence

import numpy as np

from beholder.retrieval.layout import Description, Side, Vectors
from beholder.retrieval.store import ROUNDING, Filters, Hits, Probe, Ranking

LEAST_ROWS = 50_000
"""Below this exact answers are quick enough: `benchmarks/search.py` measures them."""

RECALL = 0.99
"""The share of the exact first ten that an index has to find."""

LEAST_EXAMINED = 200
"""How many items an index examines at least for a query."""

_PER_ANSWER = 4  # candidates for each answer asked for
_JUDGED, _TOP = 200, 10  # queries that the recall is measured with, and its depth


def is_for_index(ranking: Ranking) -> bool:
    """Tell whether an index may propose a ranking's answers: one probe, without filters."""
    is_simple = len(ranking.probes) == 1 and ranking.filters == Filters()
    return ranking.approximate and is_simple and ranking.find not in ("participants", "images")


def proposed(ranking: Ranking) -> int:
    """Return how many items an index should propose for a ranking."""
    return _PER_ANSWER * (ranking.offset + ranking.top)


def chosen(
    ask: Callable[[int, Sequence[Ranking]], list[Hits]],
    exact: Callable[[Sequence[Ranking]], list[Hits]],
    asked: Sequence[Ranking],
    most: int,
) -> tuple[int, float] | None:
    """Return how many items an index has to examine, and which recall it has then.

    ``ask`` answers by the index, ``exact`` exactly; the index may examine ``most`` items. The
    number is chosen with every second question, and the recall measured with the others. It is
    None where the index does not reach `RECALL`.
    """
    sure = exact(asked)
    effort = LEAST_EXAMINED
    while recall(sure[::2], ask(effort, asked[::2])) < RECALL:
        if effort >= most:
            return None
        effort = min(2 * effort, most)
    return effort, recall(sure[1::2], ask(effort, asked[1::2]))


def judged(rows: int) -> slice:
    """Return which rows of a side the index of the other side is asked with."""
    return slice(None, None, max(1, rows // _JUDGED))


def questions(description: Description, side: Side, asked: Vectors) -> list[Ranking]:
    """Return the rankings of a side by which its index is judged, one for each row asked with.

    The rows (n, width) are of the pair's other side.
    """
    layout = description.layout(side)
    other = side.other.modality
    vectors = layout.asked(asked, layout.weights, between=True)
    return [
        Ranking(side.modality, (Probe(other, side, one),), {other: 1.0}, top=_TOP, approximate=True)
        for one in vectors
    ]


def recall(exactly: Sequence[Hits], found: Sequence[Hits]) -> float:
    """Return the share of the first answers that are as good as the exact ones, on average.

    Whoever ties with the last exact answer is as good.
    """
    shares = []
    for exact, quick in zip(exactly, found, strict=True):
        if exact.hits:
            last = round(exact.hits[-1].score, ROUNDING)
            good = sum(round(hit.score, ROUNDING) >= last for hit in quick.hits)
            shares.append(good / len(exact.hits))
    return float(np.mean(shares)) if shares else 1.0
