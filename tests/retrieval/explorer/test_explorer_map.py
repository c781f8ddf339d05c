"""The map in a real browser: moving, pointing, colouring, choosing and taking away."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path
from typing import Any

import pytest
from made_changes import FORMULA
from visiting import Visit

from beholder.retrieval import EmbeddedStore
from beholder.retrieval.projection import project
from chromium import needs_browser

pytestmark = needs_browser

BY_SOFTWARE = "WebGL2RenderingContext.prototype.getExtension = () => null;"
"""Lets the graphics card's painter work where software stands in for the card."""

INK = """() => {
  const source = document.querySelector("#map canvas");
  const copy = document.createElement("canvas");
  [copy.width, copy.height] = [source.width, source.height];
  const context = copy.getContext("2d");
  context.drawImage(source, 0, 0);
  const data = context.getImageData(0, 0, copy.width, copy.height).data;
  let inked = 0;
  for (let n = 0; n < data.length; n += 4) {
    if (data[n + 3] > 200) inked += 1;
  }
  return inked;
}"""


@pytest.fixture(scope="module")
def places(explored: EmbeddedStore) -> dict[int, tuple[float, float]]:
    """Where each sample lies, from 0 to 1."""
    with explored.read() as snapshot:
        made = project(snapshot)
    return dict(zip(made.samples.tolist(), map(tuple, made.points.tolist()), strict=True))


@pytest.fixture
def opened(visit: Any) -> Visit:
    page: Visit = visit("/map")
    page.page.wait_for_selector("#list tbody tr")
    return page


def pixel(page: Visit, place: tuple[float, float]) -> tuple[float, float]:
    """Return where a place of the whole map is on the screen."""
    left, top, width, height = page.page.evaluate(
        """(() => { const room = document.getElementById("map");
          const box = room.getBoundingClientRect();
          return [box.left + room.clientLeft, box.top + room.clientTop,
                  room.clientWidth, room.clientHeight]; })()"""
    )
    scale = min(width, height) * 0.92
    return left + width / 2 + (place[0] - 0.5) * scale, top + height / 2 + (place[1] - 0.5) * scale


def lonely(places: dict[int, tuple[float, float]]) -> int:
    """Return the sample that is furthest from all others."""

    def gap(number: int) -> float:
        x, y = places[number]
        others = (place for other, place in places.items() if other != number)
        return min((x - a) ** 2 + (y - b) ** 2 for a, b in others)

    return max(places, key=gap)


def listed(page: Visit) -> list[int]:
    return [int(text.replace(",", "")) for text in page.texts("#list tbody th")]


def test_all_samples_are_shown_and_listed(opened: Visit) -> None:
    opened.says("#told", "192 samples and 12 people, by what their text is in the style space")
    opened.says("#list-title", "192 samples in view")
    assert len(listed(opened)) == 20
    opened.page.locator("#list .pager").get_by_role("button", name="Next").click()
    opened.says("#list .pager", "Page 2 of 10")
    assert opened.page.evaluate("document.activeElement.textContent") == "Next"
    assert opened.page.evaluate(INK) > 500
    assert opened.texts("#space option") == ["base", "content", "style", "combined"]
    opened.fits()


@pytest.mark.parametrize("script", [None, BY_SOFTWARE], ids=["pixels", "graphics card"])
def test_both_painters_put_a_sample_where_it_is(
    visit: Any, places: dict[int, tuple[float, float]], script: str | None
) -> None:
    page = visit("/map#people=0", script)
    page.page.wait_for_selector("#list tbody tr")
    number = lonely(places)
    x, y = pixel(page, places[number])
    page.page.mouse.move(x, y)
    page.page.wait_for_selector("#sample .frame")
    shot = page.page.screenshot(clip={"x": x - 2, "y": y - 2, "width": 5, "height": 5})
    far = page.page.screenshot(clip={"x": x + 40, "y": y - 2, "width": 5, "height": 5})
    assert colour_of(far) == (255, 255, 255) != colour_of(shot)
    is_card = page.page.evaluate("document.querySelector('#map canvas').getContext('2d') === null")
    assert is_card == (script is not None)


def colour_of(png: bytes) -> tuple[int, int, int]:
    from PIL import Image

    pixel = Image.open(io.BytesIO(png)).convert("RGB").getpixel((2, 2))
    assert isinstance(pixel, tuple)
    return pixel[0], pixel[1], pixel[2]


def test_a_sample_is_pointed_at_and_kept(
    opened: Visit, places: dict[int, tuple[float, float]], explored: EmbeddedStore
) -> None:
    number = lonely(places)
    with explored.read() as snapshot:
        sample = snapshot.samples([number])[number]
    opened.page.get_by_role("checkbox", name="People").uncheck()
    x, y = pixel(opened, places[number])
    opened.page.mouse.move(x + 2, y + 2)
    opened.says("#sample .links >> nth=0", f"on {sample.image}")
    opened.page.mouse.move(5, 5)
    opened.says("#sample", "Point at a sample")
    opened.page.mouse.click(x + 2, y + 2)
    opened.address_holds(f"sample={number}")
    opened.page.mouse.move(5, 5)
    opened.page.reload()
    opened.says("#sample .links >> nth=0", f"on {sample.image}")
    opened.page.get_by_role("link", name="Ask with these words").click()
    opened.has("li.answer", 12)
    opened.page.go_back()
    opened.says("#sample .links >> nth=0", f"on {sample.image}")


def test_people_lie_amid_their_samples(opened: Visit, explored: EmbeddedStore) -> None:
    with explored.read() as snapshot:
        made = project(snapshot)
        name = snapshot.participants([int(made.participants[0])])[int(made.participants[0])].name
    x, y = pixel(opened, tuple(made.people[0].tolist()))
    opened.page.mouse.click(x, y)
    opened.page.wait_for_selector("#sample h3")
    opened.address_holds("person=")
    assert name in [one.name for one in _people(explored)]


def _people(store: EmbeddedStore) -> Any:
    with store.read() as snapshot:
        return snapshot.catalogue().participants


def test_the_map_is_moved_and_zoomed_by_mouse_and_keys(opened: Visit) -> None:
    box = opened.page.locator("#map").bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    opened.page.mouse.move(*middle)
    for _ in range(4):
        opened.page.mouse.wheel(0, -300)
    opened.until("location.hash.includes('at=')")
    opened.until("!document.getElementById('list-title').textContent.startsWith('192')")
    zoomed = opened.fragment
    opened.page.mouse.down()
    opened.page.mouse.move(middle[0] + 120, middle[1] + 30, steps=4)
    opened.page.mouse.up()
    opened.until(f"location.hash.slice(1) !== {zoomed!r}")
    assert "sample=" not in opened.fragment  # a drag is no click
    opened.page.locator("#map").focus()
    opened.page.keyboard.press("0")
    opened.until("!location.hash.includes('at=')")
    opened.says("#list-title", "192 samples in view")
    for key in ("+", "+", "+", "ArrowLeft", "ArrowUp", "-"):
        opened.page.keyboard.press(key)
    opened.until("location.hash.includes('at=')")
    x, y, zoom = (float(n) for n in opened.fragment.partition("at=")[2].split("&")[0].split("_"))
    assert zoom == pytest.approx(1.5**2, abs=0.01) and x < 0.5 and y < 0.5
    opened.page.keyboard.press("Enter")
    opened.until("location.hash.includes('sample=') || location.hash.includes('person=')")
    opened.page.get_by_role("button", name="Choose what is in view").focus()
    opened.page.keyboard.press("Enter")
    opened.says("#list-title", "chosen")
    opened.page.locator("#map").focus()
    opened.page.keyboard.press("Escape")
    opened.says("#list-title", "in view")


def test_what_is_zoomed_into_stays_under_the_pointer(
    visit: Any, places: dict[int, tuple[float, float]], explored: EmbeddedStore
) -> None:
    page = visit("/map#people=0")
    page.page.wait_for_selector("#list tbody tr")
    number = lonely(places)
    x, y = pixel(page, places[number])
    page.page.mouse.move(x, y)
    page.page.mouse.wheel(0, -600)
    page.until("location.hash.includes('at=')")
    page.page.mouse.move(x + 3, y)
    page.page.mouse.click(x + 2, y)
    page.until("location.hash.includes('sample=')")
    page.address_holds(f"sample={number}")
    [at] = [part for part in page.fragment.split("&") if part.startswith("at=")]
    left, top, zoom = map(float, at[3:].split("_"))
    assert zoom == pytest.approx(math.exp(1.5), rel=0.01)
    across, down = places[number]
    assert (across - left) * zoom == pytest.approx(across - 0.5, abs=0.01)
    assert (down - top) * zoom == pytest.approx(down - 0.5, abs=0.01)


def test_two_fingers_zoom(visit: Any) -> None:
    page = visit("/map", viewport={"width": 400, "height": 800}, has_touch=True)
    page.page.wait_for_selector("#list tbody tr")
    page.page.locator("#map").scroll_into_view_if_needed()
    box = page.page.locator("#map").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    fingers = page.context.new_cdp_session(page.page)

    def touch(kind: str, apart: float) -> None:
        points = [{"x": x - apart, "y": y, "id": 0}, {"x": x + apart, "y": y, "id": 1}]
        ended = {"type": kind, "touchPoints": [] if kind == "touchEnd" else points}
        fingers.send("Input.dispatchTouchEvent", ended)

    touch("touchStart", 30)
    for apart in (40, 60, 80, 90):
        touch("touchMove", apart)
    touch("touchEnd", 90)
    page.until("location.hash.includes('at=')")
    zoom = float(page.fragment.partition("at=")[2].split("&")[0].split("_")[2])
    assert zoom == pytest.approx(3, rel=0.1)
    page.fits()


def test_colours_have_a_legend_and_single_out(opened: Visit) -> None:
    assert opened.page.locator("#legend .mark-one").count() == 12
    before = opened.page.evaluate(INK)
    opened.page.locator("#legend .mark-one").first.click()
    opened.address_holds("mark=")
    opened.until(f"({INK})() < {before} / 3")
    assert opened.page.locator("#legend [aria-pressed=true]").count() == 1
    assert opened.page.evaluate("document.activeElement.ariaPressed") == "true"
    opened.page.get_by_label("Colour").select_option("error")
    opened.says("#legend", "How many of the others lie nearer")
    opened.says("#legend .ends", "100 %")
    opened.page.get_by_label("Colour").select_option("trait:openness")
    opened.says("#legend .ends", "1")
    opened.says("#legend", "not known: 1")  # the sample of nobody
    opened.page.get_by_label("Colour").select_option("image")
    opened.says("#legend", "and 4 more")
    opened.page.go_back()
    opened.says("#legend h2", "trait: openness")
    opened.page.reload()
    opened.says("#legend h2", "trait: openness")


def test_a_lasso_chooses_what_lies_inside(
    opened: Visit, places: dict[int, tuple[float, float]]
) -> None:
    corners = [(0.3, 0.3), (0.7, 0.3), (0.7, 0.7), (0.3, 0.7)]
    opened.page.get_by_role("button", name="Lasso").click()
    opened.page.mouse.move(*pixel(opened, corners[0]))
    opened.page.mouse.down()
    for corner in [*corners[1:], corners[0]]:
        opened.page.mouse.move(*pixel(opened, corner), steps=8)
    opened.page.mouse.up()
    opened.says("#list-title", "chosen")
    edge = 0.01
    surely = {n for n, p in places.items() if all(0.3 + edge < v < 0.7 - edge for v in p)}
    maybe = {n for n, p in places.items() if all(0.3 - edge < v < 0.7 + edge for v in p)}
    with opened.page.expect_download() as download:
        opened.page.get_by_role("button", name="Export as CSV").click()
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text("utf-8"))))
    chosen = {int(row["sample"]) for row in rows}
    assert surely <= chosen <= maybe and len(surely) > 10
    opened.says("#list-title", f"{len(chosen)} samples chosen")
    for row in rows:
        x, y = places[int(row["sample"])]
        assert float(row["x"]) == pytest.approx(x, abs=1e-4)
        assert float(row["y"]) == pytest.approx(y, abs=1e-4)
    assert opened.page.get_attribute("#lasso", "aria-pressed") == "false"
    opened.page.reload()
    opened.says("#list-title", "samples chosen")
    number = listed(opened)[0]
    opened.page.get_by_role("button", name=f"Show sample {number}", exact=True).click()
    opened.address_holds(f"sample={number}")
    opened.page.get_by_role("button", name="Forget the choice").click()
    opened.says("#list-title", "192 samples in view")
    opened.page.go_back()
    opened.says("#list-title", "samples chosen")


def test_an_export_runs_nothing_in_a_spreadsheet(opened: Visit) -> None:
    with opened.page.expect_download() as download:
        opened.page.get_by_role("button", name="Export as CSV").click()
    text = Path(download.value.path()).read_text("utf-8")
    people = {row["participant"] for row in csv.DictReader(io.StringIO(text))}
    assert f"'{FORMULA}" in people and FORMULA not in people
    assert "" in people  # nobody
    made = opened.page.evaluate(
        """async () => (await import("/static/explorer/csv.js"))
          .csv([["=1", "+1", "-1", "@a", "\\tb", 'say "x"', "a,b", -1, null, "p-1"]])"""
    )
    [row] = csv.reader(io.StringIO(made))
    assert row == ["'=1", "'+1", "'-1", "'@a", "'\tb", 'say "x"', "a,b", "-1", "", "p-1"]


def test_the_nearest_are_found_as_by_looking_at_all(opened: Visit) -> None:
    wrong = opened.page.evaluate(
        """async () => {
          const { Cloud } = await import("/static/explorer/cloud.js");
          let seed = 7;
          const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
          const many = (length, make) => Array.from({ length }, make);
          const count = 3000;
          const cloud = new Cloud({
            samples: many(count, (_, n) => n), participants: [], images: {}, parts: [],
            x: many(count, () => Math.floor(random() ** 3 * 65535)),
            y: many(count, () => Math.floor(random() * 65535)),
          });
          const far = (row, x, y) =>
            (cloud.places[2 * row] - x) ** 2 + (cloud.places[2 * row + 1] - y) ** 2;
          const rows = many(count, (_, n) => n);
          let wrong = 0;
          for (let n = 0; n < 200; n += 1) {
            const [x, y, radius] = [random() * 1.2 - 0.1, random() * 1.2 - 0.1, random() * 0.2];
            const best = rows.reduce((a, b) => (far(b, x, y) < far(a, x, y) ? b : a));
            const own = cloud.nearest(x, y, radius);
            const expected = far(best, x, y) <= radius * radius ? far(best, x, y) : null;
            if ((own < 0 ? null : far(own, x, y)) !== expected) wrong += 1;
            const [a, b] = [random(), random()];
            const box = [Math.min(x, a), Math.min(y, b), Math.max(x, a), Math.max(y, b)];
            const inside = rows.filter((row) => cloud.places[2 * row] >= box[0]
              && cloud.places[2 * row] <= box[2] && cloud.places[2 * row + 1] >= box[1]
              && cloud.places[2 * row + 1] <= box[3]);
            if (String(cloud.within(...box)) !== String(inside)) wrong += 1;
            const line = [{ x: box[0], y: box[1] }, { x: box[2], y: box[1] },
              { x: box[2], y: box[3] }, { x: box[0], y: box[3] }];
            const strictly = cloud.inside(line).length;
            if (Math.abs(strictly - inside.length) > 1) wrong += 1;
          }
          return wrong;
        }"""
    )
    assert wrong == 0


def test_another_space_is_another_map_and_back(opened: Visit) -> None:
    before = opened.page.evaluate(INK)
    opened.page.get_by_label("Space").select_option("content")
    opened.says("#told", "in the content space")
    opened.page.get_by_label("By").select_option("gaze")
    opened.says("#told", "by what their gaze is")
    opened.address_holds("space=content&modality=gaze")
    opened.page.go_back()
    opened.page.go_back()
    opened.says("#told", "text is in the style space")
    assert opened.page.input_value("#space") == "style"
    opened.until(f"({INK})() === {before}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_map_fits_a_phone(visit: Any, scheme: str) -> None:
    page = visit("/map", viewport={"width": 400, "height": 800}, color_scheme=scheme)
    page.page.wait_for_selector("#list tbody tr")
    page.fits()
    inked = page.page.evaluate(INK)
    page.page.emulate_media(color_scheme="dark" if scheme == "light" else "light")
    page.page.wait_for_timeout(100)
    assert page.page.evaluate(INK) == inked
    assert page.page.get_by_role("application", name="Map of the samples").count() == 1
    assert page.page.get_by_role("table", name="192 samples in view").count() == 1
