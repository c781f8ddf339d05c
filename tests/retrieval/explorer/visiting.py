"""One visit to a page: the page, all that it complains of and all that it asks for."""

from __future__ import annotations

import json
from typing import Any

from chromium import PATIENCE_MS

UNNAMED = """() => [...document.querySelectorAll(
    "a, button, input, select, textarea, canvas, summary, [tabindex='0'], [role=img]")]
  .filter((each) => each.checkVisibility() && !each.closest("[aria-hidden=true]"))
  .filter((each) => !(each.textContent.trim() || each.ariaLabel || each.labels?.length
    || each.querySelector("img[alt]:not([alt=''])")))
  .map((each) => each.outerHTML)"""

TOKEN = "a token that nobody guesses"
DESKTOP = {"width": 1300, "height": 900}


class Visit:
    """An open page."""

    def __init__(
        self, browser: Any, address: str, path: str, script: str | None, options: dict[str, Any]
    ) -> None:
        self.address = address
        self.context = browser.new_context(**{"viewport": DESKTOP, **options})
        self.context.set_default_timeout(PATIENCE_MS)
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.allowed: list[str] = []  # what a test means to happen
        self.requests: list[str] = []
        self.page.on("console", lambda message: self._heard(message.text))
        self.page.on("pageerror", lambda error: self._heard(str(error)))
        self.page.on("dialog", lambda dialog: self._heard("dialog") or dialog.dismiss())
        self.page.on("request", lambda request: self.requests.append(request.url))
        if script is not None:
            self.page.add_init_script(script)
        self.page.goto(address + path)

    def _heard(self, text: str) -> None:
        # The driver's remarks on how fast a software's drawing can be read are not the page's.
        if "GL Driver Message" not in text:
            self.complaints.append(text)

    def leave(self) -> None:
        """Check what every visit must hold, and close the page."""
        unmeant = [
            text for text in self.complaints if not any(part in text for part in self.allowed)
        ]
        elsewhere = [
            url for url in self.requests if not url.startswith((self.address, "blob:", "data:"))
        ]
        self.context.close()
        assert unmeant == []
        assert elsewhere == []

    def says(self, selector: str, text: str) -> None:
        """Wait until an element holds a text."""
        from playwright.sync_api import expect

        expect(self.page.locator(selector)).to_contain_text(text)

    def has(self, selector: str, count: int) -> None:
        """Wait until there are so many elements."""
        from playwright.sync_api import expect

        expect(self.page.locator(selector)).to_have_count(count)

    def until(self, condition: str) -> Any:
        """Wait until an expression holds, which the page's own policy would not evaluate."""
        for _ in range(PATIENCE_MS // 25):
            value = self.page.evaluate(condition)
            if value:
                return value
            self.page.wait_for_timeout(25)
        raise AssertionError(f"never: {condition}")

    def types_without_pause(self, field: Any, words: str) -> None:
        """Type as fast as nobody can: no machine is so slow that a pause comes between."""
        field.evaluate(
            """(field, words) => {
              field.focus();
              for (const letter of words) {
                field.value += letter;
                field.dispatchEvent(new InputEvent("input", { bubbles: true }));
              }
            }""",
            words,
        )

    def text(self, selector: str) -> str:
        said: str = self.page.inner_text(selector)
        return said

    def texts(self, selector: str) -> list[str]:
        said: list[str] = self.page.locator(selector).all_inner_texts()
        return said

    @property
    def fragment(self) -> str:
        """The part of the address behind #."""
        return str(self.page.evaluate("location.hash")).removeprefix("#")

    def address_holds(self, part: str) -> None:
        """Wait until the part of the address behind # holds some text."""
        self.until(f"location.hash.includes({json.dumps(part)})")

    def fits(self) -> None:
        """Nothing lies beyond the right edge, and everything that can be used has a name."""
        wide, seen = self.page.evaluate(
            "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        )
        assert wide <= seen
        assert self.page.evaluate(UNNAMED) == []
