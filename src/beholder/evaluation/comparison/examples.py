"""What a report shows of the study itself: images through several people's eyes, and queries."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from beholder.evaluation.comparison.cells import Cell
from beholder.evaluation.comparison.comparison import Comparison
from beholder.evaluation.comparison.configuration import Key
from beholder.evaluation.items import Item, item_of, meaning_of
from beholder.model.training import split_of
from beholder.progress import Progress
from beholder.study.study import Study
from beholder.study.tasks import MODALITIES, Codes, Galleries, Task

QUERIES = 2
"""Queries shown a task, drawn at random: not chosen for being right."""

ANSWERS = 3

ANSWERING = ("base", "ours")
"""Whose answers are shown, where they were compared: else those of the last two methods."""

VIEWERS = 6
"""Viewers of one image who are shown side by side."""

IMAGES = 1
"""Images shown through several people's eyes, of either end."""


@dataclass(frozen=True)
class SeenByMany:
    """One image through several people's eyes."""

    image: str
    why: str
    viewers: tuple[tuple[Item, ...], ...]


def seen_by_many(study: Study, distinctness: Mapping[str, Any]) -> list[SeenByMany]:
    """Return the images on which people differ most and least, else those of most samples."""
    chosen = _extremes(distinctness)
    if not chosen:
        names = study.images["image"].to_pylist()
        counts = np.bincount(study.image_codes, minlength=len(names))
        order = np.argsort(-counts, kind="stable")[: 2 * IMAGES]
        chosen = {names[row]: f"{counts[row]} samples" for row in order if counts[row]}
    return [SeenByMany(image, why, _viewers(study, image)) for image, why in chosen.items()]


def _extremes(distinctness: Mapping[str, Any]) -> dict[str, str]:
    """Return the images of either end in the first space and modality that have some, and why."""
    spaces = distinctness.get("spaces", {})
    for modality in ("text", "gaze"):
        for space in ("style", "base", "content"):
            listed = (spaces.get(space, {}).get(modality) or {}).get("images")
            if listed and listed["most"]:
                chosen: dict[str, str] = {}
                for end in ("most", "least"):
                    for entry in listed[end][:IMAGES]:
                        why = f"{modality} differs {end} between people ({space} space)"
                        chosen.setdefault(entry["image"], why)
                return chosen
    return {}


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
    """A query, the first answers of a few methods, and at which rank each method is right."""

    task: str
    meaning: str
    gallery: int
    query: Item
    answers: Mapping[str, tuple[Item, ...]]
    ranks: Mapping[str, int]


def shown_key(comparison: Comparison) -> Key | None:
    """Return the first split and seed at which some method ranked, or None."""
    for key in comparison.configuration.keys:
        cells = (comparison.cells[key, m] for m in comparison.configuration.methods_of(key))
        if key.is_whole and any(_ranked(cell) for cell in cells):
            return key
    return None


def _ranked(cell: Cell) -> bool:
    return any(scores.places.ranks is not None for scores in cell.scores.values())


def queries(comparison: Comparison, key: Key, progress: Progress) -> list[Asked]:
    """Return a few queries of each task at a split and seed."""
    study, configuration = comparison.study, comparison.configuration
    training = configuration.training(key)
    test = split_of(study, training).rows("test")
    cells = {method: comparison.cells[key, method] for method in configuration.methods}
    asked = []
    for task in progress(training.parsed_tasks, "showing queries", len(training.parsed_tasks)):
        asked += _queries_of(study, task, test, cells, key.seed)
    return asked


def _queries_of(
    study: Study, task: Task, test: Codes, cells: Mapping[str, Cell], seed: int
) -> list[Asked]:
    scores = {
        method: cell.scores[task.name]
        for method, cell in cells.items()
        if task.name in cell.scores and cell.scores[task.name].places.ranks is not None
    }
    if not scores:
        return []
    answering = [method for method in ANSWERING if method in scores] or list(scores)[-2:]
    modalities = tuple(m for m in MODALITIES.values() if m in task.pair)
    retrieval = Galleries.of(study, modalities).retrieval(task, test)
    count = len(retrieval.queries)
    generator = np.random.default_rng(seed)
    asked = []
    for place in np.sort(generator.choice(count, min(QUERIES, count), replace=False)):
        right = set(retrieval.gallery[retrieval.right[1][retrieval.right[0] == place]].tolist())
        ranks = {m: int(of.places.ranks[place]) for m, of in scores.items()}  # type: ignore[index]
        answers = {
            method: tuple(
                replace(item_of(study, task.target, int(item)), is_right=int(item) in right)
                for item in scores[method].first[place][:ANSWERS]
            )
            for method in answering
        }
        query = item_of(study, task.source, int(retrieval.queries[place]))
        gallery = len(retrieval.gallery)
        asked.append(Asked(task.name, meaning_of(task), gallery, query, answers, ranks))
    return asked
