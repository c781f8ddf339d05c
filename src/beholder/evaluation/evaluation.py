"""Evaluating a run: every method and task on the test part, the scores kept per query."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from beholder import atomic
from beholder.evaluation.protocol import TaskScores, score_task
from beholder.evaluation.tables import task_table
from beholder.model.configuration import COMBINED
from beholder.model.methods import RunMatcher
from beholder.model.run import Run
from beholder.progress import Progress, silent
from beholder.study.tasks import MODALITIES, Galleries

SCORES_FILE = "scores.parquet"
EVALUATION_FILE = "evaluation.json"


@dataclass(frozen=True)
class Evaluation:
    """A run's scores: ``scores[method][task]``, the methods in the order of the table."""

    run: Run
    scores: Mapping[str, Mapping[str, TaskScores]]

    def as_json(self) -> dict[str, Any]:
        """Return the object that `beholder evaluate --json` prints.

        ``tasks`` has the measures of the run's method, ``methods`` those of all, by method.
        ``task_methods`` tells what the run's method is for each task: see `Run.method_for`.
        """
        configuration = self.run.configuration
        methods = {
            method: {name: scores.measures(configuration.seed) for name, scores in tasks.items()}
            for method, tasks in self.scores.items()
        }
        own = {task.name: self.run.method_for(task.pair) for task in self.run.tasks}
        return {
            "study": self.run.provenance.study,
            "split": configuration.split,
            "method": configuration.method,
            "seed": configuration.seed,
            "tasks": {task: methods[method][task] for task, method in own.items()},
            "task_methods": own,
            "methods": methods,
            "warnings": list(self.run.provenance.warnings),
        }

    def table(self) -> pa.Table:
        """Return one row a method, task and query, with its ranks."""
        tables = [
            task_table(self.run.study, scores, method)
            for method, tasks in self.scores.items()
            for scores in tasks.values()
        ]
        return pa.concat_tables(tables)


def evaluate(run: Run | str | Path, progress: Progress = silent) -> Evaluation:
    """Evaluate a run, or the one in a folder, on its test part and keep the scores in its folder.

    Writes ``scores.parquet`` (one row a method, task and query) and ``evaluation.json``.
    """
    run = run if isinstance(run, Run) else Run.open(run)
    modalities = [m for m in MODALITIES.values() if any(m in task.pair for task in run.tasks)]
    galleries = Galleries.of(run.study, tuple(modalities))
    rows = run.split.rows("test")
    scores: dict[str, dict[str, TaskScores]] = {}
    for task in progress(run.tasks, "evaluating", len(run.tasks)):
        retrieval = galleries.retrieval(task, rows)
        same_image = galleries.same_image(task, rows)
        for method in run.methods(task.pair):
            matcher = RunMatcher(run, method)
            found = score_task(run.study, matcher, retrieval, same_image)
            scores.setdefault(method, {})[task.name] = found
    evaluation = Evaluation(run, _in_order(scores))
    sink = pa.BufferOutputStream()
    pq.write_table(evaluation.table(), sink, compression="zstd")
    atomic.write_bytes(run.path / SCORES_FILE, sink.getvalue().to_pybytes())
    text = json.dumps(evaluation.as_json(), indent=1)
    atomic.write_text(run.path / EVALUATION_FILE, text + "\n")
    return evaluation


def _in_order(scores: dict[str, dict[str, TaskScores]]) -> dict[str, dict[str, TaskScores]]:
    """Return the scores with what adds spaces last, as tasks may differ in those they have."""
    last = {method: place for place, method in enumerate(COMBINED, 1)}
    return {method: scores[method] for method in sorted(scores, key=lambda m: last.get(m, 0))}
