"""Whether a person's samples find the person again: who is it?

Each sample in turn is held out and looks for its person by the mean of the person's other
samples, as a search for people does. Three things would flatter or wrong the person, and are
mended: a person known by few samples is nearer and farther by luck than one known by many, so
that everybody is known by as many; an image would be recognised and not the person, so that
nothing that anybody did with the held-out sample's image is used; and who saw the same images
is alike for that alone, so that the question is asked among who saw that image too.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from beholder.evaluation.clusters import NOTHING, Interval
from beholder.model.ranking import ROUNDING

_Z = 1.959963984540054  # of a 95% interval


@dataclass(frozen=True)
class Samples:
    """Samples as vectors of length one (n, d), and whose and of which image they are, (n,)."""

    vectors: NDArray[np.float64]
    owners: NDArray[np.int64]
    images: NDArray[np.int64]


@dataclass(frozen=True)
class Recognition:
    """How a person's ``samples``, held out, find the person among ``people`` (a mean), them too.

    ``first`` is the share of samples that find the person first, ``before`` the mean share of
    the others who come before the person, and ``rank`` the mean rank from 1, each with what
    chance gives. NaN where no sample can be asked.
    """

    samples: int
    people: float
    first: float
    first_interval: Interval
    chance_first: float
    rank: float
    chance_rank: float
    before: float
    before_interval: Interval
    chance_before: float = 0.5

    @property
    def is_above_chance(self) -> bool:
        """Whether fewer others than by chance come before the person, by the 95% interval."""
        return self.before_interval.high < self.chance_before


@dataclass(frozen=True)
class _Asked:
    """What one held-out sample found: (1 + k,) values, of all own samples and without each.

    The value without a sample is NaN where none is left, and for the held-out one itself.
    """

    people: int
    first: NDArray[np.float64]
    before: NDArray[np.float64]


def recognise(known: Samples, person: int) -> tuple[Recognition, Recognition]:
    """Return how a person is recognised among all, and among who saw the same image.

    Others are known by each of the groups that their samples fall into, of as many samples as
    the person's; what is said of them is the mean over their groups. A sample is not asked
    where the person, or everybody else, did nothing with other images.
    """
    own = np.flatnonzero(known.owners == person)
    others = np.flatnonzero(known.owners != person)
    others = others[np.argsort(known.owners[others], kind="stable")]
    everybody: list[_Asked | None] = []
    viewers: list[_Asked | None] = []
    for sample in own:
        image = known.images[sample]
        rest = others[known.images[others] != image]
        saw_it = np.isin(known.owners[rest], known.owners[known.images == image])
        mine = _without_each(known, own, int(sample))
        everybody.append(_ask(known, int(sample), mine, rest))
        viewers.append(_ask(known, int(sample), mine, rest[saw_it]))
    return _summary(everybody), _summary(viewers)


def _without_each(
    known: Samples, own: NDArray[np.int64], sample: int
) -> tuple[int, NDArray[np.float64]]:
    """Return how many own samples a held-out one can be compared with, and the mean cosines.

    These are with all, and with all but each of ``own``, shape (1 + k,).
    """
    usable = known.images[own] != known.images[sample]
    cosines = np.where(usable, known.vectors[own] @ known.vectors[sample], 0.0)
    left = usable.sum() - np.append(0, usable)
    sums = cosines.sum() - np.append(0.0, cosines)
    means = np.where(left > 0, sums / np.maximum(left, 1), np.nan)
    means[1:][own == sample] = np.nan
    return int(usable.sum()), means


def _ask(
    known: Samples,
    sample: int,
    mine: tuple[int, NDArray[np.float64]],
    rest: NDArray[np.int64],
) -> _Asked | None:
    """Compare a held-out sample's own cosines with those of others' samples, sorted by owner."""
    size, means = mine
    if not size or not len(rest):
        return None
    _, start, person, counts = np.unique(
        known.owners[rest], return_index=True, return_inverse=True, return_counts=True
    )
    groups = np.maximum(counts // size, 1)  # of each person
    first_group = np.cumsum(groups) - groups
    place = np.arange(len(rest)) - start[person]
    group = first_group[person] + place % groups[person]
    cosines = known.vectors[rest] @ known.vectors[sample]
    scores = np.bincount(group, cosines) / np.bincount(group)  # (groups,)
    is_before = scores[:, None] >= means - ROUNDING  # ties count against the person
    of_group = np.repeat(np.arange(len(counts)), groups)
    shares = np.zeros((len(counts), len(means)))
    np.add.at(shares, of_group, is_before)
    shares /= groups[:, None]
    unsaid = np.where(np.isnan(means), np.nan, 0.0)
    first = np.prod(1 - shares, axis=0)
    return _Asked(len(counts) + 1, first + unsaid, shares.mean(axis=0) + unsaid)


def _summary(found: list[_Asked | None]) -> Recognition:
    asked = [one for one in found if one is not None]
    if not asked:
        nan = math.nan
        return Recognition(0, nan, nan, NOTHING, nan, nan, nan, nan, NOTHING)
    people = np.array([one.people for one in asked])
    places = np.array([row for row, one in enumerate(found) if one is not None])
    first = np.stack([one.first for one in asked])  # (asked, 1 + k)
    before = np.stack([one.before for one in asked])
    return Recognition(
        len(asked),
        float(people.mean()),
        float(first[:, 0].mean()),
        _interval(first, places),
        float((1 / people).mean()),
        float((1 + before[:, 0] * (people - 1)).mean()),
        float(((people + 1) / 2).mean()),
        float(before[:, 0].mean()),
        _interval(before, places),
    )


def _interval(values: NDArray[np.float64], places: NDArray[np.int64]) -> Interval:
    """Return the 95% interval of the mean of the first column of values, (asked, 1 + k).

    It is the wider of two. Wilson's counts the held-out samples as if they were independent,
    but all are compared with the same others of their person; the jackknife leaves out one
    sample with all that was compared with it, but says nothing of two, and of values that are
    all alike that they are certain.
    """
    mean = float(values[:, 0].mean())
    independent = wilson(mean, len(values))
    without = []
    for place in places:
        column = np.delete(values[:, 1 + place], np.flatnonzero(places == place))
        without.append(column.mean() if len(column) else math.nan)
    count, left_out = len(places), np.array(without)
    if count < 3 or np.isnan(left_out).any():
        return independent
    spread = (count - 1) / count * ((left_out - left_out.mean()) ** 2).sum()
    reach = float(stdtrit(count - 1, 0.975) * np.sqrt(spread))
    low, high = min(independent.low, mean - reach), max(independent.high, mean + reach)
    return Interval(max(low, 0.0), min(high, 1.0))


def wilson(mean: float, count: int) -> Interval:
    """Return Wilson's 95% interval of a mean of values between 0 and 1 (JASA 1927).

    It is made for shares; nothing between 0 and 1 spreads more than a share of the same mean
    does, so that for other values the interval is rather too wide than too narrow.
    """
    centre = (mean + _Z**2 / (2 * count)) / (1 + _Z**2 / count)
    reach = math.sqrt(mean * (1 - mean) / count + (_Z / (2 * count)) ** 2)
    reach *= _Z / (1 + _Z**2 / count)
    return Interval(max(centre - reach, 0.0), min(centre + reach, 1.0))
