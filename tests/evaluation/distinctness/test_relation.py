"""People's distance against that of their surveys: the traits that matter are found."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform

from beholder.errors import UnsupportedError
from beholder.evaluation.distinctness.mantel import mantel
from beholder.evaluation.distinctness.personality import relation, standard_scores
from beholder.evaluation.significance import holm

NAMES = ("calm", "curious", "loud")


def traits_of(people: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(1, 6, (people, 3)) * [1.0, 2.0, 5.0]


def test_each_test_is_the_mantel_test_of_that_difference() -> None:
    traits = traits_of(12)
    distances = squareform(pdist(np.random.default_rng(1).random((12, 2))))
    distances[2, 5] = distances[5, 2] = np.nan
    found = relation(distances, traits, NAMES, np.random.default_rng(2), 199)
    scores = (traits - traits.mean(axis=0)) / traits.std(axis=0)
    expected = mantel(distances, squareform(pdist(scores)), np.random.default_rng(2), 199)
    assert found.profile.correlation == pytest.approx(expected.correlation)
    assert found.profile.p == expected.p
    for column, name in enumerate(NAMES):
        difference = pdist(traits[:, [column]])
        expected = mantel(distances, difference, np.random.default_rng(2), 199)
        assert found.traits[name].correlation == pytest.approx(expected.correlation)
        assert found.traits[name].p == expected.p
    corrected = holm([found.traits[name].p for name in NAMES])
    assert [found.corrected[name] for name in NAMES] == pytest.approx(corrected.tolist())


def test_the_trait_behind_the_distance_is_found() -> None:
    traits = traits_of(30, 3)
    noise = squareform(pdist(np.random.default_rng(4).random((30, 2))))
    distances = np.abs(traits[:, [1]] - traits[:, 1]) + noise
    found = relation(distances, traits, NAMES, np.random.default_rng(0), 499)
    assert found.profile.p == 1 / 500
    assert found.corrected["curious"] <= 0.01
    assert found.corrected["calm"] > 0.05
    assert found.corrected["loud"] > 0.05


def test_people_without_distance_and_traits_without_difference_are_left_out() -> None:
    traits = traits_of(9)
    traits[:, 2] = 3
    traits[8, 2] = 4  # only the person who shares no image differs
    distances = squareform(pdist(np.random.default_rng(1).random((9, 2))))
    distances[8] = distances[:, 8] = np.nan
    np.fill_diagonal(distances, 0)
    before = distances.copy()
    found = relation(distances, traits, NAMES, np.random.default_rng(0), 99)
    assert found.profile.n == 8
    assert set(found.traits) == set(found.corrected) == {"calm", "curious"}
    np.testing.assert_array_equal(distances, before)


def test_no_test_where_people_or_traits_are_missing() -> None:
    distances = squareform(pdist(np.random.default_rng(1).random((5, 2))))
    generator = np.random.default_rng(0)
    with pytest.raises(UnsupportedError, match="distances that differ"):
        relation(distances, np.ones((5, 3)), NAMES, generator)
    with pytest.raises(UnsupportedError, match="needs 4 people with known distances, not 0"):
        relation(np.full((5, 5), np.nan), traits_of(5), NAMES, generator)


def test_scores_are_z_scores() -> None:
    scores = standard_scores(np.array([[1.0, 2.0], [3.0, 2.0]]))
    assert scores.tolist() == [[-1, 0], [1, 0]]
    assert standard_scores(np.zeros((0, 2))).shape == (0, 2)
