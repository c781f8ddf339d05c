"""What marks a person or a trait, and how much of it chance would mark.

A score is given to every person and feature (a word, a region). Were people interchangeable,
whoever saw an image could have made what was made of it: the largest score that comes out when
the viewers of every image change places is what chance marks.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beholder.study.gaze import Floats
from beholder.study.tasks import Codes

_CORRELATIONS_HELD = 1 << 22


@dataclass(frozen=True)
class PersonMarkers:
    """What marks a person, a row a person and feature, the highest scores first.

    ``own`` is how much of the feature the person has and ``others`` what the other viewers of
    the same images have, in the feature's own unit; ``score`` is a z-score. ``p`` is the share
    of exchanges of viewers whose largest score, of any person and feature, is as large.
    """

    people: Codes
    features: Codes
    own: Floats
    others: Floats
    score: Floats
    p: Floats

    def __len__(self) -> int:
        return len(self.people)


@dataclass(frozen=True)
class Scores:
    """Every person's score in a feature: five arrays of shape (scores,)."""

    people: Codes
    features: Codes
    own: Floats
    others: Floats
    score: Floats

    def taken(self, rows: NDArray[Any]) -> "Scores":
        """Return some of the scores."""
        return Scores(*(values[rows] for values in vars(self).values()))


def mark_people(
    score: Callable[[Codes], Scores],
    images: Codes,
    people: Codes,
    generator: np.random.Generator,
    exchanges: int = 199,
    most: int = 50,
) -> PersonMarkers:
    """Return the ``most`` highest scores above 0, with how often chance has a higher one.

    ``score`` scores samples, given whose each is; ``images`` and ``people`` (n,) say what they
    are of and whose they are. p is the maximum test of Westfall and Young (1993), so a share
    of at most 5% of studies without any personal feature has a marker with p <= 0.05.
    """
    found = score(people)
    order = np.lexsort((found.features, found.people, -found.score))
    order = order[found.score[order] > 0][:most]
    largest = np.array(
        [
            score(other).score.max(initial=-np.inf)
            for other in exchanged(images, people, generator, exchanges if len(order) else 0)
        ]
    )
    top = found.taken(order)
    as_large = (largest >= top.score[:, None] - 1e-12).sum(axis=1)
    return PersonMarkers(**vars(top), p=(1 + as_large) / (1 + len(largest)))


def exchanged(
    images: Codes, people: Codes, generator: np.random.Generator, times: int
) -> Iterator[Codes]:
    """Yield whose samples are when the viewers of each image change places, shape (n,)."""
    order = np.argsort(images, kind="stable")
    for _ in range(times):
        drawn = np.empty_like(people)
        drawn[order] = people[np.lexsort((generator.random(len(images)), images))]
        yield drawn


@dataclass(frozen=True)
class TraitMarkers:
    """Spearman correlations of people's features with their traits, shape (features, traits).

    ``p`` is two-sided, from permuting people; ``q`` is p after Benjamini and Hochberg (1995)
    over the features of a trait. NaN where a feature or a trait is the same in all people.
    """

    correlation: Floats
    p: Floats
    q: Floats


def mark_traits(
    values: Floats, traits: Floats, generator: np.random.Generator, permutations: int = 9999
) -> TraitMarkers:
    """Correlate what people have of each feature (n, f) with their traits (n, t).

    The order as found counts as one of the permutations (Phipson and Smyth 2010).
    """
    of_feature, of_trait = _ranked(values), _ranked(traits)
    correlation = of_feature.T @ of_trait  # (features, traits)
    people = len(values)
    as_large = np.zeros(correlation.shape)
    block = max(1, _CORRELATIONS_HELD // max(1, people * traits.shape[1], correlation.size))
    for start in range(0, permutations, block):
        rows = np.tile(np.arange(people), (min(block, permutations - start), 1))
        orders = generator.permuted(rows, axis=1)
        drawn = of_trait[orders].transpose(1, 0, 2).reshape(people, -1)  # (n, orders * traits)
        null = np.abs(of_feature.T @ drawn).reshape(len(correlation), len(orders), -1)
        as_large += (null >= np.abs(correlation)[:, None] - 1e-12).sum(axis=1)
    p = (1 + as_large) / (1 + permutations)
    tested = np.ptp(values, axis=0)[:, None] * np.ptp(traits, axis=0) > 0
    correlation, p = np.where(tested, correlation, np.nan), np.where(tested, p, np.nan)
    return TraitMarkers(correlation, p, _controlled(p))


def _ranked(values: Floats) -> Floats:
    """Return each column's ranks with mean 0 and length 1."""
    from scipy.stats import rankdata

    ranks = rankdata(values, axis=0)
    ranks -= ranks.mean(axis=0)
    length = np.sqrt((ranks**2).sum(axis=0))
    return np.asarray(ranks / np.where(length > 0, length, 1.0))


def _controlled(p: Floats) -> Floats:
    from scipy.stats import false_discovery_control

    q = np.full_like(p, np.nan)
    for column in range(p.shape[1]):
        tested = ~np.isnan(p[:, column])
        if tested.any():
            q[tested, column] = false_discovery_control(p[tested, column])
    return q
