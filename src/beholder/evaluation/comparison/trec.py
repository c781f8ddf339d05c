"""Rankings and right answers in the form of TREC, for other evaluation tools."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from beholder import atomic
from beholder.evaluation.comparison.cells import Cell
from beholder.evaluation.comparison.configuration import ComparisonConfiguration, Key
from beholder.evaluation.protocol import TaskScores
from beholder.model.training import split_of
from beholder.study.study import Study
from beholder.study.tasks import MODALITIES, Galleries, Task

Cells = Mapping[tuple[Key, str], Cell]


def write_trec(
    folder: Path, study: Study, configuration: ComparisonConfiguration, cells: Cells
) -> None:
    """Write ``<split>-<seed>/<task>.qrels`` and ``<split>-<seed>/<task>.<method>.run``.

    A query and an item are named by a sample that carries them, as ``s12``: row 12 of
    ``samples.tsv``. A run holds the items that the comparison kept of each ranking; of two
    that score alike the wrong one comes first, as the protocol counts ties against the method.
    """
    folder.mkdir(parents=True, exist_ok=True)
    atomic.write_text(folder / "samples.tsv", _samples(study))
    for key in configuration.keys:
        own = {method: cells[key, method].scores for method in configuration.methods_of(key)}
        if not key.is_whole or not any(own.values()):
            continue
        (folder / key.name).mkdir(exist_ok=True)
        training = configuration.training(key)
        test = split_of(study, training).rows("test")
        for task in training.parsed_tasks:
            of_task = {m: scores[task.name] for m, scores in own.items() if task.name in scores}
            if of_task:
                qrels = _qrels(study, task, test)
                atomic.write_text(folder / key.name / f"{task.name}.qrels", qrels)
            for method, scores in of_task.items():
                if scores.first.shape[1]:
                    file = folder / key.name / f"{task.name}.{method}.run"
                    atomic.write_text(file, _run(method, scores))


def _samples(study: Study) -> str:
    table = study.samples.select(["participant", "image"]).to_pylist()
    lines = ["sample\tparticipant\timage"]
    lines += [f"s{n}\t{row['participant'] or ''}\t{row['image']}" for n, row in enumerate(table)]
    return "\n".join(lines) + "\n"


def _qrels(study: Study, task: Task, rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> str:
    modalities = tuple(m for m in MODALITIES.values() if m in task.pair)
    retrieval = Galleries.of(study, modalities).retrieval(task, rows)
    pairs = zip(
        retrieval.queries[retrieval.right[0]], retrieval.gallery[retrieval.right[1]], strict=True
    )
    return "".join(f"s{query} 0 s{item} 1\n" for query, item in pairs)


def _run(method: str, scores: TaskScores) -> str:
    lines = []
    for query, items, values in zip(scores.queries, scores.first, scores.scores, strict=True):
        lines += [
            f"s{query} Q0 s{item} {rank} {value:.9g} {method}\n"
            for rank, (item, value) in enumerate(zip(items, values, strict=True), 1)
        ]
    return "".join(lines)
