"""For everyone: keyboard alone, screen readers, contrast, small and zoomed screens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fake_study import RADIUS, FakeServer
from screen_targets import HEIGHT, WIDTH
from visitor import Visitor

pytestmark = pytest.mark.browser

Serve = Callable[..., FakeServer]
Visit = Callable[..., Visitor]

# Texts whose contrast with what lies behind them is below the AA level of WCAG 2.
PALE = """() => {
  const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const part = (v) => ((v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const ground = (node) => {
    for (let at = node; at !== null; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const pale = [];
  for (const node of document.querySelectorAll('body *')) {
    const hasText = [...node.childNodes].some((n) => n.nodeType === 3 && n.data.trim() !== '');
    if (!hasText || !node.checkVisibility() || node.closest('.quiet, script, noscript')) continue;
    const style = getComputedStyle(node);
    const [a, b] = [light(parse(style.color)), light(ground(node))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const isLarge = parseFloat(style.fontSize) >= 24;
    if (ratio < (isLarge ? 3 : 4.5)) pale.push(`${node.textContent} ${ratio.toFixed(2)}`);
  }
  return pale;
}"""

# What a screen reader could not name, and ids that are not unique.
UNNAMED = """() => {
  const nameless = [...document.querySelectorAll('button, a, input, textarea, canvas[role]')]
    .filter((node) => node.checkVisibility() && node.type !== 'hidden')
    .filter((node) => !(node.ariaLabel || node.labels?.length || node.textContent.trim()));
  const ids = [...document.querySelectorAll('[id]')].map((node) => node.id);
  const twice = ids.filter((id, n) => ids.indexOf(id) !== n);
  const refers = [...document.querySelectorAll('[aria-describedby], [aria-labelledby], [for]')]
    .flatMap((node) => ['aria-describedby', 'aria-labelledby', 'for'].flatMap(
      (name) => (node.getAttribute(name) ?? '').split(' ').filter(Boolean)));
  const lost = refers.filter((id) => !ids.includes(id) && id !== 'dialog-title');
  return [...nameless.map((node) => node.outerHTML), ...twice, ...lost];
}"""


def stages(visitor: Visitor) -> Iterator[str]:
    """Walk the whole path with the mouse; stop at everything there is to see."""
    visitor.open()
    visitor.heading("Before you begin")
    yield "consent"
    visitor.press("I agree and want to take part")
    visitor.heading("Is your screen ready?")
    visitor.page.get_by_text("Measure your screen").click()
    yield "device"
    visitor.press("Continue")
    visitor.heading("What you will do")
    yield "instructions"
    visitor.start_trial()
    visitor.press("I have seen enough")
    yield "looking"
    visitor.click_at(0.2, 0.2)
    visitor.click_at(0.5, 0.5)
    visitor.press("I have seen enough")
    visitor.press("Save and go on")
    yield "writing"
    visitor.page.get_by_role("textbox").fill("a red cup")
    visitor.press("Save and go on")
    visitor.heading("Image 1 of 1")
    yield "pause"
    visitor.press("Show the image")
    visitor.look_and_write()
    visitor.heading("About you")
    visitor.press("Save and go on")
    yield "survey"
    for item in ("am calm", "am the life of the party"):
        visitor.page.get_by_role("group", name=item).get_by_label("yes", exact=True).check()
    visitor.press("Save and go on")
    visitor.heading("Almost done: what this was about")
    yield "debrief"
    visitor.press("Finish")
    visitor.heading("Thank you, all is saved")
    yield "done"


@pytest.mark.parametrize(
    ("width", "height", "scheme"),
    [(1280, 720, "light"), (360, 640, "dark"), (640, 360, "light"), (1280, 720, "dark")],
    ids=["desktop", "dark phone", "zoomed to 200 %", "dark desktop"],
)
def test_every_stage(serve: Serve, visit: Visit, width: int, height: int, scheme: str) -> None:
    server = serve(trials=1)
    viewport = {"width": width, "height": height}
    with visit(server, viewport=viewport, color_scheme=scheme, reduced_motion="reduce") as visitor:
        page = visitor.page
        for stage in stages(visitor):
            assert page.locator("h1").count() == 1, stage
            assert page.evaluate(UNNAMED) == [], stage
            assert page.evaluate(PALE) == [], stage
            assert page.evaluate("document.documentElement.scrollWidth") <= width, stage
            assert page.title().endswith("Looking at pictures"), stage
            if stage not in ("writing", "survey", "device", "looking"):
                assert page.evaluate("document.activeElement.tagName") == "H1", stage


def test_by_keyboard_alone(serve: Serve, visit: Visit) -> None:
    server = serve(trials=0, items={"calm": "am calm"})
    with visit(server) as visitor:
        keyboard = visitor.page.keyboard

        def go_to(name: str) -> None:
            """Press Tab until the focus is on something of this name."""
            for _ in range(30):
                keyboard.press("Tab")
                if focused(visitor).startswith(name):
                    return
            raise AssertionError(f"{name} is not reached")

        def use(name: str) -> None:
            go_to(name)
            keyboard.press("Enter")

        visitor.open()
        visitor.heading("Before you begin")
        use("I agree")
        visitor.heading("Is your screen ready?")
        use("Continue")
        visitor.heading("What you will do")
        use("Show the practice image")
        visitor.canvas.wait_for()
        go_to("Blurred image")
        for key in ("ArrowRight", "ArrowRight", "ArrowUp", "Enter", "Shift+ArrowLeft", " "):
            keyboard.press(key)
        assert visitor.page.evaluate("scrollY") == 0, "arrows move the crosshair, not the page"
        use("I have seen enough")
        visitor.page.get_by_role("textbox").wait_for()
        assert focused(visitor) == "Describe the image."
        keyboard.type("a red cup")
        use("Save and go on")
        visitor.heading("About you")
        go_to("no")
        for _ in range(3):
            keyboard.press("ArrowRight")
        use("Save and go on")
        visitor.heading("Almost done: what this was about")
        use("Finish")
        visitor.heading("Thank you, all is saved")
    clicks = server.saved["practice1"]["tasks"][0]["clicks"]
    step = RADIUS / 4
    places = [(click["x"] * WIDTH, click["y"] * HEIGHT) for click in clicks]
    first = (WIDTH / 2 + 2 * step, HEIGHT / 2 - step)
    assert places == [pytest.approx(first), pytest.approx((first[0] - 6 * step, first[1]))]
    assert {click["input"] for click in clicks} == {"keyboard"}
    assert server.saved["survey"]["answers"]["calm"] == 4


def focused(visitor: Visitor) -> str:
    """Return the name of what has the focus."""
    return str(
        visitor.page.evaluate(
            "(e => e.ariaLabel ?? e.labels?.[0]?.innerText ?? e.innerText)(document.activeElement)"
        )
    )


def test_the_crosshair_is_seen_and_held_keys_look_once(serve: Serve, visit: Visit) -> None:
    server = serve(targets={})
    with visit(server) as visitor:
        visitor.reach_practice()
        visitor.start_trial()
        plain = visitor.canvas.screenshot()
        visitor.canvas.focus()
        visitor.page.keyboard.press("ArrowRight")
        assert visitor.canvas.screenshot() != plain
        for _ in range(3):
            visitor.page.keyboard.down("Enter")  # held: the later ones repeat
        visitor.page.keyboard.up("Enter")
        for _ in range(100):
            visitor.page.keyboard.press("Shift+ArrowRight")
        visitor.page.keyboard.press("Enter")
        first, last = visitor.kept()["trial:practice1"]["tasks"][0]["clicks"]
        assert (first["n"], last["x"]) == (1, 1)


def test_what_a_screen_reader_is_told(serve: Serve, visit: Visit) -> None:
    server = serve()
    with visit(server) as visitor:
        page = visitor.page
        visitor.reach_practice()
        steps = page.get_by_role("navigation", name="Steps of the study")
        assert steps.locator("[aria-current=step]").inner_text() == "Images"
        assert "(done)" in steps.locator("li").first.text_content()
        visitor.start_trial()
        image = page.get_by_role("application", name="Blurred image.")
        assert image.count() == 1
        told: Any = page.locator(".counted[role=status]")
        visitor.click_at(0.2, 0.2)
        assert told.inner_text() == "One place so far; 1 more to go."
        visitor.click_at(0.5, 0.5)
        assert told.inner_text() == "2 places of at most 20."
        assert page.locator("li.found").inner_text() == "cup found"
        visitor.press("I have seen enough")
        box = page.get_by_role("textbox", name="Describe the image.")
        assert page.get_by_role("img", name="The image again").count() == 1
        visitor.press("Save and go on")
        described = box.get_attribute("aria-describedby").split()
        assert "more characters" in " ".join(
            page.locator(f"#{i}").text_content() for i in described
        )
        visitor.press("Stop taking part")
        dialog = page.get_by_role("dialog", name="Do you want to stop?")
        dialog.wait_for()
        page.keyboard.press("Escape")
        assert not dialog.is_visible()
        assert server.bodies("api/session/leave") == []


def test_a_browser_without_scripts_is_told(serve: Serve, visit: Visit) -> None:
    server = serve()
    with visit(server, java_script_enabled=False) as visitor:
        visitor.open("?lang=es")
        assert "necesita JavaScript" in visitor.page.locator("main").inner_text()
