"""Nothing is lost: reloads, a server that is away, slow or refuses, two tabs, limits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fake_study import FakeServer
from visitor import Visitor

pytestmark = pytest.mark.browser

Serve = Callable[..., FakeServer]
Visit = Callable[..., Visitor]

AWAY = 800  # ms
PRACTICE = "api/session/trials/practice1"


def rising(times: list[float]) -> bool:
    return times == sorted(times)


def test_a_reload_amid_looking_and_amid_writing(serve: Serve, visit: Visit) -> None:
    server = serve()
    with visit(server) as visitor:
        page = visitor.page
        visitor.reach_practice()
        visitor.start_trial()
        visitor.click_at(0.2, 0.2)
        visitor.click_at(0.4, 0.4)
        before = visitor.kept()["trial:practice1"]
        page.goto("about:blank")
        page.wait_for_timeout(AWAY)
        visitor.open()
        visitor.heading("Practice 1 of 1")
        visitor.click_at(0.6, 0.6)
        visitor.press("I have seen enough")
        page.get_by_role("textbox").press_sequentially("a red")
        page.reload()
        assert page.get_by_role("textbox").input_value() == "a red"
        page.get_by_role("textbox").focus()
        page.keyboard.press("End")
        page.get_by_role("textbox").press_sequentially(" cup")
        visitor.press("Save and go on")
        visitor.heading("Image 1 of 2")
    [record] = server.bodies(PRACTICE)
    look, caption = record["tasks"]
    assert record["client_id"] == before["client_id"]
    assert record["started_at_ms"] == before["started_at_ms"]
    assert look["clicks"][:2] == before["tasks"][0]["clicks"]
    assert [click["n"] for click in look["clicks"]] == [1, 2, 3]
    assert caption["text"] == "a red cup"
    assert len(caption["keys"]) == len("a red cup")
    clicks = [click["t"] for click in look["clicks"]]
    assert rising([*clicks, look["ended_ms"], *caption["keys"], record["duration_ms"]])
    assert [event["kind"] for event in record["events"]].count("reload") == 2
    assert rising([event["t"] for event in record["events"]])
    assert clicks[2] - clicks[1] > AWAY, "the time in which the page was away counts"


def test_leaving_asks_only_while_something_is_unsaved(serve: Serve, visit: Visit) -> None:
    server = serve()
    with visit(server) as visitor:
        asked: list[str] = []
        visitor.page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
        visitor.reach_practice()
        visitor.page.reload()
        assert asked == []
        visitor.start_trial()
        visitor.click_at(0.2, 0.2)
        visitor.page.reload()
        assert asked == ["beforeunload"]
        visitor.look_and_write()
        visitor.heading("Image 1 of 2")
        visitor.page.reload()
        visitor.heading("Image 1 of 2")
        assert asked == ["beforeunload"]


def test_offline_during_a_save(serve: Serve, visit: Visit) -> None:
    server = serve()
    with visit(server) as visitor:
        visitor.reach_practice()
        visitor.start_trial()
        visitor.context.set_offline(True)
        visitor.look_and_write()
        visitor.heading("Saving your work…")
        visitor.page.get_by_text("You are offline. Your work is kept here").wait_for()
        kept = visitor.kept()
        assert list(kept) == ["outbox"]
        assert not visitor.page.get_by_role("button", name="Stop taking part").is_visible()
        visitor.context.set_offline(False)
        visitor.heading("Image 1 of 2")
        assert visitor.kept() == {}
    assert server.bodies(PRACTICE) == [kept["outbox"]["body"]]
    assert "offline" in [event["kind"] for event in server.saved["practice1"]["events"]]


def test_a_page_closed_before_the_answer_sends_again(serve: Serve, visit: Visit) -> None:
    server = serve()
    with visit(server) as visitor:
        visitor.reach_practice()
        visitor.start_trial()
        server.plan = [503] * 50
        visitor.look_and_write()
        visitor.heading("Saving your work…")
        visitor.page.close()
        server.plan = []
        visitor.page = visitor.new_page()
        visitor.open()
        visitor.heading("Image 1 of 2")
    sent = server.bodies(PRACTICE)
    assert len(sent) >= 2
    assert all(body == sent[0] for body in sent)


def test_a_server_that_is_away_then_slow_gets_the_record_once(serve: Serve, visit: Visit) -> None:
    server = serve()
    with visit(server) as visitor:
        visitor.reach_practice()
        visitor.start_trial()
        server.plan = [503, 500, 0.6]
        visitor.look_and_write()
        visitor.page.get_by_text("The server does not answer. Your work is kept here").wait_for()
        visitor.heading("Image 1 of 2")
        assert visitor.page.locator("#status").inner_text() == "Saved"
    sent = server.bodies(PRACTICE)
    assert [body["client_id"] for body in sent] == [sent[0]["client_id"]] * 3
    assert list(server.saved) == ["practice1"]


def test_another_tab_that_was_first(serve: Serve, visit: Visit) -> None:
    server = serve()
    with visit(server) as visitor:
        visitor.reach_practice()
        visitor.start_trial()
        server.saved["practice1"] = {"client_id": "of another browser"}
        visitor.look_and_write()
        visitor.heading("Image 1 of 2")
        assert visitor.kept() == {}
    assert len(server.bodies(PRACTICE)) == 1


def test_two_tabs_of_one_browser_do_not_mix(serve: Serve, visit: Visit) -> None:
    server = serve()
    with visit(server) as visitor:
        first = visitor.page
        visitor.reach_practice()
        visitor.start_trial()
        visitor.click_at(0.2, 0.2)
        visitor.page = visitor.new_page()
        visitor.open()
        visitor.click_at(0.4, 0.4)
        first.get_by_role("heading", name="You went on in another tab").wait_for()
        visitor.look_and_write()
        visitor.heading("Image 1 of 2")
        first.get_by_role("button", name="Go on here instead").click()
        first.get_by_role("heading", name="Image 1 of 2").wait_for()
    clicks = server.saved["practice1"]["tasks"][0]["clicks"]
    assert [click["n"] for click in clicks] == [1, 2, 3, 4]


def test_a_refused_record_is_said_and_can_be_done_again(serve: Serve, visit: Visit) -> None:
    server = serve()
    with visit(server) as visitor:
        visitor.reach_practice()
        visitor.start_trial()
        server.plan = [422]
        visitor.look_and_write()
        visitor.heading("Something went wrong")
        assert list(visitor.kept()) == ["outbox"]
        visitor.page.on("dialog", lambda dialog: dialog.accept())
        visitor.press("Do this part again")
        visitor.start_trial()
        visitor.look_and_write()
        visitor.heading("Image 1 of 2")
    first, second = server.bodies(PRACTICE)
    assert first["client_id"] != second["client_id"]


def test_time_limits_end_the_tasks(serve: Serve, visit: Visit) -> None:
    server = serve()
    look, caption = server.study.tasks
    look["maximum_seconds"] = caption["maximum_seconds"] = 1
    with visit(server) as visitor:
        visitor.reach_practice()
        visitor.start_trial()
        visitor.page.get_by_text("0:01 left").wait_for()
        visitor.click_at(0.5, 0.5)
        visitor.page.get_by_role("textbox").press_sequentially("no")
        visitor.heading("Image 1 of 2")
    record = server.saved["practice1"]
    assert [task["timed_out"] for task in record["tasks"]] == [True, True]
    assert [click["n"] for click in record["tasks"][0]["clicks"]] == [1]
    assert record["tasks"][1]["text"] == "no"
    for task in record["tasks"]:
        assert task["ended_ms"] - task["started_ms"] >= 1000


def test_minimum_and_maximum_of_clicks_and_seconds(serve: Serve, visit: Visit) -> None:
    server = serve()
    server.study.tasks[0] |= {"minimum_clicks": 2, "maximum_clicks": 3, "minimum_seconds": 600}
    with visit(server) as visitor:
        alert = visitor.page.get_by_role("alert")
        visitor.reach_practice()
        visitor.start_trial()
        visitor.press("I have seen enough")
        assert alert.inner_text() == "Please look at 2 more places."
        visitor.click_at(0.1, 0.1)
        visitor.press("I have seen enough")
        assert alert.inner_text() == "Please look at one more place."
        for x in (0.2, 0.3, 0.4, 0.5):
            visitor.click_at(x, 0.1)
        assert visitor.page.get_by_text("You have looked at all 3 places").is_visible()
        visitor.press("I have seen enough")
        assert "seconds more" in alert.inner_text()
        clicks = visitor.kept()["trial:practice1"]["tasks"][0]["clicks"]
        assert [click["x"] for click in clicks] == pytest.approx([0.1, 0.2, 0.3], abs=0.002)


def test_what_happens_around_a_caption_is_recorded(serve: Serve, visit: Visit) -> None:
    server = serve()
    with visit(server) as visitor:
        visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
        visitor.reach_practice()
        visitor.start_trial()
        visitor.click_at(0.2, 0.2)
        visitor.click_at(0.4, 0.4)
        visitor.press("I have seen enough")
        box = visitor.page.get_by_role("textbox")
        box.press_sequentially("ab")
        visitor.press("Save and go on")
        assert visitor.page.get_by_role("alert").inner_text().endswith("3 more characters.")
        assert box.get_attribute("aria-invalid") == "true"
        box.press("Backspace")
        visitor.page.evaluate("navigator.clipboard.writeText('a cup 👁 red')")
        box.press("Control+V")
        visitor.page.evaluate(
            "for (const [target, kind] of [[window, 'blur'], [window, 'focus'],"
            "[window, 'offline'], [window, 'online']]) target.dispatchEvent(new Event(kind))"
        )
        hide(visitor, True)
        hide(visitor, False)
        visitor.press("Save and go on")
        visitor.heading("Image 1 of 2")
    record = server.saved["practice1"]
    caption = record["tasks"][1]
    assert caption["text"] == "aa cup 👁 red"
    assert caption["deletions"] == 1
    assert len(caption["keys"]) == 3, "a paste is no key"
    assert [paste["characters"] for paste in caption["pastes"]] == [11]
    kinds = [event["kind"] for event in record["events"]]
    assert kinds[-6:] == ["blur", "focus", "offline", "online", "hidden", "visible"]


def hide(visitor: Visitor, is_hidden: bool) -> None:
    """Say to the page that its tab is hidden; headless tabs never are."""
    value = str(is_hidden).lower()
    visitor.page.evaluate(
        f"Object.defineProperty(document, 'hidden', {{value: {value}, configurable: true}});"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )


def test_a_browser_that_keeps_nothing_still_works(serve: Serve, visit: Visit) -> None:
    server = serve(practice=1, trials=0, items={})
    with visit(server) as visitor:
        visitor.context.add_init_script(
            "Object.defineProperty(window, 'localStorage', {get() { throw new Error('no') }})"
        )
        visitor.reach_practice()
        visitor.start_trial()
        visitor.look_and_write()
        visitor.press("Finish")
        visitor.heading("Thank you, all is saved")
    assert list(server.saved) == ["practice1"]


def test_the_next_image_is_there_before_it_is_wanted(serve: Serve, visit: Visit) -> None:
    server = serve()
    with visit(server) as visitor:
        asked: list[str] = []
        visitor.page.on("request", lambda request: asked.append(request.url))
        visitor.reach_practice()
        visitor.start_trial()
        visitor.page.wait_for_load_state("networkidle")
        images = [url.partition("images/")[2] for url in asked if "images/" in url]
        assert images == ["practice1/blurred", "practice1/sharp", "trial1/blurred"]
        visitor.look_and_write()
        visitor.press("Show the image")
        visitor.canvas.wait_for()
        images = [url.partition("images/")[2] for url in asked if "images/" in url]
        assert images.count("trial1/blurred") == 1


def test_the_clock_starts_when_both_images_are_there(serve: Serve, visit: Visit) -> None:
    server = serve()
    with visit(server) as visitor:
        held: list[Any] = []
        visitor.page.route("**/sharp", lambda route: held.append(route))
        visitor.reach_practice()
        visitor.press("Show the practice image")
        visitor.page.get_by_role("button", name="Loading the image…").wait_for()
        assert visitor.canvas.count() == 0
        assert visitor.kept() == {}
        held.pop().continue_()
        visitor.canvas.wait_for()
        assert visitor.kept()["trial:practice1"]["last_ms"] < 5000


def test_a_survey_survives_a_reload_and_records_each_choice(serve: Serve, visit: Visit) -> None:
    items = {key: f"am {key}" for key in ("calm", "loud", "kind", "late", "neat", "glad")}
    server = serve(practice=0, trials=0, items=items, shuffle=True)
    with visit(server) as visitor:
        visitor.open()
        visitor.press("I agree and want to take part")
        visitor.press("Continue")
        visitor.heading("About you")

        def choose(key: str, label: str) -> None:
            group = visitor.page.get_by_role("group", name=f"am {key}")
            group.get_by_label(label, exact=True).check()

        choose("calm", "no")
        choose("calm", "yes")
        order = visitor.kept()["survey"]["order"]
        visitor.page.reload()
        visitor.heading("About you")
        legends = visitor.page.locator("legend").all_inner_texts()
        assert [legend.split()[-1] for legend in legends] == order
        visitor.press("Save and go on")
        assert visitor.page.get_by_role("alert").inner_text() == "5 answers are still missing."
        assert server.bodies("api/session/survey") == []
        for key in items:
            if key != "calm":
                choose(key, "neither")
        visitor.press("Save and go on")
        visitor.press("Finish")
        visitor.heading("Thank you, all is saved")
    record = server.saved["survey"]
    assert record["answers"] == {key: 5 if key == "calm" else 3 for key in items}
    assert sorted(record["order"]) == sorted(items)
    assert [choice["answer"] for choice in record["choices"]] == [1, 5, 3, 3, 3, 3, 3]
    assert rising([choice["t"] for choice in record["choices"]])
    assert "reload" in [event["kind"] for event in record["events"]]
