"""How a simulated participant clicks: as people do on a scene, or as their bad habit has it."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from beholder.collect.simulation.people import Participant
from beholder.collect.simulation.scenery import Sight
from beholder.study.gaze import Floats
from beholder.study.simulation import Effects
from beholder.study.simulation.viewing import Viewing, view

_GRID = 4
_GRID_MS = 700.0
_PATH_MS = 100.0  # between two recorded places of the cursor


def look(person: Participant, sight: Sight, generator: np.random.Generator) -> Viewing:
    """Return how the person looks at what they see, whatever they then click."""
    return view(sight.scene, person.traits, Effects(), generator)


def bubbles_done(
    person: Participant,
    viewing: Viewing,
    sight: Sight,
    task: Mapping[str, Any],
    box: Mapping[str, float],
    radius_px: float,
    started_ms: float,
    generator: np.random.Generator,
) -> dict[str, Any]:
    """Return the record of a BubbleView task, as the page sends it."""
    places, waits = _clicks(person, viewing, sight, task, generator)
    times = started_ms + np.cumsum(waits)
    limit_ms = started_ms + task["maximum_seconds"] * 1000
    timed_out = bool(task["maximum_seconds"]) and bool(times[-1] > limit_ms)
    if timed_out:
        places, times = places[times <= limit_ms], times[times <= limit_ms]
    pause_ms = 60.0 if person.habit == "hasty" else float(generator.uniform(400, 1500))
    ended_ms = float(times[-1]) + pause_ms if len(times) else started_ms + pause_ms
    ended_ms = max(ended_ms, started_ms + task["minimum_seconds"] * 1000)
    if timed_out:
        ended_ms = limit_ms
    x, y = _on_screen(places, box, person.screen.ratio).T
    clicks = [
        {
            "n": number + 1,
            "x": float(x[number]),
            "y": float(y[number]),
            "t": round(float(times[number]), 1),
            "radius_px": radius_px,
            "input": person.screen.input,
        }
        for number in range(len(times))
    ]
    return {
        "kind": "bubbles",
        "name": task["name"],
        "started_ms": round(started_ms, 1),
        "ended_ms": round(ended_ms, 1),
        "timed_out": timed_out,
        "clicks": clicks,
        "path": _path(times, x, y) if person.screen.input == "mouse" else [],
    }


def _clicks(
    person: Participant,
    viewing: Viewing,
    sight: Sight,
    task: Mapping[str, Any],
    generator: np.random.Generator,
) -> tuple[Floats, Floats]:
    """Return where clicks fall, shape (n, 2), and the ms before each, shape (n,)."""
    least, most = max(task["minimum_clicks"], 1), task["maximum_clicks"]
    if person.habit == "machine":
        cells = (np.arange(_GRID) + 0.5) / _GRID
        grid = np.stack(np.meshgrid(cells, cells), axis=-1).reshape(-1, 2)
        count = min(max(len(grid), least), most)
        return np.resize(grid, (count, 2)), np.full(count, _GRID_MS)
    if person.habit == "hasty":
        return generator.random((least, 2)), np.full(least, 20.0)
    duration = viewing.points.duration
    assert duration is not None  # simulated viewing has them
    count = min(max(len(viewing.points), least), most)
    waits = np.resize(np.asarray(duration, float) * 1000, count)
    waits = np.concatenate([generator.uniform(800, 2500, 1), waits[:-1]])
    waits = np.maximum(waits * generator.uniform(0.9, 1.1, count), 180.0)
    if person.habit == "aimless":
        return generator.random((count, 2)), waits
    places = np.stack([viewing.points.x, viewing.points.y], axis=1).astype(float)
    if count > len(places):  # more are asked for: once more, a little beside
        jitter = generator.normal(0, 0.02, (count, 2))
        places = np.clip(np.resize(places, (count, 2)) + jitter, 0, 1)
    places = places[:count]
    # Whoever looks finds what the validation images show.
    for number, area in zip(generator.permutation(count), sight.areas, strict=False):
        middle = generator.uniform(0.25, 0.75, 2)
        corner, size = (area.x, area.y), (area.width, area.height)
        places[number] = np.asarray(corner) + middle * np.asarray(size)
    return places, waits


def _on_screen(places: Floats, box: Mapping[str, float], ratio: float) -> Floats:
    """Return fractions of the image as a pointer gives them: at whole device pixels."""
    size = np.array([box["width"], box["height"]])
    return np.asarray(np.clip(np.round(places * size * ratio) / ratio / size, 0, 1))


def _path(times: Floats, x: Floats, y: Floats) -> list[list[float]]:
    """Return the cursor's way from click to click, as [t, x, y]."""
    if len(times) < 2:
        return []
    at = np.arange(times[0], times[-1], _PATH_MS)
    columns = [at, np.interp(at, times, x), np.interp(at, times, y)]
    return [[float(value) for value in row] for row in np.round(np.stack(columns, axis=1), 4)]
