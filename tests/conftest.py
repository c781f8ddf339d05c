"""What all tests share: a cache of their own, a small simulated study and runs trained on it."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from PIL import Image

import postgres
from beholder.model import Run, TrainingConfiguration, train
from beholder.study import Study
from beholder.study.simulation import Preset, simulate
from made_study import ALL_TASKS, QUICK

# The same examples for the same code, so that a failure is the change's own; `make fuzz` draws
# new ones. How long any takes is no failure: the machine may be busy.
for name in ("same", "new"):
    settings.register_profile(
        name,
        derandomize=name == "same",
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

PEOPLE, PICTURES = 6, 8
WORDS = ("boat", "tree", "dog", "house", "car", "cup", "lamp", "kite")

TINY = Preset(
    "tiny",
    images=16,
    validation_images=0,
    participants=12,
    sets=4,
    viewers=6,
    task_images=8,
    prompt="describe",
    width=80,
    height=60,
)


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the features that the tests extract away from the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "BEHOLDER_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def tiny_study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """192 samples of 16 images by 12 people; read only."""
    path = tmp_path_factory.mktemp("studies") / "tiny"
    simulate(path, TINY)
    return Study.open(path)


@pytest.fixture(scope="session")
def tiny_run(tiny_study: Study, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of `ours` on all six tasks of the tiny study; read only."""
    configuration = TrainingConfiguration("ours", ALL_TASKS, hyperparameters=QUICK)
    return train(tiny_study, tmp_path_factory.mktemp("runs") / "ours", configuration)


@pytest.fixture(scope="session")
def canonical_run(tiny_study: Study, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of `canonical` on two pairs of the tiny study, of which one is of ours; read only."""
    configuration = TrainingConfiguration("canonical", "g2t,t2g,t2p", hyperparameters=QUICK)
    return train(tiny_study, tmp_path_factory.mktemp("runs") / "canonical", configuration)


@pytest.fixture
def gaze_text() -> TrainingConfiguration:
    """The shortest training: one space of gaze and text."""
    return TrainingConfiguration("base", "g2t", hyperparameters=QUICK)


@pytest.fixture
def run_path(tmp_path: Path) -> Path:
    return tmp_path / "run"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A lab's export: every person fixates the brightest spot of every picture and names it."""
    folder = tmp_path / "source"
    (folder / "images").mkdir(parents=True)
    generator = np.random.default_rng(0)
    with (folder / "samples.csv").open("w") as samples, (folder / "fixations.csv").open("w") as f:
        texts, fixations = csv.writer(samples), csv.writer(f)
        texts.writerow(["participant", "image", "text"])
        fixations.writerow(["participant", "image", "x", "y", "t"])
        for picture in range(PICTURES):
            pixels = generator.integers(0, 256, (24, 32, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / "images" / f"{picture}.png")
            for person in range(PEOPLE):
                name = f"{picture}.png"
                texts.writerow([f"p{person}", name, f"a {WORDS[picture]} by p {person}, I think"])
                for step in range(3):
                    x, y = generator.random(2) * (32, 24)
                    fixations.writerow([f"p{person}", name, x, y, step])
    with (folder / "participants.csv").open("w") as f:
        people = csv.writer(f)
        people.writerow(["participant", *(f"item_{n}" for n in range(1, 11))])
        for person in range(PEOPLE):
            people.writerow([f"p{person}", *generator.integers(1, 6, 10)])
    return folder


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    """A running PostgreSQL, or a skip that says why there is none."""
    try:
        with postgres.running_server() as server:
            yield server
    except postgres.AbsentError as error:
        pytest.skip(f"PostgreSQL is absent: {error}")
