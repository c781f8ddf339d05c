"""The results of a comparison as the report shows them: grouped, and turned into rows."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from beholder.evaluation.comparison.findings import ALPHA
from beholder.evaluation.significance import holm


def grouped_missing(results: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return what could not be compared, a row a reason: which methods, tasks and splits."""
    places: dict[tuple[str, str], dict[str, list[str]]] = {}
    originals: dict[tuple[str, str], str] = {}
    for one in results["missing"]:
        # What differs in nothing but the name of its task is one reason.
        reason = re.sub(rf"\b{re.escape(one['task'])}\b", "the task", one["reason"])
        of = places.setdefault((reason, one["method"]), {})
        of.setdefault(one["task"], []).append(_where(one, results["configuration"]["seeds"]))
        originals.setdefault((reason, one["method"]), one["reason"])
    alike: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for (reason, method), tasks in places.items():
        shown = reason if len(tasks) > 1 else originals[reason, method]
        by_splits: dict[tuple[str, ...], list[str]] = {}
        for task, splits in tasks.items():
            by_splits.setdefault(tuple(splits), []).append(task)
        for where, named in by_splits.items():
            alike.setdefault((shown, tuple(named), where), []).append(method)
    every = results["configuration"]["splits"]
    return [
        {
            "methods": ", ".join(methods),
            "tasks": ", ".join(tasks),
            "splits": "all" if len(every) > 1 and set(splits) == set(every) else ", ".join(splits),
            "reason": reason,
        }
        for (reason, tasks, splits), methods in alike.items()
    ]


def _where(one: Mapping[str, Any], seeds: Sequence[int]) -> str:
    """Return a split, and the seeds where they are not all."""
    if len(one["seeds"]) == len(seeds):
        return str(one["split"])
    return f"{one['split']} (seed {', '.join(map(str, one['seeds']))})"


def same_image(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return top-1 within an image, a table a split: ``methods[method][task]``.

    ``chance`` and ``highest`` are by task. ``told`` are by task the methods whose difference
    from chance was tested and is told from none.
    """
    tables: dict[str, dict[str, Any]] = {}
    for row in results["summary"]:
        own, task = row["same_image"], row["task"]
        if own["top1"] is not None:
            empty: dict[str, Any] = {"split": row["split"], "chance": {}, "methods": {}}
            table = tables.setdefault(row["split"], empty)
            table["chance"][task] = own["chance_top1"]
            if row["method"] != "chance":
                table["methods"].setdefault(row["method"], {})[task] = own["top1"]
    for split, table in tables.items():
        values = table["methods"].values()
        table["told"] = {task: _told(results, split, task) for task in table["chance"]}
        table["highest"] = {
            task: max((of[task] for of in values if task in of), default=None)
            for task in table["chance"]
        }
    return list(tables.values())


def _told(results: Mapping[str, Any], split: str, task: str) -> set[str]:
    return {
        name
        for test in results["tests"]
        if (test["split"], test["task"], test["measure"]) == (split, task, "same_image_top1")
        and "chance" in (test["method"], test["against"])
        and test["p_holm"] is not None
        and test["p_holm"] < ALPHA
        for name in (test["method"], test["against"])
        if name != "chance"
    }


def doublings(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what twice the training data would bring, a row a task and unit, by method."""
    rows: dict[tuple[str, str, str], dict[str, Any]] = {}
    for curve in results["curves"]:
        key = curve["share_of"], curve["split"], curve["task"]
        rows.setdefault(key, {})[curve["method"]] = curve
    return [
        {"unit": unit, "split": split, "task": task, "methods": methods}
        for (unit, split, task), methods in rows.items()
    ]


def needed(results: Mapping[str, Any]) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """Return the numbers of participants needed on top 3, and what has none, a row a reason."""
    told = [n for n in results["power"] if n["measure"] == "top3" and n["participants"] is not None]
    untold: dict[str, dict[str, list[str]]] = {}
    for one in results["power"]:
        if one["measure"] == "top3" and one["participants"] is None:
            # The reason ends with the test's p, which the table of tests holds.
            reason = (one["reason"] or "no number was found").partition(" (p = ")[0]
            untold.setdefault(reason, {}).setdefault(one["split"], []).append(one["task"])
    rows = [
        {
            "reason": reason,
            "where": "; ".join(f"{split}: {', '.join(tasks)}" for split, tasks in splits.items()),
        }
        for reason, splits in untold.items()
    ]
    return told, rows


def profiles(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the tests of people's distance against their surveys, a row a space and modality.

    ``p_holm`` corrects the tests of whole profiles for one another; ``traits`` are corrected
    within themselves.
    """
    rows = [
        {"space": space, "modality": modality, "kind": kind.replace("_", " "), **relation}
        for space, modality, kind, relation in _relations(results)
    ]
    corrected = holm([_or_nan(row["profile"]["p"]) for row in rows])
    return [row | {"p_holm": _or_none(p)} for row, p in zip(rows, corrected, strict=True)]


def _relations(results: Mapping[str, Any]) -> Iterable[tuple[str, str, str, Mapping[str, Any]]]:
    for space, modalities in results["distinctness"].get("spaces", {}).items():
        for modality, one in modalities.items():
            for kind, relation in one["surveys"].items():
                yield space, modality, kind, relation


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value


def _or_none(value: float) -> float | None:
    return None if value != value else float(value)


def partial(results: Mapping[str, Any]) -> Sequence[str]:
    """Return the methods that have fewer seeds than asked for somewhere."""
    seeds = len(results["configuration"]["seeds"])
    return list(dict.fromkeys(r["method"] for r in results["summary"] if r["seeds"] < seeds))
