"""Features of gaze by hand and against naive loops, and that no test item leaks into them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from beholder.features import gaze as gaze_features
from beholder.features.encoder import Encoder, Statistics, whiten, whiten_fit
from beholder.features.gaze import (
    AttendedAreas,
    AttendedContent,
    Attention,
    ImageContent,
    Scanpath,
    Viewings,
    area_bag,
)
from beholder.study.gaze import Areas, DenseMap, Gaze, Kernel, Points, attention_map, attention_maps
from beholder.study.scanpath import STATISTICS, scanpath_statistics

CELLS, CHANNELS = 8, 5
PERSON = (0.0, 0.0, 0.5, 1.0)
HAT = (0.25, 0.0, 0.25, 0.25)
CAR = (0.5, 0.5, 0.5, 0.5)
NOTHING = (
    Points(np.zeros(0), np.zeros(0)),
    Areas(2, np.zeros(0, dtype=int), (), np.zeros((0, 4))),
    Areas(0, np.zeros(0, dtype=int), (), np.zeros((0, 4))),
    DenseMap(np.zeros((6, 9))),
)
ENCODERS: tuple[Encoder[Viewings], ...] = (
    AttendedAreas(minimum=1),
    Attention(cells=CELLS),
    Scanpath(),
    AttendedContent(dimensions=4),
    ImageContent(levels=(1, 2)),
)


def _areas(fixations: int, *rows: tuple[int, str, tuple[float, float, float, float]]) -> Areas:
    return Areas(
        fixations,
        np.array([row[0] for row in rows], dtype=int),
        tuple(row[1] for row in rows),
        np.array([row[2] for row in rows], dtype=np.float32).reshape(-1, 4),
    )


def _gaze(generator: np.random.Generator, form: int) -> Gaze:
    if form == 0:
        count = int(generator.integers(1, 9))
        x, y = generator.random((2, count))
        return Points(x, y, np.sort(generator.random(count)), generator.random(count))
    if form == 1:
        rows = [(0, "person", PERSON), (0, "hat", HAT), (2, "car", CAR), (3, "person", PERSON)]
        return _areas(5, *rows[: int(generator.integers(1, 5))])
    return DenseMap(generator.random((12, 10)))


def _viewings(count: int, seed: int = 0, images: int = 6) -> Viewings:
    """Return gazes of all three forms in turn."""
    generator = np.random.default_rng(seed)
    return Viewings(
        [_gaze(generator, number % 3) for number in range(count)],
        generator.integers(0, images, count),
        generator.random((images, CELLS, CELLS, CHANNELS)).astype(np.float32),
        generator.uniform(0.5, 2, images),
    )


def _of(viewings: Viewings, *rows: int) -> Viewings:
    gazes = [viewings.gazes[row] for row in rows]
    return Viewings(gazes, viewings.image[list(rows)], viewings.grids, viewings.aspects)


def test_the_bag_of_a_gaze_by_hand() -> None:
    # Five fixations: person with hat; nothing; car; car; person. The first half is early.
    gaze = _areas(
        5,
        (0, "person", PERSON),
        (0, "hat", HAT),
        (2, "car", CAR),
        (3, "car", CAR),
        (4, "person", PERSON),
    )
    assert area_bag(gaze) == {
        **{"person": 1.5, "hat": 0.5, "car": 2},
        **{"person early": 0.5, "hat early": 0.5, "car early": 1, "car late": 1, "person late": 1},
        **{"person areas": 1, "hat areas": 1, "car areas": 1},
        **{"person > hat": 1, "hat > car": 1, "car > person": 1},
        **{"first person": 1, "last person": 1},
    }


def test_areas_of_one_label_are_counted_and_are_one_visit() -> None:
    bag = area_bag(_areas(2, (0, "car", CAR), (1, "car", PERSON)))
    assert bag["car"] == 2 and bag["car areas"] == 2
    assert not [term for term in bag if ">" in term]
    assert bag["first car"] == bag["last car"] == 1


def test_the_order_of_a_gaze_is_in_its_bag() -> None:
    there = area_bag(_areas(2, (0, "car", CAR), (1, "hat", HAT)))
    back = area_bag(_areas(2, (0, "hat", HAT), (1, "car", CAR)))
    assert there["car > hat"] == back["hat > car"] == 1
    assert "hat > car" not in there and there["car early"] == 1 and there["hat late"] == 1


@pytest.mark.parametrize("gaze", [*NOTHING, Points(np.ones(2) / 2, np.ones(2) / 2)])
def test_a_gaze_without_areas_has_an_empty_bag(gaze: Gaze) -> None:
    assert area_bag(gaze) == {}


def test_the_vocabulary_of_areas_needs_enough_training_gazes() -> None:
    train = Viewings(
        [_areas(1, (0, "car", CAR)), _areas(1, (0, "car", CAR)), _areas(1, (0, "hat", HAT))],
        *(np.zeros(3, dtype=int), np.zeros((1, CELLS, CELLS, CHANNELS)), np.ones(1)),
    )
    encoder = AttendedAreas(minimum=2)
    statistics = encoder.fit(train)
    assert set(statistics.vocabulary) == {"car", "car early", "car areas", "first car", "last car"}
    found = encoder.encode(train, statistics)
    assert_allclose(np.linalg.norm(found, axis=1), [1, 1, 0], rtol=1e-6)


def test_attention_rows_have_length_one_and_show_the_map() -> None:
    inputs = _viewings(12)
    found = Attention(cells=CELLS).encode(inputs, Statistics())
    assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=1e-6)
    for number, row in enumerate(inputs.image):
        expected = attention_map(
            inputs.gazes[number],
            CELLS,
            CELLS,
            aspect=float(inputs.aspects[row]),
            kernel=Kernel(0.06),
        )
        assert_allclose(found[number] ** 2, expected.ravel(), atol=1e-6)


def test_maps_of_several_kinds_are_kept_apart() -> None:
    inputs = _viewings(6)
    kinds = [(8, Kernel(0.06), True), (8, Kernel(0.06), False), (8, Kernel(0.2), True)]
    made = [inputs.attention(*kind) for kind in [*kinds, (4, Kernel(0.06), True), (8, None, True)]]
    assert len({array.tobytes() for array in made}) == 5
    fresh = _viewings(6)
    for kind, array in zip(kinds, made, strict=False):
        assert_array_equal(fresh.attention(*kind), array)


def test_maps_are_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def counted(*args, **options):
        calls.append(1)
        return attention_maps(*args, **options)

    monkeypatch.setattr(gaze_features, "attention_maps", counted)
    inputs = _viewings(7)
    content = AttendedContent()
    content.encode(inputs, content.fit(inputs))
    Attention(cells=CELLS).encode(inputs, Statistics())
    assert len(calls) == 1


def test_duration_can_be_left_out_of_attention() -> None:
    gaze = Points(np.array([0.1, 0.9]), np.array([0.5, 0.5]), None, np.array([1.0, 3.0]))
    inputs = replace(_viewings(1), gazes=[gaze])
    for weighted, share in [(False, 1 / 2), (True, 1 / 4)]:
        row = Attention(cells=8, weight_by_duration=weighted).encode(inputs, Statistics())
        left_half = (row**2).reshape(8, 8)[:, :4].sum()
        assert left_half == pytest.approx(share, abs=1e-3)


def test_scanpath_is_scored_against_the_training_gazes() -> None:
    train, new = _viewings(30), _viewings(9, seed=1)
    statistics = Scanpath(weight=0.5).fit(train)
    values = np.array([scanpath_statistics(gaze) for gaze in train.gazes])
    spread = values.std(axis=0)
    of_new = np.array([scanpath_statistics(gaze) for gaze in new.gazes])
    scores = (of_new - values.mean(axis=0)) / np.where(spread > 1e-6, spread, 1)
    expected = 0.5 * np.clip(scores, -3, 3) / np.sqrt(len(STATISTICS))
    assert_allclose(Scanpath(weight=0.5).encode(new, statistics), expected, atol=1e-5)


def test_attended_content_pools_the_grid_by_attention() -> None:
    inputs = _viewings(40)
    naive = np.zeros((40, CHANNELS))
    maps = inputs.attention(CELLS, Kernel(0.06))
    for number, image in enumerate(inputs.image):
        for row in range(CELLS):
            for column in range(CELLS):
                weight = maps[number, row, column]
                naive[number] += weight * inputs.grids[image, row, column]
    encoder = AttendedContent(dimensions=3)
    statistics = encoder.fit(inputs)
    expected = whiten(naive, whiten_fit(naive, 3))
    found = encoder.encode(inputs, statistics)
    assert found.shape == (40, 3)
    assert_allclose(found @ found.T, expected @ expected.T, atol=1e-3)


def test_image_content_is_a_whitened_pyramid() -> None:
    inputs = _viewings(20)
    encoder = ImageContent(levels=(1, 2, 4), dimensions=4, weight=0.5)
    pyramids = []
    for grid in inputs.grids:
        parts = []
        for level in (1, 2, 4):
            step = CELLS // level
            for top in range(0, CELLS, step):
                for left in range(0, CELLS, step):
                    cells = grid[top : top + step, left : left + step].reshape(-1, CHANNELS)
                    parts.extend(cells.mean(axis=0))
        pyramids.append(parts)
    used = np.unique(inputs.image)
    expected = 0.5 * whiten(np.array(pyramids), whiten_fit(np.array(pyramids)[used], 4))
    expected = expected[inputs.image]
    found = encoder.encode(inputs, encoder.fit(inputs))
    assert_allclose(found @ found.T, expected @ expected.T, atol=1e-3)


def test_an_image_counts_once_however_many_gazes_are_of_it() -> None:
    inputs = _viewings(10)
    once, often = _of(inputs, *range(10)), _of(inputs, *range(10), 0, 0, 0, 1)
    for name, array in ImageContent(levels=(1, 2)).fit(once).arrays.items():
        assert_array_equal(array, ImageContent(levels=(1, 2)).fit(often).arrays[name])


@pytest.mark.parametrize("encoder", ENCODERS, ids=lambda encoder: encoder.name)
def test_every_form_of_gaze_gives_one_finite_width(encoder: Encoder[Viewings]) -> None:
    train = _viewings(30)
    statistics = encoder.fit(train)
    width = encoder.encode(train, statistics).shape[1]
    assert width > 0
    gazes = [*NOTHING, *_viewings(3).gazes]
    mixed = Viewings(gazes, np.arange(7) % 6, train.grids, train.aspects)
    found = encoder.encode(mixed, statistics)
    assert found.shape == (7, width) and found.dtype == np.float32
    assert np.isfinite(found).all()
    for form in range(3):
        of_one_form = _of(train, *range(form, 30, 3))
        assert np.isfinite(encoder.encode(of_one_form, encoder.fit(of_one_form))).all()


def test_a_gaze_that_hit_nothing_attends_to_nothing() -> None:
    inputs = Viewings(NOTHING, np.zeros(4, int), _viewings(1).grids, np.ones(6))
    assert not Attention(cells=CELLS).encode(inputs, Statistics()).any()


@pytest.mark.parametrize("encoder", ENCODERS, ids=lambda encoder: encoder.name)
def test_a_test_item_changes_no_training_feature(encoder: Encoder[Viewings]) -> None:
    everything = _viewings(30)
    # Images 4 and 5 are of test items alone.
    everything = replace(everything, image=np.where(np.arange(30) < 20, everything.image % 4, 5))
    train = _of(everything, *range(20))
    statistics = encoder.fit(train)
    before = {name: array.copy() for name, array in statistics.arrays.items()}
    features = encoder.encode(everything, statistics)
    grids = everything.grids.copy()
    grids[4:] = 7.0
    other = _viewings(30, seed=9)
    altered = Viewings(
        [*everything.gazes[:20], *other.gazes[20:]], everything.image, grids, everything.aspects
    )
    again = encoder.fit(_of(altered, *range(20)))
    assert again.vocabulary == statistics.vocabulary
    for name, array in before.items():
        assert_array_equal(array, statistics.arrays[name])  # as encoding left it
        assert_array_equal(array, again.arrays[name])
    altered_features = encoder.encode(altered, again)
    assert_array_equal(altered_features[:20], features[:20])
    assert (altered_features[20:] != features[20:]).any()


@pytest.mark.parametrize("encoder", ENCODERS, ids=lambda encoder: encoder.name)
def test_each_gaze_is_encoded_by_itself(encoder: Encoder[Viewings]) -> None:
    inputs = _viewings(12)
    statistics = encoder.fit(inputs)
    whole = encoder.encode(inputs, statistics)
    for row in (0, 5, 11):
        assert_allclose(encoder.encode(_of(inputs, row), statistics)[0], whole[row], atol=1e-5)
    assert encoder.encode(_of(inputs), statistics).shape == (0, whole.shape[1])


def test_no_identifier_is_a_feature() -> None:
    """The same gazes of images in another order are encoded alike."""
    inputs = _viewings(12)
    order = np.random.default_rng(1).permutation(6)
    moved = Viewings(
        inputs.gazes, np.argsort(order)[inputs.image], inputs.grids[order], inputs.aspects[order]
    )
    for encoder in ENCODERS:
        statistics = encoder.fit(inputs)
        assert_allclose(
            encoder.encode(moved, statistics), encoder.encode(inputs, statistics), atol=1e-5
        )
