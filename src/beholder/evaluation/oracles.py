"""What would be reached if something were known beyond doubt: the ceilings of a score.

An oracle knows the image or the person of every item, or both, and ranks what shares it with
the query before all else. As every right answer does, that is to rank these items alone.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from beholder.evaluation.metrics import chance_of_top
from beholder.model.ranking import ROUNDING, ranks_of_scores
from beholder.study.gaze import Floats
from beholder.study.tasks import Codes, Galleries, Retrieval

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Asked:
    """Every query's candidates and right answers among them, both of shape (q, g)."""

    candidates: Mask
    right: Mask

    @classmethod
    def whole(cls, retrieval: Retrieval) -> "Asked":
        """Return a retrieval's queries, each against the whole gallery."""
        right = np.zeros((len(retrieval.queries), len(retrieval.gallery)), dtype=bool)
        right[tuple(retrieval.right)] = True
        return cls(np.ones_like(right), right)

    def known(self, shared: Mask) -> "Asked":
        """Return what is left of the candidates where an oracle knows what they share (q, g)."""
        return Asked(self.candidates & (shared | self.right), self.right)

    def with_wrong(self, least: int) -> Mask:
        """Return which queries have at least so many wrong candidates, (q,)."""
        return np.asarray((self.candidates & ~self.right).sum(axis=1) >= least)

    def of(self, chosen: Mask) -> "Asked":
        """Return some of the queries."""
        return Asked(self.candidates[chosen], self.right[chosen])

    def hits(self, k: int, scores: Floats | None = None) -> Floats:
        """Return each query's hit among its first ``k`` candidates, or the chance of it, (q,).

        Without scores (q, g) every order is as likely; with them ties count against the right
        answer, as everywhere.
        """
        if scores is None:
            return chance_of_top(k, self.candidates.sum(axis=1), self.right.sum(axis=1))
        among = np.where(self.candidates, scores, -np.inf)
        row, column = np.nonzero(self.right)
        return (ranks_of_scores(among, np.stack([row, column]), ROUNDING) <= k).astype(float)


def carried(galleries: Galleries, retrieval: Retrieval, rows: Codes, groups: Codes) -> Mask:
    """Return which gallery items some sample of each group carries, (groups, g).

    ``rows`` are the samples that the retrieval is among, ``groups`` (samples,) the image or
    person of each. An item may have several: two people may have written the same words.
    """
    items = galleries.items[retrieval.task.target]
    offered = rows[items[rows] >= 0]
    place = np.searchsorted(items[retrieval.gallery], items[offered])
    found = np.zeros((int(groups.max()) + 1, len(retrieval.gallery)), dtype=bool)
    found[groups[offered], place] = True
    return found


def group_hits(scores: Floats, members: Mask, own: Codes, k: int) -> Floats:
    """Return whether each query's own group is among the first ``k``, (q,).

    A group (an image) scores what the best of its ``members`` (groups, g) does with the query;
    ``own`` (q,) are the queries' groups. Groups without a member are not ranked, ties count
    against.
    """
    present = np.flatnonzero(members.any(axis=1))
    best = np.stack([scores[:, members[group]].max(axis=1) for group in present], axis=1)
    right = np.stack([np.arange(len(own)), np.searchsorted(present, own)])
    return (ranks_of_scores(best, right, ROUNDING) <= k).astype(float)
