"""Scan-path statistics on cases small enough to work out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from beholder.study.gaze import Areas, DenseMap, Gaze, Points
from beholder.study.scanpath import STATISTICS, scanpath_statistics

PERSON = (0.0, 0.0, 0.5, 1.0)
HAT = (0.25, 0.0, 0.25, 0.25)
CAR = (0.5, 0.5, 0.5, 0.5)


def _statistics(gaze: Gaze) -> dict[str, float]:
    values = scanpath_statistics(gaze)
    assert values.shape == (len(STATISTICS),)
    assert np.isfinite(values).all()
    return dict(zip(STATISTICS, values.tolist(), strict=True))


def _areas(fixations: int, *rows: tuple[int, str, tuple[float, float, float, float]]) -> Areas:
    return Areas(
        fixations,
        np.array([row[0] for row in rows], dtype=int),
        tuple(row[1] for row in rows),
        np.array([row[2] for row in rows]).reshape(-1, 4),
    )


def test_points() -> None:
    gaze = Points(
        x=np.array([0.1, 0.4, 0.4]),
        y=np.array([0.2, 0.6, 0.7]),
        time=np.array([0.0, 0.5, 1.5]),
        duration=np.array([0.2, 0.3, 0.1]),
    )
    found = _statistics(gaze)
    assert found["events"] == pytest.approx(math.log(4))
    assert found["step_mean"] == pytest.approx((0.5 + 0.1) / 2)
    assert found["step_spread"] == pytest.approx((0.5 - 0.1) / 2)
    assert found["duration_mean"] == pytest.approx(0.2)
    assert found["duration_total"] == pytest.approx(1.5)
    assert found["hit_rate"] == found["distinct_areas"] == found["nesting"] == 0


def test_one_click_without_times() -> None:
    found = _statistics(Points(np.array([0.5]), np.array([0.5])))
    assert found["events"] == pytest.approx(math.log(2))
    assert (found["centre_x"], found["centre_y"]) == pytest.approx((0.5, 0.5))
    assert found["step_mean"] == found["duration_mean"] == found["duration_total"] == 0


def test_a_map_of_two_cells() -> None:
    values = np.zeros((8, 8))
    values[1, 2] = values[1, 6] = 3.0
    found = _statistics(DenseMap(values))
    assert found["centre_x"] == pytest.approx((2.5 + 6.5) / 2 / 8)
    assert found["centre_y"] == pytest.approx(1.5 / 8)
    assert found["spread_x"] == pytest.approx(2 / 8)
    assert found["spread_y"] == pytest.approx(0, abs=1e-6)
    assert found["entropy"] == pytest.approx(math.log(2))
    assert found["events"] == 0


def test_an_even_map_has_the_greatest_entropy() -> None:
    assert _statistics(DenseMap(np.ones((16, 24))))["entropy"] == pytest.approx(math.log(64))


def test_areas() -> None:
    # Five fixations: person (with hat inside it), nothing, car, car, person again.
    gaze = _areas(
        5,
        (0, "person", PERSON),
        (0, "hat", HAT),
        (2, "car", CAR),
        (3, "car", CAR),
        (4, "person", PERSON),
    )
    found = _statistics(gaze)
    assert found["events"] == pytest.approx(math.log(6))
    assert found["hit_rate"] == pytest.approx(4 / 5)
    assert found["distinct_areas"] == pytest.approx(math.log(3))  # person and car
    assert found["switch_rate"] == pytest.approx(2 / 3)
    assert found["revisit_rate"] == pytest.approx(1 / 3)  # visits: person, car, person
    assert found["nesting"] == pytest.approx(5 / 4)
    sizes = (0.5 + 0.0625) / 2, 0.25, 0.25, 0.5
    assert found["area_size"] == pytest.approx(sum(sizes) / 4)
    step = math.hypot(0.5, 0.25)  # between the centres of person and car
    assert found["step_mean"] == pytest.approx((step + 0 + step) / 3)


def test_two_areas_of_one_label_are_two_areas() -> None:
    same = _statistics(_areas(2, (0, "car", CAR), (1, "car", CAR)))
    two = _statistics(_areas(2, (0, "car", CAR), (1, "car", PERSON)))
    assert same["distinct_areas"] == pytest.approx(math.log(2))
    assert same["switch_rate"] == 0
    assert two["distinct_areas"] == pytest.approx(math.log(3))
    assert two["switch_rate"] == 1


@pytest.mark.parametrize(
    "gaze",
    [Points(np.zeros(0), np.zeros(0)), _areas(0), DenseMap(np.zeros((4, 4)))],
)
def test_gaze_at_nothing_has_no_statistics(gaze: Gaze) -> None:
    assert not any(_statistics(gaze).values())


def test_fixations_that_hit_nothing_are_counted() -> None:
    found = _statistics(_areas(3))
    assert found.pop("events") == pytest.approx(math.log(4))
    assert not any(found.values())
