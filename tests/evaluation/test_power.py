"""Power against the t-test's in statsmodels and the test itself, and numbers of participants."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from statsmodels.stats.power import TTestPower
from statsmodels.stats.proportion import proportion_confint

from beholder.evaluation import power as module
from beholder.evaluation.power import participants_needed, power_curve
from beholder.evaluation.significance import sign_flip_p


def normal(effect: float, people: int = 3000) -> NDArray:
    """Return people whose standardised effect is exactly ``effect``."""
    values = np.random.default_rng(0).normal(size=people)
    return (values - values.mean()) / values.std() + effect


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize(("effect", "participants"), [(0.8, 12), (0.5, 30), (0.3, 80), (0.15, 260)])
def test_power_of_normal_people_is_that_of_the_t_test(effect: float, participants: int) -> None:
    [point] = power_curve(normal(effect), [participants], generator())
    expected = TTestPower().power(effect, participants, 0.05)
    assert point.power == pytest.approx(expected, abs=4 * np.sqrt(0.25 / 2000))


@pytest.mark.parametrize("effect", [0.5, 0.18])
def test_participants_needed_are_those_of_the_t_test(effect: float) -> None:
    needed = participants_needed(normal(effect), generator())
    expected = TTestPower().solve_power(effect, power=0.8, alpha=0.05)
    assert needed.reason is None
    assert needed.participants == pytest.approx(expected, rel=0.08)
    assert needed.cautious is not None
    assert needed.interval.low < needed.participants < needed.cautious < needed.interval.high


@pytest.mark.parametrize(
    ("observed", "participants"),
    [([1, 1, 0, -1, 2, 0, 1], 8), ([1, 1, 0, -1, 2, 0, 1], 25), ([1] * 4 + [0] * 90 + [-1], 300)],
)
def test_simulated_studies_are_put_to_the_test_itself(
    observed: list[int], participants: int
) -> None:
    """Also with people who mostly show no difference, of whom 300 are as few as 16."""
    sums = np.array(observed, float)
    [point] = power_curve(sums, [participants], generator())
    draw, found, studies = generator(7), 0, 500
    for _ in range(studies):
        found += sign_flip_p(sums[draw.integers(0, len(sums), participants)], draw, 999) <= 0.05
    assert point.power == pytest.approx(found / studies, abs=4 * np.sqrt(0.25 / studies))


def test_the_limit_continues_the_flips(monkeypatch: pytest.MonkeyPatch) -> None:
    """At 150 people, flips, sums drawn, and how often each was drawn agree."""
    large, small = normal(0.2), normal(0.2, 100)
    [flips], [flips_small] = (power_curve(sums, [150], generator()) for sums in (large, small))
    monkeypatch.setattr(module, "_FEW", 0)
    [limit], [limit_small] = (power_curve(sums, [150], generator()) for sums in (large, small))
    assert limit.power == pytest.approx(flips.power, abs=0.05)
    assert limit_small.power == pytest.approx(flips_small.power, abs=0.05)
    assert power_curve(-large, [150], generator()) == [limit]
    assert power_curve(-small, [150], generator()) == [limit_small]
    monkeypatch.setattr(module, "_CELLS", 1500)
    [blocks] = power_curve(small, [150], generator())
    assert blocks.power == limit_small.power


def test_power_without_an_effect_is_at_most_the_level() -> None:
    values = np.array([1.0, -1, 2, -2, 0.5, -0.5])
    for point in power_curve(values, [5, 12, 50, 1000], generator()):
        assert point.power <= 0.05 + 4 * np.sqrt(0.05 * 0.95 / 2000)
    assert power_curve(np.zeros(9), [30], generator())[0].power == 0
    assert power_curve(np.ones(9), [5, 6], generator())[0].power == 0  # 2 / 2^5 > 0.05
    assert power_curve(np.ones(9), [5, 6], generator())[1].power == 1


@pytest.mark.parametrize("effect", [0.1, 0.6, 3])
def test_intervals_of_power_are_wilsons(effect: float) -> None:
    [point] = power_curve(normal(effect), [10], generator(), studies=400)
    found = round(point.power * 400)
    expected = proportion_confint(found, 400, method="wilson")
    assert (point.interval.low, point.interval.high) == pytest.approx(expected)


def test_a_point_does_not_depend_on_the_others() -> None:
    curve = power_curve(normal(0.3), [10, 40], generator(3), studies=200)
    assert power_curve(normal(0.3), [40], generator(3), studies=200) == [curve[1]]
    assert curve[0].power < curve[1].power


def test_an_effect_that_was_not_found_needs_no_number() -> None:
    sums = generator(2).normal(0.1, 1, 30)
    assert sign_flip_p(sums, generator()) > 0.05
    needed = participants_needed(sums, generator())
    assert (needed.participants, needed.cautious) == (None, None)
    assert needed.reason is not None
    assert "30 participants' difference cannot be told from none (p = 0." in needed.reason
    # The least is what the largest effect that the people allow would need.
    effect = sums.mean() / sums.std()
    largest = (effect + 2.2 / np.sqrt(30)) * 0.95, (effect + 2.0 / np.sqrt(30)) * 0.85
    low, high = (TTestPower().solve_power(size, power=0.8, alpha=0.05) for size in largest)
    assert low < needed.interval.low < high
    assert participants_needed(np.ones(5), generator()).interval.low == 6  # p of 5 is 2 / 2^5
    assert np.isinf(needed.interval.high)
    nothing = participants_needed(np.zeros(8), generator())
    assert nothing.participants is None
    alone = participants_needed(np.ones(1), generator())
    assert alone.reason == "1 participants say nothing about others"
    assert np.isnan(alone.interval.low)


def test_numbers_do_not_depend_on_scale_or_direction() -> None:
    sums = generator(1).normal(0.4, 1, 40)
    needed = participants_needed(sums, generator())
    assert participants_needed(sums * 8, generator()) == needed
    assert participants_needed(-sums, generator()) == needed
    assert needed.participants is not None


def test_as_many_are_needed_as_can_reach_the_level_at_all() -> None:
    needed = participants_needed(np.ones(8), generator())
    assert (needed.participants, needed.interval.low, needed.interval.high) == (6, 6, 6)
    strict = participants_needed(np.ones(12), generator(), alpha=0.01)
    assert strict.participants == 8


def test_more_power_needs_more_participants() -> None:
    sums = normal(0.4, 200)
    some, more = (participants_needed(sums, generator(), power=p).participants for p in (0.6, 0.9))
    assert some is not None
    assert more is not None
    assert some == pytest.approx(TTestPower().solve_power(0.4, power=0.6, alpha=0.05), rel=0.1)
    assert more == pytest.approx(TTestPower().solve_power(0.4, power=0.9, alpha=0.05), rel=0.1)


def test_there_is_an_end_to_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 20)
    needed = participants_needed(normal(0.3, 200), generator())
    assert needed.participants is None
    assert needed.reason == "over 20 would be needed"


def test_power_of_nobody_is_refused() -> None:
    for sums, participants in (([], [10]), ([1.0, 2.0], [10, 1])):
        with pytest.raises(ValueError, match="two people or more"):
            power_curve(np.array(sums), participants, generator())
