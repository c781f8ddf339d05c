"""The participants' HTTP interface, as the pages use it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from served import Browser, Served, served
from web_study import DEVICE, ENVIRONMENT, survey_record, trial_record

import postgres
from beholder.collect.definition import Definition

PROLIFIC = {"PROLIFIC_PID": "w1", "STUDY_ID": "st", "SESSION_ID": "se1"}
MTURK = {
    "assignmentId": "A1",
    "hitId": "H1",
    "workerId": "W1",
    "turkSubmitTo": "https://www.mturk.com",
}


def error(response) -> str:  # type: ignore[no-untyped-def]
    code: str = response.json()["error"]["code"]
    return code


def test_from_consent_to_code(browser: Browser) -> None:
    state = browser.post("", {"entry": PROLIFIC, "language": "es"}).json()
    assert (state["stage"], state["language"], state["platform"]) == ("consent", "es", "prolific")
    assert state["completion"] is None
    assert state["token"] is None
    state = browser.begin(PROLIFIC)
    assert state["stage"] == "practice"
    assert state["progress"] == {
        "practice": {"saved": 0, "total": 1},
        "trials": {"saved": 0, "total": 3},
    }
    trial = state["trial"]
    assert (trial["kind"], trial["number"], trial["bubble_radius_px"]) == ("practice", 1, 4)
    assert trial["image"]["width"] == 40
    assert [area["name"] for area in trial["areas"]] == ["taza"]
    done = browser.finish(state)
    assert (done["stage"], done["trial"]) == ("done", None)
    assert done["completion"]["outcome"] == "complete"
    assert done["completion"]["code"] == "C0DE"
    assert done["completion"]["exit"] == {
        "kind": "redirect",
        "url": "https://app.prolific.com/submissions/complete?cc=C0DE",
        "action": None,
        "fields": {},
        "from_address": [],
    }
    assert browser.post("/finish", {"comment": "again"}).json() == done
    assert browser.client.get("/api/session").json() == done


def test_validation_looks_like_any_trial(browser: Browser) -> None:
    state = browser.begin()
    shapes = set()
    for number in range(4):
        if number:
            assert state["trial"]["kind"] == "trial"
            assert state["trial"]["number"] == number
            shapes.add(str({**state["trial"], "id": "", "number": 0, "image": None}))
        state = browser.post(f"/trials/{state['trial']['id']}", trial_record()).json()["state"]
    assert len(shapes) == 1
    assert "check" not in str(state)


def test_no_code_before_everything_is_saved(browser: Browser) -> None:
    state = browser.begin()
    while True:
        assert "C0DE" not in str(state)
        refused = browser.post("/finish", {"comment": None})
        assert (refused.status_code, error(refused)) == (409, "wrong_stage")
        if not state["trial"]:
            break
        state = browser.post(f"/trials/{state['trial']['id']}", trial_record()).json()["state"]
    saved = browser.post("/survey", survey_record()).json()
    assert saved["state"]["stage"] == "debrief"
    assert "C0DE" not in str(saved)


def test_a_reload_resumes_by_its_cookie(service: Served) -> None:
    browser = service.browser()
    state = browser.begin()
    browser.post(f"/trials/{state['trial']['id']}", trial_record())
    again = browser.post("", {"entry": {}}).json()
    assert again["session"] == state["session"]
    assert again["progress"]["practice"]["saved"] == 1
    assert service.browser().post("", {"entry": {}}).json()["session"] != state["session"]


def test_a_record_sent_twice_is_acknowledged_twice_and_kept_once(browser: Browser, service) -> None:
    state = browser.begin()
    record = trial_record()
    answers = [browser.post(f"/trials/{state['trial']['id']}", record).json() for _ in range(2)]
    assert [answer["duplicate"] for answer in answers] == [False, True]
    assert answers[0]["state"] == answers[1]["state"]
    (row,) = service.application.store.participants()
    assert row.saved == 1


def test_images_are_of_this_session_and_this_trial_alone(service: Served) -> None:
    browser, other = service.browser(), service.browser()
    state = browser.begin()
    get = browser.client.get
    sharp, blurred = (f"/{state['trial']['image'][kind]}" for kind in ("sharp", "blurred"))
    following = f"/{state['next_blurred']}"
    for address in (sharp, blurred, following):
        assert get(address).status_code == 200
        assert other.client.get(address).status_code == 401
    assert get(sharp).headers["cache-control"] == "no-store"
    assert get(sharp).content != get(blurred).content
    assert get(following.replace("blurred", "sharp")).status_code == 404  # not before its trial
    other.begin()
    for address in (sharp, blurred, following):
        assert other.client.get(address).status_code == 404
    browser.post(f"/trials/{state['trial']['id']}", trial_record())
    assert get(sharp).status_code == 404
    assert get(blurred).status_code == 404


def test_the_cookie_is_out_of_reach(service: Served) -> None:
    plain = service.browser().post("", {"entry": {}}).headers["set-cookie"]
    assert plain.startswith("beholder_session=")
    assert plain.endswith("; Max-Age=172800; Path=/; HttpOnly; SameSite=Lax")
    secure = service.browser("https://testserver").post("", {"entry": {}}).headers["set-cookie"]
    assert secure.endswith("HttpOnly; SameSite=Lax; Secure")


def test_in_mturks_frame_the_token_is_also_in_the_answer(service: Served) -> None:
    browser = service.browser("https://testserver")
    answer = browser.post("", {"entry": MTURK})
    assert answer.headers["set-cookie"].endswith("HttpOnly; Secure; SameSite=None; Partitioned")
    token = answer.json()["token"]
    bare = service.browser().client
    assert bare.get("/api/session").status_code == 401
    found = bare.get("/api/session", headers={"X-Beholder-Session": token})
    assert found.json()["session"] == answer.json()["session"]
    state = browser.finish(browser.begin(MTURK))
    leaving = state["completion"]["exit"]
    assert leaving["action"] == "https://www.mturk.com/mturk/externalSubmit"
    assert leaving["from_address"] == ["assignmentId"]


def test_mturks_preview_keeps_nothing(browser: Browser, service: Served) -> None:
    answer = browser.post("", {"entry": {"assignmentId": "ASSIGNMENT_ID_NOT_AVAILABLE"}})
    assert (answer.json()["stage"], answer.json()["session"]) == ("preview", None)
    assert "set-cookie" not in answer.headers
    assert service.application.store.participants() == []


def test_no_name_of_a_worker_is_stored(service: Served, tmp_path: Path) -> None:
    service.browser().begin({**PROLIFIC, "PROLIFIC_PID": "worker-name", "SESSION_ID": "its-name"})
    service.browser().begin({**MTURK, "workerId": "turker-name", "assignmentId": "job-name"})
    service.browser().begin({"participant": "code-name"})
    kept = b"".join(file.read_bytes() for file in tmp_path.glob("collect.sqlite*"))
    assert b"prolific" in kept
    assert b"-name" not in kept


def test_who_is_not_let_in_is_told_with_the_code(service: Served) -> None:
    state = service.browser().begin(PROLIFIC)
    for number in range(3):
        service.browser().begin(PROLIFIC | {"PROLIFIC_PID": f"x{number}"})
    full = service.browser().post("", {"entry": PROLIFIC | {"PROLIFIC_PID": "late"}}).json()
    assert (full["stage"], full["session"]) == ("closed", None)
    assert full["completion"]["code"] == "FULL"
    assert full["completion"]["exit"]["url"].endswith("cc=FULL")
    again = service.browser().post("", {"entry": PROLIFIC | {"SESSION_ID": "se2"}}).json()
    assert again["completion"]["outcome"] == "returning"
    assert again["completion"]["code"] is None
    assert state["session"] not in str(again)


def test_refusing_the_consent_ends_with_its_code(browser: Browser) -> None:
    browser.post("", {"entry": PROLIFIC})
    closed = browser.post("/consent", {"agreed": False, "version": "1"}).json()
    assert (closed["stage"], closed["completion"]["code"]) == ("closed", "N0")
    assert len(closed["completion"]["receipt"]) == 8


def test_the_definition_speaks_the_language_asked_for(browser: Browser) -> None:
    get = browser.client.get
    assert get("/api/definition?language=es").json()["title"] == "Imágenes"
    assert get("/api/definition?language=xx").json()["language"] == "en"
    stated = get("/api/definition").text
    assert "C0DE" not in stated
    assert "secret dog" not in stated


def test_another_language_of_an_open_session(browser: Browser) -> None:
    browser.post("", {"entry": {}})
    assert browser.post("/language", {"language": "es"}).json()["language"] == "es"
    refused = browser.post("/language", {"language": "fr"})
    assert (refused.status_code, error(refused)) == (422, "invalid")
    assert browser.client.get("/api/session").json()["language"] == "es"


def test_what_is_to_be_found_is_named_in_the_sessions_language(browser: Browser) -> None:
    for language, name in (("en", "cup"), ("es", "taza")):
        browser.begin()
        state = browser.post("/language", {"language": language}).json()
        assert [area["name"] for area in state["trial"]["areas"]] == [name]


def test_a_small_window_is_screened_out(browser: Browser) -> None:
    browser.post("", {"entry": {}})
    browser.post("/consent", {"agreed": True, "version": "1"})
    small = DEVICE | {"environment": ENVIRONMENT | {"viewport_width": 200}}
    assert browser.post("/device", small).json()["completion"]["outcome"] == "screened_out"


def test_leaving(browser: Browser) -> None:
    browser.begin()
    left = browser.post("/leave", {"reason": "left"}).json()
    assert (left["stage"], left["completion"]["outcome"]) == ("closed", "left")


@pytest.mark.parametrize("step", ["/consent", "/device", "/survey", "/finish", "/leave"])
def test_a_step_without_a_session_is_refused(browser: Browser, step: str) -> None:
    bodies = {
        "/consent": {"agreed": True, "version": "1"},
        "/device": DEVICE,
        "/survey": survey_record(),
        "/finish": {},
        "/leave": {"reason": "left"},
    }
    refused = browser.post(step, bodies[step])
    assert (refused.status_code, error(refused)) == (401, "no_session")


def test_the_page_is_in_the_readers_language(browser: Browser) -> None:
    def language(address: str, **headers: str) -> str:
        text: str = browser.client.get(address, headers=headers).text
        return text.partition('lang="')[2].partition('"')[0]

    assert language("/", **{"Accept-Language": "fr, es-AR;q=0.9, en;q=0.5"}) == "es"
    assert language("/", **{"Accept-Language": "fr"}) == "en"
    assert language("/?lang=es", **{"Accept-Language": "en"}) == "es"
    assert language("/?lang=zz&PROLIFIC_PID=x") == "en"


def test_the_page_names_every_module_that_it_will_import(browser: Browser) -> None:
    named = re.findall('rel="modulepreload" href="static/(.+?)"', browser.client.get("/").text)
    imported, waiting = set(), {"participant.js"}
    while waiting:
        imported.add(module := waiting.pop())
        script = browser.client.get(f"/static/{module}").text
        waiting |= set(re.findall('from "./(.+?)"', script)) - imported
    assert sorted(named) == sorted(imported)


def test_the_pages_files_are_served_and_asked_for_again(browser: Browser) -> None:
    script = browser.client.get("/static/participant.js")
    assert script.status_code == 200
    assert script.headers["cache-control"] == "no-cache"
    tag = {"If-None-Match": script.headers["etag"]}
    assert browser.client.get("/static/participant.js", headers=tag).status_code == 304


def test_health(service: Served, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    assert browser.client.get("/healthz").json() == {"status": "alive"}
    assert browser.client.get("/readyz").json() == {"status": "ready"}
    monkeypatch.setattr(service.application.store.database, "is_ready", lambda: False)
    gone = browser.client.get("/readyz")
    assert (gone.status_code, error(gone)) == (503, "unavailable")


def test_a_database_that_is_away_is_to_be_tried_again(
    postgres_server: postgres.Server, definition: Definition, image_cache: Path
) -> None:
    url = postgres_server.new_database()
    with served(url, definition, image_cache) as service:
        browser = service.browser()
        state = browser.begin()
        record = trial_record()
        address = f"/trials/{state['trial']['id']}"
        with postgres_server.away(url):
            refused = browser.post(address, record)
            assert (refused.status_code, error(refused)) == (503, "unavailable")
            assert refused.headers["retry-after"] == "5"
            assert browser.client.get("/readyz").status_code == 503
        assert browser.post(address, record).json()["duplicate"] is False


def test_a_pilots_data_is_marked(migrated_sqlite: Path, tmp_path: Path, definition, image_cache):
    import shutil

    path = shutil.copy(migrated_sqlite, tmp_path / "pilot.sqlite")
    with served(f"sqlite:///{path}", definition, image_cache, pilot=True) as service:
        assert service.browser().begin()["pilot"] is True
        assert service.application.store.participants() == []
        assert len(service.application.store.participants(pilot=True)) == 1
