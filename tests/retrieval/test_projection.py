"""The map is scikit-learn's, scaled; its errors are those of a loop over single items."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_stores import DESCRIPTION, PAIRS, made_addition
from sklearn.decomposition import PCA

from beholder.errors import StoreError, UnsupportedError
from beholder.retrieval import Projection, Store, create_store, open_store, project, projection
from beholder.retrieval.layout import Description, PairLayout, Side
from beholder.retrieval.records import Addition

SPACES = ("base", "content", "style", "combined")


def drawn_addition(description: Description, seed: int, samples: int = 60) -> Addition:
    """Return made items whose embeddings are of length one and spread unevenly."""
    generator = np.random.default_rng(seed)
    addition = made_addition(6, 4, samples, generator)
    vectors = {}
    for side, (numbers, _) in addition.vectors.items():
        layout = next(one for one in description.pairs if one.pair == side.pair)
        rows = generator.normal(0.3, 1, (len(numbers), layout.width)).astype(np.float32)
        for space in layout.weights:
            block = rows[:, layout.block(space)] * np.arange(1, layout.widths[space] + 1)
            rows[:, layout.block(space)] = block / np.linalg.norm(block, axis=1)[:, None]
        vectors[side] = numbers, rows
    return replace(addition, vectors=vectors)


def stored(path: Path, addition: Addition, description: Description) -> Store:
    with create_store(path) as writer:
        writer.clear(description, {"configuration.toml": b"nothing"})
        writer.add(addition)
    return open_store(path)


def mapped(store: Store, space: str = "style", modality: str = "text") -> Projection:
    with store.read() as snapshot:
        return project(snapshot, space, modality)


@pytest.fixture(scope="module")
def addition() -> Addition:
    return drawn_addition(DESCRIPTION, 0)


@pytest.fixture(scope="module")
def store(addition: Addition, tmp_path_factory: pytest.TempPathFactory) -> Store:
    return stored(tmp_path_factory.mktemp("maps") / "store", addition, DESCRIPTION)


def embedding(row: np.ndarray, layout: PairLayout, space: str) -> np.ndarray:
    if space != "combined":
        return row[layout.block(space)].astype(float)
    parts = [
        np.sqrt(w) * row[layout.block(name)].astype(float) for name, w in layout.weights.items()
    ]
    return np.concatenate(parts)


@pytest.mark.parametrize("modality", ["gaze", "text"])
@pytest.mark.parametrize("space", SPACES)
def test_the_axes_are_scikit_learns(
    store: Store, addition: Addition, space: str, modality: str
) -> None:
    found = mapped(store, space, modality)
    numbers, rows = addition.vectors[Side(("gaze", "text"), modality)]
    assert found.samples.tolist() == numbers.tolist()
    embedded = np.stack([embedding(row, PAIRS[0], space) for row in rows])
    pca = PCA(2, svd_solver="full").fit(embedded)
    largest = np.abs(pca.components_).argmax(axis=1)
    signs = np.sign(pca.components_[[0, 1], largest])
    placed = pca.transform(embedded) * signs
    assert found.explained == pytest.approx(pca.explained_variance_ratio_, rel=1e-5)
    low, high = np.percentile(placed, 0.5, axis=0), np.percentile(placed, 99.5, axis=0)
    scale = 0.9 / max(high[0] - low[0], high[1] - low[1])
    expected = (placed - (low + high) / 2) * scale + 0.5
    np.testing.assert_allclose(found.points, np.vectorize(drawn_in)(expected), atol=1e-5)
    # People are the means of their samples.
    owner = {one.number: one.participant for one in addition.samples}
    people = {one.name: one.number for one in addition.participants}
    held = defaultdict(list)
    for number, point in zip(numbers.tolist(), expected, strict=True):
        if owner[number] is not None:
            held[people[owner[number]]].append(point)
    assert found.participants.tolist() == sorted(held)
    means = [np.mean(held[number], axis=0) for number in sorted(held)]
    np.testing.assert_allclose(found.people, means, atol=1e-5)
    assert found.points.dtype == found.people.dtype == found.error.dtype == np.float32


def drawn_in(value: float) -> float:
    """Return where on an axis something is shown: beyond the middle, ever closer to the edge."""
    if value < 0.05:
        return 0.05 - 0.05 * (0.05 - value) / (0.1 - value)
    return 1 - drawn_in(1 - value) if value > 0.95 else value


def test_the_far_keep_their_order_and_do_not_pile_up() -> None:
    far = np.array([[0.0, 0.0], [1.0, 1.0], [1.5, 2.0], [3.0, 4.0], [50.0, 900.0]])
    shown = projection._within(far, np.zeros(2), np.ones(2))
    assert (np.diff(shown, axis=0) > 1e-4).all()
    assert shown.min() > 0
    assert shown.max() < 1


@pytest.mark.parametrize("modality", ["gaze", "text"])
@pytest.mark.parametrize("space", SPACES)
def test_the_error_is_the_loops(
    store: Store,
    addition: Addition,
    space: str,
    modality: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    expected = errors_by_loop(addition, PAIRS[0], space, modality)
    found = mapped(store, space, modality)
    np.testing.assert_allclose(found.error, expected, atol=1e-6)
    assert np.isnan(expected).any()
    assert len(np.unique(expected)) > 5
    for name in ("_ROWS_AT_ONCE", "_SCORES_AT_ONCE"):
        monkeypatch.setattr(projection, name, 7)
    again = mapped(store, space, modality)
    np.testing.assert_array_equal(again.error, found.error)
    np.testing.assert_allclose(again.points, found.points, atol=1e-6)


def errors_by_loop(
    addition: Addition, layout: PairLayout, space: str, modality: str
) -> list[float]:
    other = next(one for one in layout.pair if one != modality)
    people = {one.name: one.number for one in addition.participants}
    samples = {one.number: one for one in addition.samples}
    items = dict(zip(*addition.vectors[layout.side(other)], strict=True))

    def item_of(number: int) -> int | None:
        if other != "personality":
            return number if number in items else None
        owner = samples[number].participant
        return people[owner] if owner is not None and people[owner] in items else None

    errors = []
    for number, row in zip(*addition.vectors[layout.side(modality)], strict=True):
        right = item_of(number)
        if right is None:
            errors.append(np.nan)
            continue
        asked = embedding(row, layout, space)
        part = samples[number].part
        gallery = {item_of(one) for one in samples if samples[one].part == part} - {None}
        scores = {
            one: float(asked @ embedding(items[one], layout, space))
            + (float(items[one][-1]) if space == "combined" else 0)
            for one in gallery
        }
        errors.append(np.mean([score > scores[right] + 1e-5 for score in scores.values()]))
    return errors


def test_a_survey_is_the_other_side_where_the_first_pair_has_one(tmp_path: Path) -> None:
    description = replace(DESCRIPTION, pairs=PAIRS[::-1])
    addition = drawn_addition(description, 3)
    store = stored(tmp_path / "store", addition, description)
    found = mapped(store, "style", "text")
    np.testing.assert_allclose(
        found.error, errors_by_loop(addition, PAIRS[1], "style", "text"), atol=1e-6
    )
    assert 0 < np.isnan(found.error).mean() < 1
    assert mapped(store, "base", "gaze").space == "base"  # of the other pair


def test_many_items_are_drawn_from_and_the_draw_is_fixed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = stored(tmp_path / "store", drawn_addition(DESCRIPTION, 4, samples=300), DESCRIPTION)
    every = mapped(store).error
    known = ~np.isnan(every)
    monkeypatch.setattr(projection, "MOST_DRAWN", 20)
    some = mapped(store).error
    np.testing.assert_array_equal(some, mapped(store).error)
    np.testing.assert_array_equal(np.isnan(some), ~known)
    np.testing.assert_allclose(some[known] * 20, np.round(some[known] * 20), atol=1e-4)
    # A share of twenty drawn without regard to anything is the share of all, but for chance.
    difference = some[known] - every[known]
    assert 0 < np.abs(difference).mean() < 0.15
    assert abs(difference.mean()) < 0.1


def test_one_far_away_does_not_squeeze_the_others(tmp_path: Path) -> None:
    addition = drawn_addition(DESCRIPTION, 1, samples=400)
    side = Side(("gaze", "text"), "text")
    numbers, rows = addition.vectors[side]
    rows = rows.copy()
    rows[7, PAIRS[0].block("style")] *= -50
    vectors = {**addition.vectors, side: (numbers, rows)}
    found = mapped(stored(tmp_path / "store", replace(addition, vectors=vectors), DESCRIPTION))
    assert found.points.min() >= 0
    assert found.points.max() <= 1
    assert np.abs(found.points[7] - 0.5).max() > 0.499  # nearly at an edge
    others = np.delete(found.points, 7, axis=0)
    assert others.std(axis=0).max() > 0.2
    assert (found.people > 0).all()
    assert (found.people < 1).all()


def test_an_axis_does_not_turn_with_the_vectors(tmp_path: Path, addition: Addition) -> None:
    found = mapped(stored(tmp_path / "one", addition, DESCRIPTION))
    mirrored = {
        side: (numbers, rows * np.append(-np.ones(rows.shape[1] - 1), 1).astype(np.float32))
        for side, (numbers, rows) in addition.vectors.items()
    }
    other = mapped(stored(tmp_path / "two", replace(addition, vectors=mirrored), DESCRIPTION))
    np.testing.assert_allclose(other.points, 1 - found.points, atol=1e-5)
    np.testing.assert_array_equal(other.error, found.error)


def test_what_cannot_be_mapped_is_named(store: Store, tmp_path: Path) -> None:
    for space, modality, sentence in (
        ("style", "sound", "the run run was not trained for sound, only for g2t, t2p"),
        ("style", "personality", "by their gaze or text, not by personality"),
        ("taste", "text", "no space 'taste' for gaze and text, only base, content, style and comb"),
    ):
        with pytest.raises(UnsupportedError, match=sentence):
            mapped(store, space, modality)
    side = Side(("gaze", "text"), "text")
    whole = drawn_addition(DESCRIPTION, 2)
    numbers, rows = whole.vectors[side]
    for name, count, sentence in (
        ("none", 0, "has no sample with text: a map takes two that differ"),
        ("one", 1, "has one sample with text: a map takes two that differ"),
        ("alike", 3, "all 3 samples with text have the same embedding in the space style"),
    ):
        vectors = {side: (numbers[:count], np.repeat(rows[:1], count, axis=0))}
        made = stored(tmp_path / name, replace(whole, vectors=vectors), DESCRIPTION)
        with pytest.raises(StoreError, match=sentence):
            mapped(made)


def test_two_samples_are_a_map(tmp_path: Path, addition: Addition) -> None:
    side = Side(("gaze", "text"), "text")
    numbers, rows = addition.vectors[side]
    few = replace(addition, vectors={side: (numbers[:2], rows[:2])})
    found = mapped(stored(tmp_path / "store", few, DESCRIPTION))
    assert found.explained == pytest.approx((1.0, 0.0), abs=1e-6)
    assert sorted(found.points[:, 0]) == pytest.approx([0.0455, 0.9545], abs=1e-3)
    assert found.points[:, 1] == pytest.approx([0.5, 0.5], abs=1e-3)
    assert np.isnan(found.error).all()


def test_a_real_run(any_tiny_store: Store) -> None:
    for space in SPACES:
        for modality in ("text", "gaze"):
            found = mapped(any_tiny_store, space, modality)
            assert found.samples.tolist() == list(range(192))
            assert found.participants.tolist() == list(range(12))
            assert 0 < sum(found.explained) <= 1
            assert found.explained[0] >= found.explained[1]
            assert 0 <= found.error.min() <= found.error.mean() < 0.5  # better than chance
