"""Scores as tables: one row a query, kept in Parquet."""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from beholder.evaluation.protocol import Places, TaskScores
from beholder.study.study import Study
from beholder.study.tasks import Codes


def task_table(study: Study, scores: TaskScores, method: str) -> pa.Table:
    """Return a row a query and measure: the whole gallery first, then the query's own image.

    ``rank`` is null for chance. ``first`` and ``scores`` hold the samples ranked first and what
    they scored, where they were kept; null within an image.
    """
    whole = _rows(study, scores.queries, scores.places, "gallery")
    depth = scores.first.shape[1]
    whole = whole.append_column("first", _lists(scores.first, pa.int32()))
    whole = whole.append_column("scores", _lists(scores.scores, pa.float32()))
    own = _rows(study, scores.same_image.queries, scores.same_image.places, "same-image")
    for name in ("first", "scores"):
        kind = whole.schema.field(name).type
        own = own.append_column(name, pa.nulls(own.num_rows, kind))
    table = pa.concat_tables([whole, own])
    if not depth:
        table = table.drop_columns(["first", "scores"])
    names = {"method": method, "task": scores.task.name}
    for place, (name, value) in enumerate(names.items()):
        table = table.add_column(place, name, pa.array([value] * table.num_rows, pa.string()))
    return table


def _rows(study: Study, queries: Codes, places: Places, measure: str) -> pa.Table:
    samples = study.samples.select(["participant", "image"]).take(pa.array(queries))
    ranks = pa.nulls(len(queries), pa.int64()) if places.ranks is None else pa.array(places.ranks)
    return pa.table(
        {
            "measure": pa.array([measure] * len(queries), pa.string()),
            "participant": samples["participant"],
            "image": samples["image"],
            "query": queries,
            "gallery": places.candidates,
            "right": places.right,
            "rank": ranks,
        }
    )


def _lists(values: NDArray[Any], kind: pa.DataType) -> pa.Array:
    rows, depth = values.shape
    offsets = np.arange(0, rows * depth + 1, depth) if depth else np.zeros(rows + 1, int)
    flat = pa.array(values.ravel(), kind)
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), flat)
