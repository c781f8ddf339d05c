"""Where one clicks is what is recorded: targets are drawn, found on the screen, and clicked."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from fake_study import RADIUS, FakeServer
from PIL import Image
from screen_targets import HALF_A_PIXEL, HEIGHT, WIDTH, furthest_miss, hit, seen_at
from visitor import Visitor

from chromium import CHROMIUM

pytestmark = pytest.mark.browser

Serve = Callable[..., FakeServer]
Visit = Callable[..., Visitor]


def recorded(visitor: Visitor) -> list[dict[str, Any]]:
    """Return the clicks that the page has recorded of the practice image."""
    return list(visitor.kept()["trial:practice1"]["tasks"][0]["clicks"])


@pytest.mark.parametrize(
    ("width", "height", "scale"),
    [(1280, 720, 1), (1024, 768, 1.5), (640, 360, 2), (1731, 937, 3), (811, 1200, 1)],
    ids=["desktop", "laptop", "zoomed to 200 %", "large", "upright"],
)
def test_on_any_screen(serve: Serve, visit: Visit, width: int, height: int, scale: float) -> None:
    viewport = {"width": width, "height": height}
    server = serve()
    with visit(server, viewport=viewport, device_scale_factor=scale) as visitor:
        visitor.reach_practice()
        visitor.start_trial()
        hit(visitor, visitor.page.mouse.click)
        assert furthest_miss(recorded(visitor)) < HALF_A_PIXEL


def test_where_device_pixels_are_odd_fractions(serve: Serve, browser: Any) -> None:
    """Such a screen has to be the browser's own: emulated, it is laid out as no real one is."""
    flags = ["--no-sandbox", "--force-device-scale-factor=2.625", "--window-size=1400,1200"]
    own = browser.browser_type.launch(executable_path=CHROMIUM, args=flags)
    try:
        with Visitor(own, serve().url, viewport=None, no_viewport=True) as visitor:
            assert visitor.page.evaluate("devicePixelRatio") == 2.625
            visitor.reach_practice()
            visitor.start_trial()
            hit(visitor, visitor.page.mouse.click)
            assert furthest_miss(recorded(visitor)) < HALF_A_PIXEL
    finally:
        own.close()


@pytest.mark.parametrize("zoom", [0.8, 1.5])
def test_with_the_page_zoomed_by_a_style(serve: Serve, visit: Visit, zoom: float) -> None:
    server = serve()
    with visit(server) as visitor:
        visitor.reach_practice()
        visitor.page.evaluate("zoom => { document.documentElement.style.zoom = zoom }", zoom)
        visitor.start_trial()
        hit(visitor, visitor.page.mouse.click)
        assert furthest_miss(recorded(visitor)) < HALF_A_PIXEL


def test_after_turning_resizing_and_scrolling_amid_a_trial(serve: Serve, visit: Visit) -> None:
    server = serve()
    with visit(server, viewport={"width": 400, "height": 800}) as visitor:
        visitor.reach_practice()
        visitor.start_trial()
        visitor.page.set_viewport_size({"width": 800, "height": 400})
        visitor.until("document.querySelector('canvas').width !== 368")
        hit(visitor, visitor.page.mouse.click)
        assert furthest_miss(recorded(visitor)) < HALF_A_PIXEL
        visitor.until("Object.values(localStorage).some(kept => kept.includes('resize'))")
        events = visitor.kept()["trial:practice1"]["events"]
    changed = [event["environment"] for event in events if event["kind"] == "resize"]
    assert changed[-1]["viewport_width"] == 800
    assert changed[-1]["image_box"]["height"] <= 400


def test_by_touch_on_a_phone(serve: Serve, visit: Visit) -> None:
    server = serve()
    phone = {"viewport": {"width": 400, "height": 800}, "device_scale_factor": 3}
    with visit(server, has_touch=True, is_mobile=True, **phone) as visitor:
        visitor.reach_practice()
        visitor.start_trial()
        hit(visitor, visitor.page.touchscreen.tap)
        clicks = recorded(visitor)
    assert furthest_miss(clicks) < HALF_A_PIXEL
    assert {click["input"] for click in clicks} == {"touch"}


def test_with_fingers_zoomed_in(serve: Serve, visit: Visit) -> None:
    x, y = 61, 47
    server = serve(targets={(x, y): "#ff0000"})
    with visit(server, has_touch=True, is_mobile=True) as visitor:
        visitor.reach_practice()
        visitor.start_trial()
        control = visitor.context.new_cdp_session(visitor.page)
        control.send("Emulation.setPageScaleFactor", {"pageScaleFactor": 2})
        visitor.until("document.querySelector('canvas').width > 1280")  # drawn again, finer
        box, tap = visitor.box(), visitor.page.touchscreen.tap
        at = (box["x"] + (x + 4) / WIDTH * box["width"], box["y"] + y / HEIGHT * box["height"])
        tap(*at)
        glass = seen_at(visitor, (2 * at[0], 2 * at[1]), "#ff0000")
        assert visitor.page.evaluate("visualViewport.pageTop + visualViewport.pageLeft") == 0
        tap(glass[0] / 2, glass[1] / 2)  # the browser is told of taps in the page's pixels
        visitor.until("Object.values(localStorage).some(kept => kept.includes('\"zoom\",'))")
        record = visitor.kept()["trial:practice1"]
    click = record["tasks"][0]["clicks"][1]
    assert click["x"] * WIDTH == pytest.approx(x + 0.5, abs=HALF_A_PIXEL)
    assert click["y"] * HEIGHT == pytest.approx(y + 0.5, abs=HALF_A_PIXEL)
    zooms = [event for event in record["events"] if event["kind"] == "zoom"]
    assert [event["environment"]["zoom"] for event in zooms] == [2]


def test_scrolling_and_pinching_are_no_clicks(serve: Serve, visit: Visit) -> None:
    server = serve()
    phone = {"viewport": {"width": 400, "height": 500}}
    with visit(server, has_touch=True, is_mobile=True, **phone) as visitor:
        visitor.reach_practice()
        visitor.start_trial()
        box = visitor.box()
        control = visitor.context.new_cdp_session(visitor.page)
        middle = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        control.send("Input.synthesizeScrollGesture", {**middle, "yDistance": -80, "speed": 4000})
        control.send(
            "Input.synthesizePinchGesture", {**middle, "scaleFactor": 1.5, "relativeSpeed": 4000}
        )
        assert visitor.page.evaluate("scrollY") > 0
        assert visitor.page.evaluate("visualViewport.scale") > 1
        assert recorded(visitor) == []


def middle_row(visitor: Visitor) -> np.ndarray:
    """Return the reds of the canvas's middle row as they are seen."""
    screen = Image.open(io.BytesIO(visitor.canvas.screenshot())).convert("RGB")
    return np.asarray(screen)[screen.height // 2, :, 0]


def test_a_bubble_is_a_sharp_disc_of_its_radius(serve: Serve, visit: Visit) -> None:
    server = serve(targets={})
    with visit(server) as visitor:
        visitor.reach_practice()
        visitor.start_trial()
        visitor.click_at(0.5, 0.5)
        row = middle_row(visitor)
        visitor.click_at(0.1, 0.5)
        after = middle_row(visitor)[row.size // 2]
    width = row.size
    sharp = np.flatnonzero(row == 0x30)
    assert sharp.mean() == pytest.approx(width / 2, abs=1)
    assert sharp.size * WIDTH / width == pytest.approx(2 * RADIUS, abs=3)
    assert set(np.delete(row, range(sharp[0] - 5, sharp[-1] + 6))) == {0xB0}
    assert after == 0xB0, "one bubble at a time"


def test_beside_the_image_and_other_buttons_are_no_clicks(serve: Serve, visit: Visit) -> None:
    server = serve()
    with visit(server) as visitor:
        visitor.reach_practice()
        visitor.start_trial()
        box = visitor.box()
        visitor.page.mouse.click(box["x"] - 3, box["y"] + 30)
        visitor.page.mouse.click(box["x"] + 30, box["y"] + 30, button="right")
        assert recorded(visitor) == []
