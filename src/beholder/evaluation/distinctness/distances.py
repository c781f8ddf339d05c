"""How far apart people's samples lie in a space, on the same image and otherwise.

Every mean over pairs comes exactly from sums of vectors: of vectors v with the sum S, the
cosines of one with all others add up to v · (S - v), so no pair is ever looked at alone.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from beholder.errors import UnsupportedError
from beholder.evaluation.clusters import Interval, drawn_sums, percentile_interval
from beholder.study.gaze import Floats
from beholder.study.tasks import Codes

_NUMBERS_HELD = 1 << 22  # of a block of vectors: 32 MiB
_RESAMPLES = 2000


@dataclass(frozen=True)
class Encounters:
    """What people made of images: one row a person and image, sorted by image, then person.

    ``vectors`` (m, d) are the means of a person's unit vectors for an image (nearly always one
    vector), so that 1 - v · w is the mean cosine distance of two encounters; ``images`` and
    ``people`` (m,) are codes.
    """

    vectors: Floats
    images: Codes
    people: Codes

    @classmethod
    def of(cls, embeddings: Floats, images: Codes, people: Codes) -> "Encounters":
        """Return the encounters of samples of known people; those of others (-1) are left out.

        ``embeddings`` has shape (n, d) and unit rows, ``images`` and ``people`` (n,).
        """
        order = np.lexsort((people, images))
        order = order[people[order] >= 0]
        vectors = np.asarray(embeddings, dtype=float)[order]
        images, people = images[order], people[order]
        new = np.ones(len(order), dtype=bool)
        new[1:] = (np.diff(images) != 0) | (np.diff(people) != 0)
        starts = np.flatnonzero(new)
        if len(starts) < len(order):
            counts = np.diff(np.append(starts, len(order)))
            vectors = np.add.reduceat(vectors, starts, axis=0) / counts[:, None]
        return cls(vectors, images[starts], people[starts])

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True)
class Estimate:
    """A value with its 95% interval."""

    value: float
    interval: Interval


@dataclass(frozen=True)
class Apartness:
    """Mean cosine distances of pairs of encounters, and what they are of the unrelated ones.

    ``same_image`` is of different people on the same image, ``same_person`` of one person on
    different images, ``unrelated`` of different people on different images.
    ``distinctness`` = same_image / unrelated: 0 where all make the same of an image, 1 where a
    shared image brings people no nearer. ``variability`` = same_person / unrelated: 0 where a
    person is always the same, 1 where the person brings encounters no nearer.
    """

    same_image: Estimate
    same_person: Estimate
    unrelated: Estimate
    distinctness: Estimate
    variability: Estimate


def apartness(encounters: Encounters, generator: np.random.Generator) -> Apartness:
    """Return how far apart encounters are, with 95% intervals by a bootstrap over people.

    Whole people are drawn with replacement. A mean over pairs of people changes with both its
    people, so a person's influence on it counts twice (the linear term of a U-statistic,
    Hoeffding 1948); where few people share an image the intervals are somewhat too wide.
    Raises UnsupportedError where one of the three kinds of pairs does not occur.
    """
    if not len(encounters):
        raise UnsupportedError("there are no samples of known people")
    image, person = _numbered(encounters.images), _numbered(encounters.people)
    by_image, by_person = np.bincount(image)[image], np.bincount(person)[person]
    vectors = encounters.vectors
    own = np.einsum("nd,nd->n", vectors, vectors)
    of_image = _products_with_sum(vectors, image) - own
    of_person = _products_with_sum(vectors, person) - own
    of_all = _products_with_sum(vectors, np.zeros_like(image)) - own
    kinds = {
        "different people on the same image": (of_image, by_image - 1),
        "one person on different images": (of_person, by_person - 1),
        "different people on different images": (
            of_all - of_image - of_person,
            len(encounters) - by_image - by_person + 1,
        ),
    }
    means = []
    for (kind, (cosines, pairs)), members in zip(kinds.items(), (2, 1, 2), strict=True):
        if not pairs.any():
            raise UnsupportedError(f"there are no two samples of {kind}")
        means.append(_Mean.of(pairs - cosines, pairs, person, members))
    same_image, same_person, unrelated = means
    if unrelated.value <= 1e-9:
        raise UnsupportedError("all samples have the same place in the space")
    quantities = (*means, same_image.divided_by(unrelated), same_person.divided_by(unrelated))
    return Apartness(*(quantity.estimate(generator) for quantity in quantities))


@dataclass(frozen=True)
class _Mean:
    """A quantity and by how much each person's weight moves it, shape (people,), adding to 0."""

    value: float
    influence: Floats

    @classmethod
    def of(cls, totals: Floats, pairs: Codes, person: Codes, members: int) -> "_Mean":
        total, count = np.bincount(person, totals), np.bincount(person, pairs)
        value = total.sum() / count.sum()
        return cls(float(value), members * (total - value * count) / count.sum())

    def divided_by(self, other: "_Mean") -> "_Mean":
        ratio = self.value / other.value
        return _Mean(ratio, (self.influence - ratio * other.influence) / other.value)

    def estimate(self, generator: np.random.Generator) -> Estimate:
        drawn = self.value + drawn_sums(self.influence[:, None], generator, _RESAMPLES)[:, 0]
        return Estimate(self.value, percentile_interval(drawn, len(self.influence)))


@dataclass(frozen=True)
class ImageDistances:
    """How far apart the viewers of each image are: every array has shape (images,).

    ``images`` are codes, ``viewers`` at least two; ``low`` and ``high`` bound the 95% interval
    and are NaN with two viewers.
    """

    images: Codes
    viewers: Codes
    distance: Floats
    low: Floats
    high: Floats

    def seen_by(self, viewers: int) -> "ImageDistances":
        """Return the images with at least so many viewers, those that differ most first."""
        order = np.lexsort((self.images, -self.distance))
        kept = order[self.viewers[order] >= viewers]
        return ImageDistances(*(values[kept] for values in vars(self).values()))


def image_distances(encounters: Encounters) -> ImageDistances:
    """Return the mean cosine distance over the pairs of an image's viewers, for every image.

    The intervals are those of the jackknife over viewers with Student's t (Arvesen 1969).
    """
    from scipy.stats import t as student

    codes, image = np.unique(encounters.images, return_inverse=True)
    viewers = np.bincount(image)
    own = np.einsum("nd,nd->n", encounters.vectors, encounters.vectors)
    cosines = _products_with_sum(encounters.vectors, image) - own
    n = viewers[image]
    to_others = 1 - cosines / np.maximum(n - 1, 1)  # (m,): each viewer's mean distance
    mean = np.bincount(image, to_others) / viewers
    # The pseudo-values of a mean over pairs differ from it by 2 (n - 1) / (n - 2) times this.
    deviation = 2 * (n - 1) / np.maximum(n - 2, 1) * (to_others - mean[image])
    variance = np.bincount(image, deviation**2) / np.maximum(viewers * (viewers - 1), 1)
    half = student.ppf(0.975, np.maximum(viewers - 1, 1)) * np.sqrt(variance)
    half = np.where(viewers >= 3, half, np.nan)
    low, high = np.maximum(mean - half, 0), np.minimum(mean + half, 2)
    kept = viewers >= 2
    return ImageDistances(codes[kept], viewers[kept], mean[kept], low[kept], high[kept])


def people_distances(encounters: Encounters, people: Codes) -> Floats:
    """Return the mean distance of every two people over the images that both saw, shape (p, p).

    ``people`` are ascending codes. NaN where two people share no image, and on the diagonal.
    """
    place = np.searchsorted(people, encounters.people)
    kept = people[np.minimum(place, len(people) - 1)] == encounters.people
    vectors, place = encounters.vectors[kept], place[kept]
    _, starts = np.unique(encounters.images[kept], return_index=True)
    total = np.zeros((len(people), len(people)))
    shared = np.zeros_like(total)
    for start, stop in pairwise([*starts.tolist(), len(place)]):
        viewers = np.ix_(place[start:stop], place[start:stop])
        total[viewers] += 1 - vectors[start:stop] @ vectors[start:stop].T
        shared[viewers] += 1
    np.fill_diagonal(shared, 0)
    return np.where(shared > 0, total / np.maximum(shared, 1), np.nan)


def overall_people_distances(encounters: Encounters, people: Codes) -> Floats:
    """Return the mean distance of every two people over all their images, shape (p, p).

    ``people`` are ascending codes of people with an encounter. NaN on the diagonal.
    """
    kept = np.isin(encounters.people, people)
    place = np.searchsorted(people, encounters.people[kept])
    sums = _sums(encounters.vectors[kept], place)
    means = sums / np.bincount(place)[:, None]
    distances = 1 - means @ means.T
    np.fill_diagonal(distances, np.nan)
    return np.asarray(distances)


def _numbered(codes: Codes) -> Codes:
    return np.unique(codes, return_inverse=True)[1]


def _sums(vectors: Floats, group: Codes) -> Floats:
    """Return the sum of each group's vectors, shape (groups, d)."""
    from scipy.sparse import csr_array

    members = csr_array((np.ones(len(group)), (group, np.arange(len(group)))))
    return np.asarray(members @ vectors)


def _products_with_sum(vectors: Floats, group: Codes) -> Floats:
    """Return each vector's inner product with the sum of its group, shape (m,)."""
    sums = _sums(vectors, group)
    products = np.empty(len(vectors))
    step = max(1, _NUMBERS_HELD // max(1, vectors.shape[1]))
    for start in range(0, len(vectors), step):
        rows = slice(start, start + step)
        products[rows] = np.einsum("nd,nd->n", vectors[rows], sums[group[rows]])
    return products
