"""The report of a comparison in a real browser: complete, offline, quiet, readable, safe."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from beholder.evaluation.comparison import Comparison, ComparisonConfiguration, compare
from beholder.evaluation.comparison.folder import ComparisonFolder
from beholder.evaluation.comparison.report import write_report
from beholder.study import Study
from chromium import CHROMIUM, chromium
from made_study import QUICK

HOSTILE = "<b>x<img src=x onerror=alert(1)>"
OWN = "<i>o_w&n"  # a method's name is also that of a file
SEEING = "視線 <script>alert(2)</script> é"

browsed = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")

METHOD = f"""
from beholder.model.methods import Method

class Own(Method):
    name = {OWN!r}

    def missing_for(self, setting, task):
        return "it reads {HOSTILE}" if task.name == "g2p" else None

    def fit(self, setting):
        return None

own = Own()
"""


EVERYWHERE = ("participants", "images", "samples")


def renamed(study: Study, path: Path, files: Any = EVERYWHERE, **columns: Any) -> Study:
    """Return a copy of a study with other names; each column's function takes a value."""
    shutil.copytree(study.path, path)
    for file in files:
        table = pq.read_table(path / f"{file}.parquet")
        for name, change in columns.items():
            if name in table.column_names:
                place = table.schema.get_field_index(name)
                values = [change(value) for value in table[name].to_pylist()]
                field = table.schema.field(place)
                table = table.set_column(place, field, pa.array(values, field.type))
        pq.write_table(table, path / f"{file}.parquet")
    about = path / "study.toml"
    name = re.sub(r"(?m)^name = .*$", f"name = '{path.name}'", about.read_text("utf-8"))
    about.write_text(name, "utf-8")
    return Study.open(path)


def copied(comparison: Comparison, path: Path, **changes: Any) -> Comparison:
    """Return a comparison that writes elsewhere, with some of its results changed."""
    results = comparison.results | changes
    return replace(comparison, folder=ComparisonFolder(path), results=results)


@pytest.fixture(scope="module")
def comparison(tiny_study: Study, tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    """Names of all kinds that a page must only show, and a method of the user's own."""
    folder = tmp_path_factory.mktemp("comparison")
    file = folder / "own.py"
    file.write_text(METHOD)
    study = renamed(
        tiny_study,
        folder / HOSTILE,
        participant=lambda name: f"{HOSTILE} {name}",
        image=lambda name: f"{HOSTILE} {name}",
        text=lambda text: f"{SEEING} {text}",
    )
    configuration = ComparisonConfiguration(
        methods=("chance", "base", "style", "ours", OWN),
        tasks="g2t,t2g,g2p,p2t",
        splits=("random", "participant"),
        seeds=(0,),
        curve=(0.5,),
        method_files=(str(file),),
        hyperparameters=replace(QUICK, epochs=1),
    )
    found = compare(study, folder / "out", configuration, processes=1, trec=False)
    write_report(found)
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as opened:
        yield opened


def opened(browser: Any, file: Path, width: int = 1100, scheme: str = "light") -> Any:
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page.complaints = []
    page.on("console", lambda message: page.complaints.append(message.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("dialog", lambda dialog: page.complaints.append(dialog.message))
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith(("file:", "data:"))
            else page.complaints.append(request.url)
        ),
    )
    page.goto(file.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    return page


CONTRASTS = """
() => {
  const channel = c => (c /= 255) <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4
  const light = c => .2126 * channel(c[0]) + .7152 * channel(c[1]) + .0722 * channel(c[2])
  const parse = text => text.match(/[\\d.]+/g).map(Number)
  const behind = node => {
    for (; node; node = node.parentElement) {
      const c = parse(getComputedStyle(node).backgroundColor)
      if (c.length < 4 || c[3] > 0) return c
    }
    return [255, 255, 255]
  }
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  const found = []
  for (let text; text = walker.nextNode();) {
    const node = text.parentElement
    if (!text.data.trim() || !node.checkVisibility() || node.closest('style')) continue
    const style = getComputedStyle(node)
    const colour = parse(node.closest('svg') ? style.fill : style.color)
    const [a, b] = [light(colour), light(behind(node))].sort((x, y) => y - x)
    found.push([(a + .05) / (b + .05), text.data.trim().slice(0, 40)])
  }
  return found
}
"""


@pytest.mark.browser
@browsed
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1100, 400])
def test_opens_offline_without_an_error_and_can_be_read(
    comparison: Comparison, browser: Any, scheme: str, width: int
) -> None:
    page = opened(browser, comparison.folder.report, width, scheme)
    assert page.complaints == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    contrasts = page.evaluate(CONTRASTS)
    assert len(contrasts) > 200
    assert [text for contrast, text in contrasts if contrast < 4.5] == []
    page.close()


@pytest.mark.browser
@browsed
def test_what_was_found_comes_first_and_every_part_has_a_name(
    comparison: Comparison, browser: Any
) -> None:
    page = opened(browser, comparison.folder.report)
    heading = page.locator("h2").first
    assert heading.inner_text() == "What was found"
    assert heading.bounding_box()["y"] < 300
    headings = page.evaluate("[...document.querySelectorAll('h1,h2,h3')].map(h => +h.tagName[1])")
    assert headings[0] == 1
    assert headings.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(headings))
    for link in page.locator("nav a").all():
        assert page.locator(f"section{link.get_attribute('href')}").count() == 1
    figures = page.locator(".panels > div")
    assert figures.count() > 10
    for figure in figures.all():
        assert figure.get_attribute("role") == "img"
        assert figure.get_attribute("aria-label")
    for table in page.locator("table").all():
        assert table.locator("thead th[scope=col]").count() > 1
        assert table.locator("tbody tr").count() == table.locator("tbody th[scope=row]").count() > 0
        columns = table.evaluate("t => [...t.rows].map(r => r.cells.length)")
        assert len(set(columns)) == 1
    for region in page.locator(".scroll").all():
        assert region.get_attribute("aria-label")
        assert region.get_attribute("tabindex") == "0"
    pictures = page.locator("img")
    assert pictures.count() > 0
    for picture in pictures.all():
        assert picture.get_attribute("alt")
        assert picture.evaluate("image => image.complete && image.naturalWidth > 0")
    page.close()


@pytest.mark.browser
@browsed
def test_markup_in_the_data_is_shown_as_text(comparison: Comparison, browser: Any) -> None:
    page = opened(browser, comparison.folder.report)
    text = page.locator("body").text_content()
    assert page.locator("h1").inner_text() == f"{HOSTILE}: methods compared"
    assert HOSTILE in page.title()
    for shown in (OWN, SEEING, f"participant {HOSTILE}", f"it reads {HOSTILE}"):
        assert shown in text
    assert page.locator("script, b, i, img:not([src^='data:'])").count() == 0
    assert page.complaints == []
    page.close()


@pytest.mark.browser
@browsed
def test_prints_without_cutting_a_table(comparison: Comparison, browser: Any) -> None:
    page = browser.new_page(viewport={"width": 718, "height": 1000})  # A4 less its margins
    page.emulate_media(media="print")
    page.goto(comparison.folder.report.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 718
    assert not page.locator("nav").is_visible()
    closed = page.locator("details:not([open])")
    assert closed.count() > 3
    for one in closed.all():  # paper cannot be opened
        inside = one.locator("xpath=*[not(self::summary)]").first
        assert inside.bounding_box()["height"] > 10
    assert page.pdf(format="A4").startswith(b"%PDF")
    page.close()


def test_the_page_says_what_was_measured(comparison: Comparison) -> None:
    html = comparison.folder.report.read_text("utf-8")
    for row in comparison.results["summary"]:
        assert f"{row['top3']:.3f}" in html
    assert html.count("it reads &lt;b&gt;x") == 1  # of both splits once
    assert html.count("right at rank") == 2 * 2 * 4 + 2 * 4  # base and ours, then the others
    assert len(html) < 5_000_000
    assert "<script" not in html
    assert not re.search(r'(?:src|href)="(?!data:|#)', html)


def test_figures_are_saved_and_all_bytes_are_the_same_twice(
    comparison: Comparison, tmp_path: Path
) -> None:
    again = copied(comparison, tmp_path)
    write_report(again)
    before, after = comparison.folder, again.folder
    assert after.report.read_bytes() == before.report.read_bytes()
    names = sorted(file.name for file in before.figures.iterdir())
    charts = ["accuracy-participant", "accuracy-random", "learning-curves", "splits"]
    maps = ["style-map-gaze", "style-map-text"]
    assert {name for name in names if "power" not in name} == {
        f"{name}.{kind}" for name in charts + maps for kind in ("svg", "png")
    }
    for name in names:
        assert (after.figures / name).read_bytes() == (before.figures / name).read_bytes()


def test_without_examples_nothing_of_anybody_is_shown(comparison: Comparison) -> None:
    """No picture, no caption and no word that marks a person; the numbers stay."""
    texts = [text for text in comparison.study.texts if text]
    whole = written(comparison)
    assert "<img" in whole
    assert any(escape(text) in whole for text in texts)
    try:
        write_report(comparison, examples=False)
        page = comparison.folder.report.read_text("utf-8")
    finally:
        write_report(comparison)
    assert "<img" not in page
    assert not any(escape(text) in page for text in texts)
    assert "mark a person" not in page
    assert 'id="people"' in page


def written(comparison: Comparison) -> str:
    write_report(comparison)
    return comparison.folder.report.read_text("utf-8")


def test_what_is_not_there_is_said(comparison: Comparison, tmp_path: Path) -> None:
    """No survey, no curves, one method less: as of a small or failed comparison."""
    nothing = copied(
        comparison,
        tmp_path,
        **{"tests": [], "flattery": [], "curves": [], "power": [], "summary": []},
        distinctness={"missing": "no method of the comparison has spaces to ask"},
        warnings=[f"a {HOSTILE} warning"],
    )
    write_report(replace(nothing, cells=dict.fromkeys(nothing.cells, empty_cell())))
    html = nothing.folder.report.read_text("utf-8")
    for sentence in (
        *("No claim could be tested", "Nothing could be compared", "There is nothing to test"),
        *("No learning curve was measured", "No method ranked anything", "needs the random split"),
        *("no method of the comparison has spaces", "a &lt;b&gt;x", "needs both"),
    ):
        assert sentence in html
    assert not nothing.folder.figures.exists()


def empty_cell() -> Any:
    from beholder.evaluation.comparison.cells import Cell

    return Cell("base", {})


@pytest.fixture(scope="module")
def strangers(tiny_study: Study, tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    """One split and seed of a study whose people are unknown."""
    folder = tmp_path_factory.mktemp("strangers")
    study = renamed(tiny_study, folder / "study", files=["samples"], participant=lambda name: None)
    return study_compared(study, folder / "out")


def study_compared(study: Study, path: Path) -> Comparison:
    asked = ComparisonConfiguration(
        methods=("chance", "base"),
        tasks="g2t",
        splits=("random",),
        seeds=(0,),
        curve=(),
        hyperparameters=replace(QUICK, epochs=1),
    )
    found = compare(study, path, asked, processes=1, trec=False)
    write_report(found)
    return found


def test_people_who_are_unknown_one_split_and_one_seed(strangers: Comparison) -> None:
    html = strangers.folder.report.read_text("utf-8")
    assert "paired test over images" in html
    assert "±" not in html
    assert "participant unknown" in html
    assert "samples</h3>" in html  # the images are those of most samples
    assert "needs the random split and another one" in html


@pytest.mark.browser
@browsed
def test_the_smallest_report_opens_too(strangers: Comparison, browser: Any) -> None:
    page = opened(browser, strangers.folder.report, 400)
    assert page.complaints == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    page.close()


@pytest.mark.browser
@browsed
def test_fifteen_methods_fit(comparison: Comparison, browser: Any, tmp_path: Path) -> None:
    names = [f"a-method-of-my-own-number-{number}" for number in range(10)]
    results = comparison.results
    base = [row for row in results["summary"] if row["method"] == "base"]
    more = [row | {"method": name} for name in names for row in base]
    configuration = results["configuration"]
    methods = [*configuration["methods"], *names]
    many = copied(
        comparison,
        tmp_path,
        summary=results["summary"] + more,
        configuration=configuration | {"methods": methods},
        curves=[],
        distinctness={},
    )
    write_report(many)
    page = opened(browser, many.folder.report)
    assert page.evaluate("document.documentElement.scrollWidth") <= 1100
    assert page.locator("#tables table").first.locator("tbody tr").count() == 15
    page.close()
