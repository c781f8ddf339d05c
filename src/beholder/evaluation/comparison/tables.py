"""The tables of a comparison: Markdown to read, LaTeX to publish, CSV to compute with."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
    for one in by_split(results):
        lines = [["method", *one.tasks]]
        for method, cells in one.methods.items():
            texts = [_text(cells.get(task), "**{}**") for task in one.tasks]
            lines.append([_code(method), *texts])
        lines.append(["*gallery*", *(f"{one.gallery[task]:g}" for task in one.tasks)])
        header, *body = (f"| {' | '.join(line)} |\n" for line in lines)
        rule = f"|---|{'---:|' * len(one.tasks)}\n"
        parts.append(f"### {one.split}\n\n{header}{rule}{''.join(body)}")
    return "\n".join([*parts, _LEGEND]) if parts else "Nothing could be compared.\n"


def latex(results: Mapping[str, Any]) -> str:
    """Return the same table for a paper, one block of rows a split; it needs booktabs."""
    splits = by_split(results)
    columns = max((len(one.tasks) for one in splits), default=0)
    lines = ["% \\usepackage{booktabs}"]
    lines += [f"% {_LEGEND.strip().replace('`', '').replace('±', '+-').replace('†', 'dagger:')}"]
    lines += [f"\\begin{{tabular}}{{l{'c' * columns}}}", "\\toprule"]
    for number, one in enumerate(splits):
        if number:
            lines.append("\\midrule")
        padding = [""] * (columns - len(one.tasks))
        header = f"\\emph{{{_escaped(one.split)}}}"
        lines.append(" & ".join([header, *one.tasks, *padding]) + r" \\")
        for method, cells in one.methods.items():
            texts = [_text(cells.get(task), "\\textbf{{{}}}") for task in one.tasks]
            for sign, command in _SIGNS.items():
                texts = [text.replace(sign, command) for text in texts]
            lines.append(" & ".join([_escaped(method), *texts, *padding]) + r" \\")
        sizes = [f"{one.gallery[task]:g}" for task in one.tasks]
        lines.append(" & ".join([r"\emph{gallery}", *sizes, *padding]) + r" \\")
    return "\n".join([*lines, "\\bottomrule", "\\end{tabular}"]) + "\n"


_LEGEND = (
    "Top-3 accuracy, mean ± standard deviation over seeds; the best of a column in bold. "
    "† differs from `base` in a paired test over participants, Holm-corrected within a split and "
    f"task, p < {ALPHA}.\n"
)

_SIGNS = {"±": r"$\pm$", "†": r"$^\dagger$", "–": "--"}

_SPECIAL = {
    **{sign: f"\\{sign}" for sign in "_%&#${}"},
    **{"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"},
    **{"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}"},
}


def _escaped(name: str) -> str:
    """Return a name as LaTeX prints it."""
    return "".join(_SPECIAL.get(sign, sign) for sign in name)


def _code(name: str) -> str:
    """Return a name as Markdown prints it in a table."""
    fence = "``" if "`" in name else "`"
    padded = f" {name} " if "`" in name else name
    return fence + padded.replace("|", "\\|") + fence


Cell = Mapping[str, Any]


@dataclass(frozen=True)
class SplitTable:
    """What a table of one split says: by method and task a cell, by task the gallery's size."""

    split: str
    tasks: list[str]
    methods: dict[str, dict[str, Cell]]
    gallery: dict[str, float]


def by_split(results: Mapping[str, Any]) -> list[SplitTable]:
    """Return the summary a split, its cells marked where they are best or differ from base."""
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
    tables = []
    for split, methods in found.items():
        order = dict.fromkeys(row["task"] for row in results["summary"] if row["split"] == split)
        tasks = list(order)
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
        gallery = {
            task: next(cells[task]["gallery"] for cells in methods.values() if task in cells)
            for task in tasks
        }
        tables.append(SplitTable(split, tasks, marked, gallery))
    return tables


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
