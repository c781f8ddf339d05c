"""The researcher's HTTP interface: closed to everybody else, and what it does."""

from __future__ import annotations

import io
import shutil
import sqlite3
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from served import RESEARCHER, Browser, Served, served
from sqlalchemy import text
from web_study import trial_record

from beholder.collect import researcher
from beholder.collect.database import Database
from beholder.collect.database.models import Base
from beholder.collect.definition import Definition

HOSTILE = "</td><script>alert('x')</script><img src=x onerror=alert(1)>"
SECRET = "a heron that nobody else has seen"
AUTH = {"Authorization": f"Bearer {RESEARCHER}"}

ROUTES = sorted(
    (method, route.path)
    for route in researcher.router.routes
    if isinstance(route, APIRoute)
    for method in route.methods
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("prepared")


@pytest.fixture
def study(
    folder: Path, cache: Path, definition: Definition, migrated_sqlite: Path
) -> Iterator[Served]:
    folder.mkdir()
    database = shutil.copy(migrated_sqlite, folder / "collect.sqlite")
    with served(f"sqlite:///{database}", definition, cache, data=folder) as running:
        yield running


class Researcher:
    """The researcher's page, as far as requests go."""

    def __init__(self, study: Served) -> None:
        self.client = TestClient(study.app, raise_server_exceptions=False)
        self.client.headers.update(AUTH)

    def get(self, path: str, **query: str) -> Any:
        answer = self.client.get(f"/api/researcher/{path}", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, **body: Any) -> Any:
        answer = self.client.post(f"/api/researcher/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refused(self, method: str, path: str, **options: Any) -> tuple[int, str]:
        answer = self.client.request(method, f"/api/researcher/{path}", **options)
        return answer.status_code, answer.json()["error"]["code"]


@pytest.fixture
def page(study: Served) -> Researcher:
    return Researcher(study)


def take_part(study: Served, worker: str, caption: str = "a dog on a sofa") -> str:
    """Let somebody take part whole; return their session."""
    browser = study.browser()
    entry = {"PROLIFIC_PID": worker, "STUDY_ID": "s", "SESSION_ID": f"of-{worker}"}
    state = browser.begin(entry)
    session: str = state["session"]
    while state["trial"]:
        saved = browser.post(f"/trials/{state['trial']['id']}", trial_record(caption))
        state = saved.json()["state"]
    browser.finish(state)
    browser.post("/finish", {"comment": None})
    return session


def filled(path: str) -> str:
    names = {"session": "s" * 22, "trial": "t" * 22, "which": "sharp", "name": "x.zip"}
    return path.format(**names)


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_every_route_needs_the_token(study: Served, method: str, path: str) -> None:
    browser: Browser = study.browser()
    browser.begin()  # a participant's cookie opens nothing
    cookie = browser.client.cookies["beholder_session"]
    for headers in (
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Bearer"},
        {"Authorization": f"Basic {RESEARCHER}"},
        {"Authorization": f"Bearer {cookie}"},
        {"Authorization": "Bearer ", "X-Beholder-Session": RESEARCHER},
    ):
        body = {} if method == "POST" else None
        query = {"token": RESEARCHER, "image": "1.png"}
        where = filled(path)
        answer = browser.client.request(method, where, headers=headers, json=body, params=query)
        assert answer.status_code == 401, (headers, answer.text)
        assert answer.json()["error"]["code"] == "no_access"
        assert "small" not in answer.text


def test_routes_are_known() -> None:
    assert len(ROUTES) == 17


def test_the_overview_counts_what_there_is(study: Served, page: Researcher) -> None:
    take_part(study, "w1")
    study.browser().begin({"participant": "half-way"})
    overview = page.get("overview")
    assert overview["outcomes"] == {"complete": 1, "open": 1}
    assert (overview["wanted"], overview["unassessed"], overview["paused"]) == (4, 1, False)
    assert sum(each["complete"] for each in overview["sets"]) == 1
    assert sum(each["active"] for each in overview["sets"]) == 1
    assert sum(each["complete"] for each in page.get("images")) == 2
    assert page.post("signals")["assessed"] == 1
    assert page.get("overview")["unassessed"] == 0


def test_a_participation_in_detail(study: Served, page: Researcher) -> None:
    session = take_part(study, "w1", HOSTILE[:50])
    page.post("signals")
    [summary] = page.get("sessions")
    assert (summary["session"], summary["outcome"], summary["platform"]) == (
        session,
        "complete",
        "prolific",
    )
    detail = page.get(f"sessions/{session}")
    assert [trial["number"] for trial in detail["trials"]] == [1, 2, 3, 4]
    assert detail["trials"][0]["captions"] == [HOSTILE[:50]]  # text is text, in JSON
    assert [each["item"] for each in detail["survey"]] == ["I am A", "I am B"]
    assert [each["label"] for each in detail["survey"]] == ["no", "yes"]
    names = {signal["name"] for signal in detail["signals"]}
    assert {"missed_validation", "pasted_captions", "fast_survey"} <= names
    trial = page.get(f"sessions/{session}/trials/{detail['trials'][1]['id']}")
    assert (trial["width"], trial["height"], trial["has_blurred"]) == (40, 30, True)
    assert len(trial["record"]["tasks"][0]["clicks"]) == 3
    answer = page.client.get("/api/researcher/sessions")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"


def test_what_is_not_there_is_not_found(study: Served, page: Researcher) -> None:
    one, other = take_part(study, "w1"), take_part(study, "w2")
    foreign = page.get(f"sessions/{other}")["trials"][0]["id"]
    for path in (
        "sessions/nobody",
        f"sessions/{one}/trials/none",
        f"sessions/{one}/trials/{foreign}",
    ):
        assert page.refused("GET", path) == (404, "not_found")
    for path in ("exports/none.zip", "exports/..%2Fcollect.sqlite", "exports/../collect.sqlite"):
        status, code = page.refused("GET", path)
        assert (status, code) in ((404, "not_found"), (422, "invalid"))
    for image in ("../short.toml", "/etc/passwd", "none.png", "1.png\0", "..\\short.toml"):
        assert page.refused("GET", "images/sharp", params={"image": image}) == (404, "not_found")
    for step in ("decision", "bonus"):
        body = {"kind": "approve"} if step == "decision" else {"amount_cents": 1}
        assert page.refused("POST", f"sessions/nobody/{step}", json=body) == (404, "not_found")
    body = {"participant": "p0", "typed": "p0"}
    assert page.refused("POST", "withdrawals", json=body) == (404, "not_found")


def test_images_are_those_that_participants_saw(page: Researcher) -> None:
    for which, kind in (("sharp", "image/png"), ("blurred", "image/jpeg")):
        answer = page.client.get(f"/api/researcher/images/{which}", params={"image": "1.png"})
        assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
        assert answer.headers["cache-control"] == "no-store"


def test_decisions_are_a_persons_with_a_reason(study: Served, page: Researcher) -> None:
    session = take_part(study, "w1")
    refused = page.refused("POST", f"sessions/{session}/decision", json={"kind": "reject"})
    assert refused == (422, "invalid")
    page.post(f"sessions/{session}/decision", kind="reject", reason="no clicks", by="Zoë")
    assert page.get("overview")["decisions"] == {"reject": 1}
    assert sum(each["complete"] for each in page.get("overview")["sets"]) == 0  # the seat is free
    page.post(f"sessions/{session}/decision", kind="approve", by="Zoë")
    page.post(f"sessions/{session}/bonus", amount_cents=250, reason="kind", by="Zoë")
    detail = page.get(f"sessions/{session}")
    made = [(each["kind"], each["reason"], each["actor"]) for each in detail["decisions"]]
    assert made == [
        ("reject", "no clicks", "Zoë"),
        ("approve", "", "Zoë"),
        ("bonus", "kind", "Zoë"),
    ]
    assert (detail["summary"]["decision"], detail["summary"]["bonus_cents"]) == ("approve", 250)
    assert page.refused("POST", f"sessions/{session}/bonus", json={"amount_cents": -1})[0] == 422


def test_the_platforms_ids_meet_decisions_only_by_the_key(
    study: Served, page: Researcher, folder: Path
) -> None:
    session = take_part(study, "worker-one")
    page.post(f"sessions/{session}/bonus", amount_cents=300)
    lines = page.post(
        "bonuses", platform="prolific", workers=["worker-one", "somebody", "worker-one"]
    )
    assert [(line["worker"], line["outcome"], line["bonus_cents"]) for line in lines] == [
        ("worker-one", "complete", 300),
        ("somebody", None, None),
    ]
    elsewhere = page.post("bonuses", platform="mturk", workers=["worker-one"])
    assert elsewhere[0]["outcome"] is None
    assert "worker-one" not in page.client.get("/api/researcher/sessions").text
    study.application.store.database.forget_deleted()
    for file in folder.rglob("*"):
        assert not file.is_file() or b"worker-one" not in file.read_bytes(), file


def test_a_paused_study_lets_nobody_in(study: Served, page: Researcher) -> None:
    page.post("paused", paused=True, by="Zoë")
    assert page.get("overview")["paused"] is True
    assert study.browser().post("", {"entry": {}}).status_code == 503
    page.post("paused", paused=False)
    assert study.browser().post("", {"entry": {}}).status_code == 200
    assert [entry["action"] for entry in page.get("audit")] == ["resume", "pause"]


def test_exports_lie_ready_until_they_are_removed(study: Served, page: Researcher) -> None:
    take_part(study, "w1")
    made = page.post("exports", by="Zoë")
    assert [each["name"] for each in page.get("exports")] == [made["name"]]
    answer = page.client.get(f"/api/researcher/exports/{made['name']}")
    assert answer.headers["content-type"] == "application/zip"
    assert "study/samples.parquet" in zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    page.post(f"exports/{made['name']}/removal")
    assert page.get("exports") == []
    assert [entry["action"] for entry in page.get("audit")] == ["remove", "prepare"]


def test_without_a_data_folder_nothing_lies_ready(tmp_path: Path, definition: Definition) -> None:
    with served(f"sqlite:///{tmp_path / 'c.sqlite'}", definition, tmp_path / "images") as running:
        page = Researcher(running)
        assert page.refused("POST", "exports", json={}) == (404, "not_found")
        assert page.get("overview")["wanted"] == 4


def test_bodies_are_strict(study: Served, page: Researcher) -> None:
    session = take_part(study, "w1")
    for path, body in (
        ("paused", {"paused": "yes"}),
        ("paused", {"paused": True, "more": 1}),
        ("signals", {"by": ""}),
        ("signals", {"by": "x" * 65}),
        (f"sessions/{session}/decision", {"kind": "bonus"}),
        ("bonuses", {"platform": "prolific", "workers": ["x" * 201]}),
        ("withdrawals", {"participant": "p1", "typed": "p2"}),
    ):
        assert page.refused("POST", path, json=body) == (422, "invalid"), path
    plain = {"content": b"{}", "headers": AUTH | {"Content-Type": "text/plain"}}
    assert page.refused("POST", "paused", **plain) == (415, "not_json")
    foreign = {"json": {"paused": True}, "headers": AUTH | {"Origin": "https://evil.example"}}
    assert page.refused("POST", "paused", **foreign) == (403, "cross_origin")


def test_whoever_withdraws_leaves_nothing(study: Served, page: Researcher, folder: Path) -> None:
    first = take_part(study, "gone", SECRET)
    study.application.clock.turn(minutes=1)
    copier = take_part(study, "stays", SECRET)
    page.post("signals")
    copied = next(
        s for s in page.get(f"sessions/{copier}")["signals"] if s["name"] == "copied_captions"
    )
    assert copied["evidence"]["trials"][0]["of_session"] == first  # others' evidence names them
    page.post(f"sessions/{first}/decision", kind="approve", reason=f"wrote {SECRET}", by="Zoë")
    page.post(f"sessions/{first}/bonus", amount_cents=1)
    export = page.post("exports")["name"]
    person = page.get(f"sessions/{first}")["summary"]["participant"]
    trials = [trial["id"] for trial in page.get(f"sessions/{first}")["trials"]]
    # The other wrote the same: their words are theirs, so this copy goes before we look.
    other = page.get(f"sessions/{copier}")["summary"]["participant"]
    page.post("withdrawals", participant=other, typed=other)
    export = page.post("exports")["name"]
    gone = page.post("withdrawals", participant=person, typed=person, by="Zoë")
    assert gone["removed_exports"] == [export]
    assert gone["counts"]["recordings"] == 4 and gone["counts"]["surveys"] == 1
    assert page.get("sessions") == [] and page.get("exports") == []
    traces = [person, first, SECRET, *trials]
    _nothing_of(traces, study.application.store.database, folder)
    assert sum(each["free"] for each in page.get("overview")["sets"]) == 4


def test_evidence_of_others_forgets_whoever_withdraws(
    study: Served, page: Researcher, folder: Path
) -> None:
    first = take_part(study, "gone", SECRET)
    study.application.clock.turn(minutes=1)
    copier = take_part(study, "stays", SECRET)
    page.post("signals")
    person = page.get(f"sessions/{first}")["summary"]["participant"]
    trials = [trial["id"] for trial in page.get(f"sessions/{first}")["trials"]]
    assert first in page.client.get(f"/api/researcher/sessions/{copier}").text
    page.post("withdrawals", participant=person, typed=person)
    _nothing_of([first, person, *trials], study.application.store.database, folder)
    answer = page.client.get(f"/api/researcher/sessions/{copier}").text
    assert first not in answer and person not in answer
    signals = page.get(f"sessions/{copier}")["signals"]
    assert not next(s for s in signals if s["name"] == "copied_captions")["flagged"]


def test_exports_elsewhere_are_named(study: Served, page: Researcher, tmp_path: Path) -> None:
    take_part(study, "gone")
    (tmp_path / "kept").mkdir()
    paths = [str(tmp_path / "kept"), str(tmp_path / "removed already")]
    study.application.store.note("command", "export", None, paths=paths)
    person = page.get("sessions")[0]["participant"]
    gone = page.post("withdrawals", participant=person, typed=person)
    assert gone["exports_elsewhere"] == [str(tmp_path / "kept")]


def _nothing_of(traces: list[str], database: Database, folder: Path) -> None:
    """Search every table and every file."""
    with database.reading() as db:
        for table in Base.metadata.tables:
            for row in db.execute(text(f"SELECT * FROM {table}")):
                for trace in traces:
                    assert trace not in repr(tuple(row)), (table, trace)
    for file in folder.rglob("*"):
        if file.is_file():
            data = file.read_bytes()
            for trace in traces:
                assert trace.encode() not in data, (file, trace)


def test_the_search_itself_finds(study: Served, folder: Path) -> None:
    session = take_part(study, "here", SECRET)
    with pytest.raises(AssertionError):
        _nothing_of([session], study.application.store.database, folder)
    assert sqlite3.connect(folder / "collect.sqlite").execute("SELECT 1").fetchone() == (1,)
