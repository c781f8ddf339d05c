"""Who is it: the figures are those of a naive loop, and what is no person is not found."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beholder.retrieval.recognition import Samples, recognise, wilson


def made(
    people: int, images: int, generator: np.random.Generator, *, style: float = 0.0, width: int = 6
) -> Samples:
    """Return samples of people who saw some images, some twice; ``style`` is what is their own."""
    own = style * generator.normal(size=(people, width))
    rows = []
    for person in range(people):
        for image in generator.integers(images, size=generator.integers(1, images + 1)):
            vector = generator.normal(size=width) + own[person] + 0.5
            rows.append((vector / np.linalg.norm(vector), 10 * person, image))
    order = generator.permutation(len(rows))
    vectors, owners, seen = zip(*(rows[place] for place in order), strict=True)
    return Samples(np.stack(vectors), np.array(owners), np.array(seen))


def naive(known: Samples, person: int, *, viewers: bool) -> dict[str, float]:
    """Return the figures of one sentence after another of the description."""
    everything = list(zip(known.vectors, known.owners, known.images, strict=True))
    firsts, befores, ranks, sizes = [], [], [], []
    for sample, owner, image in everything:
        if owner != person:
            continue
        mine = [sample @ v for v, o, i in everything if o == person and i != image]
        others = sorted({o for _, o, _ in everything} - {person})
        if viewers:
            others = [o for o in others if any(o == p and i == image for _, p, i in everything)]
        shares = []
        for other in others:
            theirs = [sample @ v for v, o, i in everything if o == other and i != image]
            if not theirs or not mine:
                continue
            groups = max(len(theirs) // len(mine), 1)
            scores = [np.mean(theirs[group::groups]) for group in range(groups)]
            shares.append(np.mean([score >= np.mean(mine) - 1e-6 for score in scores]))
        if shares:
            firsts.append(math.prod(1 - share for share in shares))
            befores.append(np.mean(shares))
            ranks.append(1 + sum(shares))
            sizes.append(len(shares) + 1)
    if not firsts:
        return {"samples": 0}
    return {
        "samples": len(firsts),
        "people": float(np.mean(sizes)),
        "first": float(np.mean(firsts)),
        "chance_first": float(np.mean([1 / size for size in sizes])),
        "rank": float(np.mean(ranks)),
        "chance_rank": float(np.mean([(size + 1) / 2 for size in sizes])),
        "before": float(np.mean(befores)),
    }


def jackknifed(known: Samples, person: int, measure: str) -> tuple[float, float]:
    """Return the mean and the jackknife's reach, by asking again without each sample's part.

    The others stay grouped as they were, and the sample that is out does not ask.
    """
    own = np.flatnonzero(known.owners == person)
    values = []
    for out in (None, *own):
        of_out = []
        for sample in own[own != out]:
            image = known.images[sample]
            mine = [o for o in own if known.images[o] != image]
            size = len(mine)
            mean = np.mean([known.vectors[o] @ known.vectors[sample] for o in mine if o != out])
            shares = []
            for other in np.unique(known.owners[known.owners != person]):
                theirs = np.flatnonzero((known.owners == other) & (known.images != image))
                if len(theirs):
                    groups = max(len(theirs) // size, 1)
                    scores = known.vectors[theirs] @ known.vectors[sample]
                    means = np.array([scores[group::groups].mean() for group in range(groups)])
                    shares.append((means >= mean - 1e-6).mean())
            of_out.append(np.prod(1 - np.array(shares)) if measure == "first" else np.mean(shares))
        values.append(np.mean(of_out))
    count, without = len(own), np.array(values[1:])
    from scipy.stats import t

    spread = (count - 1) / count * ((without - without.mean()) ** 2).sum()
    return values[0], t.ppf(0.975, count - 1) * math.sqrt(spread)


@settings(max_examples=40)
@given(st.integers(1, 7), st.integers(1, 9), st.integers(0, 10_000))
def test_figures_are_those_of_a_naive_loop(people: int, images: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    known = made(people, images, generator, style=0.5)
    person = 10 * int(generator.integers(people))
    for found, viewers in zip(recognise(known, person), (False, True), strict=True):
        for name, value in naive(known, person, viewers=viewers).items():
            assert getattr(found, name) == pytest.approx(value, abs=1e-9), name
        if not found.samples:
            assert math.isnan(found.rank) and math.isnan(found.first_interval.low)


def test_the_interval_is_the_wider_of_wilsons_and_the_jackknifes() -> None:
    wider = set()
    for seed in range(6):
        known = made(6, 9, np.random.default_rng(seed), style=0.3)
        everybody, _ = recognise(known, 10)
        if everybody.samples < 3:
            continue
        for measure in ("first", "before"):
            mean, reach = jackknifed(known, 10, measure)
            interval = getattr(everybody, f"{measure}_interval")
            assert getattr(everybody, measure) == pytest.approx(mean)
            independent = wilson(mean, everybody.samples)
            assert interval.low == pytest.approx(max(0, min(independent.low, mean - reach)))
            assert interval.high == pytest.approx(min(1, max(independent.high, mean + reach)))
            wider.add(mean + reach > independent.high)
    assert wider == {False, True}


def test_the_order_of_samples_changes_nothing_to_speak_of() -> None:
    known = made(5, 8, np.random.default_rng(7), style=1.0)
    own = np.flatnonzero(known.owners == 10)
    order = np.arange(len(known.owners))
    order[own] = own[::-1]
    shuffled = Samples(known.vectors[order], known.owners[order], known.images[order])
    for one, other in zip(recognise(known, 10), recognise(shuffled, 10), strict=True):
        assert one.samples > 2
        assert one.before == pytest.approx(other.before)
        assert one.before_interval.high == pytest.approx(other.before_interval.high)


def test_who_has_a_style_is_found_and_who_has_none_is_not() -> None:
    generator = np.random.default_rng(0)
    told = {}
    for style in (0.0, 2.0):
        found = [recognise(made(12, 20, generator, style=style, width=20), 0)[1] for _ in range(60)]
        asked = [one for one in found if one.samples > 4]
        told[style] = float(np.mean([one.is_above_chance for one in asked]))
    assert told[0.0] < 0.15
    assert told[2.0] > 0.95


def test_common_images_are_no_style() -> None:
    """Two groups of people who saw other images, which are all that makes a vector."""
    generator = np.random.default_rng(1)
    of_image = generator.normal(size=(2, 8)).repeat(15, axis=0)
    owners, images = np.arange(240) // 15, np.arange(240) // 15 % 2 * 15 + np.arange(240) % 15
    vectors = of_image[images] + 0.5 * generator.normal(size=(240, 8))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    everybody, viewers = recognise(Samples(vectors, owners, images), 3)
    assert everybody.is_above_chance
    assert not viewers.is_above_chance
    assert (everybody.people, viewers.people) == (16, 8)


def test_few_samples_are_compared_with_as_few() -> None:
    """The mean of few samples lies far out by luck: alone among means of many it would be first."""
    generator = np.random.default_rng(2)
    firsts = []
    for _ in range(300):
        counts = [3, *[60] * 9]
        owners = np.repeat(np.arange(10), counts)
        vectors = generator.normal(size=(len(owners), 30))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        firsts.append(recognise(Samples(vectors, owners, np.arange(len(owners))), 0)[0].first)
    assert np.mean(firsts) == pytest.approx(0.1, abs=0.02)


def test_ties_count_against_the_person() -> None:
    same = Samples(np.tile([0.6, 0.8], (12, 1)), np.arange(12) // 4, np.arange(12) % 4)
    for found in recognise(same, 1):
        assert (found.first, found.before, found.rank) == (0, 1, 3)


def test_one_sample_and_one_person_say_nothing() -> None:
    vectors = np.eye(4)
    alone = Samples(vectors, np.zeros(4, int), np.arange(4))
    one = Samples(vectors, np.arange(4), np.arange(4))
    for known in (alone, one):
        for found in recognise(known, 0):
            assert found.samples == 0
            assert not found.is_above_chance


def test_wilsons_interval() -> None:
    """As published for 10 of 20, and never of no width."""
    interval = wilson(0.5, 20)
    assert (interval.low, interval.high) == pytest.approx((0.2993, 0.7007), abs=1e-4)
    assert wilson(0.0, 2).high == pytest.approx(0.6576, abs=1e-4)
    assert wilson(1.0, 1).high == 1
