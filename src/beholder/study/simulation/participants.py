"""Simulated participants: five latent traits, and the survey answers that they lead to."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from beholder.errors import ConfigurationError
from beholder.study.gaze import Floats
from beholder.study.simulation.effects import Effects
from beholder.study.survey import Instrument

TRAITS: Final = ("extraversion", "agreeableness", "conscientiousness", "neuroticism", "openness")

# Of a five-point scale: the two items of a trait then correlate at about 0.6.
_LOADING: Final = 0.95
_NOISE: Final = 0.7


@dataclass(frozen=True)
class Person:
    """A participant's id, latent traits (order of `TRAITS`, each N(0, 1)) and answers."""

    participant: str
    traits: Floats
    answers: tuple[int, ...]


def draw_person(
    participant: str, instrument: Instrument, effects: Effects, generator: np.random.Generator
) -> Person:
    """Draw a participant; their traits are the same whatever the effects."""
    traits = generator.standard_normal(len(TRAITS))
    noise = generator.standard_normal(len(instrument.items))
    return Person(participant, traits, _answers(traits, instrument, effects.survey, noise))


def _answers(
    traits: Floats, instrument: Instrument, effect: float, noise: Floats
) -> tuple[int, ...]:
    unknown = sorted(set(instrument.traits) - set(TRAITS))
    if unknown:
        raise ConfigurationError(
            f"{instrument.name} measures {', '.join(unknown)}, which is not simulated"
        )
    sign = np.array([-1.0 if item.reversed else 1.0 for item in instrument.items])
    trait = traits[[TRAITS.index(item.trait) for item in instrument.items]]
    middle = (instrument.minimum + instrument.maximum) / 2
    unit = (instrument.maximum - instrument.minimum) / 4
    values = middle + unit * (effect * _LOADING * sign * trait + _NOISE * noise)
    clipped = np.clip(np.round(values), instrument.minimum, instrument.maximum)
    return tuple(clipped.astype(int).tolist())
