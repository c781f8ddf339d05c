"""Items and traits of surveys as z-scores of the training participants."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from beholder.features.personality import Items, Surveys, Traits
from beholder.study.survey import Instrument, Item

INSTRUMENT = Instrument(
    *("three", "", "", "", "I"),
    1,
    5,
    (),
    (
        Item("calm", "am calm", "calmness"),
        Item("nervous", "am nervous", "calmness", reversed=True),
        Item("kind", "am kind", "kindness"),
    ),
)
TRAIN = Surveys(np.array([[1.0, 5, 3], [3, 3, 3], [5, 3, 3]]), INSTRUMENT)
TEST = Surveys(np.array([[5.0, 1, 5]]), INSTRUMENT)


def test_items_are_z_scores_of_the_training_answers() -> None:
    statistics = Items().fit(TRAIN)
    spread = math.sqrt(8 / 3), math.sqrt(8 / 9)
    expected = np.array([(5 - 3) / spread[0], (1 - 11 / 3) / spread[1], 2.0]) / math.sqrt(3)
    assert_allclose(Items().encode(TEST, statistics)[0], expected, rtol=1e-6)
    scores = Items().encode(TRAIN, statistics)
    assert_allclose(scores.mean(axis=0), 0, atol=1e-6)
    assert_array_equal(scores[:, 2], 0)  # the item that everyone answered alike


def test_traits_turn_reversed_items_round() -> None:
    statistics = Traits().fit(TRAIN)
    calm = np.array([(1 + 1) / 2, (3 + 3) / 2, (5 + 3) / 2])
    assert_allclose(statistics.arrays["mean"], [calm.mean(), 3], rtol=1e-6)
    assert_allclose(statistics.arrays["spread"], [calm.std(), 1], rtol=1e-6)
    expected = np.array([(5 - calm.mean()) / calm.std(), 2]) / math.sqrt(2)
    assert_allclose(Traits().encode(TEST, statistics)[0], expected, rtol=1e-6)


@pytest.mark.parametrize("encoder", [Items(), Traits()])
def test_one_training_participant(encoder: Items | Traits) -> None:
    statistics = encoder.fit(TEST)
    assert not encoder.encode(TEST, statistics).any()
    assert np.isfinite(encoder.encode(TRAIN, statistics)).all()


@pytest.mark.parametrize("encoder", [Items(), Traits()])
def test_a_survey_is_encoded_by_itself(encoder: Items | Traits) -> None:
    statistics = encoder.fit(TRAIN)
    both = Surveys(np.concatenate([TEST.answers, TRAIN.answers]), INSTRUMENT)
    assert len(both) == 4
    assert_array_equal(encoder.encode(both, statistics)[:1], encoder.encode(TEST, statistics))
