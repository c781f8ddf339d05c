"""Simulated participants: traits, habits, and the device before them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from beholder.collect.simulation.habits import CARELESS, Habit, Rates
from beholder.study.gaze import Floats
from beholder.study.simulation import TRAITS, Effects
from beholder.study.simulation.participants import draw_person
from beholder.study.survey import Instrument, instruments, load_instrument

_PERSON = 0  # of the streams of random numbers; the others are numbered by session step


@dataclass(frozen=True)
class Screen:
    """A device: viewport in CSS pixels, device pixels to one of them, and how it is pointed."""

    width: int
    height: int
    ratio: float
    input: str
    family: str

    def box(self, width: int, height: int) -> dict[str, float]:
        """Return where an image of this size is shown, in CSS pixels."""
        scale = min((self.width - 32) / width, (self.height - 160) / height, 1.0)
        return {
            "left": (self.width - width * scale) / 2,
            "top": 96.0,
            "width": width * scale,
            "height": height * scale,
        }

    def environment(self, box: Mapping[str, float] | None) -> dict[str, Any]:
        """Return the environment that the page reports."""
        return {
            "viewport_width": self.width,
            "viewport_height": self.height,
            "device_pixel_ratio": self.ratio,
            "zoom": 1.0,
            "screen_width": self.width,
            "screen_height": self.height,
            "angle": 0,
            "image_box": dict(box) if box else None,
        }


SCREENS = (
    Screen(1440, 900, 1.0, "mouse", "chromium"),
    Screen(1280, 720, 1.5, "mouse", "firefox"),
    Screen(1680, 1050, 2.0, "mouse", "webkit"),
    Screen(412, 915, 2.625, "touch", "chromium"),
    Screen(390, 844, 3.0, "touch", "webkit"),
)


@dataclass(frozen=True)
class Participant:
    """Somebody with a number; the same seed and number give the same person."""

    number: int
    seed: int
    habit: Habit
    traits: Floats
    screen: Screen
    characters_a_second: float
    calibrated: bool

    @cached_property
    def worker(self) -> str:
        """The id by which a crowd platform would know the person."""
        return self.generator(1).bytes(12).hex()

    def generator(self, *key: int) -> np.random.Generator:
        """Return one of the person's streams of random numbers."""
        sequence = np.random.SeedSequence(self.seed, spawn_key=(self.number, *key))
        return np.random.default_rng(sequence)

    def answers(self, items: Sequence[str], low: int, high: int) -> dict[str, int]:
        """Return the answers to a survey's items, by key, on a scale from low to high.

        Those of an instrument that comes with Beholder follow from the traits.
        """
        generator = self.generator(2)
        if self.habit == "straight":
            return dict.fromkeys(items, (low + high) // 2)
        if self.habit == "yes-sayer":
            return {key: int(generator.integers(high - 1, high + 1)) for key in items}
        instrument = _instrument_of(items)
        if instrument is None:
            values = generator.normal((low + high) / 2, (high - low) / 4, len(items))
            drawn = np.clip(np.round(values), low, high).astype(int).tolist()
            return dict(zip(items, drawn, strict=True))
        person = draw_person("", instrument, Effects(), self.generator(_PERSON))
        keys = [item.key for item in instrument.items]
        by_key = dict(zip(keys, person.answers, strict=True))
        return {key: by_key[key] for key in items}


def draw_participant(number: int, seed: int, rates: Rates) -> Participant:
    """Return the participant with a number."""
    sequence = np.random.SeedSequence(seed, spawn_key=(number, _PERSON))
    traits = np.random.default_rng(sequence).standard_normal(len(TRAITS))
    style = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(number, 3)))
    habit: Habit = "honest"
    if style.random() < rates.careless:
        habit = CARELESS[int(style.integers(len(CARELESS)))]
    return Participant(
        number=number,
        seed=seed,
        habit=habit,
        traits=traits,
        screen=SCREENS[int(style.integers(len(SCREENS)))],
        characters_a_second=float(np.clip(style.normal(4.5, 1.2), 2.0, 9.0)),
        calibrated=bool(style.random() < 0.5),
    )


def _instrument_of(items: Sequence[str]) -> Instrument | None:
    """Return the instrument with these items whose traits are simulated, if there is one."""
    for name in instruments():
        instrument = load_instrument(name)
        known = {item.key for item in instrument.items} == set(items)
        if known and set(instrument.traits) <= set(TRAITS):
            return instrument
    return None
