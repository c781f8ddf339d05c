"""The table of fixations: one row a fixation or click, or one row an area that a fixation hit."""

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from beholder.errors import StudyError
from beholder.study.gaze import Floats
from beholder.study.problems import Problems
from beholder.study.readers.mapping import SECONDS_IN, Mapping
from beholder.study.readers.table import Table, TableFile

BOX_TOLERANCE_PX = 1.0
"""Boxes of areas may leave the image by a rounding of its annotators."""

_LARGEST_NUMBER = 2**53  # beyond it, a float skips whole numbers

BOX_COLUMNS = ("aoi_x", "aoi_y", "aoi_width", "aoi_height")
AREA_COLUMNS = ("aoi_label", *BOX_COLUMNS)


def has_points(fixations: Table | TableFile) -> bool:
    """Tell whether a table has points; else it must have areas."""
    return "x" in fixations and "y" in fixations


def _scales(
    table: Table, sizes: dict[str, tuple[int, int]], mapping: Mapping
) -> tuple[Floats, Floats]:
    """Return what each row's x and y are divided by to become fractions of its image."""
    if mapping.coordinates == "fractions":
        return np.ones(len(table)), np.ones(len(table))
    row, images = table.codes("image")
    size = np.array([sizes[image] for image in images], dtype=float).reshape(-1, 2)[row]
    return size[:, 0], size[:, 1]


def _check_unit(table: Table, columns: tuple[str, ...], mapping: Mapping) -> None:
    """Raise StudyError where all that should be pixels are fractions, which are pixels as well."""
    if mapping.coordinates != "pixels":
        return
    found = np.concatenate([table.numbers(column)[0] for column in columns])
    found = found[np.isfinite(found)]
    if len(found) and ((found >= 0) & (found <= 1)).all() and (found != np.round(found)).any():
        raise StudyError(
            f"{table.file}: no {' or '.join(columns)} is above 1, expected pixels of the image; "
            'of fractions a mapping says coordinates = "fractions" in its section [units]'
        )


def check_points(
    table: Table, sizes: dict[str, tuple[int, int]], mapping: Mapping, problems: Problems
) -> Table:
    """Return the rows whose points lie in their image and whose times are numbers."""
    _check_unit(table, ("x", "y"), mapping)
    unit = mapping.coordinates.removesuffix("s")
    for axis, column in enumerate(("x", "y")):
        limits = _scales(table, sizes, mapping)[axis]
        values, valid = table.numbers(column)
        outside = ~valid | ~((values >= 0) & (values <= limits))
        found = table.problems(outside, column, f"a {unit} inside the image")
        problems.add(
            [
                replace(problem, expected=f"{problem.expected}, 0 to {limit:g}")
                for problem, limit in zip(found, limits[outside], strict=True)
            ]
        )
        table = table.where(~outside)
    for column in ("t", "duration"):
        if column not in table:
            continue
        values, valid = table.numbers(column)
        expected = f"a time in {mapping.time}"
        if column == "duration":
            valid &= ~(values < 0)
            expected = f"a duration of 0 or more in {mapping.time}"
        table = table.reject(~valid, column, expected, problems)
    return table


def points_columns(
    table: Table,
    sample: NDArray[np.int64],
    count: int,
    sizes: dict[str, tuple[int, int]],
    mapping: Mapping,
) -> dict[str, Any]:
    """Return the columns of `schema.SAMPLES` for points; ``sample`` numbers each row's sample."""
    width, height = _scales(table, sizes, mapping)
    x, y = table.numbers("x")[0] / width, table.numbers("y")[0] / height
    columns: dict[str, Floats] = {"x": x, "y": y}
    seconds = SECONDS_IN[mapping.time]
    if "t" not in table:
        order = np.argsort(sample, kind="stable")
    else:
        time = table.numbers("t")[0] * seconds
        order = np.lexsort((time, sample))
        columns["time"] = time - _first_of_each(sample, time, count)[sample]
    if "duration" in table:
        columns["duration"] = table.numbers("duration")[0] * seconds
    lengths = np.bincount(sample, minlength=count)
    lists = {name: _lists(values[order], lengths) for name, values in columns.items()}
    return {"gaze": _form("points", lengths)} | lists


def _first_of_each(sample: NDArray[np.int64], time: Floats, count: int) -> Floats:
    first = np.full(count, np.inf)
    np.minimum.at(first, sample, time)
    return first


def check_areas(
    table: Table, sizes: dict[str, tuple[int, int]], mapping: Mapping, problems: Problems
) -> Table:
    """Return the rows whose areas are whole, inside their image, or none."""
    _check_unit(table, BOX_COLUMNS, mapping)
    number, valid = table.numbers("fixation")
    bad = ~valid | (number != np.round(number)) | (number < 0) | (number > _LARGEST_NUMBER)
    table = table.reject(bad, "fixation", "the fixation's number in its sample", problems)
    nowhere = np.all([table.empty(column) for column in AREA_COLUMNS], axis=0)
    for column in AREA_COLUMNS:
        half = ~nowhere & table.empty(column)
        table = table.reject(half, column, "an area's label and box, or none of them", problems)
        nowhere = nowhere[~half]
    for axis, (start, length) in enumerate((("aoi_x", "aoi_width"), ("aoi_y", "aoi_height"))):
        nowhere = np.all([table.empty(column) for column in AREA_COLUMNS], axis=0)
        limits = _scales(table, sizes, mapping)[axis]
        tolerance = BOX_TOLERANCE_PX if mapping.coordinates == "pixels" else 0.0
        first, first_valid = table.numbers(start)
        extent, extent_valid = table.numbers(length)
        bad = ~nowhere & ~(first_valid & (first >= -tolerance) & (first <= limits))
        bad_extent = ~nowhere & ~(extent_valid & (extent > 0))
        bad_extent |= ~nowhere & ~bad & (first + extent > limits + tolerance)
        found = table.problems(bad, start, "an area inside the image")
        found += table.problems(bad_extent & ~bad, length, "an area inside the image")
        problems.add(sorted(found, key=lambda problem: problem.row))
        table = table.where(~(bad | bad_extent))
    return table


def areas_columns(
    table: Table,
    sample: NDArray[np.int64],
    count: int,
    sizes: dict[str, tuple[int, int]],
    mapping: Mapping,
) -> dict[str, Any]:
    """Return the columns of `schema.SAMPLES` for areas; ``sample`` numbers each row's sample."""
    width, height = _scales(table, sizes, mapping)
    number = table.numbers("fixation")[0].astype(np.int64)
    order = np.lexsort((number, sample))
    number = _renumbered(sample[order], number[order])
    sample = sample[order]
    fixations = np.zeros(count, dtype=np.int64)
    np.maximum.at(fixations, sample, number + 1)
    hit = ~table.empty("aoi_label")[order]
    lengths = np.bincount(sample[hit], minlength=count)
    lists = {"area_fixation": _lists(number[hit], lengths)}
    labels = np.array(table.texts("aoi_label"), dtype=object)[order][hit]
    lists["area_label"] = _lists(labels, lengths)
    for column, scale in zip(BOX_COLUMNS, (width, height, width, height), strict=True):
        values = (table.numbers(column)[0] / scale)[order][hit]
        lists[column.replace("aoi", "area")] = _lists(values, lengths)
    return {"gaze": _form("areas", fixations), "fixations": fixations} | lists


def _renumbered(sample: NDArray[np.int64], number: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number each sample's fixations 0, 1, 2 … in order, whatever numbers a lab gave them."""
    if not len(number):
        return number
    new_sample = np.r_[True, sample[1:] != sample[:-1]]
    new_fixation = new_sample | np.r_[True, number[1:] != number[:-1]]
    running = np.cumsum(new_fixation) - 1
    start = np.maximum.accumulate(np.where(new_sample, running, 0))
    return running - start


def _lists(values: NDArray[Any], lengths: NDArray[np.integer[Any]]) -> pa.ListArray:
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values))


def _form(form: str, lengths: NDArray[np.integer[Any]]) -> pa.Array:
    return pa.array(np.where(lengths > 0, form, ""), mask=lengths == 0)
