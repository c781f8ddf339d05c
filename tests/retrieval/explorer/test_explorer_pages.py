"""The pages of images and people: as the server writes them, and in a real browser."""

from __future__ import annotations

import re
from typing import Any

import pytest
from fastapi.testclient import TestClient
from made_changes import FORMULA, HOSTILE, LONG, RTL
from visiting import TOKEN

from beholder.retrieval import EmbeddedStore, forget
from beholder.retrieval.explorer.listing import sheet
from beholder.retrieval.service import Settings, create_app
from chromium import needs_browser

LOCAL = "http://localhost"


@pytest.fixture(scope="module")
def client(explored: EmbeddedStore) -> TestClient:
    return TestClient(create_app(explored), base_url=LOCAL)


@pytest.mark.parametrize(
    ("count", "page", "size", "expected"),
    [
        (0, 1, 5, ((), 1, 1, 0)),
        (5, 1, 5, (range(5), 1, 1, 1)),
        (6, 2, 5, ([5], 2, 2, 6)),
        (6, 0, 5, (range(5), 1, 2, 1)),
        (6, 99, 5, ([5], 2, 2, 6)),
    ],
)
def test_a_sheet_is_the_page_that_was_asked_or_the_nearest(
    count: int, page: int, size: int, expected: Any
) -> None:
    made = sheet(range(count), page, size)
    assert (made.items, made.page, made.pages, made.first) == (tuple(expected[0]), *expected[1:])
    assert made.total == count


@pytest.mark.parametrize("path", ["/", "/map", "/images", "/people", "/images/0", "/people/11"])
def test_every_page_is_whole_without_a_script(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.text.count("<h1") == 1 and 'aria-label="Pages"' in answer.text
    assert " style=" not in answer.text and " onclick" not in answer.text
    assert "<script>" not in answer.text


@pytest.mark.parametrize("path", ["/images/9999", "/people/9999"])
def test_what_is_not_there_is_said_on_a_page(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "9999" in answer.text and "<h1>Not here</h1>" in answer.text


@pytest.mark.parametrize("page", ["x", "-1", "0", "²", "9" * 400, "1e3", ""])
def test_a_page_that_makes_no_sense_is_the_nearest(client: TestClient, page: str) -> None:
    answer = client.get("/images", params={"page": page})
    assert answer.status_code == 200
    assert "16 images" in answer.text


def test_lists_are_found_in_by_a_part_of_the_name(
    client: TestClient, explored: EmbeddedStore
) -> None:
    with explored.read() as snapshot:
        name = snapshot.images([7])[7].name
    answer = client.get("/images", params={"like": name.upper()[1:]})
    assert answer.text.count('href="/images/') == 1 and name in answer.text
    answer = client.get("/people", params={"like": "<script>"})
    assert "No people" in answer.text and "&lt;script&gt;" in answer.text


def test_no_file_beside_the_pages_own_is_served(client: TestClient) -> None:
    for path in ("../pages.py", "..%2fpages.py", "%2e%2e/pages.py", "/etc/passwd", "nothing.js"):
        assert client.get(f"/static/explorer/{path}").status_code == 404
    answer = client.get("/static/explorer/search.js")
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["cache-control"] == "no-cache"
    again = client.get(
        "/static/explorer/search.js", headers={"If-None-Match": answer.headers["etag"]}
    )
    assert again.status_code == 304


def test_addresses_stand_under_a_proxys_prefix(explored: EmbeddedStore) -> None:
    client = TestClient(create_app(explored), base_url=LOCAL, root_path="/lab")
    text = client.get("/images/0").text
    assert 'data-base="/lab"' in text and 'src="/lab/v1/images/0/thumbnail"' in text
    assert 'href="/images' not in text and 'src="/static' not in text


def test_there_is_a_way_out_where_a_token_was_the_way_in(explored: EmbeddedStore) -> None:
    assert 'action="/leave"' not in TestClient(create_app(explored), base_url=LOCAL).get("/").text
    wanted = create_app(explored, Settings("its token"))
    client = TestClient(wanted, headers={"Authorization": "Bearer its token"}, root_path="/lab")
    for path in ("/", "/map", "/images", "/people", "/images/0", "/people/2", "/people/9999"):
        (form,) = re.findall(r"<form[^>]*/leave.*?</form>", client.get(path).text)
        assert 'method="post" action="/lab/leave"' in form and ">Sign out</button>" in form


def test_who_left_is_on_no_page(
    explored: EmbeddedStore, tmp_path_factory: pytest.TempPathFactory
) -> None:
    import shutil

    path = tmp_path_factory.mktemp("left") / "store"
    shutil.copytree(explored.path, path)
    store = EmbeddedStore.open(path)
    client = TestClient(create_app(store), base_url=LOCAL)
    name = "cmd|"
    assert name in client.get("/people").text
    forget(store, FORMULA)
    assert name not in client.get("/people").text
    assert client.get("/people/11").status_code == 404
    assert all(name not in client.get(f"/images/{number}").text for number in range(16))


@pytest.mark.browser
class TestInABrowser:
    """Looked at with Chromium."""

    pytestmark = needs_browser

    def test_an_image_shows_all_who_saw_it(self, visit: Any, explored: EmbeddedStore) -> None:
        with explored.read() as snapshot:
            sample = snapshot.samples([3])[3]
            image = snapshot.image(sample.image)
            samples = snapshot.samples_on(image.name)
        page = visit(f"/images/{image.number}")
        assert page.text("h1") == image.name
        page.has("li.sample", len(samples))
        page.page.locator("#sample-3").scroll_into_view_if_needed()
        page.page.locator("#sample-3 rect.area").first.wait_for()
        assert (
            page.page.locator("#sample-3 svg.gaze")
            .get_attribute("aria-label")
            .startswith("3 areas")
        )
        card = page.page.locator(f"#sample-{samples[0].number}")
        assert card.locator(".traits dd").count() == 5
        card.get_by_role("link").first.click()
        assert page.text("h1") == samples[0].participant
        page.page.go_back()
        page.page.get_by_role("link", name="Draw on it").click()
        page.page.wait_for_selector(".surface svg")
        assert page.page.input_value("#pick-image input") == image.name
        page.fits()

    def test_a_person_shows_all_their_images(self, visit: Any, explored: EmbeddedStore) -> None:
        with explored.read() as snapshot:
            person = snapshot.participants([2])[2]
            samples = snapshot.samples_of(person.name)
        page = visit("/people?like=" + person.name)
        page.page.get_by_role("link", name=person.name).click()
        assert page.text("h1") == person.name
        page.has("li.sample", len(samples))
        page.page.locator("li.sample svg.gaze g.order, li.sample svg.gaze circle").first.wait_for(
            state="attached"
        )
        told = page.texts("#survey .traits div")
        assert [text.split("\n")[0] for text in told] == list(person.traits or {})
        page.page.get_by_text("The 10 answers").click()
        assert [int(text) for text in page.texts("#survey td")] == list(person.answers or ())
        page.page.get_by_role("link", name="Ask with this survey").click()
        page.has("li.answer", 12)
        page.page.go_back()
        page.page.get_by_role("link", name="Show on the map").click()
        page.page.wait_for_selector("#legend [aria-pressed=true]")
        assert person.name in page.text("#legend [aria-pressed=true]")
        page.fits()

    def test_hostile_words_are_words(self, visit: Any, explored: EmbeddedStore) -> None:
        with explored.read() as snapshot:
            samples = snapshot.samples(range(6))
            numbers = {n: snapshot.image(one.image).number for n, one in samples.items()}
        page = visit(f"/images/{numbers[0]}")
        assert page.text("#sample-0 blockquote") == HOSTILE
        assert page.page.locator("main script, blockquote img").count() == 0
        page.page.goto(f"{page.address}/images/{numbers[1]}")
        assert page.text("#sample-1 blockquote") == RTL
        direction = "getComputedStyle(document.querySelector('#sample-1 blockquote')).direction"
        assert page.page.evaluate(direction) == "rtl"
        page.page.goto(f"{page.address}/images/{numbers[2]}")
        folded = page.page.locator("#sample-2 blockquote").bounding_box()["height"]
        page.page.locator("#sample-2").get_by_role("button", name="Show all").click()
        assert page.page.locator("#sample-2 blockquote").bounding_box()["height"] > 3 * folded
        assert page.page.locator("#sample-2 blockquote").text_content() == LONG
        page.page.goto(f"{page.address}/people/11")
        assert page.text("h1") == FORMULA
        page.page.get_by_role("link", name=f"Search as {FORMULA}").click()
        page.until("document.getElementById('as')?.value.startsWith('=cmd')")
        page.fits()

    @pytest.mark.parametrize("width", [320, 1300])
    def test_a_visitor_who_entered_signs_out_by_keyboard(
        self, visit: Any, guarded: str, width: int
    ) -> None:
        page = visit("/images", at=guarded, viewport={"width": width, "height": 800})
        page.page.get_by_label("The token").fill(TOKEN)
        page.page.get_by_role("button", name="Enter").click()
        page.page.wait_for_url(f"{guarded}/images")
        page.fits()
        page.page.get_by_role("link", name="People", exact=True).focus()
        page.page.keyboard.press("Tab")
        focused = page.page.locator(":focus")
        assert focused.get_attribute("class") == "button" and focused.inner_text() == "Sign out"
        heights = [link.bounding_box()["height"] for link in page.page.locator(".top nav a").all()]
        assert max(heights) < 48  # their names are in one line
        page.page.keyboard.press("Enter")
        page.page.wait_for_url(f"{guarded}/enter")
        assert page.context.cookies() == []
        page.page.go_back()
        page.page.wait_for_url(f"{guarded}/enter?to=%2Fimages")
        page.page.get_by_label("The token").wait_for()

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("path", ["/images", "/images/0", "/people", "/people/2"])
    def test_pages_fit_a_phone(self, visit: Any, path: str, scheme: str) -> None:
        page = visit(path, viewport={"width": 400, "height": 800}, color_scheme=scheme)
        page.page.wait_for_load_state("networkidle")
        page.fits()
        assert page.page.get_by_role("main").count() == 1
        assert page.page.get_by_role("heading", level=1).count() == 1
        background = page.page.evaluate("getComputedStyle(document.body).backgroundColor")
        is_dark = sum(map(int, background.strip("rgb()").split(","))) < 382
        assert is_dark == (scheme == "dark")
