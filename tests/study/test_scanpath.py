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
    assert (found["first_x"], found["first_y"]) == (0.1, 0.2)
    assert (found["last_x"], found["last_y"]) == (0.4, 0.7)
    of_areas = "hit_rate distinct_areas distinct_labels nesting area_size area_spread"
    assert not any(found[name] for name in of_areas.split())


def test_one_click_without_times() -> None:
    found = _statistics(Points(np.array([0.5]), np.array([0.5])))
    assert found["events"] == pytest.approx(math.log(2))
    assert (found["centre_x"], found["centre_y"]) == pytest.approx((0.5, 0.5))
    assert found["step_mean"] == found["duration_mean"] == found["duration_total"] == 0
    assert found["first_x"] == found["last_x"] == found["first_y"] == found["last_y"] == 0.5


def test_times_that_were_not_recorded_are_left_out() -> None:
    place = np.full(3, 0.5)
    found = _statistics(Points(place, place, np.array([0.5, np.nan, 2.0]), np.full(3, np.nan)))
    assert found["duration_total"] == 1.5
    assert found["duration_mean"] == 0
    assert _statistics(Points(place, place, np.full(3, np.nan)))["duration_total"] == 0


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
    assert not any(found[f"{event}_{axis}"] for event in ("first", "last") for axis in "xy")


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
    assert found["distinct_labels"] == pytest.approx(math.log(4))  # and hat
    person, hat, car = math.sqrt(0.5), math.sqrt(0.0625), math.sqrt(0.25)
    mean = (person / 2 + hat / 2 + car + car + person) / 4
    variance = (
        (person - mean) ** 2 / 2
        + (hat - mean) ** 2 / 2
        + 2 * (car - mean) ** 2
        + (person - mean) ** 2
    ) / 4
    assert found["area_size"] == pytest.approx(mean)
    assert found["area_spread"] == pytest.approx(math.sqrt(variance))
    assert (found["first_x"], found["first_y"]) == (0.25, 0.5)  # of the person, not the hat
    assert (found["last_x"], found["last_y"]) == (0.25, 0.5)
    step = math.hypot(0.5, 0.25)  # between the centres of person and car
    assert found["step_mean"] == pytest.approx((step + 0 + step) / 3)


def test_two_areas_of_one_label_are_two_areas() -> None:
    same = _statistics(_areas(2, (0, "car", CAR), (1, "car", CAR)))
    two = _statistics(_areas(2, (0, "car", CAR), (1, "car", PERSON)))
    assert same["distinct_areas"] == pytest.approx(math.log(2))
    assert same["switch_rate"] == 0
    assert two["distinct_areas"] == pytest.approx(math.log(3))
    assert two["switch_rate"] == 1


def test_the_first_and_the_last_area_are_those_of_the_fixations_that_hit() -> None:
    # Of six fixations the second and the fifth hit, and their rows come in another order.
    found = _statistics(_areas(6, (4, "hat", HAT), (4, "person", PERSON), (1, "car", CAR)))
    assert (found["first_x"], found["first_y"]) == (0.75, 0.75)
    assert (found["last_x"], found["last_y"]) == (0.375, 0.125)
    assert found["hit_rate"] == pytest.approx(2 / 6)
    assert found["switch_rate"] == 1


def test_areas_of_one_size_have_no_spread_and_one_label_counts_once() -> None:
    found = _statistics(_areas(2, (0, "car", CAR), (1, "car", (0.0, 0.0, 0.5, 0.5))))
    assert found["area_size"] == pytest.approx(0.5)
    assert found["area_spread"] == pytest.approx(0, abs=1e-9)
    assert found["distinct_labels"] == pytest.approx(math.log(2))
    assert found["distinct_areas"] == pytest.approx(math.log(3))


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
