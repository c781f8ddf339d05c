"""Concepts: what an image shows whoever looked, and what a gaze dwelt on."""

from __future__ import annotations

import numpy as np
import pytest

from beholder.features.concepts import concept_bag, shown_concepts
from beholder.study import Areas, DenseMap
from made_study import Row, made_study, with_areas


def test_an_image_shows_every_area_that_anyone_met_and_each_once() -> None:
    rows = [Row("ada", "i", "a", 2), Row("bo", "i", "b", 2), Row("bo", "j", "c", 9), Row("cy", "k")]
    points = made_study(rows)
    assert shown_concepts(points) == [{}, {}, {}]
    # The made gazes lie at (1/2, 1/4) and (n/16, 1/2).
    shown = shown_concepts(with_areas(points))
    assert shown == [
        {"right top": 1, "left bottom": 1},
        {"right top": 1, "right bottom": 1},
        {},
    ]


def test_two_areas_of_one_label_are_two() -> None:
    box = np.array([[0, 0, 0.5, 1], [0.5, 0, 0.5, 1], [0, 0, 0.5, 1]])
    gaze = Areas(3, np.array([0, 1, 2]), ("cup", "cup", "cup"), box)
    study = with_areas(made_study([Row("ada", "i", "a", 2)]))
    study.gaze = lambda number: gaze  # type: ignore[method-assign]
    assert shown_concepts(study) == [{"cup": 2}]


def test_a_gaze_adds_its_fixations_nested_areas_sharing_them() -> None:
    gaze = Areas(4, np.array([0, 1, 1]), ("man", "man", "tie"), np.full((3, 4), 0.1))
    shown = {"man": 2, "dog": 1}
    expected = {"man": 2, "dog": 1, "man met": 1.5, "tie met": 0.5}
    assert concept_bag(gaze, shown) == pytest.approx(expected)
    assert shown == {"man": 2, "dog": 1}
    assert concept_bag(DenseMap(np.ones((2, 2))), shown) == shown
