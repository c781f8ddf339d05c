"""Mouse traces as gaze, against loops over one point at a time."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beholder.errors import StudyError
from beholder.study.readers.traces import parse_trace, trace_columns

# Few values, so that ties, edges and clocks that run backwards are common; all are exact in
# 32 bits.
points = st.fixed_dictionaries(
    {
        "x": st.sampled_from([-0.25, 0, 0.25, 0.5, 1.0, 1.125]),
        "y": st.sampled_from([-0.125, 0.0, 0.75, 1, 1.5]),
        "t": st.sampled_from([0, 0.5, 1.0, 1.25, 8]),
    }
)
traces = st.lists(st.lists(points, max_size=4), max_size=4)


def by_hand(trace: list[list[dict[str, float]]]) -> tuple[dict[str, Any], int, bool]:
    """The gaze's columns, the points outside, and whether the clock ran backwards."""
    kept, outside = [], 0
    for segment in trace:
        for number, point in enumerate(segment):
            if not (0 <= point["x"] <= 1 and 0 <= point["y"] <= 1):
                outside += 1
                continue
            last = number == len(segment) - 1
            lasts = 0.0 if last else segment[number + 1]["t"] - point["t"]
            kept.append((point["x"], point["y"], point["t"], lasts))
    times = [point["t"] for segment in trace for point in segment]
    backwards = any(later < earlier for earlier, later in pairwise(times))
    if not kept:
        return dict.fromkeys(("gaze", "x", "y", "time", "duration")), outside, False
    columns = {
        "gaze": "points",
        "x": [x for x, _, _, _ in kept],
        "y": [y for _, y, _, _ in kept],
        "time": None if backwards else [t - kept[0][2] for _, _, t, _ in kept],
        "duration": None if backwards else [lasts for _, _, _, lasts in kept],
    }
    return columns, outside, backwards


@given(st.lists(traces, max_size=5))
def test_columns_are_those_of_a_loop(made: list[list[list[dict[str, float]]]]) -> None:
    found = trace_columns([parse_trace(trace) for trace in made])
    expected = [by_hand(trace) for trace in made]
    for name, column in found.columns.items():
        assert column.to_pylist() == [columns[name] for columns, _, _ in expected], name
    assert found.outside == sum(outside for _, outside, _ in expected)
    assert found.untimed == sum(backwards for _, _, backwards in expected)
    assert found.points == sum(len(segment) for trace in made for segment in trace)


POINT = {"x": 0.5, "y": 0.5, "t": 1.0}


@pytest.mark.parametrize(
    ("trace", "sentence"),
    [
        ([[POINT], 3], "a list of points as segment 2, not '3'"),
        ([None], "a list of points as segment 1, not 'None'"),
        ([POINT], "a list of points as segment 1"),
        ([""], "a list of points as segment 1"),
        ([[POINT, [0.5, 0.5, 1]]], "finite numbers x, y and t as point 2 of segment 1, not '[0.5"),
        ([[POINT], [{"x": 0.5, "y": 0.5}]], "finite numbers x, y and t as point 1 of segment 2"),
        ([[POINT | {"x": "0.5"}]], "as point 1 of segment 1, not \"{'x': '0.5'"),
        ([[POINT | {"y": None}]], "as point 1 of segment 1"),
        ([[POINT | {"y": math.nan}]], "as point 1 of segment 1"),
        ([[POINT | {"t": math.inf}]], "as point 1 of segment 1"),
        ([[POINT | {"t": -1e300}]], "as point 1 of segment 1"),
        ([[POINT | {"t": 10**400}]], "as point 1 of segment 1"),
    ],
)
def test_a_fault_is_named_by_its_place(trace: list[Any], sentence: str) -> None:
    with pytest.raises(StudyError) as caught:
        parse_trace(trace)
    assert sentence in str(caught.value)
