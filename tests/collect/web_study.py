"""A small web study, and what people's browsers send while they take part in it."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from beholder.collect import bodies
from beholder.collect.database import Database
from beholder.collect.definition import Definition
from beholder.collect.platforms import Entry
from beholder.collect.sessions import Sessions

DEFINITION: dict[str, Any] = {
    "schema_version": 1,
    "name": "small",
    "title": {"en": "Pictures", "es": "Imágenes"},
    "languages": ["en", "es"],
    "consent": {"version": "1", "text": {"en": "Do you agree?", "es": "¿Está de acuerdo?"}},
    "images": {"folder": "images", "viewers": 2, "set_size": 2},
    "tasks": [
        {
            "name": "look",
            "kind": "bubbles",
            "blur": "3px",
            "bubble_radius": "10%",
            "minimum_clicks": 1,
            "maximum_clicks": 5,
        },
        {
            "name": "describe",
            "kind": "caption",
            "prompt": {"en": "Describe it.", "es": "Descríbala."},
            "minimum_characters": 3,
            "maximum_characters": 50,
        },
    ],
    "practice": [
        {
            "image": "practice.png",
            "areas": [
                {
                    "x": 0.1,
                    "y": 0.1,
                    "width": 0.5,
                    "height": 0.5,
                    "name": {"en": "cup", "es": "taza"},
                }
            ],
        }
    ],
    "validation": [
        {
            "image": "check.png",
            "areas": [{"x": 0.25, "y": 0.25, "width": 0.5, "height": 0.5, "name": "secret dog"}],
        }
    ],
    "survey": {
        "instrument": "short.toml",
        "texts": {
            "es": {"stem": "Yo", "labels": ["no", "quizás", "sí"], "items": {"a": "A", "b": "B"}}
        },
    },
    "session": {"seat_minutes": 10, "resume_days": 2},
    "platforms": {"allowed": ["link", "prolific", "mturk"]},
    "completion": {"codes": {"complete": "C0DE", "no_consent": "N0", "full": "FULL"}},
}
"""Four images in two sets of two viewers each, with practice, validation and two questions."""

INSTRUMENT = """
name = "short"
title = "Two questions"
source = "made for tests"
notice = ""
stem = "I"
scale = { minimum = 1, maximum = 3, labels = ["no", "perhaps", "yes"] }
items = [
  { key = "a", text = "am A", trait = "t" },
  { key = "b", text = "am B", trait = "t", reversed = true },
]
"""


class Turned:
    """A clock that stands still until it is turned."""

    def __init__(self) -> None:
        self.now = 1_800_000_000_000

    def __call__(self) -> int:
        return self.now

    def turn(self, *, minutes: float = 0, days: float = 0) -> None:
        self.now += round(minutes * 60_000 + days * 86_400_000)


def write_files(folder: Path) -> None:
    """Write the images and the instrument that the definition names."""
    (folder / "images").mkdir(parents=True)
    generator = np.random.default_rng(0)
    for name in ("1", "2", "3", "4", "practice", "check"):
        pixels = generator.integers(0, 256, (30, 40, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / "images" / f"{name}.png")
    (folder / "short.toml").write_text(INSTRUMENT)


def definition_in(folder: Path, **changes: Any) -> Definition:
    """Return the small definition, with some keys changed; it is not checked."""
    return Definition.model_validate(DEFINITION | changes).beside(folder / "definition.toml")


def as_toml(data: dict[str, Any]) -> str:
    """Return plain data as TOML: JSON's texts, numbers and lists are TOML's too."""
    return "\n".join(f"{json.dumps(key)} = {_inline(value)}" for key, value in data.items())


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        inner = ", ".join(f"{json.dumps(key)} = {_inline(each)}" for key, each in value.items())
        return f"{{ {inner} }}"
    if isinstance(value, list):
        return f"[{', '.join(_inline(each) for each in value)}]"
    return json.dumps(value, ensure_ascii=False)


ENVIRONMENT: dict[str, Any] = {
    "viewport_width": 1280,
    "viewport_height": 720.5,
    "device_pixel_ratio": 2,
    "zoom": 1,
    "screen_width": 2560,
    "screen_height": 1440,
    "angle": 0,
    "image_box": {"left": 10, "top": 20.5, "width": 400, "height": 300},
}

DEVICE: dict[str, Any] = {
    "environment": ENVIRONMENT,
    "inputs": ["mouse", "keyboard"],
    "user_agent_family": "chromium",
    "color_scheme": "dark",
    "reduced_motion": False,
    "time_zone_offset_minutes": -60,
    "calibration": None,
}


def trial_record(text: str = "a dog on a sofa", **changes: Any) -> dict[str, Any]:
    """Return a body of a trial, with a new client_id."""
    clicks = [
        {"n": n, "x": n / 10, "y": 0.5, "t": 100.5 * n, "radius_px": 4.0, "input": "mouse"}
        for n in (1, 2, 3)
    ]
    looked = {"kind": "bubbles", "name": "look", "started_ms": 0, "ended_ms": 900}
    wrote = {"kind": "caption", "name": "describe", "started_ms": 900, "ended_ms": 2000}
    return {
        "client_id": str(uuid.uuid4()),
        "started_at_ms": 1_800_000_000_000,
        "clock_offset_ms": 1.5,
        "duration_ms": 2000.25,
        "environment": ENVIRONMENT,
        "tasks": [
            {**looked, "timed_out": False, "clicks": clicks, "path": [[5, 0.1, 0.2]]},
            {
                **wrote,
                "timed_out": False,
                "text": text,
                "keys": [950.5],
                "pastes": [{"t": 960, "characters": 3}],
                "deletions": 1,
            },
        ],
        "events": [{"t": 3, "kind": "hidden", "environment": None}],
    } | changes


def survey_record(**changes: Any) -> dict[str, Any]:
    """Return a body of the survey, with a new client_id."""
    return {
        "client_id": str(uuid.uuid4()),
        "answers": {"a": 1, "b": 3},
        "order": ["a", "b"],
        "started_at_ms": 1_800_000_000_000,
        "duration_ms": 500.0,
        "choices": [{"t": 1, "key": "a", "answer": 1}],
        "environment": ENVIRONMENT,
        "events": [],
    } | changes


class Person:
    """Somebody who takes part, step by step, without a server between."""

    def __init__(self, sessions: Sessions, entry: Entry) -> None:
        self.sessions, self.entry = sessions, entry
        self.token: str | None = None
        self.session = ""

    def enter(self, language: str = "en") -> str | None:
        """Come, or come back; return the outcome of whoever is not let in."""
        entered = self.sessions.enter(self.entry, language, self.token)
        if entered.session:
            self.session, self.token = entered.session, entered.token or self.token
        return entered.outcome

    def take_seat(self) -> str:
        """Come, agree and show the device; return the stage."""
        if outcome := self.enter():
            return outcome
        self.sessions.consent(self.token, bodies.Consent(agreed=True, version="1"))
        self.sessions.device(self.token, bodies.Device.model_validate(DEVICE))
        return self.stage

    def save_next(self, **changes: Any) -> bool:
        """Do the current trial; return whether it was there already."""
        current = self.sessions.standing(self.token).current
        assert current is not None
        record = bodies.TrialRecord.model_validate(trial_record(**changes))
        return self.sessions.save_trial(self.token, current.id, record).duplicate

    def answer(self) -> None:
        """Answer the survey."""
        record = bodies.SurveyRecord.model_validate(survey_record())
        self.sessions.save_survey(self.token, record)

    def complete(self) -> None:
        """Do all that is left to do."""
        while self.stage in ("practice", "trials"):
            self.save_next()
        self.answer()

    @property
    def stage(self) -> str:
        return self.sessions.standing(self.token).stage


def new_sessions(
    database: Database, definition: Definition, clock: Turned, *, pilot: bool = False
) -> Sessions:
    """Return the participants' side of a store, as a server that just started has it."""
    return Sessions(database, definition, clock, pilot=pilot)
