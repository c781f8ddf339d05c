"""The search page in a real browser: every way to ask."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import numpy as np
from asking import draw, found, pick, shown, shows

from beholder.retrieval import EmbeddedStore, Filters
from beholder.study.gaze import Points
from chromium import needs_browser

pytestmark = needs_browser

HELD = """window.held = [];
const asked = window.fetch;
window.fetch = async (address, options) => {
  const answer = await asked(address, options);
  if (!String(address).includes("/v1/search")) return answer;
  const text = JSON.parse(options.body).text;
  const whole = new Response(await answer.text(), answer);
  return new Promise((resolve) => window.held.push({ text, go: () => resolve(whole) }));
};"""


def test_the_first_page_is_useful_before_anything_is_asked(visit: Any) -> None:
    page = visit("/")
    assert "192 samples, 12 people, 16 images" in page.text(".study")
    page.has("#start .gallery li", 12)
    assert (
        page.page.locator("#start .gallery li a").first.get_attribute("href").startswith("/#image=")
    )
    assert page.page.title() == "tiny, Beholder"
    assert "g2t" in page.text("#start .facts")
    assert not [url for url in page.requests if "/v1/search" in url]
    page.fits()


def test_typed_words_are_answered_at_once(visit: Any, explored: EmbeddedStore) -> None:
    page = visit("/")
    words = page.page.get_by_role("textbox", name="What someone says")
    words.press_sequentially("a dog on a beach", delay=5)
    page.has("li.answer", 12)
    shows(page, found(explored, text="a dog on a beach", find="text"))
    page.says("#status", "1 to 12 of 192 texts")
    page.says("#status", "By chance each would stand at 96.5.")
    page.page.wait_for_selector("#start", state="hidden")
    first = page.page.locator("li.answer").first
    assert first.locator(".rank").inner_text().split() == ["Rank", "1"]
    assert "by chance 96.5" in first.inner_text()
    parts = first.get_by_role("img", name="Parts of the score").get_attribute("aria-label")
    assert "base " in parts and "popularity " in parts
    assert page.texts("#legend .key") == ["base", "content", "style"]
    page.fits()


def test_a_pause_is_waited_for(visit: Any, explored: EmbeddedStore) -> None:
    page = visit("/")
    words = page.page.get_by_role("textbox", name="What someone says")
    page.types_without_pause(words, "a dog on a beach")
    shows(page, found(explored, text="a dog on a beach", find="text"))
    assert len([url for url in page.requests if url.endswith("/v1/search")]) == 1
    assert page.page.evaluate("history.length") <= 3  # one step for all that was typed


def test_who_is_quicker_than_the_page_loses_nothing(visit: Any, explored: EmbeddedStore) -> None:
    page = visit("/map")
    waiting: list[Any] = []
    page.page.route("**/v1/store", lambda route: waiting.append(route))
    page.page.goto(page.address + "/", wait_until="domcontentloaded")
    page.page.fill("#text", "a dog")
    page.page.get_by_role("switch", name="Ask with a survey").check()
    page.page.get_by_role("radio", name="Gaze").check(force=True)
    while not waiting:
        page.page.wait_for_timeout(20)
    waiting[0].continue_()
    page.has("ol.of-gaze li.answer", 12)
    assert page.page.is_visible("#survey") and page.page.input_value("#text") == "a dog"
    survey = (3,) * 10
    shows(page, found(explored, text="a dog", personality=survey, find="gaze"))


def test_an_answer_that_comes_late_is_dropped(visit: Any, explored: EmbeddedStore) -> None:
    page = visit("/", HELD)
    page.page.fill("#text", "a boat")
    page.until("window.held.length === 1")
    page.until("!document.getElementById('busy').hidden")
    assert page.page.get_attribute("#answers", "aria-busy") == "true"
    page.page.fill("#text", "a kite")
    page.until("window.held.length === 2")
    page.page.evaluate("window.held.find((one) => one.text === 'a kite').go()")
    page.has("li.answer", 12)
    page.page.evaluate("window.held.find((one) => one.text === 'a boat').go()")
    page.page.wait_for_timeout(50)
    shows(page, found(explored, text="a kite", find="text"))
    page.page.wait_for_selector("#busy", state="hidden")


def test_bubbles_are_drawn_taken_back_and_cleared(visit: Any, explored: EmbeddedStore) -> None:
    page = visit("/")
    with explored.read() as snapshot:
        name = snapshot.images([3])[3].name
    pick(page, "Image", name)
    page.page.wait_for_selector(".surface svg")
    draw(page, (0.25, 0.5), (0.75, 0.25), (0.5, 0.5))
    page.says("#drawing .told", "3 bubbles")
    page.page.get_by_role("button", name="Undo").click()
    page.has("#drawing .ring", 2)
    page.says("#status", "1 to 12")
    [places] = parse_qs(page.fragment)["gaze"]
    (x1, y1), (x2, y2) = (map(int, place.split(".")) for place in places.split("_"))
    assert abs(x1 - 250) <= 3 and abs(y1 - 500) <= 3 and abs(x2 - 750) <= 3 and abs(y2 - 250) <= 3
    gaze = Points(np.array([x1, x2]) / 1000, np.array([y1, y2]) / 1000)
    page.until("document.querySelectorAll('li.answer').length === 12")
    expected = found(explored, gaze=gaze, image=name, find="text")
    page.until(f"document.querySelector('li.answer').dataset.number === '{expected[0]}'")
    assert len(set(shown(page)) & set(expected)) >= 11  # sent in full, not in thousandths
    box = page.page.locator(".surface svg").bounding_box()
    page.page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.page.mouse.down()
    page.page.mouse.move(box["x"] + box["width"] - 20, box["y"] + 20, steps=40)
    page.page.mouse.up()
    page.until("document.querySelectorAll('#drawing .ring').length > 10")
    page.page.get_by_role("button", name="Clear").click()
    page.has("#drawing .ring", 0)
    page.page.wait_for_selector("#start:not([hidden])")
    page.fits()


def test_everything_can_be_asked_with_keys_alone(visit: Any) -> None:
    page = visit("/")
    keys = page.page.keyboard
    page.page.locator("body").press("Tab")
    assert page.page.evaluate("document.activeElement.className") == "skip"
    page.page.get_by_role("combobox", name="Image", exact=True).focus()
    page.has(".options:not([hidden]) li", 16)
    keys.press("ArrowDown")
    keys.press("ArrowDown")
    active = page.page.evaluate("document.activeElement.getAttribute('aria-activedescendant')")
    assert page.page.get_attribute(f"#{active}", "aria-selected") == "true"
    keys.press("Enter")
    page.page.wait_for_selector(".surface svg")
    page.page.locator(".surface").focus()
    keys.press("ArrowLeft")
    page.says("#drawing .told", "48 % across, 50 % down")
    keys.press("Shift+ArrowUp")
    keys.press("Enter")
    page.says("#drawing .told", "Bubble 1 48 % across, 40 % down")
    keys.press("ArrowRight")
    keys.press("Space")
    keys.press("Backspace")
    page.has("#drawing .ring", 1)
    page.has("li.answer", 12)
    page.page.get_by_role("switch", name="Ask with a survey").focus()
    keys.press("Space")
    page.page.locator("#survey input").first.focus()
    keys.press("End")
    page.says("#survey .slider:first-of-type output", "5")
    page.page.get_by_role("radio", name="Words").focus()
    keys.press("ArrowRight")
    page.has("ol.of-gaze li.answer", 12)
    for _ in range(10):  # the answer to the change before may come now, and be drawn anew
        page.page.locator("[data-why]").first.focus()
        focused = "document.activeElement.dataset.why && getComputedStyle(document.activeElement)"
        outline = page.page.evaluate(f"({focused})?.outlineStyle")
        keys.press("Enter")
        page.page.wait_for_timeout(1000)
        if page.page.is_visible(".why:not([hidden]) table.parts"):
            break
    assert outline == "solid"
    page.page.wait_for_selector(".why:not([hidden]) table.parts")


def test_sliders_weights_and_words_ask_together(visit: Any, explored: EmbeddedStore) -> None:
    page = visit("/")
    page.page.get_by_role("switch", name="Ask with a survey").check()
    sliders = page.page.locator("#survey input")
    assert sliders.count() == 10
    answers = (5, 1, 2, 4, 3, 5, 1, 2, 4, 3)
    for place, answer in enumerate(answers):
        sliders.nth(place).fill(str(answer))
    page.page.fill("#text", "a small dog")
    weight = page.page.get_by_label("Weight of the words")
    weight.fill("2")
    page.says("#weight-text output", "4×")
    page.has("li.answer", 12)
    expected = found(
        explored, text="a small dog", personality=answers, weights={"text": 4.0}, find="text"
    )
    shows(page, expected)
    page.page.get_by_role("radio", name="Surveys").check(force=True)
    page.has("ol.of-personality li.answer", 12)
    assert page.page.locator("li.answer .traits").first.get_attribute("aria-label") == (
        "Survey, from 1 to 5"
    )
    page.page.reload()
    page.has("ol.of-personality li.answer", 12)
    assert [int(sliders.nth(place).input_value()) for place in range(10)] == list(answers)
    page.says("#weight-text output", "4×")


def test_a_list_is_searched_on_the_server(visit: Any) -> None:
    page = visit("/#text=a+dog")
    page.has("li.answer", 12)
    asked: list[str] = []

    def answer(route: Any) -> None:
        asked.append(
            parse_qs(route.request.url.partition("?")[2], keep_blank_values=True)["like"][0]
        )
        one = {"number": 2, "name": "Zoë <b>2</b>", "samples": 3}
        route.fulfill(json={"total": 1, "participants": [one]})

    page.page.route("**/v1/participants?*", answer)
    field = page.page.get_by_role("combobox", name="As seen by", exact=True)
    page.types_without_pause(field, "Zoë & <")
    page.says(".options:not([hidden])", "Zoë <b>2</b>")
    page.until("document.querySelector('#as').getAttribute('aria-expanded') === 'true'")
    assert asked == ["Zoë & <"]
    page.page.keyboard.press("Escape")
    page.has(".options:not([hidden])", 0)
    field.press("Tab")
    assert field.input_value() == ""  # nobody was chosen


def test_filters_narrow_what_is_found(visit: Any, explored: EmbeddedStore) -> None:
    page = visit("/#text=a+dog&find=gaze")
    page.has("li.answer", 12)
    page.page.click("#filters summary")
    with explored.read() as snapshot:
        person, image = snapshot.participants([2])[2].name, snapshot.images([1])[1].name
    pick(page, "Only these participants", person)
    page.says("#filtered", "1 chosen")
    page.says("#status", "of 16 gazes")
    filters = Filters(participants=(person,))
    shows(page, found(explored, text="a dog", find="gaze", filters=filters))
    page.page.get_by_role("button", name=f"Remove {person}").click()
    pick(page, "Only these images", image)
    page.says("#status", "of 12 gazes")
    page.page.get_by_role("checkbox", name="test").check()
    page.says("#filtered", "2 chosen")
    page.page.get_by_label("openness, from").fill("4")
    page.page.get_by_label("openness, from").press("Tab")
    page.says("#filtered", "3 chosen")
    filters = Filters(images=(image,), parts=("test",), traits=(("openness", 4.0, 5.0),))
    expected = found(explored, text="a dog", find="gaze", filters=filters)
    page.has("li.answer", len(expected))
    shows(page, expected)
    page.page.reload()
    page.says("#filtered", "3 chosen")
    page.page.click("#filters summary")
    assert page.page.get_by_label("openness, from").input_value() == "4"
    page.page.get_by_role("button", name="Allow everything").click()
    page.says("#status", "of 192 gazes")
