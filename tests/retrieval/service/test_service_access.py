"""Who is answered, and with which headers."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from store_service import TOKEN, kind, serving

from beholder.retrieval import EmbeddedStore
from beholder.retrieval.service import Settings
from beholder.retrieval.service.access import (
    COOKIE,
    COOKIE_SECONDS,
    cookie_for,
    is_cookie_for,
    is_loopback,
)

BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def guarded(tiny_store: EmbeddedStore) -> Iterator[TestClient]:
    """A server that wants its token, by the name that a proxy gives it."""
    with serving(tiny_store, Settings(TOKEN), "study.example") as client:
        yield client


@pytest.fixture
def browser(guarded: TestClient) -> Iterator[TestClient]:
    guarded.cookies.clear()
    yield guarded
    guarded.cookies.clear()


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8090", "127.0.0.1:1", "127.9.9.9", "[::1]:8090", "LOCALHOST"]
)
def test_this_machine_is_answered_by_its_own_names(client: TestClient, host: str) -> None:
    assert client.get("/v1/store", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "192.168.0.1"),
        *(
            "0.0.0.0",
            "",
            "[::1",
            "evil.example:127.0.0.1",
            "user@localhost.evil",
            "169.254.169.254",
        ),
        "[::2]",
    ],
)
def test_a_page_whose_name_leads_here_is_not_answered(client: TestClient, host: str) -> None:
    for path in ("/v1/store", "/", "/health", "/static/explorer/eye.svg"):
        refused = client.get(path, headers={"Host": host})
        assert (refused.status_code, kind(refused)) == (403, "wrong_host")


def test_a_host_named_twice_is_not_answered(client: TestClient) -> None:
    twice = [("Host", "localhost"), ("Host", "evil.example")]
    assert client.get("/v1/store", headers=twice).status_code == 403


def test_the_token_is_wanted_for_all_but_what_says_nothing(browser: TestClient) -> None:
    for path in ("/health", "/ready", "/enter", "/static/explorer/eye.svg"):
        assert browser.get(path).status_code == 200, path
    for path in ("/v1/store", "/v1/images/0/thumbnail", "/metrics", "/openapi.json", "/", "/x"):
        refused = browser.get(path)
        assert (refused.status_code, kind(refused)) == (401, "no_access")
        assert refused.headers["www-authenticate"] == "Bearer"
    refused = browser.post("/v1/search", json={"text": "a"})
    assert (refused.status_code, kind(refused)) == (401, "no_access")
    assert browser.get("/v1/store", headers=BEARER).status_code == 200
    assert browser.post("/v1/search", json={"text": "a"}, headers=BEARER).status_code == 200
    assert browser.get("/metrics", headers=BEARER).status_code == 200


@pytest.mark.parametrize(
    "given",
    [
        *("", "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}"),
        *(TOKEN, "Bearer \xff", "Bearer " + "a" * 5000),
    ],
)
def test_a_wrong_token_is_none(browser: TestClient, given: str) -> None:
    headers = [("Authorization", given.encode("latin-1"))]
    assert browser.get("/v1/store", headers=headers).status_code == 401


def test_a_browser_enters_once_and_leaves(browser: TestClient) -> None:
    sent = browser.get("/images?like=a&page=2", headers={"Accept": "text/html"})
    assert sent.status_code == 303
    assert sent.headers["location"] == "/enter?to=%2Fimages%3Flike%3Da%26page%3D2"
    page = browser.get(sent.headers["location"])
    assert 'name="to" value="/images?like=a&amp;page=2"' in page.text
    wrong = browser.post("/enter", data={"token": "not this one", "to": "/images"})
    assert wrong.status_code == 401
    assert "not the token" in wrong.text
    assert "set-cookie" not in wrong.headers
    entered = browser.post("/enter", data={"token": f" {TOKEN} ", "to": "/images?like=a"})
    assert (entered.status_code, entered.headers["location"]) == (303, "/images?like=a")
    cookie = entered.headers["set-cookie"]
    assert re.fullmatch(
        rf"{COOKIE}=\d+\.[0-9a-f]{{64}}; HttpOnly; Max-Age=\d+; Path=/; SameSite=strict", cookie
    )
    assert TOKEN not in cookie
    assert browser.get("/images").status_code == 200
    assert browser.get("/v1/store").status_code == 200
    left = browser.post("/leave", data={"": ""})
    assert (left.status_code, left.headers["location"]) == (303, "/enter")
    assert browser.get("/images").status_code == 401


def test_the_cookie_goes_over_tls_alone_where_there_is_tls(guarded: TestClient) -> None:
    entered = guarded.post("https://study.example/enter", data={"token": TOKEN})
    assert "; Secure" in entered.headers["set-cookie"]
    guarded.cookies.clear()


@pytest.mark.parametrize(
    "to",
    [
        *("//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil", "evil", ""),
        *("/\x00", "/\t/evil.example", "/a\r\nSet-Cookie: x=1", "javascript:alert(1)"),
    ],
)
def test_entering_leads_nowhere_else(browser: TestClient, to: str) -> None:
    entered = browser.post("/enter", data={"token": TOKEN, "to": to})
    assert (entered.status_code, entered.headers["location"]) == (303, "/")
    assert "<script" not in browser.get('/enter?to="><script>alert(1)</script>').text


def test_a_cookie_holds_for_its_token_and_its_time() -> None:
    cookie = cookie_for(TOKEN, lambda: 1000.0)
    assert is_cookie_for(TOKEN, cookie, lambda: 1000.0 + COOKIE_SECONDS - 1)
    assert not is_cookie_for(TOKEN, cookie, lambda: 1000.0 + COOKIE_SECONDS)
    assert not is_cookie_for(TOKEN + "x", cookie, lambda: 1000.0)
    until, _, signature = cookie.partition(".")
    longer = f"{int(until) + 1}.{signature}"
    for forged in (longer, until, f"{until}.", f".{signature}", "", "\ud800.x", TOKEN):
        assert not is_cookie_for(TOKEN, forged, lambda: 1000.0)


def test_loopback_is_what_it_is() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "127.1.2.3", "::1", "localhost")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "10.0.0.1", "example.org", "")))


def test_without_a_token_everybody_is_inside(client: TestClient) -> None:
    for answer in (client.get("/enter"), client.post("/enter", data={"token": "x"})):
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
def test_another_page_cannot_ask(client: TestClient, headers: dict[str, str]) -> None:
    refused = client.post("/v1/search", json={"text": "a"}, headers=headers)
    assert (refused.status_code, kind(refused)) == (403, "cross_origin")
    own = {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}
    assert client.post("/v1/search", json={"text": "a"}, headers=own).status_code == 200


def test_every_answer_has_the_headers(client: TestClient) -> None:
    answers = [
        client.get(path)
        for path in ("/", "/static/explorer/eye.svg", "/v1/store", "/nowhere", "/health", "/enter")
    ]
    answers.append(client.post("/v1/search", content=b"x"))
    answers.append(client.get("/v1/store", headers={"Host": "evil.example"}))
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] in ("no-store", "no-cache")
        assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["x-request-id"])
        assert "access-control-allow-origin" not in answer.headers
