"""The report of a comparison: one HTML file that opens offline, its figures also as files."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from markupsafe import Markup

from beholder import atomic
from beholder.evaluation.comparison import charts
from beholder.evaluation.comparison.cells import Cell
from beholder.evaluation.comparison.charts import Chart
from beholder.evaluation.comparison.comparison import Comparison
from beholder.evaluation.comparison.configuration import Key
from beholder.evaluation.comparison.findings import findings
from beholder.evaluation.comparison.tables import by_split
from beholder.evaluation.items import Item, item_of, meaning_of, template
from beholder.model.training import split_of
from beholder.progress import Progress, silent
from beholder.study.study import Study
from beholder.study.tasks import MODALITIES, Codes, Galleries, Task

QUERIES = 2
"""Queries shown a task, drawn at random: not chosen for being right."""

ANSWERS = 3

VIEWERS = 6
"""Viewers of one image who are shown side by side."""

IMAGES = 2
"""Images shown through several people's eyes: at most so many of either end."""

UNSHOWN = ("chance",)


def write_report(comparison: Comparison, progress: Progress = silent) -> None:
    """Write ``report.html`` and the folder ``figures`` of a comparison."""
    results = comparison.results
    drawn = _charts(comparison)
    steps = progress([*drawn.values()], "drawing figures", len(drawn))
    for chart in steps:
        chart.save(comparison.folder.figures)
    page = template("comparison.html").render(
        results=results,
        findings=findings(results),
        splits=by_split(results),
        charts={
            name: {"svg": Markup(chart.svg), "alternative": chart.alternative}
            for name, chart in drawn.items()
        },
        same_image=_same_image(results),
        tested=[t for t in results["tests"] if t["measure"] == "top3"],
        images=_images(comparison),
        queries=_queries(comparison, progress),
    )
    atomic.write_text(comparison.folder.report, page)


def _charts(comparison: Comparison) -> dict[str, Chart]:
    """Return the figures that the results have numbers for, by name."""
    results, configuration = comparison.results, comparison.configuration
    drawn: list[Chart] = []
    for split in configuration.splits:
        scores = _pooled(comparison, split)
        if scores:
            drawn.append(charts.accuracy_curves(split, scores))
    if len(configuration.splits) > 1 and results["summary"]:
        drawn.append(charts.split_comparison(results["summary"], configuration.splits))
    if results["curves"]:
        drawn.append(charts.learning_curves(results["curves"]))
    power = [one for one in results["power"] if one["measure"] == "top3"]
    if power:
        drawn.append(charts.power_curves(power))
    for modality, found in results["distinctness"].get("style_map", {}).items():
        drawn.append(charts.style_map(modality, found))
    return {chart.name: chart for chart in drawn}


def _pooled(comparison: Comparison, split: str) -> dict[str, dict[str, list[Any]]]:
    """Return the scores of all seeds, by task and method."""
    pooled: dict[str, dict[str, list[Any]]] = {}
    configuration = comparison.configuration
    for method in configuration.methods:
        for seed in configuration.seeds:
            for task, scores in comparison.cells[Key(split, seed), method].scores.items():
                pooled.setdefault(task, {}).setdefault(method, []).append(scores)
    order = configuration.training(Key(split, 0)).parsed_tasks
    return {task.name: pooled[task.name] for task in order if task.name in pooled}


def _same_image(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return top-1 within an image, a row a split and task, a value a method."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for row in results["summary"]:
        own = row["same_image"]
        if own["top1"] is not None:
            found = rows.setdefault(
                (row["split"], row["task"]), {"chance": own["chance_top1"], "methods": {}}
            )
            if row["method"] not in UNSHOWN:
                found["methods"][row["method"]] = own["top1"]
    return [{"split": split, "task": task} | found for (split, task), found in rows.items()]


@dataclass(frozen=True)
class SeenByMany:
    """One image through several people's eyes."""

    image: str
    why: str
    viewers: tuple[tuple[Item, ...], ...]


def _images(comparison: Comparison) -> list[SeenByMany]:
    """Return the images on which people differ most and least, else those of most viewers."""
    study = comparison.study
    chosen: dict[str, str] = {}
    for space, modality in (
        ("style", "text"),
        ("base", "text"),
        ("style", "gaze"),
        ("base", "gaze"),
    ):
        spaces = comparison.results["distinctness"].get("spaces", {})
        listed = (spaces.get(space, {}).get(modality) or {}).get("images")
        if listed and not chosen:
            for end, name in (("most", "differ most"), ("least", "differ least")):
                for entry in listed[end][: IMAGES // 2]:
                    chosen.setdefault(
                        entry["image"], f"people's {modality} {name} in the {space} space"
                    )
    if not chosen:
        names = study.images["image"].to_pylist()
        viewers = np.bincount(study.image_codes, minlength=len(names))
        for row in np.argsort(-viewers, kind="stable")[:IMAGES]:
            chosen[names[row]] = f"seen by {viewers[row]} people"
    return [SeenByMany(image, why, _viewers(study, image)) for image, why in chosen.items()]


def _viewers(study: Study, image: str) -> tuple[tuple[Item, ...], ...]:
    row = study.images["image"].to_pylist().index(image)
    samples = np.flatnonzero(study.image_codes == row)[:VIEWERS]
    return tuple(
        tuple(
            item_of(study, modality, int(sample))
            for modality in MODALITIES.values()
            if study.has(modality)[sample]
        )
        for sample in samples
    )


@dataclass(frozen=True)
class Asked:
    """A query with the first answers of each method and the ranks of its right one."""

    task: str
    meaning: str
    query: Item
    answers: Mapping[str, tuple[Item, ...]]
    ranks: Mapping[str, int]


def _queries(comparison: Comparison, progress: Progress) -> list[Asked]:
    """Return a few queries of each task at the first split and seed."""
    study, configuration = comparison.study, comparison.configuration
    key = configuration.keys[0]
    cells = {m: comparison.cells[key, m] for m in configuration.methods if m not in UNSHOWN}
    if not any(cell.scores for cell in cells.values()):
        return []
    training = configuration.training(key)
    test = split_of(study, training).rows("test")
    asked = []
    for task in progress(training.parsed_tasks, "showing queries"):
        asked += _queries_of(study, task, test, cells, key.seed)
    return asked


def _queries_of(
    study: Study, task: Task, test: Codes, cells: Mapping[str, Cell], seed: int
) -> list[Asked]:
    scores = {m: cell.scores[task.name] for m, cell in cells.items() if task.name in cell.scores}
    if not scores:
        return []
    modalities = tuple(m for m in MODALITIES.values() if m in task.pair)
    retrieval = Galleries.of(study, modalities).retrieval(task, test)
    count = len(retrieval.queries)
    generator = np.random.default_rng(seed)
    chosen = np.sort(generator.choice(count, min(QUERIES, count), replace=False))
    asked = []
    for place in chosen:
        right = set(retrieval.gallery[retrieval.right[1][retrieval.right[0] == place]].tolist())
        answers, ranks = {}, {}
        for method, of_method in scores.items():
            first = of_method.first[place][:ANSWERS]
            answers[method] = tuple(
                replace(item_of(study, task.target, int(item)), is_right=int(item) in right)
                for item in first
            )
            if of_method.places.ranks is not None:
                ranks[method] = int(of_method.places.ranks[place])
        query = item_of(study, task.source, int(retrieval.queries[place]))
        asked.append(Asked(task.name, meaning_of(task), query, answers, ranks))
    return asked
