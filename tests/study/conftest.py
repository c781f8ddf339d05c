"""Small sources, made anew in a temporary folder: tiny images, a few rows of text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
from PIL import Image

from beholder.study import StudyInfo, StudyWriter, load_instrument, samples_table
from beholder.study.gaze import Areas, DenseMap, Points
from beholder.study.readers import ReadOptions

WIDTH, HEIGHT = 40, 30

MakeImage: TypeAlias = Callable[[Path], Path]
WriteStudy: TypeAlias = Callable[[Path], Path]


def make_picture(path: Path, width: int = WIDTH, height: int = HEIGHT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(len(path.name)).integers(0, 255, (height, width, 3), np.uint8)
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture
def picture() -> Callable[..., Path]:
    return make_picture


@pytest.fixture
def options(tmp_path: Path) -> ReadOptions:
    """Options whose pseudonym key lies in the test's own folder."""
    return ReadOptions(key_file=tmp_path / "keys" / "pseudonym.key")


POINTS = Points(
    x=np.array([0.25, 0.5, 1.0]),
    y=np.array([0.0, 0.5, 0.75]),
    time=np.array([0.0, 0.5, 1.25]),
    duration=np.array([0.25, 0.5, 0.125]),
)
CLICKS = Points(x=np.array([0.5]), y=np.array([0.25]))
AREAS = Areas(
    fixations=4,
    fixation=np.array([0, 0, 3]),
    label=("person", "hat", "Straße"),
    box=np.array([[0.0, 0.0, 0.5, 1.0], [0.25, 0.0, 0.125, 0.25], [0.5, 0.5, 0.5, 0.5]]),
)
MISSES = Areas(2, np.zeros(0, dtype=int), (), np.zeros((0, 4)))
MAP = DenseMap(np.random.default_rng(7).random((HEIGHT, WIDTH)) * 3)
GAZES = (POINTS, AREAS, MAP, None, CLICKS, MISSES)
ANSWERS = [4, 4, 1, 4, 1, 3, 1, 5, 1, 4]


@pytest.fixture
def write_study(tmp_path: Path) -> WriteStudy:
    """Write a study with every form of gaze, an unknown participant and Unicode."""
    first = make_picture(tmp_path / "a picture.png")
    second = make_picture(tmp_path / "zwei.jpg", 50, 20)

    def write(target: Path) -> Path:
        info = StudyInfo("gaze of every form", "a test", language="de", licence="CC0-1.0")
        with StudyWriter(target, info, load_instrument("bfi-10")) as writer:
            writer.add_image("a picture.png", first)
            writer.add_image("ordner/zwei.jpg", second)
            writer.add_participant("zoë", ANSWERS)
            writer.add_participant("人")
            writer.add_samples(
                samples_table(
                    participants=["zoë", "人", "zoë", None, "zoë", "人"],
                    images=["a picture.png"] * 4 + ["ordner/zwei.jpg"] * 2,
                    texts=["ein „Haus“\nam See", None, "", "👁 œil", None, "x"],
                    tasks=["describe", None, None, None, None, None],
                    gazes=GAZES,
                )
            )
            writer.add_map(2, MAP.values)
        return target

    return write
