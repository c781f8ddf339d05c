"""The report of one run: a single HTML file that opens offline."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from beholder import atomic
from beholder.evaluation.charts import accuracy_chart, training_chart
from beholder.evaluation.evaluation import Evaluation
from beholder.evaluation.items import Item, item_of, meaning_of, template
from beholder.model.networks import Pair
from beholder.study.splits import PARTS
from beholder.study.study import Study
from beholder.study.tasks import Codes, Galleries, Retrieval, Task

EXAMPLES = 4
"""Queries shown a task, drawn by the run's seed: not chosen for being right."""

ANSWERS = 3


@dataclass(frozen=True)
class Example:
    """A query, its first answers, and the rank of its best right answer."""

    query: Item
    answers: tuple[Item, ...]
    rank: int


def write_report(evaluation: Evaluation, path: Path) -> None:
    """Write the report of an evaluation, whole or not at all."""
    result = evaluation.as_json()
    page = template("run.html").render(
        result=result,
        sections=[_section(evaluation, result, task) for task in evaluation.run.tasks],
        training=[Markup(training_chart(name, logs)) for name, logs in _logs(evaluation).items()],
        configuration=evaluation.run.configuration.toml(),
        provenance=evaluation.run.provenance,
        study=evaluation.run.study,
        sizes={part: len(evaluation.run.split.rows(part)) for part in PARTS},
        weights={"-".join(p): evaluation.run.folder.weights(p) for p in _pairs(evaluation)},
    )
    atomic.write_text(path, page)


def _section(evaluation: Evaluation, result: dict[str, Any], task: Task) -> dict[str, Any]:
    scores = {m: tasks[task.name] for m, tasks in evaluation.scores.items() if task.name in tasks}
    return {
        "task": task.name,
        "meaning": meaning_of(task),
        "rows": {
            method: tasks[task.name]
            for method, tasks in result["methods"].items()
            if task.name in tasks
        },
        "chart": Markup(accuracy_chart(task.name, scores)),
        "examples": _examples(evaluation, task),
    }


def _pairs(evaluation: Evaluation) -> list[Pair]:
    return list(dict.fromkeys(task.pair for task in evaluation.run.tasks))


def _logs(evaluation: Evaluation) -> dict[str, dict[str, Any]]:
    """Return the logs of every network's spaces."""
    run = evaluation.run
    return {
        network: {space: run.folder.log(network, space) for space in run.folder.weights(pair)}
        for pair in _pairs(evaluation)
        for network in [run.network(pair)]
    }


def _examples(evaluation: Evaluation, task: Task) -> list[Example]:
    run = evaluation.run
    method = run.configuration.method
    retrieval = Galleries.of(run.study, task.pair).retrieval(task, run.split.rows("test"))
    generator = np.random.default_rng(run.configuration.seed)
    count = min(EXAMPLES, len(retrieval.queries))
    chosen = np.sort(generator.choice(len(retrieval.queries), count, replace=False))
    gallery = run.embed_samples(task.pair, task.target, retrieval.gallery, method)
    queries = run.embed_samples(task.pair, task.source, retrieval.queries[chosen], method)
    ranks = evaluation.scores[method][task.name].places.ranks
    assert ranks is not None  # a run's methods rank
    examples = []
    for place, vector in zip(chosen, queries, strict=True):
        first = np.argsort(-(gallery @ vector), kind="stable")[:ANSWERS]
        answers = tuple(_answer(run.study, task, retrieval, int(place), int(i)) for i in first)
        query = item_of(run.study, task.source, int(retrieval.queries[place]))
        examples.append(Example(query, answers, int(ranks[place])))
    return examples


def _answer(study: Study, task: Task, retrieval: Retrieval, query: int, place: int) -> Item:
    right: Codes = retrieval.right[1][retrieval.right[0] == query]
    return item_of(study, task.target, int(retrieval.gallery[place]), place in right)
