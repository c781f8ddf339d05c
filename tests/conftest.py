"""What all tests share: a cache of their own, a small simulated study and runs trained on it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from beholder.model import Run, TrainingConfiguration, train
from beholder.study import Study
from beholder.study.simulation import Preset, simulate
from made_study import ALL_TASKS, QUICK

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


@pytest.fixture
def gaze_text() -> TrainingConfiguration:
    """The shortest training: one space of gaze and text."""
    return TrainingConfiguration("base", "g2t", hyperparameters=QUICK)


@pytest.fixture
def run_path(tmp_path: Path) -> Path:
    return tmp_path / "run"
