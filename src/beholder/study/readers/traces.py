"""Mouse traces as gaze: the columns of `schema.SAMPLES` for a batch of them, without a loop."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from beholder.errors import StudyError
from beholder.study.gaze import Floats
from beholder.study.problems import shown

_COORDINATES = tuple(map(itemgetter, "xyt"))
_LARGEST = 1e9  # no fraction and no number of seconds is as large


@dataclass(frozen=True)
class Trace:
    """Where a pointer was: ``points`` are x, y in fractions and t in seconds, shape (3, n).

    The pointer left the image's surroundings and came back between two segments; ``lengths``
    has each segment's number of points, and their sum is n.
    """

    points: Floats
    lengths: tuple[int, ...]

    def inside(self) -> NDArray[np.bool_]:
        """Tell which points lie in the image, shape (n,)."""
        return _inside(self.points)


def parse_trace(segments: Sequence[Any]) -> Trace:
    """Return the trace of lists of {x, y, t}, or raise StudyError with what was expected."""
    if not all(isinstance(segment, list) for segment in segments):
        raise _fault(segments)
    try:
        points = list(chain.from_iterable(segments))
        lengths = tuple(map(len, segments))
        columns = [map(coordinate, points) for coordinate in _COORDINATES]
        packed = struct.pack(f"{3 * len(points)}d", *chain.from_iterable(columns))
    except (TypeError, KeyError, OverflowError, struct.error) as error:
        raise _fault(segments) from error
    values = np.frombuffer(packed, dtype=float).reshape(3, -1)
    if not (np.abs(values) < _LARGEST).all():
        raise _fault(segments)
    return Trace(values, lengths)


def _fault(segments: Sequence[Any]) -> StudyError:
    """Return what is wrong with a trace, looking closely at last."""
    for number, segment in enumerate(segments, start=1):
        if not isinstance(segment, list):
            return StudyError(f"a list of points as segment {number}, not {shown(str(segment))}")
        for place, point in enumerate(segment, start=1):
            values = [point.get(key) for key in "xyt"] if isinstance(point, dict) else [None]
            if not all(isinstance(v, int | float) and abs(v) < _LARGEST for v in values):
                return StudyError(
                    f"finite numbers x, y and t as point {place} of segment {number}, not "
                    f"{shown(str(point))}"
                )
    return StudyError("lists of points")


def _inside(points: Floats) -> NDArray[np.bool_]:
    x, y, _ = points
    return np.asarray((x >= 0) & (x <= 1) & (y >= 0) & (y <= 1))


@dataclass(frozen=True)
class TraceColumns:
    """Columns of gaze, one row a trace, and what they leave out."""

    columns: dict[str, pa.Array]
    points: int  # of all traces
    outside: int  # of them, those beyond the image's edge, which are dropped
    untimed: int  # traces whose clock runs backwards: their points keep no time


def trace_columns(traces: Sequence[Trace]) -> TraceColumns:
    """Return the gaze of traces; one with no point in its image has none.

    A point's time counts from the first kept one. It lasts until the next point of its
    segment, kept or not: a pointer that rests sends no points. The last of a segment lasts 0 s.
    """
    points = np.concatenate([np.zeros((3, 0)), *(trace.points for trace in traces)], axis=1)
    ends = np.cumsum([trace.points.shape[1] for trace in traces], dtype=np.int64)
    x, y, time = points
    duration, backwards = _durations(time, ends, traces)
    inside = _inside(points)
    offsets = np.concatenate([[0], np.cumsum(inside)])[np.concatenate([[0], ends])]
    kept = np.diff(offsets)
    absent, timeless = kept == 0, (kept == 0) | backwards
    time = time[inside]
    start = time[offsets[:-1][~absent]]  # of every trace that is left
    columns = {
        "x": _lists(x[inside], offsets, absent),
        "y": _lists(y[inside], offsets, absent),
        "time": _lists(time - np.repeat(start, kept[~absent]), offsets, timeless),
        "duration": _lists(duration[inside], offsets, timeless),
    }
    forms = pa.array(["points" if form else None for form in kept], pa.string())
    return TraceColumns(
        {"gaze": forms} | columns,
        points=len(inside),
        outside=len(inside) - len(time),
        untimed=int((backwards & ~absent).sum()),
    )


def _durations(
    time: Floats, ends: NDArray[np.int64], traces: Sequence[Trace]
) -> tuple[Floats, NDArray[np.bool_]]:
    """Return how long each point lasts, and whether the clock of each trace runs backwards.

    ``ends`` has the number of points up to each trace's end.
    """
    duration = np.diff(time, append=time[-1:])
    falls = np.flatnonzero(duration < 0)  # most are from one trace to the next
    falls = falls[~np.isin(falls + 1, ends)]
    backwards = np.zeros(len(traces), dtype=bool)
    backwards[np.searchsorted(ends, falls, side="right")] = True
    lengths = np.array([n for trace in traces for n in trace.lengths], dtype=np.int64)
    duration[np.cumsum(lengths)[lengths > 0] - 1] = 0
    return duration, backwards


def _lists(values: Floats, offsets: NDArray[np.int64], null: NDArray[np.bool_]) -> pa.Array:
    return pa.ListArray.from_arrays(
        pa.array(offsets, pa.int32()), pa.array(values.astype(np.float32)), mask=pa.array(null)
    )
