"""False findings of tests between two methods, by design: python -m benchmarks.significance.

Studies of two methods are made up whose queries depend on their person, and each test's share
of findings at 0.05 is counted: ours (sign flips of people's sums), the same with a studentised
statistic, the t-test with a cluster-robust error, and two that take queries for independent
(paired t-test, McNemar's exact test). In most designs the methods are equally good, so that a
finding is false; in `effect` one is better. Also how often the interval holds the truth, with
percentiles as they are and expanded. One core, about a minute and a half.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from beholder.evaluation.clusters import drawn_sums, percentile_interval
from beholder.evaluation.significance import random_signs, sign_flip_p
from benchmarks.commands import write_results

STUDIES = 2000
FLIPS = 999
RESAMPLES = 400
ALPHA = 0.05
PEOPLE = (5, 8, 20, 80)

Ints = NDArray[np.int64]
Reals = NDArray[np.float64]


@dataclass(frozen=True)
class Study:
    """How many queries each person made, and on how many only one of the methods was right."""

    queries: Ints
    first: Ints
    second: Ints
    truth: float

    @property
    def sums(self) -> Reals:
        return (self.first - self.second).astype(float)


@dataclass(frozen=True)
class Design:
    """How studies are drawn; ``disagree`` is the share of queries on which the methods differ.

    ``lean`` gives each person's difference of the methods, from the numbers of queries.
    """

    name: str
    queries: Callable[[np.random.Generator, int], Ints]
    lean: Callable[[np.random.Generator, Ints], Reals]
    disagree: float
    truth: float = 0.0

    def draw(self, generator: np.random.Generator, people: int) -> Study:
        queries = self.queries(generator, people)
        lean = np.clip(self.lean(generator, queries), -self.disagree, self.disagree)
        differing = generator.binomial(queries, self.disagree)
        first = generator.binomial(differing, 0.5 + lean / self.disagree / 2)
        return Study(queries, first, differing - first, self.truth)


def equal(generator: np.random.Generator, people: int) -> Ints:
    return np.full(people, 20)


def unequal(generator: np.random.Generator, people: int) -> Ints:
    return np.maximum(1, np.round(generator.lognormal(np.log(12), 1, people))).astype(int)


def giant(generator: np.random.Generator, people: int) -> Ints:
    """One person makes half of all queries."""
    return np.where(np.arange(people) == 0, 10 * (people - 1), 10)


def two_sizes(generator: np.random.Generator, people: int) -> Ints:
    return generator.choice([10, 30], people)


def symmetric(generator: np.random.Generator, queries: Ints) -> Reals:
    return 0.4 * (2 * generator.beta(2, 2, len(queries)) - 1)


def rare(generator: np.random.Generator, queries: Ints) -> Reals:
    return 0.04 * (2 * generator.beta(2, 2, len(queries)) - 1)


def skewed(generator: np.random.Generator, queries: Ints) -> Reals:
    """Most people lean a little to one method and few much to the other."""
    return 0.5 * (generator.beta(0.5, 2, len(queries)) - 0.2)


def by_size(generator: np.random.Generator, queries: Ints) -> Reals:
    """Who makes few queries leans to one method, who makes many to the other."""
    return np.where(queries == 10, 0.12, -0.04) + 0.1 * (2 * generator.beta(2, 2, len(queries)) - 1)


def effect(generator: np.random.Generator, queries: Ints) -> Reals:
    return 0.1 + 0.3 * (2 * generator.beta(2, 2, len(queries)) - 1)


def one_training(generator: np.random.Generator, queries: Ints) -> Reals:
    """All people share the luck of the one training that was done."""
    return generator.normal(0, 0.04) + symmetric(generator, queries)


DESIGNS = (
    Design("people differ, as many queries each", equal, symmetric, 0.4),
    Design("people differ, unequal numbers of queries", unequal, symmetric, 0.4),
    Design("people differ, one makes half the queries", giant, symmetric, 0.4),
    Design("rare hits, mostly ties", unequal, rare, 0.04),
    Design("few people lean far", unequal, skewed, 0.4),
    Design("the lean depends on the number of queries", two_sizes, by_size, 0.4),
    Design("luck of one training, shared", equal, one_training, 0.4),
    Design("effect of 0.1, as many queries each", equal, effect, 0.4, 0.1),
    Design("effect of 0.1, unequal numbers of queries", unequal, effect, 0.4, 0.1),
)


def ours(study: Study, generator: np.random.Generator) -> float:
    return sign_flip_p(study.sums, generator, FLIPS)


@cache
def _patterns(people: int) -> Reals:
    return (np.arange(1 << people)[:, None] >> np.arange(people) & 1).astype(float)


def studentised(study: Study, generator: np.random.Generator) -> float:
    """Flip signs as ours, but divide each total by its cluster-robust standard error."""
    sums, counts = study.sums, study.queries.astype(float)
    if not sums.any():
        return 1.0
    people = len(sums)
    exact = 1 << people <= FLIPS + 1
    up = _patterns(people) if exact else random_signs(FLIPS, people, generator).astype(float)
    signs = np.vstack([np.ones(people), 2 * up - 1])
    means = signs @ sums / counts.sum()
    squares = (sums**2).sum() - 2 * means * (signs @ (sums * counts)) + means**2 * (counts**2).sum()
    statistics = np.full(len(means), np.inf)
    np.divide(means**2, squares, out=statistics, where=squares > 1e-9)
    as_far = np.count_nonzero(statistics[1:] >= statistics[0] * (1 - 1e-9))
    return as_far / (1 << people) if exact else (as_far + 1) / (FLIPS + 1)


def robust_t(study: Study, generator: np.random.Generator) -> float:
    sums, counts = study.sums, study.queries
    people, mean = len(sums), sums.sum() / counts.sum()
    error = np.sqrt(people / (people - 1) * ((sums - counts * mean) ** 2).sum()) / counts.sum()
    if error == 0:
        return 1.0 if mean == 0 else 0.0
    return float(2 * stats.t.sf(abs(mean) / error, people - 1))


def naive_t(study: Study, generator: np.random.Generator) -> float:
    total, mean = study.queries.sum(), study.sums.sum() / study.queries.sum()
    spread = (study.first + study.second).sum() / total - mean**2
    if spread == 0:
        return 1.0 if mean == 0 else 0.0
    return float(2 * stats.t.sf(abs(mean) / np.sqrt(spread / (total - 1)), total - 1))


def mcnemar(study: Study, generator: np.random.Generator) -> float:
    first, second = study.first.sum(), study.second.sum()
    return float(min(1.0, 2 * stats.binom.cdf(min(first, second), first + second, 0.5)))


TESTS = {
    "ours": ours,
    "studentised": studentised,
    "robust t": robust_t,
    "query t": naive_t,
    "McNemar": mcnemar,
}


def measure(design: Design, people: int, generator: np.random.Generator) -> dict[str, Any]:
    """Return each test's share of findings and each interval's coverage in one design."""
    found = dict.fromkeys(TESTS, 0)
    covered = {"expanded": 0, "percentile": 0}
    for _ in range(STUDIES):
        study = design.draw(generator, people)
        for name, test in TESTS.items():
            found[name] += test(study, generator) <= ALPHA
        table = np.column_stack([study.sums, study.queries])
        drawn = drawn_sums(table, generator, RESAMPLES)
        means = drawn[:, 0] / drawn[:, 1]
        expanded = percentile_interval(means, people)
        low, high = np.quantile(means, [0.025, 0.975])
        covered["expanded"] += expanded.low <= study.truth <= expanded.high
        covered["percentile"] += low <= study.truth <= high
    return {
        "design": design.name,
        "people": people,
        "effect": design.truth,
        "found": {name: count / STUDIES for name, count in found.items()},
        "covered": {name: count / STUDIES for name, count in covered.items()},
    }


def _table(rows: list[dict[str, Any]]) -> str:
    heads = ["design", "people", *TESTS, "interval holds", "unexpanded"]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for row in rows:
        shares = [*row["found"].values(), *row["covered"].values()]
        figures = " | ".join(f"{share:.3f}" for share in shares)
        lines.append(f"| {row['design']} | {row['people']} | {figures} |")
    error = np.sqrt(ALPHA * (1 - ALPHA) / STUDIES)
    lines += [
        "",
        f"Share of {STUDIES:,} studies in which a test finds a difference at {ALPHA}, and in which "
        f"a 95% interval holds the truth; the standard error of a share of {ALPHA} is {error:.3f}.",
    ]
    return "\n".join(lines)


def main() -> None:
    started = time.monotonic()
    rows = [
        measure(design, people, np.random.default_rng([number, people]))
        for number, design in enumerate(DESIGNS)
        for people in PEOPLE
    ]
    results = {"studies": STUDIES, "flips": FLIPS, "alpha": ALPHA, "rows": rows}
    write_results("significance", results, _table(rows))
    print(f"{time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
