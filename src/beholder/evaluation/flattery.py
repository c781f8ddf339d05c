"""How much the random split flatters: what a method loses where the test is of unseen units.

The random split tests images and people that training saw. The same method is scored again
where the images, the people or both are unseen; what is lost of its lead over chance is what
the random split owed to having seen them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beholder.evaluation.clusters import (
    NOTHING,
    Interval,
    cluster_sums,
    drawn_sums,
    percentile_interval,
)
from beholder.evaluation.significance import RESAMPLES
from beholder.study.gaze import Floats

FLATTERING = "random"


@dataclass(frozen=True)
class Scored:
    """One method's queries of one split and all its seeds, each array of shape (q,).

    ``values`` is what each query scored, ``chance`` what a random order would score on
    average, and ``clusters`` whose the query is, by the codes of the study.
    """

    values: NDArray[Any]
    chance: NDArray[Any]
    clusters: NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Fall:
    """How far a method falls from the random split to another, ``split``.

    ``lead`` and ``random_lead`` are score − chance in each. ``difference`` is what is lost,
    random_lead − lead: above zero the random split flatters. ``kept`` is lead / random_lead.
    It has no value (NaN, with an interval that says nothing) where the random lead itself
    cannot be told from zero: a share of nothing. ``clusters`` are the people in either split.
    """

    method: str
    split: str
    score: float
    chance: float
    random_score: float
    random_chance: float
    difference: float
    interval: Interval
    kept: float
    kept_interval: Interval
    clusters: int

    @property
    def lead(self) -> float:
        """The score above chance in the split of unseen units."""
        return self.score - self.chance

    @property
    def random_lead(self) -> float:
        """The score above chance in the random split."""
        return self.random_score - self.random_chance


def fall(
    method: str,
    split: str,
    random: Scored,
    unseen: Scored,
    generator: np.random.Generator,
    *,
    resamples: int = RESAMPLES,
) -> Fall:
    """Return how far a method falls from the scores of ``random`` to those of ``unseen``.

    People are drawn with replacement from all who are in either split, and a drawn person
    brings their queries of both: someone who is easy to find is so in both, which narrows
    the interval of the difference. A resample in which no drawn person was tested in a split
    is left out. Intervals are expanded as for the people of the smaller split; if that has
    fewer than two they say nothing.

    Taking chance off allows for galleries of different sizes only at chance itself: above
    it a smaller gallery is still easier. Compare splits with their galleries in view.
    """
    table, tested = _table(random, unseen)
    random_score, random_chance, score, chance = _means(table.sum(axis=0))
    lead, random_lead = score - chance, random_score - random_chance
    interval, random_interval, kept_interval = NOTHING, NOTHING, NOTHING
    if tested >= 2:
        drawn = _means(drawn_sums(table, generator, resamples))  # each (resamples,)
        random_leads, leads = drawn[0] - drawn[1], drawn[2] - drawn[3]
        interval = percentile_interval(random_leads - leads, tested)
        random_interval = percentile_interval(random_leads, tested)
    told_from_zero = bool(random_interval.low > 0)
    if told_from_zero:
        positive = random_leads > 0
        kept = np.full(resamples, np.nan)
        np.divide(leads, random_leads, out=kept, where=positive)
        kept_interval = percentile_interval(kept, tested)
    return Fall(
        method,
        split,
        float(score),
        float(chance),
        float(random_score),
        float(random_chance),
        float(random_lead - lead),
        interval,
        float(lead / random_lead) if told_from_zero else float("nan"),
        kept_interval,
        len(table),
    )


def falls(
    scores: Mapping[str, Mapping[str, Scored]],
    generator: np.random.Generator,
    *,
    resamples: int = RESAMPLES,
) -> list[Fall]:
    """Return the falls of one task, from ``scores`` by split and method.

    One for every method of every split but the random one, in the order given, where the
    random split has that method too; none without a random split. The numbers of one do not
    depend on the others.
    """
    before = scores.get(FLATTERING, {})
    entropy = int(generator.integers(0, 1 << 63, dtype=np.int64))
    found = []
    for split, methods in scores.items():
        if split == FLATTERING:
            continue
        for method, unseen in methods.items():
            if method in before:
                stream = np.random.default_rng(entropy)
                random = before[method]
                found.append(fall(method, split, random, unseen, stream, resamples=resamples))
    return found


def _table(random: Scored, unseen: Scored) -> tuple[Floats, int]:
    """Return what each person brings, shape (people, 6), and the people of the smaller split.

    The columns are the sums of values and of chance and the number of queries, of the random
    split and then of the other; zero where a person was not tested in one.
    """
    people = np.union1d(random.clusters, unseen.clusters)
    table = np.zeros((len(people), 6))
    tested = []
    for first, scored in ((0, random), (3, unseen)):
        sums, counts = cluster_sums([scored.values, scored.chance], scored.clusters)
        rows = np.searchsorted(people, np.unique(scored.clusters))
        table[rows, first : first + 2] = sums
        table[rows, first + 2] = counts
        tested.append(len(rows))
    return table, min(tested)


def _means(sums: Floats) -> Floats:
    """Return the random score and chance and the other ones, shape (4, ...), from (..., 6).

    NaN where a split has no query.
    """
    split = sums.reshape(*sums.shape[:-1], 2, 3)
    counts = split[..., 2:]
    means = np.full((*split.shape[:-1], 2), np.nan)
    np.divide(split[..., :2], counts, out=means, where=counts > 0)
    return np.moveaxis(means.reshape(*sums.shape[:-1], 4), -1, 0)
