"""What the encoders are given of a study's samples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image

from beholder.errors import StudyError, UnsupportedError
from beholder.features import (
    DEFAULT_ENCODERS,
    FeatureCache,
    ImageGrid,
    ModalityEncoder,
    StudyInputs,
)
from beholder.study import Study, StudyInfo, StudyWriter, load_instrument, samples_table
from beholder.study.gaze import Areas, DenseMap, Points

ZOE = [4, 4, 1, 4, 1, 3, 1, 5, 1, 4]
YAN = [2, 2, 3, 2, 5, 3, 1, 1, 1, 2]
POINTS = Points(np.array([0.25, 0.5]), np.array([0.0, 0.5]))
AREAS = Areas(2, np.array([1]), ("hat",), np.array([[0, 0, 0.5, 0.25]]))
MAP = DenseMap(np.eye(6))


def _study(folder: Path, *, surveyed: bool = True) -> Study:
    for name, size, shade in [("a.png", (40, 20), 0), ("b.png", (10, 20), 255)]:
        Image.new("L", size, shade).save(folder / name)
    instrument = load_instrument("bfi-10") if surveyed else None
    with StudyWriter(folder / "study", StudyInfo("n", "s"), instrument) as writer:
        writer.add_image("b.png", folder / "b.png")
        writer.add_image("a.png", folder / "a.png")
        writer.add_participant("yan", YAN if surveyed else None)
        writer.add_participant("none")
        writer.add_participant("zoë", ZOE if surveyed else None)
        writer.add_samples(
            samples_table(
                participants=["zoë", "none", "yan", None, "zoë"],
                images=["a.png", "b.png", "a.png", "a.png", "b.png"],
                texts=["one", None, "", "four", "five"],
                gazes=[POINTS, AREAS, None, POINTS, MAP],
            )
        )
        writer.add_map(4, MAP.values)
    return Study.open(folder / "study")


@pytest.fixture
def inputs(tmp_path: Path) -> StudyInputs:
    return StudyInputs(_study(tmp_path), FeatureCache(None), ImageGrid(cells=4))


def test_texts_come_in_the_order_asked_for(inputs: StudyInputs) -> None:
    assert inputs.of("text", np.array([4, 0, 2])) == ["five", "one", ""]


def test_a_gaze_comes_with_its_own_image(inputs: StudyInputs) -> None:
    found = inputs.of("gaze", np.array([4, 0, 1, 0]))
    assert [type(gaze).__name__ for gaze in found.gazes] == [
        "DenseMap",
        "Points",
        "Areas",
        "Points",
    ]
    assert_array_equal(found.aspects[found.image], [0.5, 2, 0.5, 2])
    lightness = found.grids[found.image][..., 0].mean(axis=(1, 2))
    assert lightness.round(2).tolist() == [1, 0, 1, 0]  # b is white, a black
    assert found.grids.shape == (2, 4, 4, 22)


def test_a_survey_is_its_participants(inputs: StudyInputs) -> None:
    found = inputs.of("personality", np.array([2, 0, 4]))
    assert_array_equal(found.answers, [YAN, ZOE, ZOE])
    assert found.instrument.name == "bfi-10"


@pytest.mark.parametrize(
    ("modality", "row"), [("text", 1), ("gaze", 2), ("personality", 1), ("personality", 3)]
)
def test_a_sample_without_the_modality_is_an_error(
    inputs: StudyInputs, modality: str, row: int
) -> None:
    with pytest.raises(UnsupportedError, match=f"no {modality}"):
        inputs.of(modality, np.array([0, row]))


def test_a_study_without_a_survey(tmp_path: Path) -> None:
    inputs = StudyInputs(_study(tmp_path, surveyed=False), FeatureCache(None))
    for rows, message in [([0], "no personality"), ([], "no survey instrument")]:
        with pytest.raises(UnsupportedError, match=message):
            inputs.of("personality", np.array(rows, dtype=int))


def test_images_are_described_only_for_gaze_and_once(tmp_path: Path) -> None:
    described = []

    def progress(items, description, total=None):
        described.extend(items)
        return items

    study, cache = _study(tmp_path), FeatureCache(tmp_path / "cache")
    inputs = StudyInputs(study, cache, progress=progress)
    inputs.of("text", np.array([0]))
    assert not described
    for _ in range(2):
        inputs.of("gaze", np.array([0]))
    StudyInputs(study, FeatureCache(tmp_path / "cache"), progress=progress).of(
        "gaze", np.array([1])
    )
    assert [path.name for path in described] == ["b.png", "a.png"]


def test_an_image_that_is_gone_is_named(inputs: StudyInputs) -> None:
    inputs.study.image_path(1).unlink()
    with pytest.raises(StudyError, match=r"a\.png cannot be read"):
        inputs.of("gaze", np.array([0]))


@pytest.mark.parametrize("modality", list(DEFAULT_ENCODERS))
def test_the_default_encoders_take_a_study(tmp_path: Path, modality: str) -> None:
    inputs = StudyInputs(_study(tmp_path), FeatureCache(None))
    rows = np.flatnonzero(inputs.study.has(modality))
    items = inputs.of(modality, rows)
    features = ModalityEncoder.fit(DEFAULT_ENCODERS[modality], items).encode(items)
    assert len(features) == len(rows) and np.isfinite(features).all()
