"""The report of one run: a single HTML file that opens offline."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, select_autoescape
from markupsafe import Markup

from beholder import atomic
from beholder.evaluation.charts import accuracy_chart, training_chart
from beholder.evaluation.evaluation import Evaluation
from beholder.evaluation.pictures import gaze_picture
from beholder.model.networks import Pair
from beholder.study.splits import PARTS
from beholder.study.study import Study
from beholder.study.tasks import Codes, Galleries, Retrieval, Task

EXAMPLES = 4
"""Queries shown a task, drawn by the run's seed: not chosen for being right."""

ANSWERS = 3


@dataclass(frozen=True)
class Item:
    """One item of a modality as the page shows it: a picture, a text or traits as z-scores."""

    participant: str
    picture: str | None = None
    caption: str | None = None
    text: str | None = None
    traits: dict[str, float] | None = None
    is_right: bool = False


@dataclass(frozen=True)
class Example:
    """A query, its first answers, and the rank of its best right answer."""

    query: Item
    answers: tuple[Item, ...]
    rank: int


def write_report(evaluation: Evaluation, path: Path) -> None:
    """Write the report of an evaluation, whole or not at all."""
    environment = Environment(
        loader=PackageLoader("beholder.evaluation", "."), autoescape=select_autoescape()
    )
    result = evaluation.as_json()
    page = environment.get_template("report.html").render(
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


_WORDS = {
    "gaze": "where a person looked",
    "text": "what a person wrote",
    "personality": "a person's survey",
}


def _section(evaluation: Evaluation, result: dict[str, Any], task: Task) -> dict[str, Any]:
    scores = {m: tasks[task.name] for m, tasks in evaluation.scores.items() if task.name in tasks}
    return {
        "task": task.name,
        "meaning": f"from {_WORDS[task.source]}, find {_WORDS[task.target]}",
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
        query = _item(run.study, task.source, int(retrieval.queries[place]))
        examples.append(Example(query, answers, int(ranks[place])))
    return examples


def _answer(study: Study, task: Task, retrieval: Retrieval, query: int, place: int) -> Item:
    right: Codes = retrieval.right[1][retrieval.right[0] == query]
    return _item(study, task.target, int(retrieval.gallery[place]), place in right)


def _item(study: Study, modality: str, sample: int, is_right: bool = False) -> Item:
    row = study[sample]
    participant = row.participant or "unknown"
    if modality == "gaze":
        picture = gaze_picture(study, sample)
        return Item(participant, picture=picture, caption=row.image, is_right=is_right)
    if modality == "text":
        return Item(participant, text=row.text, is_right=is_right)
    assert study.instrument is not None  # a task with personality has a survey
    answers = study.answers[~np.isnan(study.answers).any(axis=1)]
    everyone = study.instrument.trait_scores(answers)
    own = study.instrument.trait_scores(study.answers[[study.participant_codes[sample]]])[0]
    spread = np.where(everyone.std(axis=0) > 0, everyone.std(axis=0), 1.0)
    scores = (own - everyone.mean(axis=0)) / spread  # no norms exist: z-scores within the study
    traits = dict(zip(study.instrument.traits, map(float, scores), strict=True))
    return Item(participant, traits=traits, is_right=is_right)
