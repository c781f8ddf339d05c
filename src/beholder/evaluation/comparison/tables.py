"""The tables of a comparison: Markdown to read, LaTeX to publish, CSV to compute with."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from beholder import atomic

ALPHA = 0.05

_FLAT = ("method", "task", "split", "seed", "share", "share_of")
_MEASURES = (
    "top1",
    "top3",
    "top5",
    "top10",
    "mrr",
    "median_rank",
    "chance_top3",
    "gallery",
    "queries",
)


def write_tables(folder: Path, results: Mapping[str, Any]) -> None:
    """Write ``rows.csv``, ``summary.csv`` and ``tests.csv``, and top 3 as Markdown and LaTeX."""
    folder.mkdir(parents=True, exist_ok=True)
    atomic.write_text(folder / "rows.csv", _csv([_flat(row, _FLAT) for row in results["rows"]]))
    summary = [
        _flat(row, ("method", "task", "split", "seeds", "spread_top3"))
        for row in results["summary"]
    ]
    atomic.write_text(folder / "summary.csv", _csv(summary))
    tests = [
        {k: v for k, v in test.items() if k != "ci95"}
        | {"ci95_low": test["ci95"][0], "ci95_high": test["ci95"][1]}
        for test in results["tests"]
    ]
    atomic.write_text(folder / "tests.csv", _csv(tests))
    atomic.write_text(folder / "top3.md", markdown(results))
    atomic.write_text(folder / "top3.tex", latex(results))


def markdown(results: Mapping[str, Any]) -> str:
    """Return the top-3 accuracies of every split: a row a method, a column a task."""
    parts = []
    for split, tasks, lines in by_split(results):
        rows = [["method", *tasks]]
        for method, cells in lines.items():
            texts = [_text(cells.get(task), "**{}**") for task in tasks]
            rows.append([f"`{method}`", *texts])
        header = f"| {' | '.join(rows[0])} |\n|{'---|' * len(rows[0])}\n"
        body = "".join(f"| {' | '.join(row)} |\n" for row in rows[1:])
        parts.append(f"### {split}\n\n{header}{body}")
    return "\n".join([*parts, _LEGEND]) if parts else "Nothing could be compared.\n"


def latex(results: Mapping[str, Any]) -> str:
    """Return the same table for a paper, with booktabs; one block of rows a split."""
    columns = max((len(tasks) for _, tasks, _ in by_split(results)), default=0)
    lines = [f"\\begin{{tabular}}{{l{'c' * columns}}}", "\\toprule"]
    for split, tasks, methods in by_split(results):
        if len(lines) > 2:
            lines.append("\\midrule")
        padding = [""] * (columns - len(tasks))
        lines.append(" & ".join([f"\\emph{{{split}}}", *tasks, *padding]) + r" \\")
        for method, cells in methods.items():
            texts = [
                _text(cells.get(task), "\\textbf{{{}}}").replace("±", r"$\pm$") for task in tasks
            ]
            texts = [text.replace("†", r"$^\dagger$").replace("–", "--") for text in texts]
            lines.append(" & ".join([method.replace("_", r"\_"), *texts, *padding]) + r" \\")
    return "\n".join([*lines, "\\bottomrule", "\\end{tabular}"]) + "\n"


_LEGEND = (
    "Top-3 accuracy, mean ± spread over seeds; the best of a column in bold. "
    f"† differs from `base` in a paired test over participants, Holm-corrected, p < {ALPHA}.\n"
)

Cell = Mapping[str, Any]


def by_split(
    results: Mapping[str, Any],
) -> list[tuple[str, list[str], dict[str, dict[str, Cell]]]]:
    """Return each split with its tasks and, by method and task, what its cell says."""
    found: dict[str, dict[str, dict[str, Cell]]] = {}
    for row in results["summary"]:
        found.setdefault(row["split"], {}).setdefault(row["method"], {})[row["task"]] = row
    significant = {
        (test["split"], test["task"], test["method"])
        for test in results["tests"]
        if test["measure"] == "top3"
        and test["against"] == "base"
        and test["p_holm"] is not None
        and test["p_holm"] < ALPHA
    }
    splits = []
    for split, methods in found.items():
        tasks = list(dict.fromkeys(task for cells in methods.values() for task in cells))
        best = {
            task: max(cells[task]["top3"] for cells in methods.values() if task in cells)
            for task in tasks
        }
        marked: dict[str, dict[str, Cell]] = {
            method: {
                task: {
                    **row,
                    "is_best": row["top3"] == best[task],
                    "differs": (split, task, method) in significant,
                }
                for task, row in cells.items()
            }
            for method, cells in methods.items()
        }
        splits.append((split, tasks, marked))
    return splits


def _text(cell: Cell | None, bold: str) -> str:
    if cell is None:
        return "–"
    text = f"{cell['top3']:.3f}"
    if cell["spread_top3"] is not None:
        text += f" ± {cell['spread_top3']:.3f}"
    if cell["is_best"]:
        text = bold.format(text)
    return text + ("†" if cell["differs"] else "")


def _flat(row: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Return a row without anything nested in it."""
    flat = {name: row[name] for name in names if name in row}
    flat |= {name: row[name] for name in _MEASURES if name in row}
    flat |= {"ci95_low": row["ci95_top3"][0], "ci95_high": row["ci95_top3"][1]}
    return flat | {f"same_image_{name}": value for name, value in row["same_image"].items()}


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    if rows:
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return text.getvalue()
