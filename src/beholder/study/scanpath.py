"""Scan-path statistics: how a person looked, whatever they looked at.

Each statistic is defined for every form of gaze in which it can be known and is 0 elsewhere,
so that the vectors of one study have one length, `STATISTICS`.
"""

import numpy as np
from numpy.typing import NDArray

from beholder.study.gaze import Areas, DenseMap, Floats, Gaze, Points, attention_map

STATISTICS = (
    "events",  # log of one plus their number
    "centre_x",  # where the gaze lay on average, fractions of the image
    "centre_y",
    "spread_x",  # standard deviation round that centre, fractions
    "spread_y",
    "entropy",  # of a 8x8 attention map, nats
    "step_mean",  # distance from one event to the next, fractions of the width and height
    "step_spread",
    "duration_mean",  # seconds
    "duration_total",  # seconds from the first event to the last
    "hit_rate",  # share of the fixations that hit an area
    "distinct_areas",  # log of one plus their number
    "switch_rate",  # share of the steps that change the area
    "revisit_rate",  # share of the visits that return to an area left before
    "nesting",  # areas per fixation that hit one
    "area_size",  # mean area of the boxes that were hit, fractions of the image
)

_GRID = 8


def scanpath_statistics(gaze: Gaze) -> Floats:
    """Return the statistics named in `STATISTICS` for one gaze, shape (16,)."""
    values = dict.fromkeys(STATISTICS, 0.0)
    values |= _of_attention(attention_map(gaze, _GRID, _GRID))
    match gaze:
        case Points():
            values |= _of_points(gaze)
        case Areas():
            values |= _of_areas(gaze)
        case DenseMap():
            pass
    return np.array([values[name] for name in STATISTICS])


def _of_attention(attention: Floats) -> dict[str, float]:
    if not attention.any():
        return {}
    centres = (np.arange(_GRID) + 0.5) / _GRID
    along_x, along_y = attention.sum(axis=0), attention.sum(axis=1)
    centre_x, centre_y = float(along_x @ centres), float(along_y @ centres)
    seen = attention[attention > 0]
    return {
        "centre_x": centre_x,
        "centre_y": centre_y,
        "spread_x": float(np.sqrt(max(along_x @ centres**2 - centre_x**2, 0))),
        "spread_y": float(np.sqrt(max(along_y @ centres**2 - centre_y**2, 0))),
        "entropy": float(-(seen * np.log(seen)).sum()),
    }


def _of_points(points: Points) -> dict[str, float]:
    values = {"events": float(np.log1p(len(points)))}
    values |= _of_steps(points.x, points.y)
    if points.duration is not None and len(points):
        values["duration_mean"] = float(np.nan_to_num(points.duration).mean())
    if points.time is not None and len(points):
        values["duration_total"] = float(np.nanmax(points.time) - np.nanmin(points.time))
    return values


def _of_areas(areas: Areas) -> dict[str, float]:
    values = {"events": float(np.log1p(areas.fixations))}
    if not len(areas.fixation):
        return values
    x, y, width, height = areas.box.T
    hit, first_row = np.unique(areas.fixation, return_index=True)
    identity = _identities(areas)[first_row]  # the first area named stands for its fixation
    switches = identity[1:] != identity[:-1]
    visits = 1 + int(switches.sum())
    distinct = len(np.unique(identity))
    values |= _of_steps((x + width / 2)[first_row], (y + height / 2)[first_row])
    values |= {
        "hit_rate": len(hit) / areas.fixations,
        "distinct_areas": float(np.log1p(distinct)),
        "switch_rate": float(switches.mean()) if len(switches) else 0.0,
        "revisit_rate": (visits - distinct) / visits,
        "nesting": len(areas.fixation) / len(hit),
        "area_size": float((areas.shares() * width * height).sum() / len(hit)),
    }
    return values


def _identities(areas: Areas) -> NDArray[np.intp]:
    """Number the distinct areas of a gaze, shape (m,): a label with its box."""
    keys = [(label, *map(float, box)) for label, box in zip(areas.label, areas.box, strict=True)]
    numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    return np.array([numbers[key] for key in keys])


def _of_steps(x: Floats, y: Floats) -> dict[str, float]:
    if len(x) < 2:
        return {}
    steps = np.hypot(np.diff(x), np.diff(y))
    return {"step_mean": float(steps.mean()), "step_spread": float(steps.std())}
