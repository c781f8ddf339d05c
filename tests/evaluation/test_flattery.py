"""Falls from the random split: against a naive resampling, and what a joint draw is for."""

from __future__ import annotations

import numpy as np
import pytest

from beholder.evaluation.clusters import percentile_interval
from beholder.evaluation.flattery import Fall, Scored, fall, falls


def scored(seed: int, people: int, skill: float, chance: float = 0.1, queries: int = 8) -> Scored:
    """People differ, and the same code is as good relative to others in every split."""
    generator = np.random.default_rng(seed)
    of_person = np.random.default_rng(99).normal(0, 0.15, 200)
    clusters = np.repeat(np.arange(people), queries)
    hits = generator.random(len(clusters)) < np.clip(skill + of_person[clusters], 0, 1)
    return Scored(hits.astype(float), np.full(len(clusters), chance), clusters)


def found(random: Scored, unseen: Scored, seed: int = 0, resamples: int = 2000) -> Fall:
    return fall("ours", "image", random, unseen, np.random.default_rng(seed), resamples=resamples)


def test_a_fall_is_the_naive_one() -> None:
    """Two seeds tested people 1 to 4 in the random split, and 3, 4, 8 in the other."""
    random = Scored(
        np.array([1, 1, 0, 1, 1, 0, 1.0]), np.full(7, 0.1), np.array([1, 1, 2, 3, 3, 4, 4])
    )
    unseen = Scored(
        np.array([0, 1, 0, 0.5]), np.array([0.1, 0.1, 0.3, 0.3]), np.array([8, 3, 4, 3])
    )
    result = found(random, unseen, resamples=3000)
    assert result.score == pytest.approx(1.5 / 4)
    assert result.chance == pytest.approx(0.2)
    assert result.random_score == pytest.approx(5 / 7)
    assert result.difference == pytest.approx((5 / 7 - 0.1) - (1.5 / 4 - 0.2))
    assert result.difference == pytest.approx(result.random_lead - result.lead)
    assert result.clusters == 5

    people = np.array([1, 2, 3, 4, 8])
    lost, kept = [], []
    for drawn in people[np.random.default_rng(0).integers(0, 5, (3000, 5))]:
        leads = []
        for part in (random, unseen):
            rows = np.concatenate([np.flatnonzero(part.clusters == who) for who in drawn])
            if len(rows):
                leads.append(part.values[rows].mean() - part.chance[rows].mean())
        lost.append(leads[0] - leads[1] if len(leads) == 2 else np.nan)
        kept.append(leads[1] / leads[0] if len(leads) == 2 and leads[0] > 0 else np.nan)
    assert np.isnan(lost).any()  # some draws meet nobody of a split
    expected = percentile_interval(np.array(lost), 3)
    assert (result.interval.low, result.interval.high) == pytest.approx(
        (expected.low, expected.high)
    )
    assert np.isnan(result.kept)  # three people cannot tell the random lead from zero


def test_what_is_kept_is_a_share_of_the_lead() -> None:
    random, unseen = scored(1, 40, 0.7), scored(2, 40, 0.4, chance=0.2)
    result = found(random, unseen)
    expected = (unseen.values.mean() - 0.2) / (random.values.mean() - 0.1)
    assert result.kept == pytest.approx(expected)
    assert result.kept_interval.low < expected < result.kept_interval.high
    table = np.column_stack([part.values.reshape(40, 8).sum(axis=1) for part in (random, unseen)])
    drawn = table[np.random.default_rng(0).integers(0, 40, (2000, 40))].sum(axis=1) / 320
    shares = percentile_interval((drawn[:, 1] - 0.2) / (drawn[:, 0] - 0.1), 40)
    assert result.kept_interval.low == pytest.approx(shares.low)
    assert result.kept_interval.high == pytest.approx(shares.high)


def test_the_same_people_are_drawn_in_both_splits() -> None:
    """As easy people are easy in both, the interval is narrower than that of other people."""
    random, unseen = scored(1, 60, 0.6), scored(2, 60, 0.4)
    joint = found(random, unseen).interval
    others = Scored(unseen.values, unseen.chance, unseen.clusters + 1000)
    apart = found(random, others).interval
    assert joint.high - joint.low < 0.85 * (apart.high - apart.low)


def test_no_fall_from_a_split_to_itself() -> None:
    random = scored(1, 30, 0.6)
    result = found(random, random)
    assert (result.difference, result.kept) == (0, 1)
    assert (result.interval.low, result.interval.high) == (0, 0)
    assert (result.kept_interval.low, result.kept_interval.high) == (1, 1)


def test_a_share_of_no_lead_has_no_value() -> None:
    result = found(scored(1, 30, 0.1), scored(2, 30, 0.1))
    assert np.isnan([result.kept, result.kept_interval.low, result.kept_interval.high]).all()
    assert result.interval.low < result.difference < result.interval.high


def test_draws_without_a_lead_have_no_share() -> None:
    """A random lead that is just told from zero: the few draws below it are left out."""
    people = np.arange(100)
    random = Scored(np.where(people < 54, 1.0, 0.0), np.full(100, 0.435), people)
    unseen = Scored(np.where(people % 2 == 0, 1.0, 0.0), np.full(100, 0.3), people)
    result = found(random, unseen)
    drawn = np.random.default_rng(0).integers(0, 100, (2000, 100))
    leads = random.values[drawn].mean(axis=1) - 0.435
    shares = (unseen.values[drawn].mean(axis=1) - 0.3) / leads
    assert (leads < 0).any()
    expected = percentile_interval(shares[leads > 0], 100)
    assert result.kept_interval.low == pytest.approx(expected.low)
    assert result.kept_interval.high == pytest.approx(expected.high)


def test_one_person_in_a_split_says_nothing() -> None:
    result = found(scored(1, 30, 0.6), scored(2, 1, 0.5))
    assert not np.isnan(result.difference)
    assert np.isnan([result.interval.low, result.interval.high, result.kept]).all()
    nobody = found(scored(1, 0, 0.6), scored(2, 0, 0.5))
    assert nobody.clusters == 0
    assert np.isnan([nobody.difference, nobody.interval.low]).all()


def test_intervals_cover_the_true_fall() -> None:
    """Of 150 studies of 20 people about 95% of the intervals hold what was put in."""
    generator = np.random.default_rng(0)
    covered = {"difference": 0, "kept": 0}
    for _ in range(150):
        ease = generator.uniform(-0.2, 0.2, 20)
        parts = []
        for skill, queries in ((0.7, 12), (0.4, 6)):
            clusters = np.repeat(np.arange(20), queries)
            hits = generator.random(len(clusters)) < skill + ease[clusters]
            parts.append(Scored(hits.astype(float), np.full(len(clusters), 0.1), clusters))
        result = fall("ours", "both", *parts, generator, resamples=400)
        covered["difference"] += result.interval.low <= 0.3 <= result.interval.high
        covered["kept"] += result.kept_interval.low <= 0.5 <= result.kept_interval.high
    assert all(0.88 <= count / 150 <= 0.995 for count in covered.values())


def test_falls_are_of_every_method_to_every_unseen_split() -> None:
    scores = {
        "image": {"base": scored(1, 20, 0.4), "ours": scored(2, 20, 0.5)},
        "random": {"base": scored(3, 20, 0.6), "ours": scored(4, 20, 0.7)},
        "both": {"ours": scored(5, 20, 0.3), "only here": scored(6, 20, 0.3)},
    }
    table = falls(scores, np.random.default_rng(1), resamples=50)
    assert [(row.split, row.method) for row in table] == [
        ("image", "base"),
        ("image", "ours"),
        ("both", "ours"),
    ]
    assert table[1].random_score == scores["random"]["ours"].values.mean()
    assert table[1].score == scores["image"]["ours"].values.mean()
    fewer = {split: scores[split] for split in ("both", "random")}
    assert falls(fewer, np.random.default_rng(1), resamples=50) == [table[2]]
    assert falls({"image": scores["image"]}, np.random.default_rng(1)) == []
