"""Small sources, made anew in a temporary folder: tiny images, a few rows of text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from small_study import ANSWERS, GAZES, MAP, WriteStudy, make_picture

from beholder.study import StudyInfo, StudyWriter, load_instrument, samples_table
from beholder.study.readers import ReadOptions


@pytest.fixture
def picture() -> Callable[..., Path]:
    return make_picture


@pytest.fixture
def options(tmp_path: Path) -> ReadOptions:
    """Options whose pseudonym key lies in the test's own folder."""
    return ReadOptions(key_file=tmp_path / "keys" / "pseudonym.key")


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
