"""What marks people and traits: the maximum test and the correlations, by loops and by level."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, false_discovery_control, spearmanr

from beholder.evaluation.distinctness import markers as module
from beholder.evaluation.distinctness.markers import (
    Scores,
    exchanged,
    mark_people,
    mark_traits,
)

IMAGES = np.repeat(np.arange(8), 5)
PEOPLE = np.tile(np.arange(5), 8)


def scored(values: np.ndarray) -> module.Scores:
    """Return a function that scores people by their mean value over samples, one feature."""

    def score(people: np.ndarray) -> Scores:
        codes = np.unique(people)
        means = np.array([values[people == person].mean() for person in codes])
        return Scores(codes, np.zeros_like(codes), means, np.zeros(len(codes)), means)

    return score


def test_exchanged_samples_stay_with_their_image() -> None:
    generator = np.random.default_rng(0)
    order = generator.permutation(len(IMAGES))
    images, people = IMAGES[order], PEOPLE[order]
    drawn = list(exchanged(images, people, generator, 3))
    assert len(drawn) == 3
    for whose in drawn:
        assert (whose != people).any()
        for image in range(8):
            assert sorted(whose[images == image]) == sorted(people[images == image])
    assert (drawn[0] != drawn[1]).any()


def test_every_exchange_of_an_image_is_as_likely() -> None:
    images, people = np.zeros(3, int), np.arange(3)
    drawn = exchanged(images, people, np.random.default_rng(0), 3000)
    _, counts = np.unique(np.stack(list(drawn)), axis=0, return_counts=True)
    assert len(counts) == 6
    low, high = binom.ppf([0.0001, 0.9999], 3000, 1 / 6)
    assert ((low <= counts) & (counts <= high)).all()


def test_p_is_the_share_of_exchanges_with_a_score_as_large() -> None:
    values = np.random.default_rng(1).standard_normal(40) + 0.8 * (PEOPLE == 3)
    score = scored(values)
    found = mark_people(score, IMAGES, PEOPLE, np.random.default_rng(2), exchanges=99, most=2)
    largest = np.array(
        [score(who).score.max() for who in exchanged(IMAGES, PEOPLE, np.random.default_rng(2), 99)]
    )
    plain = score(PEOPLE).score
    assert found.people.tolist() == np.argsort(-plain)[:2].tolist()
    assert found.people[0] == 3
    for row, person in enumerate(found.people):
        assert found.score[row] == plain[person]
        assert found.p[row] == (1 + (largest >= plain[person] - 1e-9).sum()) / 100
    assert len(found) == 2


def test_only_more_than_others_marks() -> None:
    found = mark_people(scored(-np.ones(40)), IMAGES, PEOPLE, np.random.default_rng(0))
    assert len(found) == len(found.p) == 0


def test_people_are_marked_by_chance_in_one_study_of_twenty() -> None:
    studies, generator = 200, np.random.default_rng(3)
    marked = sum(
        mark_people(
            scored(generator.exponential(size=40)), IMAGES, PEOPLE, generator, exchanges=19, most=1
        ).p[0]
        <= 0.05
        for _ in range(studies)
    )
    low, high = binom.ppf([0.001, 0.999], studies, 0.05)
    assert low <= marked <= high


def features(people: int = 15, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    values = np.round(generator.exponential(size=(people, 6)), 1) * (
        generator.random((people, 6)) < 0.6
    )
    return values, generator.integers(1, 6, (people, 2)).astype(float)


def test_correlations_and_p_are_those_of_a_loop() -> None:
    values, traits = features()
    found = mark_traits(values, traits, np.random.default_rng(4), 49)
    orders = np.random.default_rng(4).permuted(np.tile(np.arange(15), (49, 1)), axis=1)
    for feature in range(6):
        for trait in range(2):
            expected = spearmanr(values[:, feature], traits[:, trait]).statistic
            assert found.correlation[feature, trait] == pytest.approx(expected)
            null = [
                spearmanr(values[:, feature], traits[order, trait]).statistic for order in orders
            ]
            as_large = np.sum(np.abs(null) >= abs(expected) - 1e-9)
            assert found.p[feature, trait] == pytest.approx((1 + as_large) / 50)
    for trait in range(2):
        expected_q = false_discovery_control(found.p[:, trait])
        np.testing.assert_allclose(found.q[:, trait], expected_q)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    values, traits = features()
    whole = mark_traits(values, traits, np.random.default_rng(0), 100)
    monkeypatch.setattr(module, "_CORRELATIONS_HELD", 200)
    np.testing.assert_array_equal(
        mark_traits(values, traits, np.random.default_rng(0), 100).p, whole.p
    )


def test_what_is_the_same_in_all_is_not_tested() -> None:
    values, traits = features()
    values[:, 2] = 0.1
    traits[:, 1] = 3
    found = mark_traits(values, traits, np.random.default_rng(0), 99)
    untested = np.zeros((6, 2), dtype=bool)
    untested[2], untested[:, 1] = True, True
    for values in vars(found).values():
        np.testing.assert_array_equal(np.isnan(values), untested)
    np.testing.assert_allclose(found.q[~untested], false_discovery_control(found.p[~untested]))


def test_a_traits_marker_is_found_among_many() -> None:
    generator = np.random.default_rng(5)
    values, traits = generator.random((40, 60)), generator.standard_normal((40, 1))
    values[:, 7] += 0.5 * traits[:, 0]
    found = mark_traits(values, traits, generator, 4999)
    assert np.flatnonzero(found.q[:, 0] <= 0.05).tolist() == [7]
