"""How certain a placement is: the figures are those of a naive loop over a store's rows."""

from __future__ import annotations

import json
import math
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from made_stores import PAIRS, SIDES, made_addition, made_store
from scipy.stats import t

from beholder.errors import StoreError
from beholder.retrieval import EmbeddedStore
from beholder.retrieval.placement import Certainty, agreement, error_degrees, place
from beholder.retrieval.records import Addition, ParticipantRecord, SampleRecord


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> EmbeddedStore:
    """People of few samples, some of nobody, and one who did nothing."""
    addition = made_addition(7, 6, 90, np.random.default_rng(5))
    made = made_store(tmp_path_factory.mktemp("store") / "store", addition)
    with made.write() as writer:
        writer.add(Addition(participants=(ParticipantRecord(50, "idle"),)))
    return made


def units(store: EmbeddedStore, side: int) -> dict[str, list[np.ndarray]]:
    """Return everybody's samples in the style space of a side, each of length one."""
    block = PAIRS[0].block("style") if side < 2 else PAIRS[1].block("style")
    with store.read() as snapshot:
        numbers, rows = snapshot.vectors(SIDES[side])
        records = snapshot.samples(numbers)
    found: dict[str, list[np.ndarray]] = {}
    for number, row in zip(numbers.tolist(), rows, strict=True):
        name = records[number].participant
        if name is not None:
            vector = row[block].astype(float)
            found.setdefault(name, []).append(vector / max(np.linalg.norm(vector), 1e-12))
    return found


def angle(one: np.ndarray, other: np.ndarray) -> float:
    cosine = one @ other / max(np.linalg.norm(one) * np.linalg.norm(other), 1e-12)
    return math.degrees(math.acos(min(max(cosine, -1), 1)))


@pytest.mark.parametrize(("place_of_side", "modality"), [(0, "gaze"), (1, "text")])
def test_directions_are_those_of_a_naive_loop(
    store: EmbeddedStore, place_of_side: int, modality: str
) -> None:
    of_people = units(store, place_of_side)
    with store.read() as snapshot:
        placements = {name: place(snapshot, name) for name in of_people}
        held = {name: len(snapshot.samples_of(name)) for name in of_people}
    for name, own in of_people.items():
        (found,) = (one for one in placements[name].certainty if one.modality == modality)
        assert placements[name].samples == held[name]
        assert (found.samples, found.people) == (len(own), len(of_people))
        mean = np.mean(own, axis=0)
        assert found.concentration == pytest.approx(np.linalg.norm(mean))
        pairs = [one @ other for one, other in combinations(own, 2)]
        assert found.agreement == pytest.approx(np.mean(pairs))
        others = {other: np.mean(all_of, axis=0) for other, all_of in of_people.items()}
        del others[name]
        assert found.with_others == pytest.approx(np.mean([mean @ one for one in others.values()]))
        angles = sorted((angle(mean, one), other) for other, one in others.items())[:5]
        assert sorted(one.participant for one in found.nearest) == sorted(n for _, n in angles)
        assert [one.degrees for one in found.nearest] == pytest.approx([a for a, _ in angles])
        assert [one.cosine for one in found.nearest] == pytest.approx(
            [math.cos(math.radians(a)) for a, _ in angles], abs=1e-9
        )


def test_the_jackknife_is_that_of_a_naive_loop() -> None:
    generator = np.random.default_rng(1)
    for count in (3, 4, 9):
        own = generator.normal(size=(count, 5)) + 1
        own /= np.linalg.norm(own, axis=1, keepdims=True)
        without = [
            np.mean([one @ other for one, other in combinations(np.delete(own, out, axis=0), 2)])
            for out in range(count)
        ]
        error = math.sqrt((count - 1) / count * sum((np.array(without) - np.mean(without)) ** 2))
        mean, interval = agreement(own)
        reach = t.ppf(0.975, count - 1) * error
        assert interval.low == pytest.approx(max(mean - reach, -1))
        assert interval.high == pytest.approx(min(mean + reach, 1))
        angles = [
            angle(np.delete(own, out, axis=0).sum(axis=0), own.sum(axis=0)) for out in range(count)
        ]
        expected = math.sqrt((count - 1) / count * sum(np.square(angles)))
        assert error_degrees(own) == pytest.approx(expected)


def test_the_error_is_how_far_the_mean_direction_of_so_many_samples_falls() -> None:
    """Drawn again and again, the mean direction strays as far as the jackknife says."""
    generator = np.random.default_rng(2)
    centre, said, strayed = np.array([3.0, 0, 0, 0]), [], []
    for _ in range(400):
        own = centre + generator.normal(size=(12, 4))
        own /= np.linalg.norm(own, axis=1, keepdims=True)
        said.append(error_degrees(own) ** 2)
        strayed.append(angle(own.sum(axis=0), centre) ** 2)
    assert math.sqrt(np.mean(said)) == pytest.approx(math.sqrt(np.mean(strayed)), rel=0.1)


def test_two_samples_have_no_interval_and_one_no_agreement() -> None:
    own = np.eye(3)
    assert agreement(own[:2])[0] == 0
    assert math.isnan(agreement(own[:2])[1].low)
    assert error_degrees(own[:2]) == pytest.approx(45)
    assert math.isnan(agreement(own[:1])[0])
    assert math.isnan(error_degrees(own[:1]))


def added(store: EmbeddedStore, count: int, images: list[str]) -> Certainty:
    """Return the certainty of somebody who always does the same, and leave no trace."""
    block = PAIRS[0].block("style")
    row = np.zeros((count, PAIRS[0].width), np.float32)
    row[:, block.start] = 1
    with store.write() as writer:
        first = writer.next_number("samples")
        numbers = np.arange(first, first + count)
        person = ParticipantRecord(writer.next_number("participants"), "she")
        samples = tuple(
            SampleRecord(int(number), "she", image, part="enrolled")
            for number, image in zip(numbers, images, strict=True)
        )
        writer.add(Addition((person,), (), samples, {SIDES[0]: (numbers, row)}))
    with store.read() as snapshot:
        (found,) = place(snapshot, "she").certainty
    with store.write() as writer:
        writer.remove_samples(numbers)
        writer.remove_participant("she")
    return found


def test_the_verdict_says_what_can_be_said(store: EmbeddedStore, tmp_path: Path) -> None:
    images = [f"image-{number}.png" for number in range(6)]
    one = added(store, 1, images[:1])
    assert "cannot be judged from one sample" in one.verdict
    assert math.isnan(one.everybody.rank)
    several = added(store, 6, images)
    assert "samples are told from those of others who saw the same image" in several.verdict
    assert several.agreement == several.concentration == pytest.approx(1)
    two = added(store, 2, images[:2])
    assert "are not told from those of others who saw the same image" in two.verdict
    addition = made_addition(0, 6, 0, np.random.default_rng(0))
    empty = made_store(tmp_path / "store", addition)
    alone = added(empty, 3, images[:3])
    assert "nobody from whom" in alone.verdict
    assert (alone.people, alone.nearest) == (1, ())
    assert math.isnan(alone.with_others)


def test_new_images_alone_are_said_to_be_so(store: EmbeddedStore) -> None:
    with store.read() as snapshot:
        (found, *_) = place(snapshot, "person-1").certainty
    nobody = type(found.viewers)(
        0, *[math.nan] * 2, found.agreement_interval, *[math.nan] * 4, found.agreement_interval
    )
    alone = Certainty(**{**vars(found), "viewers": nobody})
    assert "nobody else saw these images" in alone.verdict


def test_json_holds_none_for_what_cannot_be_said(store: EmbeddedStore) -> None:
    with store.read() as snapshot:
        placement = place(snapshot, "person-1")
        idle = place(snapshot, "idle")
        with pytest.raises(StoreError, match="no participant 'nobody'"):
            place(snapshot, "nobody")
    assert (idle.samples, idle.certainty, idle.has_survey) == (0, (), False)
    text = json.dumps(placement.as_json(), allow_nan=False)
    assert json.loads(text)["certainty"][0]["verdict"] == placement.certainty[0].verdict
    assert placement.has_survey


def test_without_a_style_space_all_spaces_place(tmp_path: Path) -> None:
    from dataclasses import replace

    from made_stores import DESCRIPTION

    from beholder.retrieval.layout import PairLayout

    layout = PairLayout(("gaze", "text"), {"base": 0.5, "content": 0.5}, {"base": 2, "content": 2})
    rows = np.array([[1, 0, 0, 1, 0], [0, 1, 0, 1, 0], [1, 0, 1, 0, 0]], np.float32)
    addition = made_addition(2, 1, 0, np.random.default_rng(0))
    samples = tuple(SampleRecord(n, f"person-{n % 2}", "image-0.png") for n in range(3))
    with EmbeddedStore.create(tmp_path / "store") as writer:
        writer.clear(replace(DESCRIPTION, pairs=(layout,)), {})
        vectors = {layout.side("gaze"): (np.arange(3), rows)}
        writer.add(Addition(addition.participants, addition.images, samples, vectors))
    with EmbeddedStore.open(tmp_path / "store").read() as snapshot:
        (found,) = place(snapshot, "person-0").certainty
    assert found.agreement == pytest.approx(0.5)  # alike in base, at a right angle in content
