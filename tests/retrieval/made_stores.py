"""Stores made in memory's time, and an independent, slow ranking of their vectors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from beholder.retrieval import Store, create_store, open_store
from beholder.retrieval.layout import Description, PairLayout, Side
from beholder.retrieval.records import Addition, ImageRecord, ParticipantRecord, SampleRecord
from beholder.retrieval.store import Filters, Ranking

PAIRS = (
    PairLayout(
        ("gaze", "text"),
        {"base": 0.25, "content": 0.5, "style": 0.25},
        {"base": 4, "content": 3, "style": 3, "manner": 2},
    ),
    PairLayout(("text", "personality"), {"base": 0.0, "style": 1.0}, {"base": 3, "style": 3}),
)
DESCRIPTION = Description("made", "run", "ours", "random", 0, ("g2t", "t2p"), PAIRS, "0", None)
SIDES = DESCRIPTION.sides
TASKS, PARTS = ("look", "search", None), ("train", "validation", "test", None)

Places = Callable[[], str]
"""Gives a place where no store is, each time another one."""


def made_addition(
    people: int, images: int, samples: int, generator: np.random.Generator
) -> Addition:
    """Return items with gaps: people without survey, samples of nobody, texts without gaze.

    Vectors are drawn from few values, so that there are ties.
    """
    participants = tuple(
        ParticipantRecord(
            number,
            f"person-{number}",
            (1, 2) if number % 3 else None,
            {"calm": float(number % 5), "open": 3.0} if number % 3 else None,
        )
        for number in range(people)
    )
    pictures = tuple(
        ImageRecord(n, f"image-{n}.png", 40, 30, b"jpeg", np.full((2, 2, 3), n, np.float32))
        for n in range(images)
    )
    records, held = [], {side: [] for side in SIDES}
    for number in range(samples):
        owner = int(generator.integers(-1, people)) if people else -1
        records.append(
            SampleRecord(
                number,
                None if owner < 0 else f"person-{owner}",
                f"image-{generator.integers(images)}.png",
                TASKS[generator.integers(3)],
                PARTS[generator.integers(4)],
                f"the words of sample {number}",
                {"form": "points", "x": [0.5], "y": [0.25]},
            )
        )
        for side in SIDES:
            if side.modality != "personality" and generator.random() < 0.8:
                held[side].append(number)
    for side in SIDES:
        if side.modality == "personality":
            held[side] = [one.number for one in participants if one.answers]
    vectors = {
        side: (np.array(numbers, int), made_rows(side, len(numbers), generator))
        for side, numbers in held.items()
    }
    return Addition(participants, pictures, tuple(records), vectors)


def made_rows(side: Side, count: int, generator: np.random.Generator) -> np.ndarray:
    """Return rows of few values, each space's of length one."""
    layout = DESCRIPTION.layout(side)
    rows = generator.integers(-1, 2, (count, layout.width)).astype(np.float32)
    for space in layout.weights:
        block = rows[:, layout.block(space)]
        rows[:, layout.block(space)] = block / np.maximum(np.linalg.norm(block, axis=1), 1)[:, None]
    rows[:, -1] *= np.float32(0.25)
    return rows


def made_store(where: str | Path, addition: Addition) -> Store:
    with create_store(where) as writer:
        writer.clear(DESCRIPTION, {"configuration.toml": b"nothing"})
        writer.add(addition)
    return open_store(where)


def matches(
    sample: SampleRecord, filters: Filters, people: Mapping[str, ParticipantRecord]
) -> bool:
    """Tell in plain words whether a sample passes."""
    if filters.participants and sample.participant not in filters.participants:
        return False
    if filters.images and sample.image not in filters.images:
        return False
    if filters.tasks and sample.task not in filters.tasks:
        return False
    if filters.parts and sample.part not in filters.parts:
        return False
    return not filters.traits or (
        sample.participant is not None and has_traits(people[sample.participant], filters)
    )


def has_traits(person: ParticipantRecord, filters: Filters) -> bool:
    return all(
        person.traits is not None and low <= person.traits[trait] <= high
        for trait, low, high in filters.traits
    )


def brute_force(addition: Addition, ranking: Ranking) -> list[tuple[int, float]]:
    """Return all candidates and scores in order, one loop at a time."""
    people = {person.name: person for person in addition.participants}
    number_of = {image.name: image.number for image in addition.images}
    samples = {sample.number: sample for sample in addition.samples}
    filters = ranking.filters
    values: dict[int, dict[str, dict[int, list[float]]]] = {}
    for place, probe in enumerate(ranking.probes):
        for item, row in zip(*addition.vectors[probe.side], strict=True):
            if probe.side.modality == "personality":
                person = next(one for one in addition.participants if one.number == item)
                own = [s for s in addition.samples if s.participant == person.name]
                passes = has_traits(person, filters)
                passes &= not filters.participants or person.name in filters.participants
                if filters.images or filters.tasks or filters.parts:
                    passes &= any(matches(sample, filters, people) for sample in own)
                key = person.number
            else:
                sample = samples[int(item)]
                passes = matches(sample, filters, people)
                key = sample.number
                if ranking.find == "images":
                    key = number_of[sample.image]
                if ranking.find == "participants":
                    if sample.participant is None:
                        continue
                    key = people[sample.participant].number
            if passes:
                score = sum(float(a) * float(b) for a, b in zip(row, probe.vector, strict=True))
                of_key = values.setdefault(int(key), {})
                of_key.setdefault(probe.modality, {}).setdefault(place, []).append(score)
    scores = {}
    for key, by_modality in values.items():
        if set(by_modality) == set(ranking.weights):
            scores[key] = sum(
                ranking.weights[modality] * np.mean([np.mean(own) for own in by_probe.values()])
                for modality, by_probe in by_modality.items()
            )
    return sorted(scores.items(), key=lambda pair: (-round(pair[1], 9), pair[0]))
