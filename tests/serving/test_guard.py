"""What every server shares: bodies that are read or refused, headers, ids, and its log."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import pytest
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from beholder.serving import Bodies, Guard, GuardKind, RequestLog, path_of, request_id
from beholder.serving.logs import JSONLines

JSON = [(b"content-type", b"application/json")]


def refuse(scope: Scope, kind: GuardKind, sentence: str) -> Response:
    return JSONResponse({"kind": kind, "said": sentence, "id": request_id(scope)}, 400)


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    message = await receive()
    await Response(message["body"])(scope, receive, send)


async def fault(scope: Scope, receive: Receive, send: Send) -> None:
    raise RuntimeError("what somebody wrote")


async def late_fault(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    raise RuntimeError("what somebody wrote")


def asked(
    app: Any,
    parts: list[bytes] | None = None,
    method: str = "POST",
    headers: list[tuple[bytes, bytes]] = JSON,
    **more: Any,
) -> tuple[dict[str, str], bytes]:
    """Return the headers (the status among them) and the body of an answer."""
    waiting = list(parts or [b""])
    sent: list[Any] = []

    async def receive() -> Any:
        if not waiting:
            await asyncio.sleep(60)
        body = waiting.pop(0)
        return {"type": "http.request", "body": body, "more_body": body != b"" and bool(waiting)}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": "/x", "headers": headers, **more}
    asyncio.run(app(scope, receive, send))
    found = {key.decode(): value.decode() for key, value in sent[0]["headers"]}
    found["status"] = str(sent[0]["status"])
    return found, b"".join(message.get("body", b"") for message in sent[1:])


def kind(answer: tuple[dict[str, str], bytes]) -> str:
    return str(json.loads(answer[1])["kind"])


def test_a_body_in_parts_is_handed_on_whole_up_to_its_bound() -> None:
    app = Bodies(echo, refuse, most_bytes=6)
    assert asked(app, [b"abc", b"def"])[1] == b"abcdef"
    assert kind(asked(app, [b"abc", b"defg"])) == "too_large"
    for length in (b"7", b"9" * 50):
        assert (
            kind(asked(app, [b"abc"], headers=[*JSON, (b"content-length", length)])) == "too_large"
        )


def test_a_body_that_does_not_come_is_waited_for_no_longer() -> None:
    app = Bodies(echo, refuse, most_bytes=6, seconds=0.02)

    async def never(scope: Scope, receive: Receive, send: Send) -> None:
        async def silent() -> Any:
            await asyncio.sleep(60)

        await app(scope, silent, send)

    assert kind(asked(never)) == "too_slow"


def test_bodies_are_json_but_on_the_paths_of_forms() -> None:
    app = Bodies(echo, refuse, most_bytes=6, forms=("/form",))
    form = [(b"content-type", b"application/x-www-form-urlencoded; charset=utf-8")]
    assert asked(app, [b"a"], path="/form", headers=form)[1] == b"a"
    assert asked(app, [b"a"], path="/under/form", root_path="/under", headers=form)[1] == b"a"
    assert kind(asked(app, [b"a"], path="/form")) == "not_json"
    assert kind(asked(app, [b"a"], headers=form)) == "not_json"
    assert kind(asked(app, [b"a"], headers=[])) == "not_json"
    assert kind(asked(app, [b"a"], headers=[(b"content-type", b"application/jsonp")])) == "not_json"
    charset = [(b"content-type", b"Application/JSON ; charset=utf-8")]
    assert asked(app, [b"a"], headers=charset)[1] == b"a"


@pytest.mark.parametrize(
    ("headers", "is_ours"),
    [
        ({}, True),
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"host": "a:1", "origin": "http://a:1"}, True),
        ({"host": "a:1", "origin": "http://a:2"}, False),
        ({"host": "a", "origin": "null"}, False),
    ],
)
def test_only_pages_of_the_same_site_send_bodies(headers: dict[str, str], is_ours: bool) -> None:
    app = Bodies(echo, refuse, most_bytes=6)
    sent = [*JSON, *((key.encode(), value.encode()) for key, value in headers.items())]
    answer = asked(app, [b"a"], headers=sent)
    assert answer[1] == b"a" if is_ours else kind(answer) == "cross_origin"


def test_a_fault_is_answered_and_logged_without_its_words(
    caplog: pytest.LogCaptureFixture,
) -> None:
    logger = logging.getLogger("beholder.tests")
    app = RequestLog(Guard(fault, "default-src 'none'", refuse, logger), logger)
    headers, body = asked(app)
    assert json.loads(body)["kind"] == "internal"
    assert b"wrote" not in body
    assert json.loads(body)["id"] == headers["x-request-id"]
    assert headers["content-security-policy"] == "default-src 'none'"
    (record,) = [one for one in caplog.records if one.exc_info]
    line = json.loads(JSONLines().format(record))
    assert (line["event"], line["fault"]) == ("our fault", "RuntimeError")
    assert line["id"] == headers["x-request-id"]
    assert any("test_guard" in where for where in line["where"])
    assert "wrote" not in json.dumps(line)
    with pytest.raises(RuntimeError):  # what has begun cannot be taken back
        asked(Guard(late_fault, "", refuse, logger))


def test_what_is_observed_is_what_was_answered() -> None:
    seen: list[Any] = []
    app = RequestLog(
        echo, logging.getLogger("beholder.tests"), lambda *facts: seen.append(facts[:3])
    )
    headers, _ = asked(app, [b"a"], headers=[(b"x-request-id", b"own-1")])
    assert headers["x-request-id"] == "own-1"
    assert seen == [("POST", None, 200)]
    with pytest.raises(RuntimeError):
        asked(RequestLog(fault, logging.getLogger("beholder.tests"), lambda *f: seen.append(f[:3])))
    assert seen[1:] == [("POST", None, 0)]


def test_a_path_is_below_the_prefix_of_a_proxy() -> None:
    assert path_of({"path": "/under/x", "root_path": "/under"}) == "/x"
    assert path_of({"path": "/x", "root_path": ""}) == "/x"
    assert path_of({"path": "/x"}) == "/x"
