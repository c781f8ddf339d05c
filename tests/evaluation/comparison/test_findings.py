"""The verdicts: a claim holds only where it does, and all of them are one family."""

from __future__ import annotations

from typing import Any

import pytest

from beholder.evaluation.comparison.findings import champion_of, correction, findings

METHODS = ("chance", "base", "ours")


def a_test(
    method: str = "ours",
    against: str = "base",
    difference: float = 0.1,
    p: float | None = 0.0001,
    **names: Any,
) -> dict[str, Any]:
    given = {"split": "random", "task": "g2t", "measure": "top3", "sides": 2, "clusters": 40}
    given |= names
    return given | {"method": method, "against": against, "difference": difference, "p": p}


def a_fall(low: float | None, high: float | None, **names: Any) -> dict[str, Any]:
    middle = 0.0 if low is None or high is None else (low + high) / 2
    given = {"method": "ours", "task": "g2t", "split": "image", "kept": 0.31}
    return given | {"difference": middle, "ci95": [low, high]} | names


def results(*tests: Any, methods: Any = METHODS, flattery: Any = ()) -> dict[str, Any]:
    return {
        "configuration": {"methods": list(methods)},
        "tests": list(tests),
        "flattery": list(flattery),
    }


def test_a_claim_that_holds_everywhere_and_where() -> None:
    (found,) = findings(results(a_test(), a_test(task="t2g", split="image", difference=0.25)))
    assert found["claim"] == "ours beats the base space (base)"
    assert found["verdict"] == "holds in all 2 tests"
    assert found["mark"] == "yes"
    assert found["evidence"] == "more: g2t (random +0.100), t2g (image +0.250)"


def test_a_claim_that_holds_in_part_says_how_often() -> None:
    (found,) = findings(results(a_test(), a_test(task="t2g", p=0.4)))
    assert (found["verdict"], found["mark"]) == ("holds in 1 of 2 tests", "part")
    assert found["evidence"].endswith("; no clear difference in the other 1")


def test_a_claim_can_be_contradicted_or_both_or_not_shown() -> None:
    against = a_test(difference=-0.1)
    (found,) = findings(results(against, a_test(task="t2g", p=1.0)))
    assert (found["verdict"], found["mark"]) == ("is contradicted in 1 of 2 tests", "against")
    assert "less: g2t (random −0.100)" in found["evidence"]
    (found,) = findings(results(against, a_test(task="t2g")))
    assert found["verdict"] == "holds in 1 and is contradicted in 1 of 2 tests"
    (found,) = findings(results(a_test(p=0.06)))
    assert (found["verdict"], found["mark"]) == ("is not shown in the one test", "none")
    assert found["evidence"] == "no clear difference"


def test_a_test_of_the_same_pair_the_other_way_round_is_turned() -> None:
    (found,) = findings(results(a_test("base", "ours", -0.2)))
    assert found["verdict"] == "holds in the one test"
    assert "+0.200" in found["evidence"]


def test_all_claims_are_one_family() -> None:
    """0.02 is clear alone, and not beside another claim's test; what is no claim's counts not."""
    told = a_test(p=0.02)
    assert findings(results(told))[0]["mark"] == "yes"
    beside = a_test("ours", "chance", p=0.9, task="t2g")
    assert findings(results(told, beside, a_test("base", "chance")))[1]["mark"] == "yes"
    found = findings(results(a_test(p=0.03), beside))
    assert [one["mark"] for one in found] == ["none", "none"]


def test_within_one_image_is_a_claim_of_its_own() -> None:
    found = findings(results(a_test("ours", "chance", measure="same_image_top1")))
    assert len(found) == 1
    assert "Within one image" in found[0]["claim"]


def test_a_method_of_ones_own_is_held_against_the_champion() -> None:
    methods = (*METHODS, "crowd", "style-joint", "ours+gaze")
    asked = results(
        a_test("ours", "crowd", -0.3), a_test("ours", "style-joint", 0.3), methods=methods
    )
    (found,) = findings(asked)
    assert found["claim"] == "crowd beats ours"
    assert found["mark"] == "yes"


def test_without_ours_the_claims_are_of_base() -> None:
    asked = results(a_test("chance", "base", -0.1), methods=("chance", "base"))
    assert champion_of(asked) == "base"
    (found,) = findings(asked)
    assert found["claim"] == "base finds right answers more often than chance"
    assert found["mark"] == "yes"


def test_nothing_to_say() -> None:
    assert findings(results(methods=("chance", "style"))) == []
    assert findings(results(a_test(p=None))) == []
    assert correction(results()) == {"tests": 0, "beyond": 0, "fewest": 0, "most": 0}


@pytest.mark.parametrize(("people", "others", "beyond"), [(5, 0, 1), (6, 0, 0), (9, 11, 0)])
def test_tests_of_too_few_people_are_counted(people: int, others: int, beyond: int) -> None:
    """The smallest p is 2 / 2^people: 0.0625 of 5; 12 times 2 / 2^9 is 0.047."""
    more = [a_test(task=f"task {n}", p=0.5) for n in range(others)]
    assert correction(results(a_test(clusters=people), *more))["beyond"] == beyond


def test_a_test_of_one_side_reaches_half_the_p() -> None:
    assert correction(results(a_test(clusters=5, sides=1)))["beyond"] == 0
    assert correction(results(a_test(clusters=4, sides=1)))["beyond"] == 1


def test_too_few_people_beside_many_tests() -> None:
    many = [a_test(task=f"task {n}", p=0.5) for n in range(20)]
    found = correction(results(a_test(clusters=9), *many))
    assert found == {"tests": 21, "beyond": 1, "fewest": 9, "most": 40}


def test_the_random_splits_flattery_is_told_by_its_intervals() -> None:
    falls = (
        a_fall(0.02, 0.1),
        a_fall(-0.02, 0.1, split="participant"),
        a_fall(0.1, 0.2, split="both", kept=-0.05),
        a_fall(-0.2, -0.1, task="t2g"),
        a_fall(None, None, task="t2g", split="both"),
        a_fall(0.3, 0.4, method="base"),
    )
    (found,) = findings(results(flattery=falls))
    assert found["verdict"] == "holds in 2 and is contradicted in 1 of 4 comparisons"
    assert found["evidence"] == (
        "lost: g2t (image +0.060, keeps 31% of its lead, both +0.150, keeps none of its lead); "
        "gained: t2g (image −0.150); no clear difference in the other 1"
    )
    assert findings(results(flattery=[a_fall(None, None)])) == []
