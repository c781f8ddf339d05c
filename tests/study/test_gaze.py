"""Attention maps against slow loops over every pixel."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose

from beholder.study.gaze import (
    Areas,
    DenseMap,
    Floats,
    Gaze,
    Kernel,
    Points,
    attention_map,
    attention_maps,
    blur,
    gaze_form,
    resample,
)

NO_AREAS = Areas(3, np.zeros(0, dtype=int), (), np.zeros((0, 4)))


def _points(*places: tuple[float, float], duration: list[float] | None = None) -> Points:
    x, y = np.array(places, dtype=float).reshape(-1, 2).T
    return Points(x, y, duration=None if duration is None else np.array(duration))


def _areas(fixations: int, *rows: tuple[int, tuple[float, float, float, float]]) -> Areas:
    fixation = np.array([number for number, _ in rows], dtype=int)
    box = np.array([box for _, box in rows]).reshape(-1, 4)
    return Areas(fixations, fixation, tuple("a" for _ in rows), box)


def _slow_points(points: Points, height: int, width: int, aspect: float, kernel: Kernel) -> Floats:
    """Each point's round Gaussian in pixels of an image of this aspect, cell by cell."""
    image_width, image_height = aspect * 1000.0, 1000.0
    sigma = kernel.pixels(image_width)
    weights = points.duration if points.duration is not None else np.ones(len(points))
    total = np.zeros((height, width))
    for x, y, weight in zip(points.x, points.y, weights, strict=True):
        one = np.zeros((height, width))
        for row in range(height):
            for column in range(width):
                across = ((column + 0.5) / width - x) * image_width
                down = ((row + 0.5) / height - y) * image_height
                one[row, column] = math.exp(-(across**2 + down**2) / (2 * sigma**2))
        total += weight * one / one.sum()
    return total / total.sum()


def _slow_areas(areas: Areas, height: int, width: int, fine: int = 40) -> Floats:
    """Each fixation's weight spread over the sub-pixels of its boxes, sub-pixel by sub-pixel."""
    total = np.zeros((height, width))
    for fixation in range(areas.fixations):
        boxes = [box for f, box in zip(areas.fixation, areas.box, strict=True) if f == fixation]
        for x, y, box_width, box_height in boxes:
            inside = []
            for row in range(height * fine):
                for column in range(width * fine):
                    across, down = (column + 0.5) / (width * fine), (row + 0.5) / (height * fine)
                    if x < across < x + box_width and y < down < y + box_height:
                        inside.append((row // fine, column // fine))
            for cell in inside:
                total[cell] += 1 / len(boxes) / len(inside)
    return total / total.sum()


@pytest.mark.parametrize("aspect", [1.0, 4 / 3, 0.5])
@pytest.mark.parametrize("duration", [None, [0.1, 0.7, 0.2]])
def test_points_match_a_slow_loop(aspect: float, duration: list[float] | None) -> None:
    points = _points((0.1, 0.2), (0.5, 0.5), (1.0, 0.9), duration=duration)
    kernel = Kernel(0.12)
    fast = attention_map(points, 12, 16, aspect=aspect, kernel=kernel)
    assert_allclose(fast, _slow_points(points, 12, 16, aspect, kernel), rtol=1e-9)


def test_duration_weights_points_unless_switched_off() -> None:
    points = _points((0.1, 0.5), (0.9, 0.5), duration=[3.0, 1.0])
    weighted = attention_map(points, 10, 10)
    plain = attention_map(points, 10, 10, weight_by_duration=False)
    assert weighted[:, :5].sum() == pytest.approx(0.75, abs=1e-4)
    assert plain[:, :5].sum() == pytest.approx(0.5, abs=1e-4)


def test_durations_of_zero_weight_all_points_alike() -> None:
    untimed = attention_map(_points((0.1, 0.5), (0.9, 0.2)), 8, 8)
    zero = attention_map(_points((0.1, 0.5), (0.9, 0.2), duration=[0.0, 0.0]), 8, 8)
    assert_allclose(zero, untimed)


def test_a_point_outside_the_image_takes_no_part() -> None:
    inside = attention_map(_points((0.3, 0.3)), 8, 8)
    places = ((0.3, 0.3), (1.2, 0.5), (0.5, -0.1))
    assert_allclose(attention_map(_points(*places), 8, 8), inside)
    # Not even where it alone has a duration.
    assert_allclose(attention_map(_points(*places, duration=[0.0, 1.0, 1.0]), 8, 8), inside)


def test_a_kernel_is_the_same_in_pixels_and_as_a_fraction() -> None:
    assert Kernel.from_pixels(20, 400) == Kernel(0.05)
    assert Kernel(0.05).pixels(400) == 20
    assert Kernel() == Kernel(0.05)


@pytest.mark.parametrize("fraction", [0.0, -0.1, 1.0, float("nan")])
def test_a_kernel_of_no_width_or_of_the_whole_image_is_refused(fraction: float) -> None:
    with pytest.raises(ValueError, match="lies between 0 and 1"):
        Kernel(fraction)


def test_a_point_between_the_cells_of_a_coarse_grid_does_not_vanish() -> None:
    grid = attention_map(_points((0.5, 0.5)), 4, 4, kernel=Kernel(0.001))
    assert grid.sum() == pytest.approx(1)
    assert_allclose(grid[1:3, 1:3], grid[1, 1])


@pytest.mark.parametrize(("height", "width"), [(300, 600), (600, 300)])
def test_a_kernel_is_round_on_an_image_that_is_not_square(height: int, width: int) -> None:
    spread = attention_map(_points((0.5, 0.5)), height, width, aspect=width / height)
    assert _deviation(spread, 1) == pytest.approx(0.05 * width, rel=0.01)
    assert _deviation(spread, 0) == pytest.approx(_deviation(spread, 1), rel=0.01)


@pytest.mark.parametrize(("height", "width"), [(200, 400), (400, 200)])
def test_a_blur_is_round_on_an_image_that_is_not_square(height: int, width: int) -> None:
    values = np.zeros((height, width))
    values[height // 2, width // 2] = 1
    spread = blur(values, Kernel(0.05), width / height)
    assert _deviation(spread, 1) == pytest.approx(0.05 * width, rel=0.01)
    assert _deviation(spread, 0) == pytest.approx(_deviation(spread, 1), rel=0.01)


def _deviation(values: Floats, axis: int) -> float:
    """Standard deviation of a map along an axis, in pixels."""
    along = values.sum(axis=1 - axis) / values.sum()
    places = np.arange(len(along))
    return float(np.sqrt(along @ (places - along @ places) ** 2))


def test_areas_match_a_slow_loop() -> None:
    areas = _areas(
        4,
        (0, (0.1, 0.2, 0.5, 0.25)),
        (1, (0.0, 0.0, 1.0, 1.0)),
        (1, (0.25, 0.5, 0.1, 0.4)),
        (3, (0.05, 0.9, 0.3, 0.1)),
    )
    assert_allclose(attention_map(areas, 5, 4), _slow_areas(areas, 5, 4), atol=1e-9)


def test_nested_areas_share_their_fixation() -> None:
    areas = _areas(3, (0, (0, 0, 0.5, 1)), (2, (0, 0, 0.5, 1)), (2, (0.5, 0, 0.5, 1)))
    assert areas.shares().tolist() == [1.0, 0.5, 0.5]
    assert_allclose(attention_map(areas, 1, 2), [[0.75, 0.25]])


def test_areas_are_blurred_only_when_a_kernel_is_given() -> None:
    areas = _areas(1, (0, (0.4, 0.4, 0.2, 0.2)))
    sharp = attention_map(areas, 10, 10)
    blurred = attention_map(areas, 10, 10, kernel=Kernel(0.1))
    assert np.count_nonzero(sharp > 1e-9) == 4
    assert_allclose(blurred, blur(sharp, Kernel(0.1)) / blur(sharp, Kernel(0.1)).sum())


def test_a_box_that_leaves_the_image_by_a_rounding_still_sums_to_1() -> None:
    grid = attention_map(_areas(1, (0, (-0.01, 0.5, 0.5, 0.51))), 6, 6)
    assert grid.sum() == pytest.approx(1)


def test_resampling_to_fewer_cells_adds_up_blocks() -> None:
    values = np.arange(24.0).reshape(4, 6)
    assert_allclose(resample(values, 2, 3), values.reshape(2, 2, 3, 2).sum(axis=(1, 3)))


def test_resampling_splits_a_cell_between_its_neighbours() -> None:
    assert_allclose(resample(np.array([[3.0, 6.0, 9.0]]), 1, 2), [[6.0, 12.0]], rtol=1e-6)
    assert_allclose(resample(np.array([[4.0]]), 2, 2), np.ones((2, 2)))


def test_a_dense_map_is_averaged_and_never_blurred_again() -> None:
    values = np.zeros((8, 8))
    values[2, 5] = 4.0
    grid = attention_map(DenseMap(values), 4, 4)
    assert grid[1, 2] == pytest.approx(1)
    assert np.count_nonzero(attention_map(DenseMap(values), 8, 8, kernel=Kernel(0.1))) > 1


@pytest.mark.parametrize(
    "gaze",
    [
        _points(),
        _points(duration=[]),
        NO_AREAS,
        DenseMap(np.zeros((5, 7))),
        DenseMap(np.zeros((0, 0))),
        _points((2.0, 2.0)),
    ],
)
def test_gaze_at_nothing_gives_zeros(gaze: Gaze) -> None:
    grid = attention_map(gaze, 3, 4)
    assert grid.shape == (3, 4)
    assert not grid.any()


@pytest.mark.parametrize("kernel", [None, Kernel(0.1)])
@pytest.mark.parametrize("weighted", [True, False])
def test_maps_made_together_are_those_made_alone(kernel: Kernel | None, weighted: bool) -> None:
    generator = np.random.default_rng(0)
    gazes: list[Gaze] = []
    for number in range(300):
        places = [tuple(place) for place in generator.uniform(-0.1, 1.1, (number % 4, 2))]
        duration = generator.choice([0.0, 0.3, np.nan, 2.0], len(places)).tolist()
        boxes = generator.uniform(0.05, 0.4, (number % 3, 4))
        gazes += [
            _points(*places, duration=duration if number % 5 else None),
            _areas(5, *((3 - row, tuple(box)) for row, box in enumerate(boxes))),
        ]
    gazes.insert(100, DenseMap(generator.random((9, 7))))
    aspects = generator.choice([0.5, 1.0, 1.6], len(gazes))
    together = attention_maps(
        gazes, 6, 8, aspects=aspects, kernel=kernel, weight_by_duration=weighted
    )
    for gaze, aspect, one in zip(gazes, aspects, together, strict=True):
        alone = attention_map(gaze, 6, 8, aspect=aspect, kernel=kernel, weight_by_duration=weighted)
        assert_allclose(one, alone, rtol=1e-12, atol=1e-15)
    assert attention_maps([], 6, 8).shape == (0, 6, 8)


def test_each_form_has_its_name_and_length() -> None:
    assert gaze_form(_points((0, 0))) == "points"
    assert gaze_form(NO_AREAS) == "areas"
    assert gaze_form(DenseMap(np.ones((1, 1)))) == "map"
    assert len(_points((0, 0), (1, 1))) == 2
    assert len(NO_AREAS) == 3


FRACTION = st.floats(0, 1, width=32)
PLACES = st.lists(st.tuples(FRACTION, FRACTION), min_size=1, max_size=6)
SIZE = st.integers(1, 24)


@settings(max_examples=60)
@given(PLACES, SIZE, SIZE, st.floats(0.2, 5), st.floats(0.001, 0.5))
def test_points_anywhere_in_the_image_sum_to_1(
    places: list[tuple[float, float]], height: int, width: int, aspect: float, sigma: float
) -> None:
    grid = attention_map(_points(*places), height, width, aspect=aspect, kernel=Kernel(sigma))
    assert (grid >= 0).all()
    assert grid.sum() == pytest.approx(1)


@settings(max_examples=60)
@given(
    st.lists(st.tuples(FRACTION, FRACTION, st.floats(0.01, 1), st.floats(0.01, 1)), min_size=1),
    SIZE,
    SIZE,
)
def test_areas_anywhere_in_the_image_sum_to_1(
    boxes: list[tuple[float, float, float, float]], height: int, width: int
) -> None:
    rows = [
        (n, (x, y, w * (1 - x) or 0.1, h * (1 - y) or 0.1)) for n, (x, y, w, h) in enumerate(boxes)
    ]
    rows = [row for row in rows if row[1][0] < 1 and row[1][1] < 1]
    grid = attention_map(_areas(len(boxes), *rows), height, width)
    assert (grid >= 0).all()
    assert grid.sum() == pytest.approx(1 if rows else 0)


@settings(max_examples=60)
@given(arrays(float, st.tuples(SIZE, SIZE), elements=st.floats(0, 10)), SIZE, SIZE)
def test_resampling_keeps_the_total(values: Floats, height: int, width: int) -> None:
    resampled = resample(values, height, width)
    assert (resampled >= 0).all()
    assert resampled.sum() == pytest.approx(values.sum(), rel=1e-4, abs=1e-6)
