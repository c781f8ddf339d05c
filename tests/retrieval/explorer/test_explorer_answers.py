"""What the search page shows in a real browser, why, and that it is found again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from asking import found, pick, shown, shows
from made_changes import FORMULA, HOSTILE, LONG, RTL

from beholder.retrieval import EmbeddedStore, Query, Searcher
from beholder.retrieval.explanation import explain
from chromium import needs_browser

pytestmark = needs_browser


def test_two_people_find_side_by_side(visit: Any, explored: EmbeddedStore) -> None:
    page = visit("/#text=a+dog&find=gaze")
    with explored.read() as snapshot:
        first, second = (snapshot.participants([n])[n].name for n in (1, 7))
    pick(page, "As seen by", first)
    page.says(".column h2", f"As seen by {first}")
    shows(page, found(explored, text="a dog", find="gaze", seen_as=first))
    assert page.page.get_by_role("radio", name="People").is_disabled()
    page.says("#impossible", "not made through somebody’s eyes")
    pick(page, "and, side by side, by", second)
    page.has(".column", 2)
    theirs = found(explored, text="a dog", find="gaze", seen_as=second)
    shows(page, theirs, column=1)
    both = [number for number in shown(page) if number in theirs]
    assert page.page.locator(".column").first.locator(".place.shared").count() == len(both)
    page.page.reload()
    page.has(".column", 2)
    shows(page, theirs, column=1)
    page.page.get_by_role("button", name="As seen by: none").click()
    page.has(".column h2", 0)
    assert not page.page.is_visible("#second")


def test_why_shows_the_parts_and_what_made_them(visit: Any, explored: EmbeddedStore) -> None:
    text = "a small dog near a red boat"
    page = visit("/#text=a+small+dog+near+a+red+boat&find=text")
    page.has("li.answer", 12)
    made = explain(Searcher(explored), Query(text=text, find="text"), shown(page)[0])
    page.page.get_by_role("button", name="Why is this 1st?").click()
    page.page.wait_for_selector(".why table.parts")
    rows = [row.split("\t") for row in page.texts(".why table.parts tr")]
    values = {name: float(value.replace("−", "-")) for name, value in rows}
    total = values.pop("score")
    assert abs(sum(values.values()) - total) < 0.004
    assert total == pytest.approx(made.score, abs=0.001)
    own = ".why .side:nth-of-type(1) .marked"
    assert page.text(own) == text
    for kind, sign in (("raises", 1), ("lowers", -1)):
        words = [one.label for one in made.query["text"] if (one.value >= 0) == (sign > 0)]
        assert page.texts(f"{own} mark.{kind}") == words
    styles = page.page.evaluate(
        """['raises', 'lowers'].map((kind) =>
          getComputedStyle(document.querySelector(`.key-line .${kind}`)).textDecorationStyle)"""
    )
    assert styles == ["solid", "dotted"]  # not by colour alone
    page.address_holds("why=")
    page.page.reload()
    page.page.wait_for_selector(".why:not([hidden]) table.parts")
    page.page.locator("[data-why]").nth(1).click()
    page.has(".why:not([hidden])", 1)
    page.page.locator("[data-why]").nth(1).click()
    page.has(".why:not([hidden])", 0)
    assert "why=" not in page.fragment


def test_a_gaze_is_explained_on_its_image(visit: Any, explored: EmbeddedStore) -> None:
    with explored.read() as snapshot:
        name = snapshot.images([3])[3].name
    page = visit(f"/#image={name}&gaze=250.500_750.250&find=gaze")
    page.has("li.answer", 12)
    page.page.locator("[data-why]").first.click()
    page.page.wait_for_selector(".why .gaze circle")
    assert page.page.locator(".why .side").count() == 2
    rings = ".why .side:nth-of-type(1) :is(circle.raises, circle.lowers)"
    page.has(rings, 2)
    drawn = page.page.evaluate(
        """() => { const svg = document.querySelector(".why .side svg.gaze");
          const { width, height } = svg.viewBox.baseVal;
          const at = ({ cx, cy }) => [cx.baseVal.value / width, cy.baseVal.value / height];
          const dot = (g) => { const { e, f } = g.transform.baseVal[0].matrix;
            return [e / width, f / height]; };
          return [[...svg.querySelectorAll("circle.raises, circle.lowers")].map(at),
                  [...svg.querySelectorAll("g[transform]")].map(dot)]; }"""
    )
    for places in drawn:
        assert np.ravel(places) == pytest.approx([0.25, 0.5, 0.75, 0.25], abs=1e-3)


def test_the_address_holds_the_whole_query_and_goes_back(visit: Any) -> None:
    page = visit("/")
    page.page.fill("#text", "a dog")
    page.has("li.answer", 12)
    page.page.get_by_role("radio", name="Images").check(force=True)
    page.has("ol.of-images li.answer", 12)
    page.page.get_by_role("button", name="Next").click()
    page.says("#status", "13 to 16 of 16 images")
    page.address_holds("page=2")
    assert page.fragment == "text=a+dog&find=images&page=2"
    page.page.go_back()
    page.says("#status", "1 to 12 of 16 images")
    page.page.go_back()
    page.has("ol.of-text li.answer", 12)
    page.page.go_back()
    page.page.wait_for_selector("#start:not([hidden])")
    assert page.page.input_value("#text") == ""
    for _ in range(3):
        page.page.go_forward()
    page.says("#status", "13 to 16 of 16 images")
    assert page.page.input_value("#text") == "a dog"
    assert not [url for url in page.requests if "dog" in url]  # nor does a log ever see it


def test_what_people_wrote_is_text_and_nothing_else(visit: Any, explored: EmbeddedStore) -> None:
    with explored.read() as snapshot:
        images = {snapshot.samples([n])[n].image for n in range(6)}
    narrowed = "".join(f"&in={image}" for image in sorted(images))
    page = visit(f"/#text={HOSTILE}&find=text{narrowed}")
    page.has("li.answer", 12)
    assert page.page.input_value("#text") == HOSTILE
    seen: list[str] = []
    while True:
        seen += [text.strip() for text in page.page.locator(".answer .words").all_text_contents()]
        after = page.page.get_by_role("button", name="Next", exact=True)
        if after.count() == 0 or after.is_disabled():
            break
        first = page.page.locator("li.answer").first.get_attribute("data-number")
        after.click()
        page.until(f"document.querySelector('li.answer').dataset.number !== '{first}'")
    assert HOSTILE in seen and RTL in seen and LONG.strip() in seen
    assert page.page.locator("main script, .words img, .words b").count() == 0
    page.page.get_by_role("radio", name="People").check(force=True)
    page.has("ol.of-participants li.answer", 12)
    assert FORMULA in page.texts("ol.of-participants h3")


@pytest.mark.parametrize(
    ("number", "kind", "count", "words"),
    [(3, "rect.area", 2, "3 areas of"), (4, "svg.gaze image", 1, "as a map of heat")],
    ids=["areas", "map"],
)
def test_areas_and_maps_are_drawn_and_told(
    visit: Any, explored: EmbeddedStore, number: int, kind: str, count: int, words: str
) -> None:
    with explored.read() as snapshot:
        sample = snapshot.samples([number])[number]
    page = visit(f"/#text=dog&find=gaze&participant={sample.participant}&in={sample.image}")
    card = page.page.locator(f"li.answer[data-number='{number}']")
    card.locator(kind).first.wait_for(state="attached")
    assert card.locator(kind).count() == count  # an area once, however often it is looked at
    label = card.locator("svg.gaze").get_attribute("aria-label")
    assert words in label and sample.image in label
    assert ("<b>boat</b>" in label) == (number == 3)


def test_errors_are_said_in_one_place_and_go_again(visit: Any) -> None:
    page = visit("/#text=a+dog&as=nobody+here")
    page.allowed.append("422")
    page.says("#trouble", "nobody here")
    page.has("li.answer", 0)
    page.page.get_by_role("button", name="As seen by: none").click()
    page.has("li.answer", 12)
    page.page.wait_for_selector("#trouble", state="hidden")
    page.allowed.append("ERR_INTERNET_DISCONNECTED")
    page.context.set_offline(True)
    page.page.fill("#text", "a boat")
    page.says("#trouble", "The server cannot be reached.")
    page.context.set_offline(False)
    page.page.fill("#text", "a kite")
    page.has("li.answer", 12)
    page.page.wait_for_selector("#trouble", state="hidden")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_fits_a_phone_and_is_drawn_on_by_touch(
    visit: Any, explored: EmbeddedStore, scheme: str
) -> None:
    with explored.read() as snapshot:
        name = snapshot.images([3])[3].name
    page = visit(
        f"/#image={name}&text=a+dog",
        viewport={"width": 400, "height": 800},
        color_scheme=scheme,
        has_touch=True,
        is_mobile=True,
        reduced_motion="reduce",
    )
    page.has("li.answer", 12)
    box = page.page.locator(".surface svg").bounding_box()
    page.page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.has("#drawing .ring", 1)
    page.page.get_by_role("button", name="See the answers").click()
    page.until("document.getElementById('to-answers').hidden")
    page.page.locator("[data-why]").first.click()
    page.page.wait_for_selector(".why:not([hidden]) table.parts")
    page.fits()
    colours = page.page.evaluate(
        "['color', 'backgroundColor'].map((name) => getComputedStyle(document.body)[name])"
    )
    bright = [sum(map(int, colour.strip("rgb()").split(","))) > 382 for colour in colours]
    assert bright == ([True, False] if scheme == "dark" else [False, True])


def test_a_wide_page_shows_no_way_down(visit: Any) -> None:
    page = visit("/#text=a+dog", viewport={"width": 1300, "height": 220})
    page.has("li.answer", 12)
    page.until("!document.getElementById('to-answers').hidden")  # they are out of sight
    assert not page.page.get_by_role("button", name="See the answers").is_visible()


def test_a_screen_reader_finds_its_way(visit: Any) -> None:
    page = visit("/#text=a+dog")
    page.has("li.answer", 12)
    for role, name in (
        ("navigation", "Pages"),
        ("main", None),
        ("form", "What to ask with"),
        ("region", "What is found"),
        ("radiogroup", None),
        ("status", None),
    ):
        if role != "radiogroup":
            assert page.page.get_by_role(role, **({"name": name} if name else {})).count() >= 1
    assert page.page.get_by_role("heading", level=1).inner_text() == "Search"
    assert page.page.get_by_role("group", name="Find", exact=True).count() == 1
    assert page.page.get_by_role("link", name="Search").get_attribute("aria-current") == "page"
    tree = page.page.locator("main").aria_snapshot()
    for wanted in ('button "Why is this 1st?"', 'radio "Words" [checked]', "textbox"):
        assert wanted in tree
    page.fits()
