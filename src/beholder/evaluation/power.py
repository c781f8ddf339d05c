"""How many participants a study of an observed effect would need.

The people who took part stand for those who would: studies of N people are drawn from them
with replacement and put to the test of ``significance.py``. What is held fixed is how many
queries a person makes and how well the methods were trained; a study with more people also
trains better.

The effect that was observed is an estimate, and one that was found significant tends to be
too large. A power computed from it says no more than its p did (Hoenig and Heisey, The
American Statistician 2001). It is not shrunk here, as how much would be a guess. Instead the
number comes with an interval over other people that could have been observed, and with a
cautious number, after the safeguard power of Perugini, Gallucci and Costantini (Perspectives
on Psychological Science 2014): what is needed if the effect is the lower end of its 60%
interval. Plan with that one.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from beholder.evaluation.clusters import NOTHING, Interval, drawn_sums, percentile_interval
from beholder.evaluation.significance import random_signs, sign_flip_p
from beholder.study.gaze import Floats

STUDIES = 2000
MOST = 1_000_000
"""The most participants that are looked at."""

_FLIPS = 999
_FEW = 200  # people with a difference up to which signs are flipped; beyond, the normal limit
_CELLS = 1 << 20  # of a table of draws that is in memory at a time
_ROUNDING = 1e-9  # of a sum of differences


@dataclass(frozen=True)
class PowerPoint:
    """How often a study of ``participants`` finds the effect, and that share's 95% interval.

    The interval (Wilson's) is of the simulation alone; it holds the observed people for all
    people. See `Needed` for the other uncertainty.
    """

    participants: int
    power: float
    interval: Interval


@dataclass(frozen=True)
class Needed:
    """How many participants give the power asked for.

    ``participants`` is the smallest number for the effect as observed, or None for the
    ``reason`` given. ``interval`` is its 95% interval over the people who could have been
    observed, infinite at the upper end where the effect could be none or the other way;
    ``cautious`` is the number for the lower end of the effect's 60% interval, None if that
    end is none or the other way. Where ``participants`` is None the interval still says how
    many would at least be needed.
    """

    participants: int | None
    interval: Interval
    cautious: int | None
    reason: str | None


def power_curve(
    sums: NDArray[Any],
    participants: Sequence[int],
    generator: np.random.Generator,
    *,
    alpha: float = 0.05,
    studies: int = STUDIES,
) -> list[PowerPoint]:
    """Return the power of studies of each number of ``participants``.

    ``sums`` holds each observed person's difference of the two methods summed over their
    queries, shape (k,). Their numbers of queries are not asked for: the test's statistic is
    the plain sum. Raises ValueError for no people or a study of fewer than two.
    """
    if not len(sums) or min(participants, default=2) < 2:
        raise ValueError("power is of studies of two people or more, drawn from observed ones")
    entropy = int(generator.integers(0, 1 << 63, dtype=np.int64))
    observed = np.asarray(sums, float)
    return [_point(observed, number, entropy, alpha, studies) for number in participants]


def participants_needed(
    sums: NDArray[Any],
    generator: np.random.Generator,
    *,
    power: float = 0.8,
    alpha: float = 0.05,
    studies: int = STUDIES,
    resamples: int = 2000,
) -> Needed:
    """Return how many participants find the observed effect with the power asked for.

    ``sums`` as for `power_curve`. The number is found by bisection over simulated studies, to
    within 1%; the chance in 2,000 studies adds about 2% at a power of 0.8. Its interval scales
    it by what the normal approximation says of other draws of the observed people. Where the
    paired test of the observed people does not itself find the effect at ``alpha`` there is no
    number: any would be extrapolated from noise.
    """
    sums = np.asarray(sums, float)
    people = len(sums)
    fewest = 1 + math.ceil(-math.log2(alpha))  # whose p can reach alpha at all
    if people < 2:
        return Needed(None, NOTHING, None, f"{people} participants say nothing about others")
    entropy = int(generator.integers(0, 1 << 63, dtype=np.int64))
    p = sign_flip_p(sums, generator)
    moments = np.column_stack([sums, sums**2]) * [np.sign(sums.sum()), 1.0]
    clarity = float(_clarity(moments.mean(axis=0), power, alpha))
    drawn = _clarity(drawn_sums(moments, generator, resamples) / people, power, alpha)
    interval = percentile_interval(drawn, people)
    cautious = percentile_interval(drawn, people, level=0.6).low
    if p > alpha:
        least = Interval(_number(interval.high, 1.0, fewest), math.inf)
        seen = f"the {people} participants' difference cannot be told from none (p = {p:.2g})"
        return Needed(None, least, None, seen)
    start = max(fewest, round(clarity**-2))
    found = _bisect(sums, start, power, entropy, alpha, studies)
    if found is None:
        return Needed(None, Interval(MOST, math.inf), None, f"over {MOST:,} would be needed")
    scale = found * clarity**2  # what the simulation says beside the approximation
    needed = Interval(_number(interval.high, scale, fewest), _number(interval.low, scale, fewest))
    safe = _number(cautious, scale, fewest)
    return Needed(found, needed, None if math.isinf(safe) else int(safe), None)


def _clarity(moments: Floats, power: float, alpha: float) -> Floats:
    """Return 1 / √N by the normal approximation, with the sign of the effect, shape (...).

    ``moments`` holds the mean of people's sums and of their squares, shape (..., 2). A study
    of N people finds the effect where their total exceeds z √(N E[S²]), the flips' spread.
    """
    mean, square = moments[..., 0], moments[..., 1]
    spread = np.sqrt(np.maximum(square - mean**2, 0))
    least = ndtri(1 - alpha / 2) * np.sqrt(square) + ndtri(power) * spread
    clarity = np.zeros_like(mean)
    np.divide(mean, least, out=clarity, where=least > 0)
    return clarity


def _number(clarity: float, scale: float, fewest: int) -> float:
    """Return the participants that an effect of this clarity needs; infinite if it is none."""
    return float(max(fewest, math.ceil(scale / clarity**2))) if clarity > 0 else math.inf


def _bisect(
    sums: Floats, start: int, power: float, entropy: int, alpha: float, studies: int
) -> int | None:
    """Return the least number whose simulated power is enough, None above the most."""

    def enough(number: int) -> bool:
        return _point(sums, number, entropy, alpha, studies).power >= power

    high = min(start, MOST)
    while not enough(high):
        if high == MOST:
            return None
        high = min(high + high // 4 + 1, MOST)
    low = high - high // 4 - 1
    while low >= 2 and enough(low):
        low, high = low - low // 4 - 1, low
    low = max(low, 1)  # one person never finds anything
    while high - low > max(1, high // 100):
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _point(sums: Floats, participants: int, entropy: int, alpha: float, studies: int) -> PowerPoint:
    """Simulate studies, from the same stream whatever their number of participants.

    People without a difference change nothing in the test, so only how many of a study have
    one is drawn, and then those.
    """
    generator = np.random.default_rng(entropy)
    differing = sums[np.abs(sums) > _ROUNDING]
    share = len(differing) / len(sums)
    drawn = generator.binomial(participants, share, studies)  # people with a difference
    if not len(differing):
        found = 0
    elif participants * share <= _FEW:
        found = _found_by_flips(differing, drawn, generator, alpha)
    else:
        found = _found_in_the_limit(differing, drawn, generator, alpha)
    return PowerPoint(participants, found / studies, _wilson(found, studies))


def _found_by_flips(
    sums: Floats, people: NDArray[np.int64], generator: np.random.Generator, alpha: float
) -> int:
    """Return how many studies of so many ``people`` each have p <= alpha by flips of signs.

    All studies share one table of flips, so that a matrix product makes all of them at once.
    """
    drawn = _drawn(sums, people, generator)  # (most, studies)
    most = len(drawn)
    exact = 1 << most <= _FLIPS + 1
    if exact:
        up = np.arange(1 << most)[:, None] >> np.arange(most) & 1
    else:
        up = random_signs(_FLIPS, most, generator).astype(np.int64)
    observed = np.abs(drawn.sum(axis=0)) - _ROUNDING
    as_far = np.count_nonzero(np.abs((2.0 * up - 1) @ drawn) >= observed, axis=0)
    p = as_far / len(up) if exact else (as_far + 1) / (_FLIPS + 1)
    return int(np.count_nonzero(p <= alpha))


def _found_in_the_limit(
    sums: Floats, people: NDArray[np.int64], generator: np.random.Generator, alpha: float
) -> int:
    """Return how many studies find the effect by the flips' normal limit: variance ΣS²."""
    bound = ndtri(1 - alpha / 2)
    found = 0
    most = int(people.max())
    block = max(1, _CELLS // min(most, len(sums)))
    for start in range(0, len(people), block):
        some = people[start : start + block]
        if most <= len(sums):
            drawn = _drawn(sums, some, generator)
            total, square = drawn.sum(axis=0), (drawn**2).sum(axis=0)
        else:  # how often each was drawn is the smaller table
            times = generator.multinomial(some, np.full(len(sums), 1 / len(sums)))  # (block, k)
            total, square = (times * sums).sum(axis=1), (times * sums**2).sum(axis=1)
        found += int(np.count_nonzero(np.abs(total) > bound * np.sqrt(square)))
    return found


def _drawn(sums: Floats, people: NDArray[np.int64], generator: np.random.Generator) -> Floats:
    """Draw so many ``people`` a study, shape (most, studies); 0 below where a study has fewer."""
    most = int(max(people.max(), 1))
    drawn = sums[generator.integers(0, len(sums), (most, len(people)), dtype=np.int64)]
    drawn[np.arange(most)[:, None] >= people] = 0
    return drawn


def _wilson(found: int, studies: int) -> Interval:
    """Return Wilson's 95% interval of a share."""
    z = float(ndtri(0.975))
    share = found / studies
    centre = (share + z**2 / (2 * studies)) / (1 + z**2 / studies)
    half = z * math.sqrt(share * (1 - share) / studies + z**2 / (4 * studies**2))
    half /= 1 + z**2 / studies
    return Interval(max(0.0, centre - half), min(1.0, centre + half))
