"""One method on one task of the test part: every query's rank, and the measures over them."""

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beholder.evaluation.clusters import Interval
from beholder.evaluation.metrics import (
    TOPS,
    chance_of_rank,
    chance_of_top,
    cluster_bootstrap,
)
from beholder.model.methods import Matcher
from beholder.model.ranking import OwnImages, Ranks, rank
from beholder.study.gaze import Floats
from beholder.study.study import Study
from beholder.study.tasks import Codes, Retrieval, SameImageRetrieval, Task

HEADLINE = 3
"""The paper's measure: a right answer among the first three."""


@dataclass(frozen=True)
class Places:
    """Where each query's best right answer stands among its candidates, by ranks or by chance.

    ``candidates`` and ``right`` (how many of them are right) have shape (q,), as have
    ``ranks``; ranks of None stand for a random order, whose measures are computed exactly.
    """

    candidates: Codes
    right: Codes
    ranks: Ranks | None

    def hits(self, k: int) -> Floats:
        """Return each query's hit among the first ``k``: 0 or 1, or its chance, shape (q,)."""
        if self.ranks is None:
            return chance_of_top(k, self.candidates, self.right)
        return (self.ranks <= k).astype(float)

    def reciprocal_ranks(self) -> Floats:
        """Return each query's 1 / rank, or what a random order expects of it, shape (q,)."""
        if self.ranks is not None:
            return np.asarray(1.0 / self.ranks)
        kinds, of_query = self._kinds()
        expected = [float(chances @ (1 / np.arange(1, len(chances) + 1))) for chances in kinds]
        return np.array(expected)[of_query]

    def median_rank(self) -> float:
        """Return the median of the ranks, or of those of all random orders."""
        if self.ranks is not None:
            return float(np.median(self.ranks))
        kinds, of_query = self._kinds()
        longest = max(len(chances) for chances in kinds)
        weights = np.bincount(of_query) / len(of_query)
        chance = sum(
            weight * np.pad(chances, (0, longest - len(chances)))
            for weight, chances in zip(weights, kinds, strict=True)
        )
        return float(1 + np.searchsorted(np.cumsum(chance), 0.5 - 1e-12))

    def of(self, chosen: NDArray[np.bool_]) -> "Places":
        """Return those of some queries."""
        ranks = None if self.ranks is None else self.ranks[chosen]
        return Places(self.candidates[chosen], self.right[chosen], ranks)

    def _kinds(self) -> tuple[list[Floats], Codes]:
        """Return the chances of ranks of each kind of query, and each query's kind."""
        sizes = np.stack([self.candidates, self.right])
        distinct, of_query = np.unique(sizes, axis=1, return_inverse=True)
        return [chance_of_rank(int(g), int(r)) for g, r in distinct.T], of_query.ravel()


@dataclass(frozen=True)
class SameImageScores:
    """Where the right answers stand among the items of each query's own image.

    Every query has a wrong candidate. The top k are measured over the queries with at least
    k wrong candidates: elsewhere they are right by counting. ``clusters`` as of `TaskScores`.
    """

    queries: Codes
    places: Places
    clusters: Codes

    def counted(self, k: int) -> NDArray[np.bool_]:
        """Return over which queries the top ``k`` are measured, shape (q,)."""
        return np.asarray(self.places.candidates - self.places.right >= k)

    def measures(self) -> dict[str, Any]:
        """Return top-1 and top-3 with what chance would score, None where no query counts."""
        measures: dict[str, Any] = {}
        for k in (1, HEADLINE):
            places = self.places.of(self.counted(k))
            some = len(places.right) > 0
            chance = chance_of_top(k, places.candidates, places.right)
            measures[f"top{k}"] = float(places.hits(k).mean()) if some else None
            measures[f"chance_top{k}"] = float(chance.mean()) if some else None
            measures[f"queries_top{k}"] = len(places.right)
        return measures


@dataclass(frozen=True)
class TaskScores:
    """Where the right answers of a task's queries stand in the whole test gallery.

    ``clusters`` (q,) gives what each query's person is, or its image where people are unknown.
    ``first`` (q, depth) holds the samples of the items ranked first, ``scores`` what they
    scored; both are empty for a random order.
    """

    task: Task
    queries: Codes
    gallery: int
    places: Places
    clusters: Codes
    same_image: SameImageScores
    first: Codes
    scores: NDArray[np.float32]

    def interval(self, seed: int, k: int = HEADLINE) -> Interval:
        """Return the 95% interval of the top ``k``, whole people drawn again and again."""
        generator = np.random.default_rng([seed, zlib.crc32(self.task.name.encode())])
        return cluster_bootstrap(self.places.hits(k), self.clusters, generator)

    def measures(self, seed: int) -> dict[str, Any]:
        """Return every measure by the names of the command's contract."""
        measures: dict[str, Any] = {f"top{k}": float(self.places.hits(k).mean()) for k in TOPS}
        measures["mrr"] = float(self.places.reciprocal_ranks().mean())
        measures["median_rank"] = self.places.median_rank()
        chance = chance_of_top(HEADLINE, self.places.candidates, self.places.right)
        measures["chance_top3"] = float(chance.mean())
        measures["gallery"] = self.gallery
        measures["queries"] = len(self.queries)
        interval = self.interval(seed)
        measures["ci95_top3"] = [_number(interval.low), _number(interval.high)]
        measures["same_image"] = self.same_image.measures()
        return measures


def clusters_of(study: Study) -> Codes:
    """Return whose each sample is, or of which image where not all people are known.

    The kind is the study's, so that the parts of all splits can be compared.
    """
    known = bool((study.participant_codes >= 0).all())
    return study.participant_codes if known else study.image_codes


def score_task(
    study: Study,
    matcher: Matcher | None,
    retrieval: Retrieval,
    same_image: SameImageRetrieval,
    depth: int = 0,
) -> TaskScores:
    """Return the scores of a fitted method on one task, or of chance if it is None.

    Of each query the first ``depth`` items are kept.
    """
    size = len(retrieval.gallery)
    ranking, own = None, None
    if matcher is not None:
        scorer = matcher.against(retrieval.task, retrieval.gallery)
        own_images = OwnImages(same_image)
        ranking = rank(retrieval, own_images.heard(scorer), depth)
        own = own_images.ranks(scorer)
    clusters = clusters_of(study)
    count = len(retrieval.queries)
    return TaskScores(
        retrieval.task,
        retrieval.queries,
        size,
        Places(
            np.full(count, size), retrieval.right_counts, None if ranking is None else ranking.ranks
        ),
        clusters[retrieval.queries],
        SameImageScores(
            same_image.queries,
            Places(same_image.candidate_counts, same_image.right_counts, own),
            clusters[same_image.queries],
        ),
        np.zeros((count, 0), int) if ranking is None else retrieval.gallery[ranking.first],
        np.zeros((count, 0), np.float32) if ranking is None else ranking.scores,
    )


def _number(value: float) -> float | None:
    return None if np.isnan(value) else value
