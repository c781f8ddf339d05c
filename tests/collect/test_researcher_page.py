"""The researcher's page in a real browser: what it shows and does, and what it never runs."""

from __future__ import annotations

import csv
import io
import shutil
import socket
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from served import RESEARCHER, Served, served
from web_study import trial_record

from beholder.collect.definition import Definition
from chromium import PATIENCE_MS, chromium, needs_browser

pytestmark = needs_browser

HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>"[:50]
COMMENT = "</dd><svg onload=alert(3)> =1+1 Ñandú 🐶"

UNLABELLED = """[...document.querySelectorAll("button, input, select, textarea, canvas, meter")]
  .filter((each) => each.checkVisibility())
  .filter((each) => !(each.textContent.trim() || each.ariaLabel || each.labels?.length))
  .map((each) => each.outerHTML)"""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("prepared")


@pytest.fixture
def study(
    tmp_path: Path, prepared: Path, definition: Definition, migrated_sqlite: Path
) -> Iterator[Served]:
    """Three people's study, served on a port under a prefix's root."""
    database = shutil.copy(migrated_sqlite, tmp_path / "collect.sqlite")
    with served(f"sqlite:///{database}", definition, prepared, data=tmp_path) as running:
        for number in range(3):
            running.application.clock.turn(minutes=1)  # type: ignore[attr-defined]
            browser = running.browser()
            state = browser.begin({"participant": f"person-{number}"})
            while state["trial"]:
                path = f"/trials/{state['trial']['id']}"
                state = browser.post(path, trial_record(HOSTILE)).json()["state"]
            browser.finish(state | {"trial": None})
        yield running


@pytest.fixture
def address(study: Served) -> Iterator[str]:
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    config = uvicorn.Config(study.app, log_config=None, lifespan="off", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
    server.should_exit = True
    thread.join()
    listening.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as opened:
        yield opened


class Page:
    """The page, with everything that it complains of and asks for."""

    def __init__(self, browser: Any, address: str, **options: Any) -> None:
        self.context = browser.new_context(**options)
        self.context.set_default_timeout(PATIENCE_MS)
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append("dialog") or dialog.dismiss())
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.address = address
        self.page.goto(f"{address}researcher/")

    def enter(self, token: str = RESEARCHER) -> None:
        self.page.fill("#token", token)
        self.page.fill("#by", "Zoë")
        self.page.keyboard.press("Enter")

    def open_first(self) -> None:
        self.page.click("#sessions tr:first-child button")
        self.page.wait_for_selector("#person .signals li")

    def says(self, selector: str, text: str) -> None:
        """Wait until an element contains a text; the page's policy forbids to evaluate one."""
        from playwright.sync_api import expect

        expect(self.page.locator(selector)).to_contain_text(text)

    def has(self, selector: str, count: int) -> None:
        """Wait until there are so many elements."""
        from playwright.sync_api import expect

        expect(self.page.locator(selector)).to_have_count(count)

    def text(self, selector: str) -> str:
        said: str = self.page.inner_text(selector)
        return said


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Page]:
    opened = Page(browser, address, viewport={"width": 1200, "height": 900})
    yield opened
    opened.context.close()


def test_only_the_token_opens_the_page(page: Page) -> None:
    page.page.wait_for_selector("#entry:not([hidden])")
    assert not page.page.is_visible("#work")
    page.enter("wrong")
    page.page.wait_for_selector("#trouble:not([hidden])")
    assert "token" in page.text("#trouble")
    page.enter()
    page.page.wait_for_selector("#work:not([hidden]) #sessions tr")
    page.page.wait_for_selector("#trouble", state="hidden")
    assert not page.page.is_visible("#entry")
    assert not [url for url in page.requests if RESEARCHER in url or "token" in url]
    assert page.page.url == f"{page.address}researcher/"
    kept = page.page.evaluate("[JSON.stringify(localStorage), document.cookie]")
    assert kept == ["{}", ""]
    page.page.reload()  # this tab goes on
    page.page.wait_for_selector("#sessions tr")
    page.page.click("#leave")
    page.page.wait_for_selector("#entry:not([hidden])")
    assert page.page.evaluate("sessionStorage.getItem('beholder-researcher-token')") is None


def test_what_people_wrote_is_text_everywhere(page: Page, study: Served) -> None:
    store = study.application.store
    session = store.participants()[-1].session
    store.decide(session, "reject", HOSTILE, "<b>Zoë</b>")
    with store.database.writing() as db:
        from beholder.collect.database.models import SessionRow

        db.get_one(SessionRow, session).comment = COMMENT
    page.enter()
    page.page.wait_for_selector("#sessions tr")
    page.open_first()
    assert HOSTILE in page.text("#person table td.text")
    assert COMMENT in page.text("#person .facts")
    assert f"<b>Zoë</b>, rejected: {HOSTILE}" in page.text("#person")
    page.page.click("#person .scroll tbody tr:nth-child(2) button")
    page.page.wait_for_selector(".replay canvas")
    assert page.text(".replay blockquote") == HOSTILE
    page.page.fill("#workers", "person-2\nperson-0")
    page.page.select_option("#platform", "link")
    page.page.click("#pay button")
    page.page.wait_for_selector("#paid table")
    assert HOSTILE in page.text("#paid")
    assert page.page.query_selector("main script, main svg, main img") is None
    assert page.complaints == []
    assert all(url.startswith((page.address, "blob:", "data:")) for url in page.requests)


def test_a_trial_is_replayed_by_keyboard_and_in_words(page: Page) -> None:
    page.enter()
    page.page.wait_for_selector("#sessions tr")
    page.open_first()
    assert page.page.evaluate("document.activeElement.id") == "person-title"
    page.page.click("#person .scroll tbody tr:nth-child(2) button")
    page.page.wait_for_selector(".replay canvas")
    told = "0.9 s of 0.9 s, click 3 of 3: 30.0 % across, 50.0 % down"
    assert page.text(".replay output") == told
    assert told in (page.page.get_attribute(".replay canvas", "aria-label") or "")
    page.page.focus(".replay input[type=range]")
    page.page.keyboard.press("Home")
    assert page.text(".replay output") == "0.0 s of 0.9 s, click 0 of 3"
    empty = page.page.evaluate("document.querySelector('canvas').toDataURL()")
    page.page.click("text=Next click")
    assert page.text(".replay output").endswith("click 1 of 3: 10.0 % across, 50.0 % down")
    assert page.page.evaluate("document.querySelector('canvas').toDataURL()") != empty
    page.page.click("text=Next click")
    page.page.click("text=Previous click")
    assert "click 1 of 3" in page.text(".replay output")
    page.page.select_option(".replay select", "10")
    page.page.focus(".replay >> text=Play")
    page.page.keyboard.press("Space")
    page.says(".replay output", "click 3 of 3")
    page.page.click("text=The clicks as a table")
    assert page.text(".replay details tbody tr:first-child").split("\t") == [
        *("1", "0.1 s", "10.0 %", "50.0 %", "mouse")
    ]
    assert page.page.evaluate(UNLABELLED) == []
    assert page.complaints == []


def test_decisions_need_a_reason_to_reject_and_lead_on(page: Page, study: Served) -> None:
    page.enter()
    page.page.wait_for_selector("#sessions tr")
    page.open_first()
    page.page.click(".decide button.danger")
    page.page.wait_for_selector("#trouble:not([hidden])")
    assert "reason" in page.text("#trouble")
    with page.page.expect_response("**/overview"):
        pass  # what went wrong stays in sight when the counts are read again
    assert page.page.is_visible("#trouble")
    page.page.fill("#reason", "slept")
    page.page.click(".decide button.danger")
    first, second, third = [row.participant for row in study.application.store.participants()][::-1]
    page.says("#person-title", second)  # the one below follows
    page.page.click(".decide button.main")
    page.says("#totals", "1 approved")
    page.says("#person-title", third)
    page.page.fill("#amount", "1.25")
    page.page.click("text=Note the bonus")
    page.page.wait_for_selector("text=bonus of 1.25")
    decisions = {row.decision for row in study.application.store.participants()}
    assert decisions == {"reject", "approve", None}
    assert study.application.store.decisions()[-1].amount_cents == 125
    page.page.select_option("#filter", "reject")
    assert page.text("#shown") == "1 of 3" and first in page.text("#sessions")


def test_counts_are_live_and_the_study_pauses(page: Page, study: Served) -> None:
    page.enter()
    page.page.wait_for_selector("#sessions tr")
    assert page.text("#live") == "3 of 4 wanted participations are complete, 0 open."
    page.page.click("#pause")
    page.page.wait_for_selector("text=Resume")
    assert study.application.store.paused()
    page.page.click("text=Resume")
    page.says("#pause", "Pause")
    study.browser().begin({"participant": "new"})
    page.says("#live", "1 open")
    page.has("#sessions tr", 4)


def test_an_export_is_saved_and_a_person_withdrawn(page: Page, study: Served) -> None:
    page.enter()
    page.page.wait_for_selector("#sessions tr")
    page.page.click("text=Prepare an export")
    page.page.wait_for_selector("#ready li")
    with page.page.expect_download() as download:
        page.page.click("#ready >> text=Download")
    names = zipfile.ZipFile(download.value.path()).namelist()
    assert "study/study.toml" in names
    page.page.fill("#workers", "person-0\n=unknown")
    page.page.select_option("#platform", "link")
    page.page.click("#pay button")
    with page.page.expect_download() as download:
        page.page.click("#paid >> text=Download as CSV")
    rows = list(csv.reader(io.StringIO(Path(download.value.path()).read_text("utf-8"))))
    assert [row[:2] for row in rows[1:]] == [
        ["person-0", "complete"],
        ["'=unknown", "unknown here"],
    ]
    page.open_first()
    person = page.text("#person-title")
    page.page.click("text=Withdraw this person")
    page.page.fill("#typed", "somebody else")
    page.page.click("text=Remove for good")
    page.page.wait_for_selector("#trouble:not([hidden])")
    assert len(study.application.store.participants()) == 3
    page.page.fill("#typed", person)
    page.page.click("text=Remove for good")
    page.page.wait_for_selector("text=Exports that were removed:")
    assert page.page.evaluate("document.activeElement.id") == "person-title"
    [receipt] = study.application.store.withdrawals()
    assert receipt.receipt in page.text("#person")
    page.has("#sessions tr", 2)
    page.has("#ready li", 0)
    assert person not in page.text("body")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_fits_a_phone_in_both_schemes(browser: Any, address: str, scheme: str) -> None:
    opened = Page(browser, address, viewport={"width": 400, "height": 800}, color_scheme=scheme)
    opened.enter()
    opened.page.wait_for_selector("#sessions tr")
    opened.open_first()
    opened.page.click("#person .scroll tbody tr:nth-child(2) button")
    opened.page.wait_for_selector(".replay canvas")
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= 400
    assert opened.page.evaluate(UNLABELLED) == []
    colours = opened.page.evaluate(
        "['color', 'backgroundColor'].map((name) => getComputedStyle(document.body)[name])"
    )
    bright = [sum(map(int, c.strip("rgb()").split(","))) > 382 for c in colours]
    assert bright == ([True, False] if scheme == "dark" else [False, True])
    assert opened.complaints == []
    opened.context.close()
