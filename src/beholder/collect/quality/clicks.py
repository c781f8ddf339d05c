"""Signals of clicking: areas that were missed, too little of it, and a machine's regularity."""

from collections.abc import Callable

import numpy as np

from beholder.collect.quality.evidence import facts, first
from beholder.collect.quality.judged import Judged
from beholder.collect.recordings import Clicks
from beholder.collect.rows import Signal
from beholder.study.gaze import Floats


def missed_validation(session: Judged) -> Signal | None:
    """How many validation images were clicked in too few of their areas."""
    expected = session.expected.validation or {}
    trials = []
    for one in session.viewings:
        if one.kind != "validation" or one.image not in expected:
            continue
        entry = expected[one.image]
        hits = [
            any(map(area.contains, one.clicks.x.tolist(), one.clicks.y.tolist()))
            for area in entry.areas
        ]
        if sum(hits) < entry.needed:
            counts = {"hit": sum(hits), "required": entry.needed, "clicks": len(one.clicks)}
            trials.append(facts(one, **counts))
    shown = sum(one.kind == "validation" for one in session.viewings)
    if not shown:
        return None
    flagged = len(trials) >= session.thresholds.missed_validation
    evidence = {"missed": len(trials), "shown": shown, "trials": trials}
    return Signal("missed_validation", flagged, len(trials), first(trials), evidence)


def few_clicks(session: Judged) -> Signal | None:
    """The share of the trials that ended with no more clicks than the least allowed."""
    if not session.viewings:
        return None
    minimum = session.expected.minimum_clicks
    trials = [
        facts(one, clicks=len(one.clicks)) for one in session.viewings if len(one.clicks) <= minimum
    ]
    share = len(trials) / len(session.viewings)
    others = [v for name, v in session.others.at_minimum.items() if name != session.session]
    usual = float(np.median(others)) if others else 0.0
    limits = session.thresholds
    flagged = share >= limits.few_clicks_share and usual < limits.few_clicks_of_others
    evidence = {
        "minimum": minimum,
        "clicks_median": float(np.median([len(one.clicks) for one in session.viewings])),
        "share_of_others_median": round(usual, 3),
        "trials": trials,
    }
    return Signal("few_clicks", flagged, share, first(trials), evidence)


def regular_grid(session: Judged) -> Signal | None:
    """The share of the trials whose clicks step through the image in equal strides."""
    limits = session.thresholds

    def step(clicks: Clicks) -> float:
        return _likest_step(clicks, limits.grid_tolerance)

    return _regular(session, "regular_grid", step, lambda value: value >= limits.grid_share)


def regular_intervals(session: Judged) -> Signal | None:
    """The share of the trials whose clicks come in a machine's rhythm."""
    limit = session.thresholds.interval_variation
    return _regular(session, "regular_intervals", _variation, lambda value: value < limit)


def repeated_positions(session: Judged) -> Signal | None:
    """The share of the clicks that are just where another image of the session was clicked."""
    from scipy.spatial import cKDTree

    viewings = [one for one in session.viewings if len(one.clicks.pointed)]
    if len(viewings) < 2:
        return None
    places = [np.stack([one.clicks.pointed.x, one.clicks.pointed.y], 1) for one in viewings]
    trials = []
    same = 0
    for number, one in enumerate(viewings):
        elsewhere = cKDTree(np.concatenate(places[:number] + places[number + 1 :]))
        distance, _ = elsewhere.query(places[number], p=np.inf)
        repeated = int((distance <= session.thresholds.same_place).sum())
        same += repeated
        if repeated:
            trials.append(facts(one, repeated=repeated, clicks=len(places[number])))
    trials.sort(key=lambda trial: -trial["repeated"] / trial["clicks"])
    share = same / sum(map(len, places))
    flagged = share >= session.thresholds.repeated_positions
    evidence = {"repeated": same, "clicks": sum(map(len, places)), "trials": trials}
    return Signal("repeated_positions", flagged, share, first(trials), evidence)


def zero_latency(session: Judged) -> Signal | None:
    """The share of the clicks that came sooner after the one before than a hand can click."""
    limit = session.thresholds.latency_ms
    trials = []
    fast = total = 0
    for one in session.viewings:
        waits = np.diff(one.clicks.t_ms, prepend=one.viewing_from_ms)
        too_fast = int((waits < limit).sum())
        fast, total = fast + too_fast, total + len(waits)
        if too_fast:
            trials.append(facts(one, fast=too_fast, shortest_ms=round(float(waits.min()), 1)))
    if not total:
        return None
    share = fast / total
    evidence = {"fast": fast, "clicks": total, "limit_ms": limit, "trials": trials}
    flagged = share >= session.thresholds.latency_share
    return Signal("zero_latency", flagged, share, first(trials), evidence)


def _regular(
    session: Judged,
    name: str,
    measure: Callable[[Clicks], float],
    is_regular: Callable[[float], bool],
) -> Signal | None:
    limits = session.thresholds
    enough = [one for one in session.viewings if len(one.clicks.pointed) >= limits.fewest_clicks]
    if not enough:
        return None
    trials = [
        facts(one, measure=round(value, 4), clicks=len(one.clicks.pointed))
        for one in enough
        if is_regular(value := measure(one.clicks.pointed))
    ]
    share = len(trials) / len(enough)
    evidence = {"trials_judged": len(enough), "trials": trials}
    return Signal(name, share >= limits.regular_trials, share, first(trials), evidence)


def _likest_step(clicks: Clicks, tolerance: float) -> float:
    """Return the share of the steps that are like the commonest one, from 0 to 1."""
    steps = np.stack([np.diff(clicks.x), np.diff(clicks.y)], 1)
    moved = steps[np.abs(steps).max(axis=1) > tolerance]  # staying is no stride
    if not len(moved):
        return 0.0
    alike = np.abs(moved[:, None] - moved[None]).max(axis=2) <= tolerance
    return float(alike.sum(axis=1).max() / len(steps))


def _variation(clicks: Clicks) -> float:
    """Return the standard deviation over the mean of the times between clicks."""
    waits: Floats = np.diff(clicks.t_ms)
    mean = float(waits.mean())
    return float(waits.std() / mean) if mean > 0 else 0.0
