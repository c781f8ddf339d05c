"""How a test asks on the search page, and reads what was found."""

from __future__ import annotations

from typing import Any

from visiting import Visit

from beholder.retrieval import EmbeddedStore, Query, Searcher
from chromium import PATIENCE_MS


def found(store: EmbeddedStore, **asked: Any) -> list[int]:
    """Return the numbers of the first answers, searched without any page."""
    result = Searcher(store).search(Query(top=12, **asked))
    return [answer.item["sample"] for answer in result.answers]


def shown(visit: Visit, column: int = 0) -> list[int]:
    """Return the numbers of the answers on the page now."""
    cards = f"document.querySelectorAll('.column')[{column}]?.querySelectorAll('li.answer') ?? []"
    numbers: list[int] = visit.page.evaluate(f"[...({cards})].map((card) => +card.dataset.number)")
    return numbers


def shows(visit: Visit, expected: list[int], column: int = 0) -> None:
    """Wait until the page has these answers; those to what was asked before may stand there yet."""
    for _ in range(PATIENCE_MS // 25):
        if shown(visit, column) == expected:
            return
        visit.page.wait_for_timeout(25)
    assert shown(visit, column) == expected


def draw(visit: Visit, *places: tuple[float, float]) -> None:
    box = visit.page.locator(".surface svg").bounding_box()
    for x, y in places:
        visit.page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])


def pick(visit: Visit, label: str, words: str) -> None:
    """Choose from a list by what its names hold."""
    visit.page.get_by_role("combobox", name=label, exact=True).fill(words)
    visit.page.get_by_role("option").first.wait_for()
    visit.page.locator(".options:not([hidden]) li", has_text=words).first.click()
