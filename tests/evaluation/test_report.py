"""The report in a real browser: complete, offline, quiet, and readable on a phone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from beholder.evaluation import evaluate
from beholder.evaluation.report import write_report
from beholder.model import Hyperparameters, TrainingConfiguration, train
from beholder.study import Study
from beholder.study.simulation import simulate
from chromium import chromium, needs_browser

NAME = "<b>a study<img src=x onerror=alert(1)>"  # a study is called after its folder

pytestmark = needs_browser


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    simulate(folder / NAME, participants=6, images=20)
    configuration = TrainingConfiguration(
        tasks="g2t,t2g,p2t",
        hyperparameters=Hyperparameters(hidden=16, dimensions=8, epochs=2),
    )
    run = train(Study.open(folder / NAME), folder / "run", configuration)
    write_report(evaluate(run), folder / "report.html")
    return folder / "report.html"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as opened:
        yield opened


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1100, 400])
def test_opens_offline_without_an_error(
    page_file: Path, browser: Any, scheme: str, width: int
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    complaints: list[str] = []
    requests: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(page_file.as_uri())
    assert complaints == []
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


def test_shows_tables_charts_and_pictures_with_alternatives(page_file: Path, browser: Any) -> None:
    page = browser.new_page()
    page.goto(page_file.as_uri())
    assert page.locator("section").count() == 3 + 2  # tasks, training, what was run
    assert page.locator("tbody tr").count() == 3 * 6  # three spaces, added, ours and chance
    assert page.locator("figure[role=img][aria-label] svg").count() == 3 + 2
    pictures = page.locator("img")
    assert pictures.count() > 0
    for picture in pictures.all():
        assert picture.get_attribute("alt")
        assert picture.evaluate("image => image.complete && image.naturalWidth > 0")
    colours = page.evaluate(
        "[...document.querySelectorAll('svg text')].map(text => getComputedStyle(text).fill)"
    )
    assert len(set(colours)) == 1, "the charts' text follows the page's colour"
    page.close()


def test_markup_in_the_data_is_shown_as_text(page_file: Path, browser: Any) -> None:
    page = browser.new_page()
    page.goto(page_file.as_uri())
    assert page.locator("h1").inner_text() == NAME
    assert NAME in page.title()
    assert page.locator("h1 img").count() == 0
    page.close()
