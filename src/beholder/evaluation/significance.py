"""Whether one method is better than another: paired tests of people, and Holm's correction.

Two methods scored the same queries. The difference is the mean over all queries, its interval
a bootstrap of people, its p the share of sign flips of whole people that come out as far from
zero. What this generalises to is other people under the trainings that were done: luck that
the people share because one training of several went well is not in the interval.

Chance is no competitor but a floor: against it the question is only whether a method is above.
Below it a method that knows nothing falls by itself, as whoever is met often in the training
part of a random split is met seldom in its test part.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from beholder.evaluation.clusters import Interval, cluster_sums, drawn_sums, percentile_interval
from beholder.study.gaze import Floats

FLIPS = 9999
RESAMPLES = 2000

_DECIMALS = 12  # sums of scores in [0, 1] that are equal in fact are equal after rounding
_CELLS = 1 << 22  # of a table of signs that is in memory at a time


@dataclass(frozen=True)
class PairedTest:
    """How much better one method is than another over the same queries of some people.

    ``difference`` is the mean over the queries, ``interval`` its 95% interval, ``p`` the
    probability of a difference as large were the methods interchangeable, and ``clusters`` the
    number of people. One person says nothing: interval and p are NaN, and with no query the
    difference is too. The smallest p that k people can reach is 2 / 2^k, so below six people
    none reaches 0.05 (1 / 2^k and five where only one direction counts).
    """

    difference: float
    interval: Interval
    p: float
    clusters: int


def paired_test(
    difference: NDArray[Any],
    clusters: NDArray[np.integer[Any]],
    generator: np.random.Generator,
    *,
    direction: int = 0,
    flips: int = FLIPS,
    resamples: int = RESAMPLES,
) -> PairedTest:
    """Return the test of a difference between two methods, a value a query, both shape (q,).

    ``clusters`` says whose each query is. Scores lie in [0, 1], differences in [-1, 1].
    ``direction`` is as of `sign_flip_p`.
    """
    sums, counts = cluster_sums([np.asarray(difference, float)], clusters)
    if not len(counts):
        nothing = percentile_interval(np.zeros(0), 0)
        return PairedTest(float("nan"), nothing, float("nan"), 0)
    mean = float(sums.sum() / counts.sum())
    drawn = drawn_sums(np.column_stack([sums, counts]), generator, resamples)
    interval = percentile_interval(drawn[:, 0] / drawn[:, 1], len(counts))
    p = sign_flip_p(sums[:, 0], generator, flips, direction)
    return PairedTest(mean, interval, p, len(counts))


def sign_flip_p(
    sums: Floats, generator: np.random.Generator, flips: int = FLIPS, direction: int = 0
) -> float:
    """Return the p of people's summed differences, shape (k,), by flipping signs.

    Were the two methods interchangeable for each person, their sum would as likely have the
    other sign. ``direction`` 0 counts differences of both signs, 1 only those above zero and
    -1 only those below. The statistic is the plain sum, which then keeps its level exactly whatever
    people's numbers of queries. Divided by its standard error it made more false findings
    where people lean unevenly, and on the whole no more true ones
    (``benchmarks/significance.py``; for the theory of few large clusters see Canay, Romano
    and Shaikh, Econometrica 2017). Where no more than ``flips`` + 1 patterns of signs exist
    all are tried; else ``flips`` are drawn, and p = (b + 1) / (m + 1) of the b that are as
    far out (Phipson and Smyth 2010). People whose sum is zero change nothing; if all are, p
    is 1. With one person p is NaN.
    """
    if len(sums) < 2:
        return float("nan")
    rounded = np.round(sums, _DECIMALS) * (direction or 1)
    rounded = rounded[rounded != 0]
    size: Callable[[Floats], Floats] = np.asarray if direction else np.abs
    observed = size(rounded.sum()) - 10.0**-_DECIMALS * max(len(rounded), 1)
    people = len(rounded)
    if people < 64 and 1 << people <= flips + 1:
        patterns = np.arange(1 << people)[:, None] >> np.arange(people) & 1
        return float(np.mean(size(_flipped(rounded, patterns)) >= observed))
    as_far = 0
    block = max(1, _CELLS // people)
    for start in range(0, flips, block):
        rows = min(block, flips - start)
        signs = random_signs(rows, people, generator)
        as_far += int(np.count_nonzero(size(_flipped(rounded, signs)) >= observed))
    return (as_far + 1) / (flips + 1)


def random_signs(rows: int, people: int, generator: np.random.Generator) -> NDArray[np.uint8]:
    """Return fair 0s and 1s, shape (rows, people): whose sum keeps its sign."""
    octets = generator.integers(0, 256, (rows, -(-people // 8)), dtype=np.uint8)
    return np.unpackbits(octets, axis=1, count=people)


def _flipped(sums: Floats, signs: NDArray[Any]) -> Floats:
    """Return the total of the sums under each row of signs, shape (rows,)."""
    return np.asarray(2 * (signs.astype(float) @ sums) - sums.sum())


def holm(p_values: ArrayLike) -> Floats:
    """Return p-values adjusted for being one family, shape (m,), by Holm (1979).

    The i-th smallest of m is multiplied by m − i + 1, no less than the one before and at most
    1, which keeps the chance of any false finding at the level whatever their dependence. NaN
    stays NaN and is not counted: nothing was tested there.
    """
    p = np.asarray(p_values, float)
    adjusted = np.full(p.shape, np.nan)
    tested = np.flatnonzero(~np.isnan(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * factors), 1)
    return adjusted


@dataclass(frozen=True)
class Comparison:
    """``method`` against another: the test's numbers, and p corrected within the family.

    ``sides`` is 2 where either may be the better one, 1 where the lower one is a floor.
    """

    method: str
    against: str
    difference: float
    interval: Interval
    p: float
    p_holm: float
    sides: int
    clusters: int


def compare_methods(
    values: Mapping[str, NDArray[Any]],
    clusters: NDArray[np.integer[Any]],
    generator: np.random.Generator,
    *,
    reference: str = "base",
    champion: str = "ours",
    floor: str | None = "chance",
    flips: int = FLIPS,
    resamples: int = RESAMPLES,
) -> list[Comparison]:
    """Return every method against the reference, then the champion against every other.

    ``values`` holds each method's value a query, all of the same queries, shape (q,): one
    split and one task, which is one family for Holm's correction. No pair comes twice. All
    pairs see the same drawn people and flips, so that the numbers of one do not depend on
    which other methods there are, save ``p_holm``. A reference or champion that is absent is
    passed over. Against ``floor`` only being above it counts.
    """
    pairs = [(method, reference) for method in values if method != reference]
    if champion != reference:
        pairs += [(champion, other) for other in values if other not in (champion, reference)]
    pairs = [pair for pair in pairs if pair[0] in values and pair[1] in values]
    directions = {pair: (pair[1] == floor) - (pair[0] == floor) for pair in pairs}
    entropy = int(generator.integers(0, 1 << 63, dtype=np.int64))
    tests = []
    for method, against in pairs:
        stream = np.random.default_rng(entropy)
        difference = np.asarray(values[method], float) - np.asarray(values[against], float)
        tests.append(
            paired_test(
                difference,
                clusters,
                stream,
                direction=directions[method, against],
                flips=flips,
                resamples=resamples,
            )
        )
    adjusted = holm([test.p for test in tests])
    return [
        Comparison(
            *pair,
            test.difference,
            test.interval,
            test.p,
            float(p_holm),
            1 if directions[pair] else 2,
            test.clusters,
        )
        for pair, test, p_holm in zip(pairs, tests, adjusted, strict=True)
    ]
