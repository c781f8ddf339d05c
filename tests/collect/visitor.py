"""A participant in a browser: what tests do with the pages, and what they must never see."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from chromium import PATIENCE_MS

QUIET = 50  # ms between two looks at the page, where a test waits


class Visitor:
    """A page of its own, whose errors and foreign requests are kept."""

    def __init__(self, browser: Any, url: str, **options: Any) -> None:
        options.setdefault("viewport", {"width": 1280, "height": 720})
        self.url = url
        self.context = browser.new_context(locale=options.pop("locale", "en-GB"), **options)
        self.context.set_default_timeout(PATIENCE_MS)
        self.complaints: list[str] = []
        self.foreign: list[str] = []
        self.page = self.new_page()

    def new_page(self) -> Any:
        page = self.context.new_page()
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._follow)
        return page

    def _hear(self, message: Any) -> None:
        expected = "Failed to load resource"  # of a server that is away: tests are about that
        if message.type in ("error", "warning") and expected not in message.text:
            self.complaints.append(message.text)

    def _follow(self, request: Any) -> None:
        if not request.url.startswith((self.url, "data:", "blob:")):
            self.foreign.append(request.url)

    def __enter__(self) -> Visitor:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.context.close()
        if kind is None:
            assert self.complaints == []
            assert self.foreign == []

    def open(self, query: str = "") -> None:
        self.page.goto(self.url + query)

    def heading(self, text: str) -> None:
        """Wait for a stage by its heading."""
        self.page.get_by_role("heading", level=1, name=text, exact=True).wait_for()

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def reach_practice(self) -> None:
        """From consent to the instructions."""
        self.open()
        self.press("I agree and want to take part")
        self.press("Continue")
        self.heading("What you will do")

    def start_trial(self) -> None:
        """Show the practice image, whichever way one came."""
        self.press("Show the practice image")
        self.canvas.wait_for()

    @property
    def canvas(self) -> Any:
        return self.page.locator("canvas")

    def until(self, condition: str) -> None:
        """Wait for a condition in JavaScript; the page's policy forbids Playwright's own wait."""
        for _ in range(PATIENCE_MS // QUIET):
            if self.page.evaluate(condition):
                return
            self.page.wait_for_timeout(QUIET)
        raise AssertionError(f"{condition} did not come")

    def click_at(self, x: float, y: float) -> None:
        """Click the image at fractions of its box, with the mouse; scroll there first."""
        box = self.box()
        self.canvas.click(position={"x": x * box["width"], "y": y * box["height"]})

    @property
    def height(self) -> int:
        """The viewport's height in CSS pixels."""
        return int(self.page.evaluate("innerHeight"))

    def box(self) -> dict[str, float]:
        self.canvas.wait_for()
        return dict(
            self.page.evaluate(
                "(({x, y, width, height}) => ({x, y, width, height}))"
                "(document.querySelector('canvas').getBoundingClientRect())"
            )
        )

    def look_and_write(self, text: str = "a red cup") -> None:
        """Do the two tasks of a trial that is shown."""
        for x, y in ((0.3, 0.3), (0.6, 0.6)):
            self.click_at(x, y)
        self.press("I have seen enough")
        self.page.get_by_role("textbox").fill(text)
        self.press("Save and go on")

    def kept(self) -> dict[str, Any]:
        """Return what the browser keeps, by name without the session."""
        return dict(
            self.page.evaluate(
                "Object.fromEntries(Object.entries(localStorage).map("
                "([key, kept]) => [key.split(':').slice(2).join(':'), JSON.parse(kept).value]))"
            )
        )
