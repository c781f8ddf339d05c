"""A hostile participant: the interface, attacked from its own description, gives nothing away."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from served import RESEARCHER, Browser, Served
from web_study import DEVICE, definition_in, survey_record, trial_record

from beholder.collect.application import Settings
from beholder.collect.security import MOST_BYTES, content_security_policy
from beholder.errors import ConfigurationError
from beholder.serving import load_or_create_token, matches

JSON = {"Content-Type": "application/json"}


def error(response: Any) -> str:
    code: str = response.json()["error"]["code"]
    return code


def test_every_answer_has_the_headers(browser: Browser) -> None:
    answers = [
        browser.client.get(address)
        for address in ("/", "/static/participant.js", "/api/session", "/nowhere", "/healthz")
    ]
    answers.append(browser.client.post("/api/session", content=b"x"))
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] in ("no-store", "no-cache")
        assert "server" not in answer.headers


def test_frames_are_for_mturk_alone(study_folder) -> None:  # type: ignore[no-untyped-def]
    link = definition_in(study_folder, platforms={"allowed": ["link"]})
    assert "frame-ancestors 'none'" in content_security_policy(link)
    assert "form-action 'self';" in content_security_policy(link)
    mturk = definition_in(study_folder, platforms={"allowed": ["mturk"]})
    assert "frame-ancestors https://*.mturk.com" in content_security_policy(mturk)
    assert "form-action 'self' https://www.mturk.com" in content_security_policy(mturk)


def test_a_fault_of_ours_tells_nothing(
    service: Served, browser: Browser, monkeypatch: pytest.MonkeyPatch, caplog
) -> None:
    def breaks(*_: object) -> None:
        raise RuntimeError("what somebody wrote")

    monkeypatch.setattr(service.application.sessions, "standing", breaks)
    answer = browser.client.get("/api/session")
    assert (answer.status_code, error(answer)) == (500, "internal")
    assert "wrote" not in answer.text
    assert "content-security-policy" in answer.headers
    assert any(record.message == "our fault" for record in caplog.records)


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://testserver"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://testserver.evil.example"},
    ],
)
def test_another_page_cannot_act_for_a_participant(browser: Browser, headers) -> None:
    browser.begin()
    refused = browser.client.post("/api/session/leave", json={"reason": "left"}, headers=headers)
    assert (refused.status_code, error(refused)) == (403, "cross_origin")
    assert browser.client.get("/api/session").json()["stage"] == "practice"


def test_our_own_page_can(browser: Browser) -> None:
    own = {"Sec-Fetch-Site": "same-origin", "Origin": "http://testserver"}
    body = {"entry": {}}
    assert browser.client.post("/api/session", json=body, headers=own).status_code == 200
    del own["Sec-Fetch-Site"]
    assert browser.client.post("/api/session", json=body, headers=own).status_code == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_form_of_another_page_is_no_json(browser: Browser, kind: str) -> None:
    refused = browser.client.post(
        "/api/session", content=b'{"entry": {}}', headers={"Content-Type": kind}
    )
    assert (refused.status_code, error(refused)) == (415, "not_json")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 200_000,
        b'{"entry": {}, "language": ' + b"9" * 5000 + b"}",
        b"null",
        b'{"entry": NaN}',
        b'{"entry": {"PROLIFIC_PID": 1}}',
        b'{"entry": {"a": "' + b"x" * 501 + b'"}}',
        json.dumps({"entry": {str(n): "" for n in range(21)}}).encode(),
        b'{"entry": {}, "\\ud800": 1}',
        b'{"entry": {"\\ud800\\u0000": "\\udfff"}, "more": 1}',
    ],
)
def test_a_malformed_body_is_refused(browser: Browser, body: bytes) -> None:
    refused = browser.client.post("/api/session", content=body, headers=JSON)
    assert (refused.status_code, error(refused)) in ((400, "bad_request"), (422, "invalid"))


def test_odd_characters_in_the_address_are_no_fault(browser: Browser) -> None:
    body = b'{"entry": {"participant": "\\ud800\\u0000", "\\ud800": "x"}, "language": "\\u0000"}'
    assert browser.client.post("/api/session", content=body, headers=JSON).status_code == 200


def test_a_body_is_not_larger_than_its_bound(browser: Browser) -> None:
    large = b'{"entry": {}, "x": "' + b"x" * MOST_BYTES + b'"}'
    refused = browser.client.post("/api/session", content=large, headers=JSON)
    assert (refused.status_code, error(refused)) == (413, "too_large")

    def in_parts():  # type: ignore[no-untyped-def]
        for _ in range(20):
            yield b"x" * (MOST_BYTES // 10)

    refused = browser.client.post("/api/session", content=in_parts(), headers=JSON)
    assert (refused.status_code, error(refused)) == (413, "too_large")
    claimed = {**JSON, "Content-Length": str(10**30)}
    refused = browser.client.post("/api/session", content=b"{}", headers=claimed)
    assert refused.status_code == 413


@pytest.mark.parametrize(
    "address",
    [
        "/static/../../definition.py",
        "/static/%2e%2e/%2e%2e/definition.py",
        "/static/..%2f..%2fdefinition.py",
        "/static//etc/passwd",
        "/static/",
        "/api/images/..%2f..%2fshort.toml/sharp",
        "/api/images/1.png/sharp",
        "/api/images/%00/sharp",
        "/api/docs",
        "/docs",
        "/redoc",
        "/api/session/trials",
        "/researcher.token",
        "/collect.sqlite",
    ],
)
def test_no_path_leads_to_a_file(browser: Browser, address: str) -> None:
    browser.begin()
    refused = browser.client.get(address)
    assert refused.status_code in (404, 405, 422)
    assert b"import" not in refused.content
    assert b"root:" not in refused.content


@pytest.mark.parametrize("token", ["", "x", "' OR 1=1 --", "\xff", "a" * 5000])
def test_a_forged_token_is_nobodys(browser: Browser, service: Served, token: str) -> None:
    browser.begin()
    headers = [("X-Beholder-Session", token.encode("latin-1"))]
    forged = service.browser().client.get("/api/session", headers=headers)
    assert (forged.status_code, error(forged)) == (401, "no_session")
    by_id = browser.client.get("/api/session").json()["session"]
    headers = [("X-Beholder-Session", by_id.encode())]
    assert service.browser().client.get("/api/session", headers=headers).status_code == 401


def test_nobody_saves_into_anothers_session(service: Served) -> None:
    victim, attacker = service.browser(), service.browser()
    theirs = victim.begin()["trial"]["id"]
    attacker.begin()
    refused = attacker.post(f"/trials/{theirs}", trial_record())
    assert (refused.status_code, error(refused)) == (404, "not_found")
    assert victim.client.get("/api/session").json()["progress"]["practice"]["saved"] == 0


def test_sql_and_scripts_are_words(service: Served, browser: Browser) -> None:
    state = browser.begin({"participant": "'; DROP TABLE sessions; --"})
    words = "<script>alert(1)</script>'; DROP TABLE x; --"
    saved = browser.post(f"/trials/{state['trial']['id']}", trial_record(words))
    assert saved.status_code == 200
    assert words not in saved.text
    store = service.application.store
    (row,) = store.participants()
    assert store.trials(row.session)[0].record["tasks"][1]["text"] == words


def test_a_caption_of_unstorable_characters_is_kept_as_far_as_can_be(browser, service) -> None:
    state = browser.begin()
    body = json.dumps(trial_record("a \x00 dog \ud800 here"))
    address = f"/api/session/trials/{state['trial']['id']}"
    assert browser.client.post(address, content=body, headers=JSON).status_code == 200
    store = service.application.store
    kept = store.trials(store.participants()[0].session)[0].record["tasks"][1]["text"]
    assert kept == "a \ufffd dog \ufffd here"


def test_the_title_is_text_in_the_page(study_folder, migrated_sqlite, tmp_path, image_cache):
    import shutil

    from served import served

    evil = definition_in(study_folder, title="<script>alert(1)</script>", contact="<b>&</b>")
    path = shutil.copy(migrated_sqlite, tmp_path / "x.sqlite")
    with served(f"sqlite:///{path}", evil, image_cache) as service:
        page = service.browser().client.get('/?lang="><script>alert(2)</script>').text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<b>&" not in page


BASES: dict[str, dict[str, Any]] = {
    "/api/session": {"entry": {"participant": "x"}, "language": "es"},
    "/api/session/language": {"language": "es"},
    "/api/session/consent": {"agreed": True, "version": "1"},
    "/api/session/device": DEVICE,
    "/api/session/trials/{trial}": trial_record(),
    "/api/session/survey": survey_record(),
    "/api/session/finish": {"comment": "x"},
    "/api/session/leave": {"reason": "left"},
}

HOSTILE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["\x00", "\ud800", "' OR 1=1", "../../x", "x" * 20_000, -1, 1e308, 2**63]),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return every place of a value, as its path."""
    found = [path] if path else []
    inner = value.items() if isinstance(value, dict) else []
    inner = enumerate(value) if isinstance(value, list) else inner
    for key, each in inner:
        found += places(each, (*path, key))
    return found


def replaced(value: Any, path: tuple[Any, ...], by: Any) -> Any:
    if not path:
        return by
    copy: Any = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], by)
    return copy


def test_the_description_names_every_route(service: Served, browser: Browser) -> None:
    described = browser.client.get("/api/openapi.json").json()
    ours = {
        path: each
        for path, each in described["paths"].items()
        if not path.startswith("/api/researcher")
    }
    assert {path for path, each in ours.items() if "post" in each} == set(BASES)
    for path, each in ours.items():
        for operation in each.values():
            assert "200" in operation["responses"], path


@settings(
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_any_body_gets_an_answer_that_the_description_states(
    service: Served, data: st.DataObject
) -> None:
    """Bodies that are right but for one place: the answer is described, and no fault of ours."""
    described = service.app.openapi()["paths"]
    browser = service.browser()
    if data.draw(st.booleans()):
        browser.begin()
    path = data.draw(st.sampled_from(sorted(BASES)))
    body = BASES[path]
    if data.draw(st.integers(0, 5)):
        body = replaced(body, data.draw(st.sampled_from(places(body))), data.draw(HOSTILE))
    session = browser.client.get("/api/session").json()
    trial = (session.get("trial") or {}).get("id", "none")
    answer = browser.client.post(
        path.replace("{trial}", data.draw(st.sampled_from([trial, "other"]))),
        content=json.dumps(body),
        headers=JSON,
    )
    assert str(answer.status_code) in described[path]["post"]["responses"]
    assert answer.status_code < 500
    if answer.status_code != 200:
        assert set(answer.json()["error"]) == {"code", "message", "fields"}
    answer.content.decode("utf-8")


def test_the_researchers_token(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "deep" / "token"
    token = load_or_create_token(path)
    assert load_or_create_token(path) == token
    assert path.stat().st_mode & 0o777 == 0o600
    assert matches(token, token)
    for wrong in (None, "", token[:-1], token + "x", "é", "\ud800"):
        assert not matches(wrong, token)
    path.write_text("short\n")
    with pytest.raises(ConfigurationError, match="has 5 characters"):
        load_or_create_token(path)
    assert RESEARCHER not in repr(Settings(RESEARCHER))
