"""Distances in a space against loops over all pairs, and intervals that cover."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student

from beholder.errors import UnsupportedError
from beholder.evaluation.distinctness import distances as module
from beholder.evaluation.distinctness.distances import (
    Encounters,
    apartness,
    image_distances,
    overall_people_distances,
    people_distances,
)


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def made(
    seed: int, images: int = 7, people: int = 6, seen: float = 0.6, person: float = 0.0
) -> Encounters:
    """Return encounters of people with images; ``person`` says how personal they are."""
    generator = np.random.default_rng(seed)
    viewed = np.argwhere(generator.random((images, people)) < seen)
    image, who = viewed.T
    vectors = generator.standard_normal((images, 4))[image] + generator.standard_normal(
        (len(image), 4)
    )
    return Encounters.of(
        unit(vectors + person * generator.standard_normal((people, 4))[who]), image * 10, who + 3
    )


def distance(one: np.ndarray, other: np.ndarray) -> float:
    return 1 - float(one @ other)


def pairs_of(encounters: Encounters) -> dict[str, list[float]]:
    """Return the distances of all pairs of encounters, by what they share."""
    found: dict[str, list[float]] = {"same_image": [], "same_person": [], "unrelated": []}
    rows = list(zip(encounters.vectors, encounters.images, encounters.people, strict=True))
    for (v, image, person), (w, other_image, other_person) in combinations(rows, 2):
        kind = "unrelated"
        if image == other_image:
            kind = "same_image"
        elif person == other_person:
            kind = "same_person"
        found[kind].append(distance(v, w))
    return found


@settings(max_examples=25)
@given(st.integers(0, 10**6))
def test_means_are_those_of_all_pairs(seed: int) -> None:
    encounters = made(seed)
    pairs = pairs_of(encounters)
    if not all(pairs.values()):
        return
    found = apartness(encounters, np.random.default_rng(0))
    for kind, values in pairs.items():
        assert getattr(found, kind).value == pytest.approx(np.mean(values))
    unrelated = np.mean(pairs["unrelated"])
    assert found.distinctness.value == pytest.approx(np.mean(pairs["same_image"]) / unrelated)
    assert found.variability.value == pytest.approx(np.mean(pairs["same_person"]) / unrelated)


def test_an_encounter_is_the_mean_of_a_persons_samples() -> None:
    generator = np.random.default_rng(0)
    vectors = unit(generator.standard_normal((6, 3)))
    images, people = np.array([4, 2, 4, 4, 2, 2]), np.array([1, 0, 1, 0, -1, 0])
    found = Encounters.of(vectors, images, people)
    assert found.images.tolist() == [2, 4, 4]
    assert found.people.tolist() == [0, 0, 1]
    expected = [vectors[[1, 5]].mean(axis=0), vectors[3], vectors[[0, 2]].mean(axis=0)]
    np.testing.assert_allclose(found.vectors, expected)
    assert len(found) == 3
    mean = np.mean([distance(vectors[n], vectors[3]) for n in (0, 2)])
    assert image_distances(found).distance[1 - 1] == pytest.approx(mean)


def test_the_interval_is_that_of_the_weights() -> None:
    """Each person's influence is the derivative of the mean by how often the person counts."""
    encounters = made(3, images=9, people=8)
    people = np.unique(encounters.people)

    def weighted(weight: dict[int, float]) -> dict[str, float]:
        sums: dict[str, list[float]] = {}
        rows = zip(encounters.vectors, encounters.images, encounters.people, strict=True)
        for (v, i, p), (w, j, q) in combinations(list(rows), 2):
            kind = "same_image" if i == j else "same_person" if p == q else "unrelated"
            times = weight[p] * (weight[q] if p != q else 1)
            total = sums.setdefault(kind, [0.0, 0.0])
            total[0] += times * distance(v, w)
            total[1] += times
        means = {kind: total / count for kind, (total, count) in sums.items()}
        means["distinctness"] = means["same_image"] / means["unrelated"]
        means["variability"] = means["same_person"] / means["unrelated"]
        return means

    step = 1e-6
    plain = weighted(dict.fromkeys(people, 1.0))
    influence = {kind: [] for kind in plain}
    for person in people:
        moved = weighted(dict.fromkeys(people, 1.0) | {person: 1 + step})
        for kind, value in moved.items():
            influence[kind].append((value - plain[kind]) / step)
    generator = np.random.default_rng(5)
    found = apartness(encounters, generator)
    generator = np.random.default_rng(5)
    for kind, estimate in vars(found).items():
        expected = module._Mean(plain[kind], np.array(influence[kind])).estimate(generator)
        assert estimate.value == pytest.approx(expected.value)
        assert estimate.interval.low == pytest.approx(expected.interval.low, abs=1e-5)
        assert estimate.interval.high == pytest.approx(expected.interval.high, abs=1e-5)


def test_intervals_cover() -> None:
    """Of 150 studies of 30 people at least about 95% of the intervals hold the truth."""
    generator = np.random.default_rng(0)
    scenes = generator.standard_normal((20, 4))

    def study(seen: np.ndarray) -> Encounters:
        image, who = np.nonzero(seen)
        habits = generator.standard_normal((seen.shape[1], 4))
        noise = generator.standard_normal((len(image), 4))
        return Encounters.of(unit(scenes[image] + habits[who] + 0.5 * noise), image, who)

    truth = apartness(study(np.ones((20, 2000), dtype=bool)), generator)
    covered = dict.fromkeys(vars(truth), 0)
    for _ in range(150):
        found = apartness(study(generator.random((20, 30)) < 0.5), generator)
        for kind, estimate in vars(found).items():
            value = getattr(truth, kind).value
            covered[kind] += estimate.interval.low <= value <= estimate.interval.high
    assert all(0.90 <= count / 150 <= 1 for count in covered.values()), covered


def test_ratios_say_what_they_mean() -> None:
    image, who = (codes.ravel() for codes in np.indices((8, 6)))
    axes = np.eye(48)
    alike = apartness(Encounters.of(axes[image], image, who), np.random.default_rng(0))
    assert alike.distinctness.value == pytest.approx(0)
    assert alike.variability.value == pytest.approx(1)
    personal = apartness(Encounters.of(axes[who], image, who), np.random.default_rng(0))
    assert personal.distinctness.value == pytest.approx(1)
    assert personal.variability.value == pytest.approx(0)
    own = apartness(Encounters.of(axes[image * 6 + who], image, who), np.random.default_rng(0))
    assert own.distinctness.value == pytest.approx(1)
    assert own.variability.value == pytest.approx(1)


def test_image_distances_and_their_jackknife_are_those_of_a_loop() -> None:
    encounters = made(11, images=14, people=6, seen=0.5)
    found = image_distances(encounters)
    place = 0
    for image in np.unique(encounters.images):
        vectors = encounters.vectors[encounters.images == image]
        n = len(vectors)
        if n < 2:
            assert image not in found.images
            continue

        def mean(vectors: np.ndarray) -> float:
            return float(np.mean([distance(v, w) for v, w in combinations(vectors, 2)]))

        assert found.images[place] == image
        assert found.viewers[place] == n
        assert found.distance[place] == pytest.approx(mean(vectors))
        if n == 2:
            assert np.isnan(found.low[place])
        else:
            whole = mean(vectors)
            left_out = [mean(np.delete(vectors, k, axis=0)) for k in range(n)]
            pseudo = n * whole - (n - 1) * np.array(left_out)
            half = student.ppf(0.975, n - 1) * pseudo.std(ddof=1) / np.sqrt(n)
            assert found.low[place] == pytest.approx(max(whole - half, 0))
            assert found.high[place] == pytest.approx(min(whole + half, 2))
        place += 1
    assert place == len(found.images)
    assert {2, 3} <= set(found.viewers.tolist())


def test_images_are_listed_by_how_much_people_differ() -> None:
    found = image_distances(made(12, images=20))
    listed = found.seen_by(4)
    kept = found.viewers >= 4
    assert listed.distance.tolist() == sorted(found.distance[kept], reverse=True)
    assert set(listed.images.tolist()) == set(found.images[kept].tolist())
    assert (listed.low <= listed.distance).all()
    assert (listed.distance <= listed.high).all()


def test_people_distances_are_those_of_a_loop() -> None:
    encounters = made(13, images=4, people=7, seen=0.35)
    people = np.setdiff1d(np.unique(encounters.people), [5])
    found = people_distances(encounters, people)
    overall = overall_people_distances(encounters, people)
    assert np.isnan(found[~np.eye(len(people), dtype=bool)]).any()
    for a, p in enumerate(people):
        for b, q in enumerate(people):
            of_p, of_q = encounters.people == p, encounters.people == q
            shared = np.intersect1d(encounters.images[of_p], encounters.images[of_q])
            expected = [
                distance(
                    encounters.vectors[of_p & (encounters.images == image)][0],
                    encounters.vectors[of_q & (encounters.images == image)][0],
                )
                for image in shared
            ]
            if p == q or not expected:
                assert np.isnan(found[a, b])
            else:
                assert found[a, b] == pytest.approx(np.mean(expected))
            every = [
                distance(v, w) for v in encounters.vectors[of_p] for w in encounters.vectors[of_q]
            ]
            assert (
                np.isnan(overall[a, b])
                if p == q
                else overall[a, b] == pytest.approx(np.mean(every))
            )


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    encounters = made(14)
    whole = apartness(encounters, np.random.default_rng(0))
    monkeypatch.setattr(module, "_NUMBERS_HELD", 8)
    again = apartness(encounters, np.random.default_rng(0))
    assert again.unrelated.value == pytest.approx(whole.unrelated.value)


@pytest.mark.parametrize(
    ("images", "people", "missing"),
    [
        ([0, 1, 2], [0, 1, 2], "different people on the same image"),
        ([0, 0, 1], [0, 1, 2], "one person on different images"),
        ([], [], "known people"),
    ],
)
def test_a_kind_of_pair_that_does_not_occur(
    images: list[int], people: list[int], missing: str
) -> None:
    encounters = Encounters.of(
        np.eye(3)[: len(images)], np.array(images, int), np.array(people, int)
    )
    with pytest.raises(UnsupportedError, match=f"there are no (two )?samples of {missing}"):
        apartness(encounters, np.random.default_rng(0))


def test_a_collapsed_space_has_no_ratio() -> None:
    image, who = (codes.ravel() for codes in np.indices((3, 3)))
    encounters = Encounters.of(np.tile(np.eye(3)[0], (9, 1)), image, who)
    with pytest.raises(UnsupportedError, match="the same place"):
        apartness(encounters, np.random.default_rng(0))
