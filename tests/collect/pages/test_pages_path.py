"""The whole path through the participant's pages, in each language, and every way out."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from fake_study import HOSTILE, PAGES, FakeServer
from visitor import Visitor

pytestmark = pytest.mark.browser

Serve = Callable[..., FakeServer]
Visit = Callable[..., Visitor]


def messages(language: str) -> dict[str, str]:
    return dict(json.loads(PAGES.joinpath("messages", f"{language}.json").read_text("utf-8")))


@pytest.mark.parametrize("language", ["en", "es"])
def test_from_consent_to_code(serve: Serve, visit: Visit, language: str) -> None:
    server, say = serve(), messages(language)
    with visit(server, locale=language) as visitor:
        page = visitor.page
        visitor.open()
        visitor.heading(say["consent.title"])
        assert page.locator("html").get_attribute("lang") == language
        visitor.press(say["consent.agree"])
        visitor.heading(say["device.title"])
        visitor.press(say["device.continue"])
        visitor.heading(say["instructions.title"])
        for number, kind in ((1, "practice"), (1, "trial"), (2, "trial")):
            visitor.press(say[f"ready.{kind}"])
            total = 1 if kind == "practice" else 2
            visitor.heading(say[f"heading.{kind}"].format(number=number, total=total))
            visitor.click_at(0.2, 0.3)
            visitor.click_at(0.5, 0.5)
            visitor.press(say["look.done"])
            page.get_by_role("textbox", name="Describe the image.").fill("una taza roja")
            visitor.press(say["caption.done"])
        visitor.heading(say["survey.title"])
        for item in ("am calm", "am the life of the party"):
            page.get_by_role("group", name=item).get_by_label("rather yes", exact=True).check()
        visitor.press(say["survey.done"])
        visitor.heading(say["debrief.title"])
        page.get_by_role("textbox", name=say["debrief.comment"]).fill("  nice  ")
        visitor.press(say["debrief.finish"])
        visitor.heading(say["done.title"])
        assert page.get_by_label(say["done.code"]).input_value() == "C0MPLETE"
        assert visitor.kept() == {}

    assert list(server.saved) == ["practice1", "trial1", "trial2", "survey"]
    record = server.saved["trial2"]
    look, caption = record["tasks"]
    assert [click["n"] for click in look["clicks"]] == [1, 2]
    assert {click["input"] for click in look["clicks"]} == {"mouse"}
    assert {click["radius_px"] for click in look["clicks"]} == {40.0}
    assert look["path"], "the cursor moved"
    assert (look["started_ms"], look["ended_ms"]) == (0, caption["started_ms"])
    assert caption["ended_ms"] == record["duration_ms"] > look["ended_ms"] > 0
    assert caption["text"] == "una taza roja"
    assert record["environment"]["image_box"]["width"] > 300
    assert abs(record["clock_offset_ms"]) < 1000
    survey = server.saved["survey"]
    assert survey["answers"] == {"calm": 4, "party": 4}
    assert survey["order"] == ["calm", "party"]
    assert [choice["key"] for choice in survey["choices"]] == ["calm", "party"]
    device = server.bodies("api/session/device")[0]
    assert device["calibration"] is None
    assert device["user_agent_family"] == "chromium"
    assert "mouse" in device["inputs"]
    assert server.bodies("api/session/finish") == [{"comment": "nice"}]


def test_languages_have_the_same_messages_and_places() -> None:
    english, spanish = messages("en"), messages("es")
    assert list(english) == list(spanish)
    for key, text in english.items():
        places = {part.partition("}")[0] for part in text.split("{")[1:]}
        assert {part.partition("}")[0] for part in spanish[key].split("{")[1:]} == places, key


def test_every_message_that_the_pages_name_exists() -> None:
    import re

    texts = messages("en")
    named: set[str] = set()
    for file in PAGES.joinpath("static").iterdir():
        if file.name.endswith(".js"):
            source = file.read_text("utf-8")
            named |= set(re.findall(r'(?:say|text|tell)\(\s*"([a-z_]+\.[a-z_.]+)"', source))
    assert len(named) > 50
    assert [key for key in named if key not in texts and f"{key}.other" not in texts] == []


def test_the_language_can_be_changed_even_amid_a_trial(serve: Serve, visit: Visit) -> None:
    server = serve()
    with visit(server) as visitor:
        visitor.reach_practice()
        visitor.press("Español")
        visitor.heading("Lo que va a hacer")
        assert visitor.page.locator("html").get_attribute("lang") == "es"
        visitor.press("Ver la imagen de práctica")
        visitor.click_at(0.25, 0.25)
        visitor.press("English")
        visitor.heading("Practice 1 of 1")
        visitor.look_and_write()
        visitor.heading("Image 1 of 2")
    clicks = server.saved["practice1"]["tasks"][0]["clicks"]
    assert [click["n"] for click in clicks] == [1, 2, 3]
    assert [click["t"] for click in clicks] == sorted(click["t"] for click in clicks)
    assert "reload" not in [event["kind"] for event in server.saved["practice1"]["events"]]


def test_refusing_consent_asks_once_and_ends(serve: Serve, visit: Visit) -> None:
    server = serve()
    with visit(server) as visitor:
        visitor.open()
        visitor.press("I do not agree")
        visitor.press("Go back")
        assert server.bodies("api/session/consent") == []
        visitor.press("I do not agree")
        visitor.page.get_by_role("dialog").get_by_role("button", name="I do not agree").click()
        visitor.heading("Thank you for reading")
    assert server.bodies("api/session/consent") == [{"agreed": False, "version": "1"}]


def test_one_may_stop_at_any_time(serve: Serve, visit: Visit) -> None:
    server = serve()
    with visit(server) as visitor:
        visitor.reach_practice()
        visitor.start_trial()
        visitor.press("Stop taking part")
        visitor.press("Yes, stop here")
        visitor.heading("You have stopped")
        assert visitor.kept() == {}


@pytest.mark.parametrize(
    "outcome", ["full", "returning", "expired", "screened_out", "timed_out", "something new"]
)
def test_outcomes_at_the_door(serve: Serve, visit: Visit, outcome: str) -> None:
    known = outcome if f"closed.{outcome}.title" in messages("en") else "other"
    with visit(serve(door=outcome)) as visitor:
        visitor.open()
        visitor.heading(messages("en")[f"closed.{known}.title"])


def test_the_crowd_platform_is_entered_and_left_by_its_own_doors(
    serve: Serve, visit: Visit
) -> None:
    url = "https://app.prolific.com/submissions/complete?cc=C0MPLETE"
    server = serve(practice=0, trials=0, items={}, exit={"kind": "redirect", "url": url})
    with visit(server) as visitor:
        visitor.open("?PROLIFIC_PID=p&STUDY_ID=st&SESSION_ID=se&lang=en")
        visitor.press("I agree and want to take part")
        visitor.press("Continue")
        visitor.press("Finish")
        way_back = visitor.page.get_by_role("link", name="Go back to where you came from")
        assert way_back.get_attribute("href") == url
    entry = server.bodies("api/session")[0]["entry"]
    assert entry == {"PROLIFIC_PID": "p", "STUDY_ID": "st", "SESSION_ID": "se"}


def test_mechanical_turk_gets_its_form(serve: Serve, visit: Visit) -> None:
    leave = {
        "kind": "form",
        "action": "https://www.mturk.com/mturk/externalSubmit",
        "fields": {"outcome": "complete", "receipt": "abcd1234"},
        "from_address": ["assignmentId"],
    }
    server = serve(practice=0, trials=0, items={}, exit=leave)
    with visit(server) as visitor:
        sent: list[str] = []
        visitor.context.route(
            "https://www.mturk.com/**",
            lambda route: (sent.append(route.request.post_data), route.fulfill(body="thanks")),
        )
        visitor.open("?assignmentId=A1&workerId=W1")
        visitor.press("I agree and want to take part")
        visitor.press("Continue")
        visitor.press("Finish")
        visitor.press("Submit the task")
        visitor.page.wait_for_url("https://www.mturk.com/**")
        assert sent == ["outcome=complete&receipt=abcd1234&assignmentId=A1"]
        visitor.foreign.clear()  # it was meant


def test_a_preview_shows_the_consent_and_sends_nothing(serve: Serve, visit: Visit) -> None:
    server = serve(door="preview")
    with visit(server) as visitor:
        visitor.open("?assignmentId=ASSIGNMENT_ID_NOT_AVAILABLE")
        visitor.page.get_by_text("This is a preview.").wait_for()
        assert visitor.page.get_by_text("You may stop at any time.").is_visible()
        visitor.press("Español")
        visitor.page.get_by_text("Esto es una vista previa.").wait_for()
        names = visitor.page.get_by_role("button").all_inner_texts()
        assert names == ["English", "Español"]
    assert {address for address, _ in server.received} == {"api/session"}


def test_the_device_check_waits_for_a_larger_window(serve: Serve, visit: Visit) -> None:
    server = serve(minimum_width=700)
    with visit(server, viewport={"width": 500, "height": 700}) as visitor:
        visitor.open()
        visitor.press("I agree and want to take part")
        visitor.page.get_by_text("too narrow").wait_for()
        visitor.press("Continue")
        assert "first" in visitor.page.get_by_role("alert").inner_text()
        assert server.bodies("api/session/device") == []
        assert visitor.page.get_by_role("button", name="I cannot do this here").is_visible()
        visitor.page.set_viewport_size({"width": 900, "height": 700})
        visitor.page.get_by_text("large enough (900 × 700)").wait_for()
        visitor.press("Continue")
        visitor.heading("What you will do")


def test_the_card_measures_the_screen(serve: Serve, visit: Visit) -> None:
    server = serve(calibration="required")
    with visit(server) as visitor:
        visitor.open()
        visitor.press("I agree and want to take part")
        visitor.press("Continue")
        assert "measure your screen" in visitor.page.get_by_role("alert").inner_text()
        slider = visitor.page.get_by_role("slider")
        for _ in range(3):
            slider.press("ArrowRight")
        visitor.press("A little larger")
        width = visitor.page.locator(".outline").evaluate("e => e.getBoundingClientRect().width")
        visitor.page.get_by_label("The outline is as large as my card").check()
        visitor.page.get_by_label("Distance from your eyes").fill("5")
        visitor.press("Continue")
        assert "between 15 and 200" in visitor.page.get_by_role("alert").inner_text()
        visitor.page.get_by_label("Distance from your eyes").fill("62.5")
        visitor.press("Continue")
        visitor.heading("What you will do")
    measured = server.bodies("api/session/device")[0]["calibration"]
    assert measured == {
        "card_width_px": width,
        "pixels_per_cm": pytest.approx(width / 8.56),
        "viewing_distance_cm": 62.5,
    }
    assert width == 344


def test_hostile_texts_are_shown_as_texts(serve: Serve, visit: Visit) -> None:
    server = serve(title=HOSTILE, consent=HOSTILE, items={"calm": HOSTILE}, labels=("no", HOSTILE))
    server.study.tasks[1]["prompt"] = server.study.tasks[1]["template"] = HOSTILE
    with visit(server) as visitor:
        visitor.open()
        assert HOSTILE in visitor.page.locator(".reading").inner_text()
        visitor.press("I agree and want to take part")
        visitor.press("Continue")
        visitor.heading("What you will do")
        assert HOSTILE in visitor.page.locator("main").inner_text()
        visitor.start_trial()
        visitor.look_and_write(HOSTILE)
        for _ in range(2):
            visitor.press("Show the image")
            visitor.look_and_write(HOSTILE)
        visitor.heading("About you")
        assert HOSTILE in visitor.page.locator("fieldset").inner_text()
        assert HOSTILE in visitor.page.title()
        assert visitor.page.locator("main img, main script").count() == 0
    assert server.saved["trial1"]["tasks"][1]["text"] == HOSTILE


def answer(status: int, code: str) -> Callable[[Any], None]:
    """Let a request be refused with an error of the contract."""
    error = {"error": {"code": code, "message": "A sentence.", "fields": []}}
    return lambda route: route.fulfill(status=status, json=error)


@pytest.mark.parametrize(
    ("status", "code", "heading"),
    [
        (503, "paused", "The study is taking a break"),
        (403, "unknown_platform", "This link is not complete"),
        (422, "invalid", "Something went wrong"),
    ],
)
def test_a_closed_door_says_why(
    serve: Serve, visit: Visit, status: int, code: str, heading: str
) -> None:
    with visit(serve()) as visitor:
        visitor.page.route("**/api/session", answer(status, code))
        visitor.open()
        visitor.heading(heading)
        assert visitor.page.get_by_text("A sentence.").is_visible()
        visitor.page.unroute("**/api/session")
        visitor.press("Try again")
        visitor.heading("Before you begin")


def test_a_lost_session_is_entered_again_but_not_for_ever(serve: Serve, visit: Visit) -> None:
    server = serve()
    with visit(server) as visitor:
        visitor.open("?participant=me")
        visitor.page.route("**/consent", answer(401, "no_session"), times=1)
        visitor.press("I agree and want to take part")
        visitor.page.wait_for_load_state("networkidle")
        visitor.press("I agree and want to take part")
        visitor.heading("Is your screen ready?")
        visitor.page.route("**/device", answer(401, "no_session"))
        for _ in range(3):
            visitor.press("Continue")
            visitor.page.wait_for_load_state("networkidle")
        visitor.heading("Your browser forgets who you are")
    entries = [body["entry"] for body in server.bodies("api/session")]
    assert entries == [{"participant": "me"}] * 4


def test_a_new_version_of_the_consent_is_shown(serve: Serve, visit: Visit) -> None:
    server = serve()
    with visit(server) as visitor:
        visitor.open()
        visitor.heading("Before you begin")
        server.study.consent = "Something else."
        visitor.page.route("**/consent", answer(409, "wrong_version"), times=1)
        visitor.press("I agree and want to take part")
        visitor.page.get_by_text("Something else.").wait_for()
        visitor.press("I agree and want to take part")
        visitor.heading("Is your screen ready?")


def test_where_cookies_are_withheld_the_token_goes_along(serve: Serve, visit: Visit) -> None:
    server = serve(token="secret")
    with visit(server) as visitor:
        sent: dict[str, str | None] = {}
        visitor.page.on(
            "request",
            lambda request: sent.update(
                {request.url.removeprefix(server.url): request.headers.get("x-beholder-session")}
            ),
        )
        visitor.reach_practice()
        visitor.start_trial()
        assert sent["api/session"] is None
        for address in ("consent", "device"):
            assert sent[f"api/session/{address}"] == "secret"
        for address in ("blurred", "sharp"):
            assert sent[f"api/images/practice1/{address}"] == "secret"
