"""Sessions that simulated people of known habits would have, without a server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from beholder.collect.definition import Area, Validation
from beholder.collect.quality import Expected, Judged, Others, Survey, Thresholds
from beholder.collect.recordings import Recording, recording
from beholder.collect.rows import TrialRow
from beholder.collect.simulation.habits import Habit, Rates
from beholder.collect.simulation.people import Participant, draw_participant
from beholder.collect.simulation.records import survey_record, trial_record
from beholder.collect.simulation.scenery import Sight
from beholder.collect.simulation.writing import Overheard
from beholder.study.simulation import compose_scene
from beholder.study.survey import load_instrument

TASKS = [
    {
        "kind": "bubbles",
        "name": "look",
        "minimum_clicks": 5,
        "maximum_clicks": 60,
        "minimum_seconds": 0,
        "maximum_seconds": 0,
    },
    {
        "kind": "caption",
        "name": "describe",
        "prompt": "Describe the image.",
        "template": None,
        "image": "blurred",
        "minimum_characters": 20,
        "maximum_characters": 1000,
        "maximum_seconds": 0,
    },
]
AREA = Area(x=0.3, y=0.3, width=0.15, height=0.15)
INSTRUMENT = load_instrument("ipip-10")
SURVEY = {
    "items": [{"key": item.key} for item in INSTRUMENT.items],
    "minimum": 1,
    "maximum": 5,
    "shuffle": False,
}
IMAGE = {"width": 800, "height": 600}


@dataclass(frozen=True)
class Design:
    """Sets of images; every session shows a set's and the validation images."""

    sets: int = 3
    images: int = 9
    validation: int = 3

    @property
    def expected(self) -> Expected:
        entries = (Validation(image=f"v{n}", areas=(AREA,)) for n in range(self.validation))
        return Expected(5, {entry.image: entry for entry in entries}, INSTRUMENT)

    def shown(self, number: int) -> list[tuple[str, str]]:
        """Return the (kind, image) of a session's trials."""
        of_set = [("image", f"{number % self.sets}-{n}") for n in range(self.images)]
        return [*of_set, *(("validation", f"v{n}") for n in range(self.validation))]


def sight_of(image: str) -> Sight:
    areas = (AREA,) if image.startswith("v") else ()
    return Sight(compose_scene(np.random.default_rng(list(image.encode()))), image, areas)


def person(number: int, habit: Habit = "honest", seed: int = 0) -> Participant:
    return replace(draw_participant(number, seed, Rates()), habit=habit)


def trials_of(someone: Participant, design: Design, overheard: Overheard) -> tuple[Recording, ...]:
    rows = []
    for position, (kind, image) in enumerate(design.shown(someone.number)):
        record = trial_record(
            someone,
            position,
            IMAGE,
            40.0,
            sight_of(image),
            TASKS,
            overheard,
            started_at_ms=1_790_000_000_000,
        )
        received = 1_790_000_000_000 + 1000 * (100 * someone.number + position)
        identity = f"t{someone.number}-{position}"
        rows.append(TrialRow(identity, position, kind, image, received, record))
    return tuple(recording(row) for row in rows)


def judge(
    people: Sequence[Participant], design: Design, thresholds: Thresholds | None = None
) -> list[Judged]:
    """Return every person's session, ready to be judged against all the others'."""
    limits = thresholds or Thresholds()
    overheard, others, expected = Overheard(), Others(), design.expected
    sessions = []
    for someone in people:
        trials = trials_of(someone, design, overheard)
        names = (f"s{someone.number}", f"p{someone.number}")
        others.add(*names, trials, expected.minimum_clicks, limits.shortest_copy)
        record = survey_record(someone, SURVEY, 1_790_000_000_000)
        survey = Survey(record["answers"], record["duration_ms"])
        sessions.append(Judged(*names, trials, survey, expected, others, limits))
    return sessions
