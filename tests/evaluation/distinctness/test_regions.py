"""Regions of people: dwell, how far it is above the others', by loops over viewers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beholder.evaluation.distinctness.regions import (
    Dwell,
    dwell_on_cells,
    dwell_on_labels,
    excess_over_others,
    person_excess,
    score_regions,
)
from beholder.study import Areas, DenseMap, Points


def areas(fixations: int, *met: tuple[int, str]) -> Areas:
    numbers = np.array([number for number, _ in met], dtype=np.int64)
    box = np.tile([0.0, 0.0, 0.5, 0.5], (len(met), 1))
    return Areas(fixations, numbers, tuple(label for _, label in met), box)


def test_dwell_on_labels_is_the_share_of_fixations() -> None:
    gazes = [
        areas(4, (0, "dog"), (1, "dog"), (2, "dog"), (2, "person")),
        areas(2, (0, "tree")),
        areas(0),
        areas(1, (0, "person")),
    ]
    dwell, labels = dwell_on_labels(gazes, np.array([5, 9, 5, 5]))
    assert labels == ("dog", "person", "tree")
    found = {
        (int(g), labels[r]): s
        for g, r, s in zip(dwell.gaze, dwell.region, dwell.share, strict=True)
    }
    assert found == {
        (0, "dog"): 2.5 / 4,
        (0, "person"): 0.5 / 4,
        (1, "tree"): 0.5,
        (2, "dog"): 0,
        (2, "person"): 0,
        (3, "dog"): 0,
        (3, "person"): 1,
    }


def test_dwell_on_cells_is_the_attention_map() -> None:
    gazes = [
        Points(np.array([0.9]), np.array([0.1])),
        DenseMap(np.array([[0.0, 0.0], [1.0, 3.0]])),
    ]
    dwell, names = dwell_on_cells(gazes, np.array([1.0, 2.0]))
    assert len(names) == 64
    assert dwell.gaze.tolist() == [0] * 64 + [1] * 64
    assert dwell.region.tolist() == 2 * list(range(64))
    of_points, of_map = dwell.share[:64].reshape(8, 8), dwell.share[64:].reshape(8, 8)
    assert of_points.sum() == pytest.approx(1)
    assert names[int(of_points.argmax())] == "row 1, column 8"
    np.testing.assert_allclose(of_map[4:, 4:], 3 / 4 / 16)
    np.testing.assert_allclose(of_map[4:, :4], 1 / 4 / 16)
    assert not of_map[:4].any()


def viewings(seed: int) -> tuple[Dwell, np.ndarray, np.ndarray]:
    """Return dwell on four regions, two or three an image, of images with one to five viewers."""
    generator = np.random.default_rng(seed)
    seen = generator.random((9, 5)) < 0.6
    images, people = np.nonzero(seen)
    order = generator.permutation(len(images))
    images, people = images[order] + 20, people[order] + 1
    rows = [
        (n, region, generator.exponential(0.2))
        for n, image in enumerate(images)
        for region in range(4)
        if (image + region) % 3
    ]
    gaze, region, share = (np.array(column) for column in zip(*rows, strict=True))
    return Dwell(gaze, region, share), images, people


@settings(max_examples=30)
@given(st.integers(0, 10**6))
def test_scores_are_those_of_a_loop(seed: int) -> None:
    dwell, images, people = viewings(seed)
    share = {
        (int(g), int(r)): s for g, r, s in zip(dwell.gaze, dwell.region, dwell.share, strict=True)
    }
    variance: dict[int, float] = {}
    for region in range(4):
        squares, freedom = 0.0, 0
        for image in np.unique(images):
            own = [
                share[n, region] for n in np.flatnonzero(images == image) if (n, region) in share
            ]
            if len(own) > 1:
                squares += float(np.var(own)) * len(own)
                freedom += len(own) - 1
        if freedom:
            variance[region] = squares / freedom
    typical = np.median(list(variance.values()))
    expected = {}
    above: dict[tuple[int, int], list[float]] = {}
    for person in np.unique(people):
        for region in range(4):
            own, rest, varies = [], [], 0.0
            for n in np.flatnonzero(people == person):
                others = np.flatnonzero((images == images[n]) & (people != person))
                if (n, region) in share and len(others):
                    own.append(share[n, region])
                    rest.append(np.mean([share[m, region] for m in others]))
                    varies += (variance[region] + typical) * (1 + 1 / len(others))
            above[int(person), region] = [a - b for a, b in zip(own, rest, strict=True)]
            if len(own) >= 2:
                z = (sum(own) - sum(rest)) / np.sqrt(varies)
                expected[int(person), region] = np.mean(own), np.mean(rest), z
    excess = excess_over_others(dwell, images)
    found = score_regions(excess, people, minimum_images=2)
    keys = [(int(p), int(r)) for p, r in zip(found.people, found.features, strict=True)]
    assert keys == sorted(expected)
    for row, key in enumerate(keys):
        assert (found.own[row], found.others[row], found.score[row]) == pytest.approx(expected[key])
    codes, means, known = person_excess(excess, people, 4)
    for row, person in enumerate(codes):
        for region in range(4):
            values = above[int(person), region]
            assert means[row, region] == pytest.approx(np.mean(values) if values else 0)
            assert known[row, region] == bool(values)


def test_a_person_needs_some_images_with_the_region() -> None:
    dwell, images, people = viewings(0)
    excess = excess_over_others(dwell, images)
    three, two = (score_regions(excess, people, minimum_images=k) for k in (3, 2))
    assert set(score_regions(excess, people).score) == set(three.score) < set(two.score)


def test_images_with_one_viewer_say_nothing() -> None:
    dwell = Dwell(np.arange(3), np.zeros(3, np.int64), np.array([0.1, 0.2, 0.9]))
    excess = excess_over_others(dwell, np.array([0, 0, 1]))
    assert excess.gaze.tolist() == [0, 1]
    alone = excess_over_others(dwell, np.arange(3))
    assert len(alone.gaze) == 0
    assert len(score_regions(alone, np.arange(3)).score) == 0


def test_gazes_that_are_all_alike_mark_nobody() -> None:
    dwell = Dwell(np.arange(6), np.zeros(6, np.int64), np.full(6, 0.25))
    excess = excess_over_others(dwell, np.repeat(np.arange(3), 2))
    assert score_regions(excess, np.tile([0, 1], 3)).score.tolist() == [0, 0]
