"""The whole path in a real browser against the real server, with everything going wrong."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from screen_targets import HALF_A_PIXEL, TARGETS, furthest_miss, hit, image_with
from visitor import Visitor

from beholder.collect.loading import load_definition
from beholder.collect.store import open_store
from chromium import chromium, needs_browser

pytestmark = needs_browser

DEFINITION = """
schema_version = 1
name = "targets"
title = { en = "Targets", es = "Dianas" }
languages = ["en", "es"]

[consent]
version = "1"
text = { en = "Do you agree?", es = "¿Está de acuerdo?" }

[images]
folder = "images"
viewers = 3
set_size = 3

[[tasks]]
name = "look"
kind = "bubbles"
blur = "4%"
bubble_radius = "40px"
minimum_clicks = 2
maximum_clicks = 20

[[tasks]]
name = "describe"
kind = "caption"
prompt = { en = "Describe it.", es = "Descríbala." }
minimum_characters = 5
maximum_characters = 200

[[practice]]
image = "practice/1.png"
areas = [{ x = 0.4, y = 0.4, width = 0.2, height = 0.2, name = "dot" }]

[survey]
instrument = "short.toml"
texts.es = { stem = "Yo", labels = ["no", "quizás", "sí"], items = { a = "calma", b = "ruido" } }

[platforms]
allowed = ["link"]

[completion.codes]
complete = "C0MPLETE"
"""

INSTRUMENT = """
name = "short"
title = "Two questions"
source = "made for tests"
notice = ""
stem = "I"
scale = { minimum = 1, maximum = 3, labels = ["no", "perhaps", "yes"] }
items = [
  { key = "a", text = "am calm", trait = "t" },
  { key = "b", text = "am loud", trait = "t", reversed = true },
]
"""


class Server:
    """`beholder collect serve` in a process of its own, on one port for as long as it lives."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "beholder", "collect", "serve", "definition.toml"]
        options = ["--port", str(self.port), "--data", "data", "--key-file", "key"]
        with (self.folder / "log").open("a") as log:
            self.process = subprocess.Popen(
                [*command, *options],
                cwd=self.folder,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=os.environ | {"OMP_NUM_THREADS": "1"},
            )
        assert self.process.stdout is not None
        said = self.process.stdout.readline()
        assert said.startswith("ready on "), (said, (self.folder / "log").read_text())

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def recorded(self) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """Return the only participant's records in order, and their survey."""
        definition = load_definition(self.folder / "definition.toml")
        store = open_store(f"sqlite:///{self.folder / 'data' / 'collect.sqlite'}", definition)
        try:
            [row] = store.participants()
            records = [trial.record for trial in store.trials(row.session)]
            survey = store.survey(row.session)
            assert row.outcome == "complete"
            assert survey is not None
            assert all(records)
            return [record for record in records if record], survey.answers
        finally:
            store.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    (tmp_path / "definition.toml").write_text(DEFINITION, "utf-8")
    (tmp_path / "short.toml").write_text(INSTRUMENT, "utf-8")
    for name in ("practice/1.png", "1.png", "2.png", "3.png"):
        path = tmp_path / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        image_with(TARGETS).save(path)
    running = Server(tmp_path)
    yield running
    running.kill()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as opened:
        yield opened


def answer_survey_and_finish(visitor: Visitor) -> None:
    visitor.heading("About you")
    for item, answer in (("am calm", "yes"), ("am loud", "no")):
        visitor.page.get_by_role("group", name=item).get_by_label(answer, exact=True).check()
    visitor.press("Save and go on")
    visitor.heading("Almost done: what this was about")
    visitor.press("Finish")
    visitor.heading("Thank you, all is saved")
    assert visitor.page.get_by_label("Your completion code").input_value() == "C0MPLETE"


def test_from_consent_to_code_with_everything_going_wrong(server: Server, browser: Any) -> None:
    with Visitor(browser, server.url) as visitor:
        page = visitor.page
        visitor.reach_practice()
        visitor.start_trial()
        visitor.look_and_write("seen in practice")

        visitor.heading("Image 1 of 3")
        visitor.press("Show the image")
        visitor.click_at(0.1, 0.2)
        page.reload()  # amid a trial
        visitor.look_and_write("after a reload")

        visitor.heading("Image 2 of 3")
        visitor.press("Show the image")
        visitor.click_at(0.9, 0.8)
        server.kill()  # during a trial
        visitor.look_and_write("after a crash")
        visitor.heading("Saving your work…")
        page.get_by_text("The server does not answer. Your work is kept here").wait_for()
        waiting = visitor.kept()["outbox"]["body"]
        server.start()

        visitor.heading("Image 3 of 3")
        visitor.press("Show the image")
        visitor.canvas.wait_for()
        visitor.context.set_offline(True)
        visitor.look_and_write("after a cut")
        page.get_by_text("You are offline. Your work is kept here").wait_for()
        visitor.context.set_offline(False)

        answer_survey_and_finish(visitor)
        assert visitor.kept() == {}
        page.reload()
        visitor.heading("Thank you, all is saved")

    records, survey = server.recorded()
    texts = [record["tasks"][1]["text"] for record in records]
    assert texts == ["seen in practice", "after a reload", "after a crash", "after a cut"]
    assert len({record["client_id"] for record in records}) == 4
    assert records[2]["client_id"] == waiting["client_id"]
    assert records[2]["tasks"][0]["clicks"] == waiting["tasks"][0]["clicks"]
    assert [len(record["tasks"][0]["clicks"]) for record in records] == [2, 3, 3, 2]
    for record in records:
        clicks = record["tasks"][0]["clicks"]
        assert [click["n"] for click in clicks] == list(range(1, len(clicks) + 1))
        assert [click["t"] for click in clicks] == sorted(click["t"] for click in clicks)
        assert {click["radius_px"] for click in clicks} == {40}
    assert "reload" in [event["kind"] for event in records[1]["events"]]
    assert "offline" in [event["kind"] for event in records[3]["events"]]
    assert survey == {"a": 3, "b": 1}


PHONE = {
    "viewport": {"width": 400, "height": 800},
    "device_scale_factor": 3,
    "has_touch": True,
    "is_mobile": True,
}
# What a window of 1280 × 720 shows at a zoom of 200 %.
ZOOMED = {"viewport": {"width": 640, "height": 360}, "device_scale_factor": 2}


@pytest.mark.parametrize("screen", [PHONE, ZOOMED], ids=["400-pixel phone", "200 % zoom"])
def test_targets_on_a_small_screen(server: Server, browser: Any, screen: dict[str, Any]) -> None:
    with Visitor(browser, server.url, **screen) as visitor:
        is_phone = "has_touch" in screen
        click = visitor.page.touchscreen.tap if is_phone else visitor.page.mouse.click
        visitor.reach_practice()
        visitor.start_trial()
        visitor.look_and_write()
        for number in (1, 2, 3):
            visitor.heading(f"Image {number} of 3")
            visitor.press("Show the image")
            visitor.canvas.wait_for()
            hit(visitor, click)
            visitor.press("I have seen enough")
            visitor.page.get_by_role("textbox").fill(f"four dots in image {number}")
            visitor.press("Save and go on")
        answer_survey_and_finish(visitor)
        assert visitor.page.evaluate("document.documentElement.scrollWidth") <= 640

    records, _ = server.recorded()
    for record in records[1:]:
        clicks = record["tasks"][0]["clicks"]
        assert furthest_miss(clicks) < HALF_A_PIXEL
        assert {click["input"] for click in clicks} == {"touch" if is_phone else "mouse"}
        assert record["environment"]["device_pixel_ratio"] == screen["device_scale_factor"]
