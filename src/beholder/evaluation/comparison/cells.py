"""The cells of a comparison: one method at one split and seed, with all its tasks."""

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from beholder.errors import RunError
from beholder.evaluation.protocol import Places, SameImageScores, TaskScores, clusters_of
from beholder.evaluation.tables import task_table
from beholder.study.study import Study
from beholder.study.tasks import TASKS

_ABOUT = b"beholder"


@dataclass(frozen=True)
class Cell:
    """What a method scored; ``missing`` says in one sentence why a task has no scores."""

    method: str
    scores: dict[str, TaskScores]
    missing: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    sizes: dict[str, int] = field(default_factory=dict)

    def table(self, study: Study) -> pa.Table:
        """Return one row a task, measure and query; what is no row goes into the metadata."""
        tables = [task_table(study, scores, self.method) for scores in self.scores.values()]
        table = pa.concat_tables(tables, promote_options="default") if tables else pa.table({})
        about = {k: v for k, v in vars(self).items() if k not in ("scores", "method")}
        return table.replace_schema_metadata({_ABOUT: json.dumps(about).encode()})


def cell_of(study: Study, method: str, table: pa.Table) -> Cell:
    """Return the cell that a table holds; RunError if it is no cell's."""
    try:
        about = json.loads((table.schema.metadata or {})[_ABOUT])
        tasks = dict.fromkeys(table["task"].to_pylist()) if table.num_rows else {}
        scores = {name: _scores(study, name, table) for name in tasks}
        return Cell(
            method, scores, about["missing"], tuple(about["warnings"]), dict(about["sizes"])
        )
    except (KeyError, ValueError, TypeError, pa.ArrowException) as error:
        raise RunError(f"the scores of {method} cannot be read: {error}") from error


def _scores(study: Study, name: str, table: pa.Table) -> TaskScores:
    columns = {column: table[column] for column in ("task", "measure")}
    of_task = np.array(columns["task"].to_pylist()) == name
    is_whole = np.array(columns["measure"].to_pylist()) == "gallery"
    whole, own = table.filter(of_task & is_whole), table.filter(of_task & ~is_whole)
    queries = whole["query"].to_numpy()
    clusters = clusters_of(study)
    places = _places(whole)
    first, scores = (_matrix(whole, column) for column in ("first", "scores"))
    return TaskScores(
        TASKS[name],
        queries,
        int(places.candidates[0]),
        places,
        clusters[queries],
        SameImageScores(own["query"].to_numpy(), _places(own), clusters[own["query"].to_numpy()]),
        first.astype(np.int64),
        scores.astype(np.float32),
    )


def _places(table: pa.Table) -> Places:
    ranks = table["rank"]
    return Places(
        table["gallery"].to_numpy(),
        table["right"].to_numpy(),
        None if ranks.null_count and ranks.null_count == len(ranks) else ranks.to_numpy(),
    )


def _matrix(table: pa.Table, column: str) -> np.ndarray[Any, Any]:
    if column not in table.column_names or table[column].null_count == table.num_rows:
        return np.zeros((table.num_rows, 0))
    flat: np.ndarray[Any, Any] = table[column].combine_chunks().flatten().to_numpy()
    return flat.reshape(table.num_rows, -1)


@dataclass(frozen=True)
class Job:
    """Work that is done in one go: the methods of a group at one key.

    ``describes`` marks the one that also measures how people differ. ``done`` are the methods
    whose cells are there already.
    """

    key: dict[str, Any]
    group: str
    methods: tuple[str, ...]
    describes: bool = False
    done: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.group} of {'-'.join(map(str, self.key.values()))}"
