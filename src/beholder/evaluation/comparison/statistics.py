"""The statistics of a comparison, from its cells; people are drawn, never queries."""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beholder.evaluation.clusters import Interval, cluster_sums
from beholder.evaluation.comparison.cells import Cell
from beholder.evaluation.comparison.configuration import ComparisonConfiguration, Key
from beholder.evaluation.curves import LearningCurve, Trial, learning_curve
from beholder.evaluation.flattery import Scored, falls
from beholder.evaluation.metrics import cluster_bootstrap
from beholder.evaluation.power import participants_needed, power_curve
from beholder.evaluation.protocol import HEADLINE, Places, TaskScores
from beholder.evaluation.significance import compare_methods
from beholder.study.gaze import Floats
from beholder.study.splits import UNITS
from beholder.study.tasks import Codes

Cells = Mapping[tuple[Key, str], Cell]

MEASURES = ("top3", "same_image_top1")
"""What is tested: the paper's measure, and personal perception alone."""

REFERENCE, CHAMPION = "base", "ours"

POWER_AT = (10, 20, 40, 80, 160, 320)


def pooled_interval(
    configuration: ComparisonConfiguration, cells: Cells, method: str, task: str, split: str
) -> Interval:
    """Return the 95% interval of the mean top 3 over all seeds, people drawn with all of theirs."""
    scores = _whole(configuration, cells, method, task, split)
    values = np.concatenate([one.places.hits(HEADLINE) for one in scores.values()])
    clusters = np.concatenate([one.clusters for one in scores.values()])
    return cluster_bootstrap(values, clusters, _generator("pooled", split, task, method))


def paired_tests(configuration: ComparisonConfiguration, cells: Cells) -> list[dict[str, Any]]:
    """Return every method against base and `ours` against all, corrected within a family.

    A family is one measure of one task and split. Methods are tested on the seeds that all of
    them have; one that has none is left out.
    """
    tests = []
    for split, task, measure in _families(configuration):
        values, clusters = _paired(configuration, cells, split, task, measure)
        if len(values) > 1 and len(clusters):
            generator = _generator("tests", split, task, measure)
            for found in compare_methods(
                values, clusters, generator, reference=REFERENCE, champion=CHAMPION
            ):
                names = {"split": split, "task": task, "measure": measure}
                numbers = {k: v for k, v in vars(found).items() if k != "interval"}
                tests.append(names | numbers | {"ci95": [found.interval.low, found.interval.high]})
    return tests


def needed_participants(
    configuration: ComparisonConfiguration, cells: Cells
) -> list[dict[str, Any]]:
    """Return how many people a study of `ours` against base would need, by split and task."""
    found = []
    for split, task, measure in _families(configuration):
        values, clusters = _paired(configuration, cells, split, task, measure)
        if not {REFERENCE, CHAMPION} <= set(values) or len(np.unique(clusters)) < 2:
            continue
        sums, _ = cluster_sums([values[CHAMPION] - values[REFERENCE]], clusters)
        generator = _generator("power", split, task, measure)
        needed = participants_needed(sums[:, 0], generator)
        curve = power_curve(sums[:, 0], POWER_AT, generator)
        found.append(
            {
                **{"split": split, "task": task, "measure": measure},
                **{"method": CHAMPION, "against": REFERENCE, "power": 0.8},
                "observed": len(sums),
                "participants": needed.participants,
                "ci95": [needed.interval.low, needed.interval.high],
                "cautious": needed.cautious,
                "reason": needed.reason,
                "curve": [
                    {
                        "participants": point.participants,
                        "power": point.power,
                        "ci95": [point.interval.low, point.interval.high],
                    }
                    for point in curve
                ],
            }
        )
    return found


def falls_of(configuration: ComparisonConfiguration, cells: Cells) -> list[dict[str, Any]]:
    """Return how far each method falls from the random split to the others, by task."""
    found = []
    for task in _tasks(configuration):
        scores = {
            split: {
                method: _scored(of)
                for method in configuration.methods
                if (of := _whole(configuration, cells, method, task, split))
            }
            for split in configuration.splits
        }
        for one in falls(scores, _generator("flattery", task)):
            values = {k: v for k, v in vars(one).items() if "interval" not in k}
            intervals = {
                "ci95": [one.interval.low, one.interval.high],
                "kept_ci95": [one.kept_interval.low, one.kept_interval.high],
            }
            found.append({"task": task} | values | intervals)
    return found


def curves(configuration: ComparisonConfiguration, cells: Cells) -> list[dict[str, Any]]:
    """Return how top 3 grows with the training part, in samples and in participants."""
    found = []
    seeds = configuration.seeds[: configuration.curve_seeds]
    for unit in UNITS:
        split = configuration.curve_split(unit)
        keys = [key for key in configuration.keys if key.split == split and key.seed in seeds]
        keys = [key for key in keys if key.is_whole or key.share_of == unit]
        methods = {m for key in keys if not key.is_whole for m in configuration.methods_of(key)}
        for task in _tasks(configuration):
            for method in sorted(methods):
                trials = [
                    Trial(
                        key.share,
                        key.seed,
                        scores.places.hits(HEADLINE),
                        scores.clusters,
                    )
                    for key in keys
                    if (scores := cells[key, method].scores.get(task)) is not None
                ]
                generator = _generator("curve", unit, task, method)
                curve = learning_curve(trials, generator) if trials else None
                if curve is not None:
                    names = {"task": task, "method": method, "split": split, "share_of": unit}
                    found.append(names | _curve(curve, trials))
    return found


def _curve(curve: LearningCurve, trials: Sequence[Trial]) -> dict[str, Any]:
    measured = [
        np.mean(np.concatenate([trial.values for trial in trials if trial.size == size]))
        for size in curve.sizes
    ]
    points = zip(curve.sizes, measured, curve.scores, curve.low, curve.high, strict=True)
    return {
        "form": type(curve.curve).__name__.lower(),
        "parameters": vars(curve.curve),
        "points": [
            {"share": size, "measured": mean, "top3": score, "ci95": [low, high]}
            for size, mean, score, low, high in points
        ],
        "doubling": curve.doubling,
        "doubling_ci95": [curve.doubling_interval.low, curve.doubling_interval.high],
    }


def _tasks(configuration: ComparisonConfiguration) -> list[str]:
    return [task.name for task in configuration.training(configuration.keys[0]).parsed_tasks]


def _families(configuration: ComparisonConfiguration) -> Iterator[tuple[str, str, str]]:
    for split in configuration.splits:
        for task in _tasks(configuration):
            for measure in MEASURES:
                yield split, task, measure


def _whole(
    configuration: ComparisonConfiguration, cells: Cells, method: str, task: str, split: str
) -> dict[int, TaskScores]:
    """Return a method's scores on a task with the whole training part, by seed."""
    found = {}
    for seed in configuration.seeds:
        scores = cells[Key(split, seed), method].scores.get(task)
        if scores is not None:
            found[seed] = scores
    return found


def _paired(
    configuration: ComparisonConfiguration, cells: Cells, split: str, task: str, measure: str
) -> tuple[dict[str, Floats], Codes]:
    """Return every method's value a query, over the seeds that all have, and whose each is."""
    scores = {
        method: of
        for method in configuration.methods
        if (of := _whole(configuration, cells, method, task, split))
    }
    seeds = [s for s in configuration.seeds if scores and all(s in of for of in scores.values())]
    if not seeds:
        return {}, np.zeros(0, dtype=np.int64)
    values = {
        method: np.concatenate([_values(of[seed], measure) for seed in seeds])
        for method, of in scores.items()
    }
    first = next(iter(scores.values()))
    return values, np.concatenate([_clusters(first[seed], measure) for seed in seeds])


def _values(scores: TaskScores, measure: str) -> Floats:
    if measure == "top3":
        return scores.places.hits(HEADLINE)
    counted = scores.same_image.counted(1)
    return scores.same_image.places.of(counted).hits(1)


def _clusters(scores: TaskScores, measure: str) -> Codes:
    if measure == "top3":
        return scores.clusters
    return scores.same_image.clusters[scores.same_image.counted(1)]


def _scored(scores: Mapping[int, TaskScores]) -> Scored:
    def joined(of_one: Any) -> NDArray[Any]:
        return np.concatenate([of_one(one) for one in scores.values()])

    return Scored(
        joined(lambda one: one.places.hits(HEADLINE)),
        joined(lambda one: _chance(one.places)),
        joined(lambda one: one.clusters),
    )


def _chance(places: Places) -> Floats:
    return Places(places.candidates, places.right, None).hits(HEADLINE)


def _generator(*names: str) -> np.random.Generator:
    """Return a stream of a statistic's own, so that none hangs on which others there are."""
    return np.random.default_rng([zlib.crc32(name.encode()) for name in names])
