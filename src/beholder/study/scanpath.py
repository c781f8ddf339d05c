"""Scan-path statistics: how a person looked, whatever they looked at.

Each statistic is defined for every form of gaze in which it can be known and is 0 elsewhere,
so that the vectors of one study have one length, `STATISTICS`. A fixation of
which only the areas are known lies at the centre of the first one named, if it hit any; sizes
are lengths, the square root of a box's area, so that they compare with distances.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from beholder.study.gaze import Areas, DenseMap, Floats, Gaze, Points, attention_maps

STATISTICS = (
    "events",  # log of one plus their number
    "centre_x",  # where the gaze lay on average, fractions of the image
    "centre_y",
    "spread_x",  # standard deviation round that centre, fractions
    "spread_y",
    "entropy",  # of a 8x8 attention map, nats
    "step_mean",  # distance from one event to the next, fractions of the width and height
    "step_spread",
    "first_x",  # where the first event lay, fractions of the image; of areas, the first one hit
    "first_y",
    "last_x",
    "last_y",
    "duration_mean",  # seconds
    "duration_total",  # seconds from the first event to the last
    "hit_rate",  # share of the fixations that hit an area
    "distinct_areas",  # log of one plus their number, by the first area of each fixation
    "distinct_labels",  # log of one plus their number, of all the areas hit
    "switch_rate",  # share of the steps that change the area
    "revisit_rate",  # share of the visits that return to an area left before
    "nesting",  # areas per fixation that hit one
    "area_size",  # mean of the boxes that were hit, as the root of the fraction of the image
    "area_spread",  # standard deviation of those
)

_GRID = 8


def scanpath_statistics(gaze: Gaze) -> Floats:
    """Return the statistics named in `STATISTICS` for one gaze, shape (22,)."""
    return np.asarray(statistics_of_scanpaths([gaze])[0])


def statistics_of_scanpaths(gazes: Sequence[Gaze]) -> Floats:
    """Return the `scanpath_statistics` of n gazes, shape (n, 22)."""
    statistics = np.zeros((len(gazes), len(STATISTICS)))
    for name, column in _of_attention(attention_maps(gazes, _GRID, _GRID)).items():
        statistics[:, STATISTICS.index(name)] = column
    for row, gaze in zip(statistics, gazes, strict=True):
        values: dict[str, float] = {}
        match gaze:
            case Points():
                values = _of_points(gaze)
            case Areas():
                values = _of_areas(gaze)
            case DenseMap():
                pass
        for name, value in values.items():
            row[STATISTICS.index(name)] = value
    return statistics


def _of_attention(maps: Floats) -> dict[str, Floats]:
    """Return statistics of n maps, each of shape (n,); all are 0 where a map is."""
    centres = (np.arange(_GRID) + 0.5) / _GRID
    along_x, along_y = maps.sum(axis=1), maps.sum(axis=2)
    centre_x, centre_y = along_x @ centres, along_y @ centres
    logarithm = np.log(np.where(maps > 0, maps, 1))
    return {
        "centre_x": centre_x,
        "centre_y": centre_y,
        "spread_x": np.sqrt(np.maximum(along_x @ centres**2 - centre_x**2, 0)),
        "spread_y": np.sqrt(np.maximum(along_y @ centres**2 - centre_y**2, 0)),
        "entropy": -(maps * logarithm).sum(axis=(1, 2)),
    }


def _of_points(points: Points) -> dict[str, float]:
    values = {"events": float(np.log1p(len(points)))}
    values |= _of_path(points.x, points.y)
    if points.duration is not None and len(points):
        values["duration_mean"] = float(np.nan_to_num(points.duration).mean())
    if points.time is not None and len(known := points.time[~np.isnan(points.time)]):
        values["duration_total"] = float(known.max() - known.min())
    return values


def _of_areas(areas: Areas) -> dict[str, float]:
    values = {"events": float(np.log1p(areas.fixations))}
    if not len(areas.fixation):
        return values
    box = np.asarray(areas.box, dtype=float)
    x, y, width, height = box.T
    # The first area named stands for its fixation.
    hit, first_row = np.unique(areas.fixation, return_index=True)
    first = [(areas.label[row], *box[row].tolist()) for row in first_row.tolist()]
    switches = sum(one != other for one, other in pairwise(first))
    visits, distinct = 1 + switches, len(set(first))
    size = np.sqrt(width * height)
    weight = areas.shares() / len(hit)  # sums to 1
    mean_size = float(weight @ size)
    values |= _of_path((x + width / 2)[first_row], (y + height / 2)[first_row])
    values |= {
        "hit_rate": len(hit) / areas.fixations,
        "distinct_areas": float(np.log1p(distinct)),
        "distinct_labels": float(np.log1p(len(set(areas.label)))),
        "switch_rate": switches / max(len(first) - 1, 1),
        "revisit_rate": (visits - distinct) / visits,
        "nesting": len(areas.fixation) / len(hit),
        "area_size": mean_size,
        "area_spread": float(np.sqrt(weight @ (size - mean_size) ** 2)),
    }
    return values


def _of_path(x: Floats, y: Floats) -> dict[str, float]:
    if not len(x):
        return {}
    steps = np.hypot(x[1:] - x[:-1], y[1:] - y[:-1])
    return {
        "step_mean": float(steps.mean()) if len(steps) else 0.0,
        "step_spread": float(steps.std()) if len(steps) else 0.0,
        "first_x": float(x[0]),
        "first_y": float(y[0]),
        "last_x": float(x[-1]),
        "last_y": float(y[-1]),
    }
