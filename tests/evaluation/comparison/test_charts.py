"""The figures: files that parse, the same bytes twice, and nothing that a name can break."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from beholder.evaluation.comparison import charts
from beholder.evaluation.comparison.figures import Chart
from beholder.evaluation.protocol import Places, SameImageScores, TaskScores
from beholder.model.methods import BUILT_IN
from beholder.study.tasks import TASKS

SVG = "{http://www.w3.org/2000/svg}"
NAMES = ("base", "<b>$x_1$ & 視線", "_mine")


def some_scores(gallery: int, ranks: list[int] | None, queries: int = 4) -> TaskScores:
    numbers = np.arange(queries)
    right = np.ones(queries, dtype=np.int64)
    places = Places(
        np.full(queries, gallery), right, None if ranks is None else np.array(ranks, dtype=np.int64)
    )
    own = SameImageScores(numbers, places, numbers)
    empty = np.zeros((queries, 0))
    return TaskScores(
        TASKS["g2t"], numbers, gallery, places, numbers, own, empty.astype(int), empty
    )


def a_row(method: str, split: str, top3: float, **more: Any) -> dict[str, Any]:
    names = {"method": method, "split": split, "task": "g2t"}
    return {**names, "top3": top3, "chance_top3": 0.1, "ci95_top3": [0.2, 0.6]} | more


def drawn(chart: Chart, panel: int = 0) -> Any:
    axes = Figure().subplots()
    chart.panels[panel].draw(axes)
    return axes


def svgs_of(chart: Chart) -> list[ElementTree.Element]:
    return [ElementTree.fromstring(svg) for svg in chart.svgs()]


def test_each_method_has_a_look_of_its_own() -> None:
    methods = [*BUILT_IN, "ours+gaze", *(f"own {n}" for n in range(12))]
    marks = charts.looks(methods)
    looks = [(mark.color, mark.line) for mark in marks.values()]
    assert len(set(looks)) == len(methods) >= 25
    assert marks["ours"].color == marks["ours-joint"].color == marks["ours+gaze"].color
    assert marks["ours-joint"].line == "--"
    assert charts.looks(["ours-joint"])["ours-joint"] == marks["ours-joint"]
    assert marks["own 0"].color not in {marks[name].color for name in BUILT_IN}


def test_accuracy_curves_are_the_share_of_all_seeds_queries() -> None:
    scores = {
        "g2t": {
            "base": [some_scores(20, [1, 2, 3, 20]), some_scores(20, [1, 1, 9, 12])],
            "chance": [some_scores(20, None)],
        },
        "t2g": {"base": [some_scores(1, [1, 1, 1, 1])]},
    }
    chart = charts.accuracy_curves("random", scores)
    lines = {line.get_label(): line for line in drawn(chart).lines}
    assert lines["base"].get_ydata()[:3] == pytest.approx([3 / 8, 4 / 8, 5 / 8])
    assert lines["base"].get_ydata()[-1] == 1
    assert lines["chance"].get_ydata() == pytest.approx(np.arange(1, 21) / 20)
    assert "base 0.75, chance 0.50" in chart.panels[0].alternative
    assert [mark.name for mark in chart.legend] == ["base", "chance"]
    assert len(svgs_of(chart)) == 2  # also where a gallery holds one item


def test_leads_are_above_chance_with_intervals_shifted_alike() -> None:
    rows = [
        a_row("base", "random", 0.4),
        a_row("base", "image", 0.3, ci95_top3=[None, None], chance_top3=0.2),
        a_row("ours", "image", 0.5, chance_top3=0.2),
        a_row("chance", "image", 0.9),
    ]
    chart = charts.split_leads(rows, ("random", "image", "both"))
    axes = drawn(chart)
    found = {
        container.get_label(): (container.lines[0].get_xdata(), container.lines[2][0])
        for container in axes.containers
    }
    assert set(found) == {"random", "image"}
    assert found["random"][0] == pytest.approx([0.3])
    assert found["random"][1].get_segments()[0][:, 0] == pytest.approx([0.1, 0.5])
    assert found["image"][0] == pytest.approx([0.1, 0.3])
    assert found["image"][1].get_segments()[0][:, 0] == pytest.approx([0.1, 0.1])
    assert [label.get_text() for label in axes.get_yticklabels()] == ["base", "ours"]
    assert "random base +0.300, image ours +0.300" in chart.panels[0].alternative


def test_learning_curves_have_a_band_where_there_is_one() -> None:
    def curve(method: str, unit: str, low: float | None) -> dict[str, Any]:
        points = [
            {"share": share, "measured": 0.3, "top3": share / 2, "ci95": [low, low]}
            for share in (0.25, 1.0)
        ]
        return {
            **{"method": method, "share_of": unit, "split": "random", "task": "g2t"},
            "points": points,
        }

    chart = charts.learning_curves(
        [
            curve("base", "samples", 0.1),
            curve("ours", "samples", None),
            curve("base", "people", 0.1),
        ]
    )
    assert len(chart.panels) == 2
    axes = drawn(chart)
    assert len(axes.lines) == 2 * 2  # as fitted, and as measured
    assert len(axes.collections) == 1
    assert [label.get_text() for label in axes.get_xticklabels()] == ["25%", "100%"]
    assert "base from 0.125 to 0.500" in chart.panels[0].alternative


def test_power_is_a_panel_a_split() -> None:
    one = {"split": "random", "task": "g2t", "participants": 30}
    one["curve"] = [{"participants": n, "power": 0.5} for n in (10, 20)]
    chart = charts.power_curves([one, one | {"task": "p2t"}, one | {"split": "both"}])
    assert [panel.title for panel in chart.panels] == ["random split", "both split"]
    assert "g2t 30, p2t 30" in chart.panels[0].alternative
    assert len(svgs_of(chart)) == 2


def a_map(**more: Any) -> dict[str, Any]:
    return {
        "x": [0.0, 1.0, 2.0],
        "y": [0.0, 1.0, 0.5],
        "share": [0.5, 0.25],
        "traits": {"$open$": [1.0, 5.0, None], "calm": [2.0, 3.0, 3.0]},
    } | more


def test_traits_share_one_scale_and_the_unknown_are_grey() -> None:
    chart = charts.style_map("gaze", a_map())
    assert chart.scale is not None
    assert (chart.scale.low, chart.scale.high) == (1, 5)
    colours = [drawn(chart, panel).collections[1].get_facecolor() for panel in (0, 1)]
    assert len(colours[0]) == 2
    assert colours[1][1] == pytest.approx(colours[1][2])
    assert colours[0][1] == pytest.approx(chart.scale.mappable.to_rgba(5))
    assert colours[1][1] == pytest.approx(chart.scale.mappable.to_rgba(3))
    assert [mark.name for mark in chart.legend] == ["no survey"]
    assert "50% and 25%" in chart.caption


@pytest.mark.parametrize(
    "odd",
    [
        {"traits": {}},
        {"traits": {"calm": [None, None, None]}},
        {"traits": {"calm": [2.0, 2.0, 2.0]}},
        {"share": [None, None]},
        {"share": [1.0]},
    ],
)
def test_odd_maps_are_drawn(odd: dict[str, Any]) -> None:
    for svg in svgs_of(charts.style_map("gaze", a_map(**odd))):
        assert svg.tag == f"{SVG}svg"


@pytest.fixture
def chart() -> Chart:
    rows = [a_row(name, split, 0.4) for name in NAMES for split in ("random", "both")]
    return charts.split_leads(rows, ("random", "both"))


def test_files_parse_and_are_the_same_twice(chart: Chart, tmp_path: Path) -> None:
    chart.save(tmp_path / "a")
    chart.save(tmp_path / "b")
    assert {file.name for file in (tmp_path / "a").iterdir()} == {"splits.svg", "splits.png"}
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()
    svg = ElementTree.parse(tmp_path / "a" / "splits.svg").getroot()
    texts = {"".join(text.itertext()).strip() for text in svg.iter(f"{SVG}text")}
    assert {"g2t", "random", "both", "above chance", *NAMES} <= texts
    with Image.open(tmp_path / "a" / "splits.png") as image:
        pixels = np.asarray(image.convert("RGB"))
    assert pixels[0, 0].tolist() == [255, 255, 255]
    assert pixels.std() > 5
    assert chart.svgs() == chart.svgs()


def test_panels_of_a_page_follow_its_colour_and_share_no_name(chart: Chart) -> None:
    scores = {task: {"base": [some_scores(9, [1, 2, 3, 4])]} for task in ("g2t", "t2g")}
    panels = [*chart.svgs(), *charts.accuracy_curves("random", scores).svgs()]
    names = [set(re.findall(r' id="([^"]+)"', svg)) for svg in panels]
    for number, own in enumerate(names):
        assert not any(own & other for other in names[number + 1 :])
        used = set(re.findall(r'(?:href="|url\()#([^")]+)', panels[number]))
        assert used <= own
    for svg in panels:
        assert "currentColor" in svg
        assert "<metadata" not in svg
        root = ElementTree.parse(io.StringIO(svg)).getroot()
        assert root.get("aria-hidden") == "true"
        assert "http" not in re.sub(r'xmlns(:\w+)?="[^"]*"', "", svg)
