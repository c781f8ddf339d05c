"""Simulating a whole study with known truth, so that methods can be checked against it."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

import numpy as np

from beholder.errors import ConfigurationError
from beholder.progress import Progress, silent
from beholder.study.gaze import Points
from beholder.study.readers.options import ReadReport
from beholder.study.schema import StudyInfo
from beholder.study.simulation.drawing import draw_scene
from beholder.study.simulation.effects import Effects
from beholder.study.simulation.participants import TRAITS, Person, draw_person
from beholder.study.simulation.presets import PRESETS, Preset, Task, assign_tasks
from beholder.study.simulation.scenes import Scene, compose_scene
from beholder.study.simulation.viewing import view
from beholder.study.simulation.writing import write
from beholder.study.survey import Instrument, load_instrument, quoted
from beholder.study.writer import StudyWriter, samples_table

DEFAULT_EFFECTS: Final = Effects()

_JPEG_QUALITY: Final = 90
_BATCH: Final = 256  # tasks written together

# Every participant, image and sample has a stream of random numbers of its own, found by these
# keys, so that nothing depends on the order in which they are made.
_DESIGN, _PERSON, _SCENE, _PICTURE, _VIEWING, _WRITING = range(6)


def simulate(
    target: str | Path,
    preset: str | Preset = "small",
    *,
    seed: int = 0,
    effects: Effects = DEFAULT_EFFECTS,
    participants: int | None = None,
    images: int | None = None,
    overwrite: bool = False,
    progress: Progress = silent,
) -> ReadReport:
    """Simulate a study and write it, whole or not at all.

    ``preset`` is a design or the name of one in `PRESETS`, resized where ``participants`` or
    ``images`` is given. The truth lies in ``truth/``: the latent traits in ``traits.csv``,
    the effects and the design in ``effects.toml``. The same seed gives the same samples.
    """
    target = Path(target)
    design = _preset(preset).resized(participants, images)
    tasks = assign_tasks(design, _generator(seed, _DESIGN))
    instrument = load_instrument("bfi-10")
    people = _people(design, instrument, effects, seed)
    scenes = [compose_scene(_generator(seed, _SCENE, n)) for n in range(design.images)]
    names = image_names(design)
    info = StudyInfo(target.name, "simulated", language="en", licence="CC0-1.0")
    with (
        StudyWriter(target, info, instrument, overwrite=overwrite) as writer,
        tempfile.TemporaryDirectory() as scratch,
    ):
        for number in progress(range(design.images), "drawing images"):
            file = Path(scratch) / "image.jpg"
            picture = _generator(seed, _PICTURE, number)
            image = draw_scene(scenes[number], design.width, design.height, picture)
            image.save(file, "JPEG", quality=_JPEG_QUALITY)
            writer.add_image(names[number], file, image.size)
        for person in people:
            writer.add_participant(person.participant, person.answers)
        for batch in progress(list(_batches(tasks)), "simulating viewers"):
            _add_samples(writer, batch, design, people, scenes, effects, seed)
        writer.add_file("truth/traits.csv", _traits_csv(people))
        writer.add_file("truth/effects.toml", _truth_toml(design, effects, seed))
    notes = (
        f"simulated from seed {seed} and preset {design.name}; the truth is in truth/",
        f"{instrument.name}: {instrument.notice}",
    )
    return ReadReport(len(people), design.images, design.samples, 0, notes)


def image_names(design: Preset) -> list[str]:
    """Return the images' file names by number; those for validation come first."""
    shared, others = design.validation_images, design.images - design.validation_images
    names = [f"validation-{number + 1}.jpg" for number in range(shared)]
    return names + [f"scene-{number + 1:04d}.jpg" for number in range(others)]


def _preset(preset: str | Preset) -> Preset:
    if isinstance(preset, Preset):
        return preset
    if preset not in PRESETS:
        raise ConfigurationError(f"unknown preset {preset!r}, expected one of {', '.join(PRESETS)}")
    return PRESETS[preset]


def _generator(seed: int, *key: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def _people(design: Preset, instrument: Instrument, effects: Effects, seed: int) -> list[Person]:
    width = max(3, len(str(design.participants)))
    return [
        draw_person(f"p{n + 1:0{width}d}", instrument, effects, _generator(seed, _PERSON, n))
        for n in range(design.participants)
    ]


def _batches(tasks: Sequence[Task]) -> Iterator[Sequence[Task]]:
    for start in range(0, len(tasks), _BATCH):
        yield tasks[start : start + _BATCH]


def _add_samples(
    writer: StudyWriter,
    tasks: Sequence[Task],
    design: Preset,
    people: Sequence[Person],
    scenes: Sequence[Scene],
    effects: Effects,
    seed: int,
) -> None:
    names = image_names(design)
    shown = [(task, image) for task in tasks for image in task.images]
    gazes: list[Points] = []
    texts: list[str] = []
    for task, image in shown:
        scene, traits = scenes[image], people[task.participant].traits
        viewing = view(scene, traits, effects, _generator(seed, _VIEWING, task.number, image))
        writing = _generator(seed, _WRITING, task.number, image)
        gazes.append(viewing.points)
        texts.append(write(scene, viewing.attention, traits, design.prompt, effects, writing))
    writer.add_samples(
        samples_table(
            participants=[people[task.participant].participant for task, _ in shown],
            images=[names[image] for _, image in shown],
            tasks=[f"t{task.number + 1:04d}" for task, _ in shown],
            texts=texts,
            gazes=gazes,
        )
    )


def _traits_csv(people: Sequence[Person]) -> str:
    lines = [",".join(("participant", *TRAITS))]
    lines += [",".join((p.participant, *(f"{value:.6f}" for value in p.traits))) for p in people]
    return "\n".join(lines) + "\n"


def _truth_toml(design: Preset, effects: Effects, seed: int) -> str:
    lines = [f"seed = {seed}", "", "[effects]"]
    lines += [f"{name} = {float(size)}" for name, size in asdict(effects).items()]
    lines += ["", "[design]"]
    for name, value in asdict(design).items():
        lines.append(f"{name} = {quoted(value) if isinstance(value, str) else value}")
    return "\n".join(lines) + "\n"
