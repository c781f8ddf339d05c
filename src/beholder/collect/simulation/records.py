"""What a simulated participant's page sends: device, trials and survey, whole."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from beholder.collect.simulation.clicking import bubbles_done, look
from beholder.collect.simulation.people import Participant
from beholder.collect.simulation.scenery import Sight
from beholder.collect.simulation.writing import Overheard, caption_done

_DEVICE, _TRIAL, _SURVEY = 10, 11, 12  # streams of random numbers
_CARD_CM = 8.56


def device_record(person: Participant) -> dict[str, Any]:
    """Return the body of the device check."""
    generator = person.generator(_DEVICE)
    pixels_per_cm = float(generator.uniform(35, 60))
    calibration = {
        "pixels_per_cm": pixels_per_cm,
        "viewing_distance_cm": float(np.round(generator.uniform(40, 70))),
        "card_width_px": pixels_per_cm * _CARD_CM,
    }
    mouse = person.screen.input == "mouse"
    return {
        "environment": person.screen.environment(None),
        "inputs": ["mouse", "keyboard"] if mouse else ["touch"],
        "user_agent_family": person.screen.family,
        "color_scheme": "dark" if generator.random() < 0.3 else "light",
        "reduced_motion": False,
        "time_zone_offset_minutes": int(generator.integers(-8, 9)) * 60,
        "calibration": calibration if person.calibrated else None,
    }


def trial_record(
    person: Participant,
    number: int,
    image: Mapping[str, Any],
    radius_px: float,
    sight: Sight,
    tasks: Sequence[Mapping[str, Any]],
    overheard: Overheard,
    *,
    started_at_ms: int,
    reloads: bool = False,
) -> dict[str, Any]:
    """Return the record of the person's trial with this number, for an image of this size."""
    generator = person.generator(_TRIAL, number)
    box = person.screen.box(image["width"], image["height"])
    viewing = look(person, sight, generator)
    done: list[dict[str, Any]] = []
    now_ms = 0.0
    for task in tasks:
        if task["kind"] == "bubbles":
            at = (box, radius_px, now_ms)
            done.append(bubbles_done(person, viewing, sight, task, *at, generator))
        else:
            done.append(caption_done(person, viewing, sight, task, now_ms, overheard, generator))
        now_ms = done[-1]["ended_ms"]
    return {
        "client_id": str(uuid.UUID(bytes=generator.bytes(16), version=4)),
        "started_at_ms": started_at_ms,
        "clock_offset_ms": round(float(generator.normal(0, 40)), 1),
        "duration_ms": now_ms,
        "environment": person.screen.environment(box),
        "tasks": done,
        "events": _events(person, now_ms, reloads, generator),
    }


def survey_record(
    person: Participant, survey: Mapping[str, Any], started_at_ms: int
) -> dict[str, Any]:
    """Return the record of the answered survey."""
    generator = person.generator(_SURVEY)
    keys = [item["key"] for item in survey["items"]]
    answers = person.answers(keys, survey["minimum"], survey["maximum"])
    order = [keys[n] for n in generator.permutation(len(keys))] if survey["shuffle"] else keys
    each_ms = 120.0 if person.habit == "hasty" else float(generator.uniform(2500, 6000))
    times = np.round(np.cumsum(generator.gamma(6.0, each_ms / 6.0, len(keys))), 1).tolist()
    return {
        "client_id": str(uuid.UUID(bytes=generator.bytes(16), version=4)),
        "answers": answers,
        "order": order,
        "started_at_ms": started_at_ms,
        "duration_ms": times[-1],
        "choices": [
            {"t": t, "key": key, "answer": answers[key]}
            for t, key in zip(times, order, strict=True)
        ],
        "environment": person.screen.environment(None),
        "events": [],
    }


def _events(
    person: Participant, duration_ms: float, reloads: bool, generator: np.random.Generator
) -> list[dict[str, Any]]:
    """Return what happened meanwhile: a message read, a page reloaded, or being elsewhere."""
    events: list[tuple[float, str]] = []
    if person.habit == "absent":
        events += [(0.2 * duration_ms, "hidden"), (0.8 * duration_ms, "visible")]
    elif generator.random() < 0.05:
        gone = float(generator.uniform(0, 0.9)) * duration_ms
        back = gone + float(generator.uniform(0, 0.08)) * duration_ms
        events += [(gone, "blur"), (back, "focus")]
    if reloads:
        events.append((float(generator.uniform(0, 1)) * duration_ms, "reload"))
    return [{"t": round(t, 1), "kind": kind, "environment": None} for t, kind in sorted(events)]
