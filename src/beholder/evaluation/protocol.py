"""One method on one task of the test part: every query's rank, and the measures over them."""

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beholder.evaluation.metrics import (
    TOPS,
    Interval,
    chance_of_top,
    cluster_bootstrap,
    mean_reciprocal_rank,
    top,
)
from beholder.model.ranking import Ranks, ranks, same_image_ranks
from beholder.model.run import Run
from beholder.study.tasks import Codes, Retrieval, SameImageRetrieval, Task

HEADLINE = 3
"""The paper's measure: a right answer among the first three."""


@dataclass(frozen=True)
class SameImageScores:
    """Ranks among the items of each query's own image, kept per query.

    ``ranks``, ``candidates`` and ``right`` (how many of the candidates are right) have shape
    (q,); every query has a wrong candidate. The top k are measured over the queries with at
    least k wrong candidates: elsewhere they are right by counting.
    """

    queries: Codes
    ranks: Ranks
    candidates: Ranks
    right: Codes

    def measures(self) -> dict[str, Any]:
        """Return top-1 and top-3 with what chance would score, None where no query counts."""
        measures: dict[str, Any] = {}
        for k in (1, HEADLINE):
            counted = self.candidates - self.right >= k
            some = bool(counted.any())
            chance = chance_of_top(k, self.candidates[counted], self.right[counted])
            measures[f"top{k}"] = top(self.ranks[counted], k) if some else None
            measures[f"chance_top{k}"] = float(chance.mean()) if some else None
            measures[f"queries_top{k}"] = int(counted.sum())
        return measures


@dataclass(frozen=True)
class TaskScores:
    """Ranks of a task's queries against the whole test gallery, kept per query.

    ``ranks`` and ``right`` (how many right answers each query has) have shape (q,);
    ``clusters`` gives what each query's person is, or its image where people are unknown.
    """

    task: Task
    queries: Codes
    gallery: int
    ranks: Ranks
    right: Codes
    clusters: Codes
    same_image: SameImageScores

    def interval(self, seed: int, k: int = HEADLINE) -> Interval:
        """Return the 95% interval of the top ``k``, whole people drawn again and again."""
        generator = np.random.default_rng([seed, zlib.crc32(self.task.name.encode())])
        return cluster_bootstrap(self.ranks <= k, self.clusters, generator)

    def measures(self, seed: int) -> dict[str, Any]:
        """Return every measure by the names of the command's contract."""
        measures: dict[str, Any] = {f"top{k}": top(self.ranks, k) for k in TOPS}
        measures["mrr"] = mean_reciprocal_rank(self.ranks)
        measures["median_rank"] = float(np.median(self.ranks))
        chance = chance_of_top(HEADLINE, np.full(len(self.right), self.gallery), self.right)
        measures["chance_top3"] = float(chance.mean())
        measures["gallery"] = self.gallery
        measures["queries"] = len(self.queries)
        interval = self.interval(seed)
        measures["ci95_top3"] = [_number(interval.low), _number(interval.high)]
        measures["same_image"] = self.same_image.measures()
        return measures


def score_task(
    run: Run, task: Task, method: str, retrieval: Retrieval, same_image: SameImageRetrieval
) -> TaskScores:
    """Return the scores of one method of a run on one task."""

    def embedded(modality: str, samples: Codes) -> NDArray[np.float32]:
        return run.embed_samples(task.pair, modality, samples, method)

    gallery = embedded(task.target, retrieval.gallery)
    own = same_image_ranks(same_image, embedded(task.source, same_image.queries), gallery)
    study = run.study
    known = (study.participant_codes[retrieval.queries] >= 0).all()
    clusters = study.participant_codes if known else study.image_codes
    return TaskScores(
        task,
        retrieval.queries,
        len(retrieval.gallery),
        ranks(retrieval, embedded(task.source, retrieval.queries), gallery),
        retrieval.right_counts,
        clusters[retrieval.queries],
        SameImageScores(same_image.queries, *own, same_image.right_counts),
    )


def _number(value: float) -> float | None:
    return None if np.isnan(value) else value
