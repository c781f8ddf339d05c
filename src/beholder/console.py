"""What the command prints for people: tables and pictures made of text."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from beholder.study.inspection import Coverage, Inspection

_SHADES = " ·░▒▓█"
_MOST_ROWS, _MOST_COLUMNS = 20, 72
_MOST_PIECES = 12


def _console() -> Console:
    """Return a console that takes names and texts as they are, brackets and all."""
    return Console(markup=False, emoji=False, highlight=False)


def print_read(report: Mapping[str, Any], target: str) -> None:
    """Print what a reading found."""
    console = _console()
    counts = [
        f"{report[what]:,} {what if report[what] != 1 else what[:-1]}"
        for what in ("samples", "participants", "images")
    ]
    console.print(f"{target}: {counts[0]} of {counts[1]} and {counts[2]}", style="bold")
    for note in report["notes"]:
        console.print(f"  {note}")


def print_inspection(inspection: Inspection, coverage: Coverage) -> None:
    """Print an inspection as tables, and the coverage as a picture."""
    console = _console()
    console.print(f"{inspection.study['name']} ({inspection.study['source']})", style="bold")
    _print_facts(console, "counts", inspection.counts)
    _print_facts(console, "samples with", inspection.modalities)
    _print_facts(console, "coverage", _flat(inspection.coverage))
    console.print(coverage_picture(coverage))
    console.print("each cell: the share of its participants (down) and images (across) that met\n")
    _print_facts(console, "text", inspection.text)
    _print_facts(console, "gaze", _flat(inspection.gaze))
    if traits := inspection.survey.get("traits"):
        table = Table("trait", "mean", "spread", "alpha", title="survey", title_justify="left")
        for trait, values in traits.items():
            table.add_row(trait, *(_figure(values[key]) for key in ("mean", "spread", "alpha")))
        console.print(table)
    table = Table("task", "possible", title="tasks", title_justify="left")
    for task, reason in inspection.tasks.items():
        table.add_row(task, "yes" if reason is None else f"no: {reason}")
    console.print(table)
    for warning in inspection.warnings:
        console.print(f"! {warning}", style="yellow")


def coverage_picture(coverage: Coverage) -> str:
    """Return who met which image as shades of text, several people and images to a cell."""
    people, images = coverage.participants, coverage.images
    rows, columns = min(people, _MOST_ROWS), min(images, _MOST_COLUMNS)
    if not rows or not columns:
        return ""
    # People who saw the same images stand together.
    middle = np.bincount(coverage.person, coverage.image, people) / np.maximum(
        coverage.images_met, 1
    )
    row = np.empty(people, dtype=int)
    row[np.argsort(middle)] = np.arange(people) * rows // people
    column = np.arange(images) * columns // images
    total = np.zeros((rows, columns))
    np.add.at(total, (row[coverage.person], column[coverage.image]), 1)
    share = total / np.outer(np.bincount(row), np.bincount(column))
    shade = np.ceil(share * (len(_SHADES) - 1)).astype(int)
    return "\n".join("".join(_SHADES[cell] for cell in line) for line in shade)


def print_evaluation(result: Mapping[str, Any]) -> None:
    """Print the measures of every method and task of an evaluation."""
    console = _console()
    table = Table(
        *("task", "method", "top-1", "top-3", "95% interval", "MRR", "median", "same image"),
        title=f"{result['study']}, {result['split']} split, seed {result['seed']}",
        title_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    tasks = dict.fromkeys(name for of_method in result["methods"].values() for name in of_method)
    for task in tasks:
        for method, of_method in result["methods"].items():
            if task in of_method:
                bold = "bold" if method == result["task_methods"][task] else None
                table.add_row(task, method, *_evaluation_cells(of_method[task]), style=bold)
                measures = of_method[task]
        chance = _figure(measures["chance_top3"]), _figure(measures["same_image"]["chance_top1"])
        sizes = f"{measures['queries']:,} in {measures['gallery']:,}"
        table.add_row(task, "chance", "", chance[0], sizes, "", "", chance[1], style="dim")
        table.add_section()
    console.print(table)
    console.print(
        "In the row of chance: how many queries, in a gallery of how many.\n"
        "same image: top-1 among what the viewers of that very image made.\n"
        "95% intervals of top-3 resample people (images, where people are unknown); ties count "
        "against the method."
    )
    for warning in result["warnings"]:
        console.print(f"! {warning}", style="yellow")


def print_comparison(results: Mapping[str, Any], folder: str) -> None:
    """Print the mean top-3 accuracies of a comparison, a table a split, and what to open."""
    console = _console()
    tested = {
        (test["split"], test["task"], test["method"]): test["p_holm"]
        for test in results["tests"]
        if test["measure"] == "top3" and test["against"] == "base"
    }
    for split in dict.fromkeys(row["split"] for row in results["summary"]):
        rows = [row for row in results["summary"] if row["split"] == split]
        tasks = list(dict.fromkeys(row["task"] for row in rows))
        table = Table(
            *("method", *tasks),
            title=f"{results['study']['name']}, {split} split: top-3",
            title_justify="left",
            box=SIMPLE_HEAD,
            padding=(0, 1, 0, 0),
            pad_edge=False,
        )
        for method in dict.fromkeys(row["method"] for row in rows):
            cells = {row["task"]: row for row in rows if row["method"] == method}
            texts = []
            for task in tasks:
                p = tested.get((split, task, method))
                mark = "*" if p is not None and p < 0.05 else " "
                texts.append(f"{cells[task]['top3']:.3f}{mark}" if task in cells else "–")
            table.add_row(method, *texts, style="bold" if method == "ours" else None)
        console.print(table)
    console.print(
        "Means over seeds. * differs from base: paired test over participants, Holm-corrected, "
        "p < 0.05."
    )
    reasons = dict.fromkeys(one["reason"] for one in results["missing"])
    for sentence in [*reasons, *results["warnings"]]:
        console.print(f"! {sentence}", style="yellow")
    console.print(f"report: {folder}/report.html", soft_wrap=True)


def print_answers(result: Mapping[str, Any]) -> None:
    """Print one page of a search's answers, with what each score is made of."""
    console = _console()
    answers = result["answers"]
    parts = list(answers[0]["parts"]) if answers else []
    first = result["offset"] + 1
    page = f"{first:,} to {first + len(answers) - 1:,}" if answers else "none"
    table = Table(
        *("", "score", *parts, "participant", "answer"),
        title=f"{result['find']}: {page} of {result['candidates']:,}",
        title_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    for answer in answers:
        item = answer["item"]
        shown = item.get("text") if result["find"] == "text" else None
        traits = item.get("traits") or {}
        shown = shown or ", ".join(f"{name} {value:.1f}" for name, value in traits.items())
        where = item.get("image")
        table.add_row(
            str(answer["rank"]),
            *(_figure(value) for value in (answer["score"], *answer["parts"].values())),
            item.get("participant") or "",
            " · ".join(filter(None, (where, shown))),
        )
    console.print(table)
    console.print(f"by chance an answer stands at {result['chance_rank']:,.1f}")
    for note in result["notes"]:
        console.print(f"! {note}", style="yellow")
    if why := result.get("why"):
        _print_explanation(console, why)


def _print_explanation(console: Console, why: Mapping[str, Any]) -> None:
    """Print what brings most to a score, and what takes most off it."""
    sides = {f"the query's {modality}": own for modality, own in why["query"].items()}
    sides |= {f"its own {modality}": own for modality, own in why["answer"].items()}
    console.print(f"\nwhy number {why['rank']:,} scores {why['score']:.3f}", style="bold")
    for side, contributions in sides.items():
        table = Table(show_header=False, title=side, title_justify="left", box=None)
        largest = sorted(contributions, key=lambda one: -abs(one["value"]))[:_MOST_PIECES]
        for one in sorted(largest, key=lambda one: -one["value"]):
            places = f"no. {one['start'] + 1}"
            if one["end"] > one["start"] + 1:
                places += f"–{one['end']}"
            table.add_row(f"{one['value']:+.3f}", one["label"] or places)
        console.print(table)
        if (left := len(contributions) - len(largest)) > 0:
            console.print(f"and {left:,} that matter less")
    console.print("each: the score with it less the score without it; they need not sum to it")


def print_receipt(receipt: Mapping[str, Any]) -> None:
    """Print what was removed with a person, and how it was made sure of."""
    console = _console()
    console.print(f"{receipt['participant']} is removed from {receipt['store']}", style="bold")
    _print_facts(
        console,
        "removed",
        {
            "samples": receipt["samples"],
            "vectors": receipt["vectors"],
            "survey": "yes" if receipt["had_survey"] else "there was none",
            "images that nobody else saw": ", ".join(receipt["images"]) or "none",
        },
    )
    _print_facts(
        console,
        "made sure",
        {
            "searches with their own vectors": receipt["searches"],
            "answers, none of them theirs": receipt["answers"],
            "files read": receipt["files"],
            "bytes read": receipt["bytes_read"],
            "words looked for, none found": receipt["looked_for"],
            "not looked for, as others have them": receipt["of_others_too"],
            "not looked for, as too short": receipt["too_short"],
        },
    )
    for sentence in receipt["kept"]:
        console.print(sentence)


def print_placement(placement: Mapping[str, Any]) -> None:
    """Print where an enrolled person stands, and how certain that is."""
    console = _console()
    count, name = placement["samples"], placement["participant"]
    samples = "1 sample" if count == 1 else f"{count:,} samples"
    survey = "a survey" if placement["has_survey"] else "no survey"
    heading = f"{name} stands in {placement['store']} by {samples} and {survey}"
    console.print(heading, style="bold")
    for one in placement["certainty"]:
        near = [f"{own['participant']} ({own['degrees']:.0f}°)" for own in one["nearest"]]
        _print_facts(
            console,
            f"by {one['modality']}",
            {
                "samples": one["samples"],
                "nearest people": ", ".join(near) or "nobody else is there",
                "standard error of the direction": _degrees(one["error_degrees"]),
                "cosine of two own samples": _within(one["agreement"], one["agreement_interval"]),
                "cosine of one with another person's": one["with_others"],
                "held out, they find them first": _found_first(one["everybody"]),
                "their mean rank": _mean_rank(one["everybody"]),
                "among viewers of the same image, first": _found_first(one["viewers"]),
                "their mean rank there": _mean_rank(one["viewers"]),
            },
        )
        console.print(f"{one['verdict']}\n")


def _degrees(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f}°"


def _within(value: float | None, interval: Mapping[str, float | None]) -> str:
    """Return a figure with its interval."""
    words = _figure(value)
    if interval["low"] is not None:
        words += f" ({_figure(interval['low'])} to {_figure(interval['high'])})"
    return words


def _found_first(found: Mapping[str, Any]) -> str:
    chance = _figure(found["chance_first"])
    return f"{_within(found['first'], found['first_interval'])}, by chance {chance}"


def _mean_rank(found: Mapping[str, Any]) -> str:
    people = "–" if found["people"] is None else f"{found['people']:.1f}"
    return f"{_figure(found['rank'])} of {people}, by chance {_figure(found['chance_rank'])}"


def _evaluation_cells(measures: Mapping[str, Any]) -> list[str]:
    low, high = measures["ci95_top3"]
    same = measures["same_image"]
    return [
        _figure(measures["top1"]),
        _figure(measures["top3"]),
        f"{_figure(low)}–{_figure(high)}" if low is not None else "–",
        _figure(measures["mrr"]),
        f"{measures['median_rank']:g}",
        _figure(same["top1"]),
    ]


def _print_facts(console: Console, title: str, facts: Mapping[str, Any]) -> None:
    if not facts:
        return
    table = Table(show_header=False, title=title, title_justify="left", box=None)
    for name, value in facts.items():
        table.add_row(name.replace("_", " "), _figure(value))
    console.print(table)
    console.print()


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return nested facts as one level, their names joined."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= {f"{name}, {key}": inner for key, inner in value.items()}
        else:
            flat[name] = value
    return flat


def _figure(value: Any) -> str:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return "–"
    if isinstance(value, float):
        return f"{value:,.0f}" if value.is_integer() and abs(value) >= 10 else f"{value:.3f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
