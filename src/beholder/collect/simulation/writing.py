"""How a simulated participant writes: what they saw, in their own words or somebody else's."""

import threading
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np

from beholder.collect.simulation.people import Participant
from beholder.collect.simulation.scenery import Sight
from beholder.study.simulation import Effects, Scene
from beholder.study.simulation.presets import Prompt
from beholder.study.simulation.viewing import Viewing
from beholder.study.simulation.writing import write

_ALWAYS = "A very nice picture, I like the colours and all that there is to see in it."
_QUICK = "ok nice picture good "


class Overheard:
    """What has been written of each scene: what a copier takes over. Threads share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._texts: dict[Scene, list[str]] = defaultdict(list)

    def say(self, scene: Scene, text: str) -> None:
        """Let others hear a text."""
        with self._lock:
            self._texts[scene].append(text)

    def hear(self, scene: Scene, generator: np.random.Generator) -> str | None:
        """Return somebody's text of a scene, if anybody has written one."""
        with self._lock:
            texts = self._texts.get(scene)
            return texts[int(generator.integers(len(texts)))] if texts else None


def caption_done(
    person: Participant,
    viewing: Viewing,
    sight: Sight,
    task: Mapping[str, Any],
    started_ms: float,
    overheard: Overheard,
    generator: np.random.Generator,
) -> dict[str, Any]:
    """Return the record of a caption task, as the page sends it."""
    text = _text(person, viewing, sight, task, overheard, generator)
    pasted = person.habit == "paster"
    keys: list[float] = []
    pause_ms = 10.0 if person.habit == "hasty" else float(generator.uniform(600, 3000))
    ended_ms = started_ms + pause_ms
    if not pasted:
        rate = 200.0 if person.habit == "hasty" else person.characters_a_second
        gaps = generator.gamma(4.0, 1000 / rate / 4.0, len(text))
        keys = np.round(started_ms + pause_ms + np.cumsum(gaps), 1).tolist()[:5000]
        ended_ms = keys[-1] if keys else ended_ms
    limit_ms = started_ms + task["maximum_seconds"] * 1000
    timed_out = bool(task["maximum_seconds"]) and ended_ms > limit_ms
    if timed_out:
        keys = [key for key in keys if key <= limit_ms]
        text, ended_ms = text[: len(keys)] if not pasted else text, limit_ms
    return {
        "kind": "caption",
        "name": task["name"],
        "started_ms": round(started_ms, 1),
        "ended_ms": round(ended_ms, 1),
        "timed_out": timed_out,
        "text": text,
        "keys": keys,
        "pastes": [{"t": round(ended_ms, 1), "characters": len(text)}] if pasted else [],
        "deletions": 0 if pasted else int(generator.poisson(2)),
    }


def _text(
    person: Participant,
    viewing: Viewing,
    sight: Sight,
    task: Mapping[str, Any],
    overheard: Overheard,
    generator: np.random.Generator,
) -> str:
    if person.habit == "repeater":
        text = _ALWAYS
    elif person.habit == "hasty":
        text = _QUICK
    elif person.habit == "copier" and (heard := overheard.hear(sight.scene, generator)):
        text = heard
    else:
        text = _own(person, viewing, sight, task, generator)
        overheard.say(sight.scene, text)
    while len(text.strip()) < task["minimum_characters"]:
        more = text if person.habit in ("repeater", "hasty") else None
        text += " " + (more or _own(person, viewing, sight, task, generator))
    return text.strip()[: task["maximum_characters"]].strip()


def _own(
    person: Participant,
    viewing: Viewing,
    sight: Sight,
    task: Mapping[str, Any],
    generator: np.random.Generator,
) -> str:
    asked = f"{task['prompt']} {task.get('template') or ''}".lower()
    prompt: Prompt = "should" if "because" in asked else "describe"
    return write(sight.scene, viewing.attention, person.traits, prompt, Effects(), generator)
