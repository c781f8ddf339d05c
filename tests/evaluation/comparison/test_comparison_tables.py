"""The tables: well formed whatever methods are called, and saying what the summary says."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import pytest

from beholder.evaluation.comparison.tables import by_split, latex, markdown, write_tables

HOSTILE = r"a_b%c&d#e$f{g}~h^i\j|k`l"


def a_row(method: str, task: str, split: str, top3: float, **more: Any) -> dict[str, Any]:
    return {
        "method": method,
        "task": task,
        "split": split,
        "seeds": 2,
        "top3": top3,
        "spread_top3": 0.01,
        "ci95_top3": [top3 - 0.1, top3 + 0.1],
        "gallery": 30.0,
        "same_image": {"top1": 0.5, "chance_top1": None},
    } | more


def a_test(method: str, task: str, **more: Any) -> dict[str, Any]:
    return {
        **{"split": "random", "task": task, "measure": "top3", "method": method},
        **{"against": "base", "difference": 0.1, "p": 0.001, "p_holm": 0.01, "ci95": [0.0, 0.2]},
    } | more


@pytest.fixture
def results() -> dict[str, Any]:
    summary = [
        a_row("base", "g2t", "random", 0.25),
        a_row(HOSTILE, "g2t", "random", 0.5),
        a_row("base", "t2g", "random", 0.75, spread_top3=None),
        a_row("base", "t2g", "both", 0.125, gallery=7.0),
    ]
    tests = [
        a_test(HOSTILE, "g2t"),
        a_test("base", "t2g", p_holm=0.2),
        a_test("base", "t2g", split="both", measure="same_image_top1"),
        a_test("base", "g2t", against="ours"),
        a_test("base", "t2g", split="both", p_holm=None),
    ]
    return {"rows": summary, "summary": summary, "tests": tests}


def test_cells_are_marked_where_they_are_best_or_differ(results: dict[str, Any]) -> None:
    random, both = by_split(results)
    assert (random.split, random.tasks, both.tasks) == ("random", ["g2t", "t2g"], ["t2g"])
    assert random.gallery == {"g2t": 30, "t2g": 30}
    assert both.gallery == {"t2g": 7}
    marks = {
        (table.split, method, task): (cell["is_best"], cell["differs"])
        for table in (random, both)
        for method, cells in table.methods.items()
        for task, cell in cells.items()
    }
    assert marks == {
        ("random", "base", "g2t"): (False, False),
        ("random", HOSTILE, "g2t"): (True, True),
        ("random", "base", "t2g"): (True, False),
        ("both", "base", "t2g"): (True, False),
    }


def test_markdown_is_well_formed(results: dict[str, Any]) -> None:
    text = markdown(results)
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
        assert len(widths) == 1
    assert "| `base` | 0.250 ± 0.010 | **0.750** |" in text
    assert "| **0.500 ± 0.010**† | – |" in text
    assert "| *gallery* | 7 |" in text
    assert text.count("### ") == 2


def test_latex_is_well_formed(results: dict[str, Any]) -> None:
    text = latex(results)
    assert text.isascii()
    lines = [line for line in text.splitlines() if not line.startswith("%")]
    body = "\n".join(lines)
    assert (
        r"a\_b\%c\&d\#e\$f\{g\}\textasciitilde{}h\textasciicircum{}i\textbackslash{}j\textbar{}k`l"
        in body
    )
    bare = re.sub(r"\\[\\_%&#${}]", "", body)
    assert not re.search(r"[%#~]|(?<!\$)\^(?!\\dagger)", bare)
    assert bare.count("$") % 2 == 0
    depth = 0
    for sign in bare:
        depth += (sign == "{") - (sign == "}")
        assert depth >= 0
    assert depth == 0
    columns = text.partition(r"\begin{tabular}{")[2].partition("}")[0]
    rows = [line for line in lines if line.endswith(r"\\")]
    assert {len(re.findall(r"(?<!\\)&", row)) + 1 for row in rows} == {len(columns)}
    assert body.startswith("\\begin{tabular}")
    assert body.endswith("\\bottomrule\n\\end{tabular}")
    assert r"\textbf{0.500 $\pm$ 0.010}$^\dagger$" in body


def test_nothing_compared() -> None:
    nothing: dict[str, Any] = {"rows": [], "summary": [], "tests": []}
    assert markdown(nothing) == "Nothing could be compared.\n"
    assert "\\begin{tabular}{l}" in latex(nothing)
    assert by_split(nothing) == []


def test_files_say_the_same_and_are_the_same_twice(results: dict[str, Any], tmp_path: Path) -> None:
    write_tables(tmp_path, results)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert set(before) == {"rows.csv", "summary.csv", "tests.csv", "top3.md", "top3.tex"}
    with (tmp_path / "summary.csv").open(newline="") as file:
        summary = list(csv.DictReader(file))
    assert [row["method"] for row in summary] == ["base", HOSTILE, "base", "base"]
    assert float(summary[0]["ci95_low"]) == pytest.approx(0.15)
    assert summary[2]["spread_top3"] == summary[0]["same_image_chance_top1"] == ""
    with (tmp_path / "tests.csv").open(newline="") as file:
        tests = list(csv.DictReader(file))
    assert (tests[0]["method"], tests[0]["ci95_high"]) == (HOSTILE, "0.2")
    write_tables(tmp_path, results)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before
