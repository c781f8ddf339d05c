"""What was recorded in a trial, as arrays: the form in which it is judged and exported."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from beholder.collect.rows import TrialRow
from beholder.study.gaze import Floats, Points

_AWAY = {"hidden": "visible", "blur": "focus"}


@dataclass(frozen=True)
class Clicks:
    """The clicks of one trial, in order; arrays of shape (n,).

    ``x`` and ``y`` are fractions of the image, ``t_ms`` milliseconds since the trial's start
    and ``radius_px`` the bubbles' radii in pixels of the image.
    """

    x: Floats
    y: Floats
    t_ms: Floats
    radius_px: Floats
    inputs: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.x)

    @property
    def points(self) -> Points:
        """The clicks as a study keeps them: seconds from the first one."""
        times = (self.t_ms - self.t_ms[:1]) / 1000
        return Points(*(values.astype(np.float32) for values in (self.x, self.y, times)))

    @cached_property
    def pointed(self) -> "Clicks":
        """The clicks that were not made with the keyboard, which moves in equal steps."""
        kept = np.array([name != "keyboard" for name in self.inputs], dtype=bool)
        columns = (self.x[kept], self.y[kept], self.t_ms[kept], self.radius_px[kept])
        return Clicks(*columns, tuple(name for name in self.inputs if name != "keyboard"))


NO_CLICKS = Clicks(np.zeros(0), np.zeros(0), np.zeros(0), np.zeros(0), ())


@dataclass(frozen=True)
class Caption:
    """A text that was written in a trial, and how; times in milliseconds."""

    name: str
    text: str
    started_ms: float
    duration_ms: float
    keys: int
    pasted_characters: int
    deletions: int
    timed_out: bool


@dataclass(frozen=True)
class Recording:
    """One trial that was done; ``number`` counts the session's trials from 1.

    ``box`` is the image's in the viewport, in CSS pixels, or None where nothing was shown;
    ``zoom`` is that of pinching, ``pixel_ratio`` device pixels to a CSS pixel.
    """

    trial: str
    number: int
    kind: str
    image: str
    received_ms: int
    started_at_ms: int
    duration_ms: float
    has_bubbles: bool
    clicks: Clicks
    viewing_from_ms: float
    viewing_ms: float
    captions: tuple[Caption, ...]
    box: Mapping[str, float] | None
    zoom: float
    pixel_ratio: float
    events: tuple[Mapping[str, Any], ...]

    @property
    def aspect(self) -> float:
        """The image's width divided by its height, as it was displayed; 1 where unknown."""
        return self.box["width"] / self.box["height"] if self.box else 1.0

    @property
    def absences(self) -> tuple[tuple[float, float], ...]:
        """When the page was hidden or another window had the keyboard: (from, to) in ms."""
        return tuple(_absences(self.events, self.duration_ms))


def recordings(trials: Iterable[TrialRow]) -> tuple[Recording, ...]:
    """Return the trials that have a record, in order of their position."""
    done = (trial for trial in trials if trial.record is not None)
    return tuple(recording(trial) for trial in sorted(done, key=lambda trial: trial.position))


def recording(trial: TrialRow) -> Recording:
    """Return one trial's record; it must have one."""
    record = trial.record
    assert record is not None and trial.received_ms is not None  # the caller's to see to
    bubbles = next((task for task in record["tasks"] if task["kind"] == "bubbles"), None)
    captions = (task for task in record["tasks"] if task["kind"] == "caption")
    environment = record["environment"]
    box = environment["image_box"]
    return Recording(
        trial=trial.id,
        number=trial.position + 1,
        kind=trial.kind,
        image=trial.image,
        received_ms=trial.received_ms,
        started_at_ms=int(record["started_at_ms"]),
        duration_ms=float(record["duration_ms"]),
        has_bubbles=bubbles is not None,
        clicks=_clicks(bubbles["clicks"]) if bubbles else NO_CLICKS,
        viewing_from_ms=float(bubbles["started_ms"]) if bubbles else 0.0,
        viewing_ms=bubbles["ended_ms"] - bubbles["started_ms"] if bubbles else 0.0,
        captions=tuple(_caption(task) for task in captions),
        box=box if box and box["width"] > 0 and box["height"] > 0 else None,
        zoom=float(environment["zoom"]),
        pixel_ratio=float(environment["device_pixel_ratio"]),
        events=tuple(record["events"]),
    )


def _clicks(clicks: list[Mapping[str, Any]]) -> Clicks:
    x, y, t, radius = (
        np.array([click[key] for click in clicks], dtype=float)
        for key in ("x", "y", "t", "radius_px")
    )
    return Clicks(x, y, t, radius, tuple(click["input"] for click in clicks))


def _caption(task: Mapping[str, Any]) -> Caption:
    return Caption(
        name=task["name"],
        text=task["text"],
        started_ms=task["started_ms"],
        duration_ms=task["ended_ms"] - task["started_ms"],
        keys=len(task["keys"]),
        pasted_characters=sum(paste["characters"] for paste in task["pastes"]),
        deletions=task["deletions"],
        timed_out=task["timed_out"],
    )


def _absences(
    events: tuple[Mapping[str, Any], ...], duration_ms: float
) -> Iterator[tuple[float, float]]:
    """Yield each time away once, also where a page is both hidden and without focus."""
    gone: dict[str, float] = {}  # by the event that ends it
    since = 0.0
    for event in events:
        if event["kind"] in _AWAY:
            since = since if gone else event["t"]
            gone.setdefault(_AWAY[event["kind"]], event["t"])
        elif gone.pop(event["kind"], None) is not None and not gone:
            yield since, event["t"]
    if gone:
        yield since, max(duration_ms, since)
