"""The rows that the report shows."""

from __future__ import annotations

from typing import Any

import pytest

from beholder.evaluation.comparison.digest import (
    doublings,
    grouped_missing,
    needed,
    partial,
    profiles,
    same_image,
)


def a_gap(method: str, task: str, split: str, reason: str, seeds: Any = (0, 1)) -> dict[str, Any]:
    names = {"method": method, "task": task, "split": split}
    return names | {"reason": reason, "seeds": list(seeds)}


def missing(*gaps: dict[str, Any]) -> list[tuple[str, ...]]:
    configuration = {"seeds": [0, 1], "splits": ["random", "image"]}
    rows = grouped_missing({"missing": gaps, "configuration": configuration})
    return [(row["methods"], row["tasks"], row["splits"], row["reason"]) for row in rows]


def test_one_reason_is_told_once() -> None:
    gaps = [
        a_gap(method, task, split, f"{task} has no gaze, as t2px has not")
        for split in ("random", "image")
        for method in ("one", "two")
        for task in ("t2p", "p2t")
    ]
    assert missing(*gaps) == [
        ("one, two", "t2p, p2t", "all", "the task has no gaze, as t2px has not")
    ]


def test_reasons_are_kept_apart_where_they_differ() -> None:
    assert missing(
        a_gap("one", "t2p", "random", "t2p has no gaze"),
        a_gap("two", "t2p", "image", "t2p has no gaze"),
        a_gap("one", "g2t", "random", "it failed", seeds=[1]),
        a_gap("one", "t2g", "image", "it failed"),
    ) == [
        ("one", "t2p", "random", "t2p has no gaze"),
        ("two", "t2p", "image", "t2p has no gaze"),
        ("one", "g2t", "random (seed 1)", "it failed"),
        ("one", "t2g", "image", "it failed"),
    ]
    assert missing() == []


def test_what_differs_from_chance_within_an_image() -> None:
    def row(method: str, top1: float | None) -> dict[str, Any]:
        own = {"top1": top1, "chance_top1": 0.25}
        return {"method": method, "split": "random", "task": "g2t", "same_image": own}

    def test(method: str, against: str, p: float | None, measure: str) -> dict[str, Any]:
        names = {"split": "random", "task": "g2t", "measure": measure}
        return names | {"method": method, "against": against, "p_holm": p}

    own = "same_image_top1"
    found = same_image(
        {
            "summary": [row("chance", 0.25), row("base", 0.5), row("ours", 0.4), row("odd", None)],
            "tests": [
                test("chance", "base", 0.01, own),
                test("ours", "chance", 0.2, own),
                test("ours", "chance", 0.01, "top3"),
                test("ours", "base", 0.01, own),
            ],
        }
    )
    assert found == [
        {
            **{"split": "random", "chance": {"g2t": 0.25}, "highest": {"g2t": 0.5}},
            **{"methods": {"base": {"g2t": 0.5}, "ours": {"g2t": 0.4}}, "told": {"g2t": {"base"}}},
        }
    ]


def test_numbers_needed_and_why_there_are_none() -> None:
    def one(task: str, participants: int | None, reason: str | None = None) -> dict[str, Any]:
        names = {"split": "random", "task": task, "measure": "top3"}
        return names | {"participants": participants, "reason": reason}

    told, untold = needed(
        {
            "power": [
                one("g2t", 30),
                one("t2g", None, "cannot be told from none (p = 0.3)"),
                one("g2p", None, "cannot be told from none (p = 0.31)"),
                one("p2g", None),
                one("t2p", None) | {"measure": "same_image_top1"},
            ]
        }
    )
    assert [n["task"] for n in told] == ["g2t"]
    assert untold == [
        {"reason": "cannot be told from none", "where": "random: t2g, g2p"},
        {"reason": "no number was found", "where": "random: p2g"},
    ]


def test_profiles_are_corrected_for_one_another() -> None:
    def relation(p: float | None) -> dict[str, Any]:
        return {"surveys": {"same_image": {"profile": {"p": p}, "traits": {}}}}

    spaces = {"base": {"gaze": relation(0.01), "text": relation(None)}, "style": {}}
    spaces["style"]["text"] = relation(0.04)
    rows = profiles({"distinctness": {"spaces": spaces}})
    assert [(row["space"], row["modality"]) for row in rows] == [
        *(("base", "gaze"), ("base", "text"), ("style", "text"))
    ]
    assert [row["p_holm"] for row in rows] == [pytest.approx(0.02), None, pytest.approx(0.04)]
    assert rows[0]["kind"] == "same image"
    assert profiles({"distinctness": {"missing": "no space"}}) == []


def test_curves_and_seeds() -> None:
    def curve(method: str, unit: str) -> dict[str, Any]:
        return {"method": method, "share_of": unit, "split": "random", "task": "g2t"}

    rows = doublings({"curves": [curve("base", "samples"), curve("ours", "samples")]})
    assert [(row["unit"], list(row["methods"])) for row in rows] == [("samples", ["base", "ours"])]
    summary = [
        {"method": "a", "seeds": 2},
        {"method": "b", "seeds": 1},
        {"method": "b", "seeds": 1},
    ]
    assert partial({"configuration": {"seeds": [0, 1]}, "summary": summary}) == ["b"]
