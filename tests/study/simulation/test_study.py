"""A simulated study is whole, has the counts of its design and depends on its seed alone."""

import tomllib
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from beholder.errors import ConfigurationError, StudyError
from beholder.study import Points, Study, load_instrument
from beholder.study.simulation import PRESETS, TRAITS, Effects, simulate
from beholder.study.simulation.participants import draw_person
from beholder.study.simulation.presets import assign_tasks

TINY = replace(PRESETS["small"].resized(10, 24), width=40, height=30)


@pytest.mark.parametrize(
    ("name", "samples", "images", "participants", "tasks"),
    [("ads", 2700, 543, 139, 180), ("coco", 1350, 363, 79, 90), ("small", 840, 60, 42, 84)],
)
def test_presets_have_the_published_counts(
    name: str, samples: int, images: int, participants: int, tasks: int
) -> None:
    preset = PRESETS[name]
    assigned = assign_tasks(preset, np.random.default_rng(0))
    assert len(assigned) == preset.tasks == tasks
    assert sum(len(task.images) for task in assigned) == preset.samples == samples
    assert len({image for task in assigned for image in task.images}) == preset.images == images
    assert len({task.participant for task in assigned}) == preset.participants == participants
    load = Counter(task.participant for task in assigned)
    assert max(load.values()) - min(load.values()) <= 1
    sets = Counter(frozenset(task.images) for task in assigned)
    assert all(count % preset.viewers == 0 for count in sets.values())


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("seed", range(5))
def test_nobody_sees_an_image_twice_but_for_validation(name: str, seed: int) -> None:
    preset = PRESETS[name]
    shared = set(range(preset.validation_images))
    seen: Counter[tuple[int, int]] = Counter()
    for task in assign_tasks(preset, np.random.default_rng(seed)):
        assert shared <= set(task.images)
        assert len(set(task.images)) == preset.task_images
        seen.update((task.participant, image) for image in set(task.images) - shared)
    assert max(seen.values()) == 1


def test_a_design_can_be_resized() -> None:
    larger = PRESETS["ads"].resized(278, 1000)
    assert (larger.participants, larger.images, larger.tasks) == (278, 1000, 360)
    fewer = PRESETS["small"].resized(5, None)
    assert (fewer.participants, fewer.viewers, fewer.tasks) == (5, 5, 10)
    with pytest.raises(ConfigurationError, match="too few for tasks"):
        PRESETS["small"].resized(None, 9)
    with pytest.raises(ConfigurationError, match="nobody sees an image twice"):
        assign_tasks(PRESETS["small"].resized(None, 12), np.random.default_rng(0))
    with pytest.raises(ConfigurationError, match="among 0 participants"):
        PRESETS["small"].resized(0, None)


def test_a_study_is_whole_and_the_truth_lies_beside_it(tmp_path: Path) -> None:
    report = simulate(tmp_path / "study", TINY, seed=3)
    study = Study.open(tmp_path / "study")
    assert len(study) == report.samples == TINY.samples == 200
    assert (report.participants, report.images) == (10, 24)
    assert (study.info.language, study.info.licence) == ("en", "CC0-1.0")
    assert study.info.source == "simulated"
    assert study.participants.column("participant")[0].as_py() == "p001"
    assert study.has("gaze").all() and study.has("text").all() and study.has("personality").all()
    for sample in study:
        gaze = sample.gaze
        assert isinstance(gaze, Points) and gaze.time is not None and gaze.duration is not None
        assert len(gaze) >= 4 and gaze.time[0] == 0
        assert ((gaze.x >= 0) & (gaze.x <= 1) & (gaze.y >= 0) & (gaze.y <= 1)).all()
        assert (np.diff(gaze.time) > 0).all() and (gaze.duration > 0).all()
    truth = np.loadtxt(
        study.path / "truth/traits.csv", delimiter=",", skiprows=1, usecols=range(1, 6)
    )
    assert truth.shape == (10, len(TRAITS))
    effects = tomllib.loads((study.path / "truth/effects.toml").read_text())
    assert effects["seed"] == 3
    assert effects["effects"] == {"survey": 1.0, "gaze": 1.0, "text": 1.0, "sample": 1.0}
    assert effects["design"]["images"] == 24


def test_the_seed_alone_decides(tmp_path: Path) -> None:
    for name, seed in (("one", 1), ("again", 1), ("other", 2)):
        simulate(tmp_path / name, TINY, seed=seed)
    one, again, other = (
        (tmp_path / name / "samples.parquet").read_bytes() for name in ("one", "again", "other")
    )
    assert one == again != other
    fingerprints = {Study.open(tmp_path / name).fingerprint for name in ("one", "again")}
    assert len(fingerprints) == 1


def test_what_exists_is_not_overwritten_unasked(tmp_path: Path) -> None:
    simulate(tmp_path / "study", TINY)
    with pytest.raises(StudyError, match="exists"):
        simulate(tmp_path / "study", TINY)
    simulate(tmp_path / "study", TINY, overwrite=True)
    with pytest.raises(ConfigurationError, match="unknown preset 'large'"):
        simulate(tmp_path / "other", "large")


def test_answers_follow_the_traits_and_reversed_items_turn_round() -> None:
    instrument = load_instrument("bfi-10")
    generator = np.random.default_rng(0)
    people = [draw_person(str(n), instrument, Effects(), generator) for n in range(400)]
    scores = instrument.trait_scores([person.answers for person in people])
    traits = np.array([person.traits for person in people])
    for column, trait in enumerate(instrument.traits):
        assert np.corrcoef(scores[:, column], traits[:, TRAITS.index(trait)])[0, 1] > 0.75
    keys = [item.key for item in instrument.items]
    answers = np.array([person.answers for person in people])
    five, ten = (answers[:, keys.index(key)] for key in ("artistic", "imagination"))
    assert np.corrcoef(five, ten)[0, 1] < -0.4


def test_effects_are_sizes() -> None:
    assert Effects.none() == Effects(0, 0, 0, 0)
    with pytest.raises(ConfigurationError, match="effect gaze"):
        Effects(gaze=-1)
    with pytest.raises(ConfigurationError, match="effect text"):
        Effects(text=float("nan"))
