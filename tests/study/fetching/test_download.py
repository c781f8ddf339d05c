"""Downloading from a server that does all that servers do."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
from archive_server import (
    DATE,
    Answer,
    ArchiveServer,
    chunked,
    drip,
    misstate,
    noise,
    reset,
    send,
    serve,
    stall,
    status,
    truncate,
)

from beholder.errors import BeholderError, ConfigurationError, StudyError
from beholder.study.fetching import DownloadOptions, download
from beholder.study.fetching.download import _network_fault
from beholder.study.fetching.part import Part, Version

CONTENT = b"PK" + np.random.default_rng(1).bytes(600_000)
CHANGED = b"PK" + np.random.default_rng(2).bytes(600_000)


class Patience:
    """Options that never wait, and a list of the pauses that would have been made."""

    def __init__(self) -> None:
        self.pauses: list[float] = []
        self.options = DownloadOptions(timeout_s=5, attempts=4, sleep=self.pauses.append)


@pytest.fixture
def patience() -> Patience:
    return Patience()


@pytest.fixture
def server() -> Iterator[ArchiveServer]:
    with ArchiveServer(CONTENT) as running:
        yield running


def accept(_: Path) -> None:
    """Find every file sound."""


def get(
    server: ArchiveServer,
    target: Path,
    options: DownloadOptions,
    *,
    check: Callable[[Path], None] = accept,
) -> bytes:
    """Download, look that nothing else is left, and return what came."""
    download(f"{server.url}/{target.name}", target, begins_with=b"PK", check=check, options=options)
    assert [path.name for path in target.parent.glob(f"{target.name}*")] == [target.name]
    return target.read_bytes()


def refused(server: ArchiveServer, target: Path, options: DownloadOptions) -> str:
    """Return the sentence of a download that fails."""
    with pytest.raises(BeholderError) as caught:
        get(server, target, options)
    assert not target.exists()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def part_of(target: Path) -> bytes:
    return target.with_name(target.name + ".part").read_bytes()


def test_a_file_comes_whole(server: ArchiveServer, tmp_path: Path, patience: Patience) -> None:
    assert get(server, tmp_path / "a.zip", patience.options) == CONTENT
    assert server.ranges == [None]
    assert server.requests[0]["User-Agent"].startswith("beholder/")
    assert patience.pauses == []


@pytest.mark.parametrize("fault", [truncate(250_000), reset(250_000)])
def test_a_lost_connection_costs_what_is_missing(
    server: ArchiveServer, tmp_path: Path, patience: Patience, fault: Answer
) -> None:
    server.script = [fault, fault]
    assert get(server, tmp_path / "a.zip", patience.options) == CONTENT
    assert server.ranges[0] is None and len(server.ranges) == 3
    assert all(asked and int(asked[6:-1]) > 0 for asked in server.ranges[1:])
    assert server.requests[1]["If-Range"] == '"one"'
    assert patience.pauses == [1.0, 1.0]


def test_a_server_that_falls_silent_is_left(
    server: ArchiveServer, tmp_path: Path, patience: Patience
) -> None:
    server.script = [stall(100_000), stall(0)]
    options = replace(patience.options, timeout_s=0.2)
    assert get(server, tmp_path / "a.zip", options) == CONTENT
    assert server.ranges == [None, "bytes=100000-", "bytes=100000-"]


def test_a_slow_server_is_waited_for(
    server: ArchiveServer, tmp_path: Path, patience: Patience
) -> None:
    server.script = [drip(20_000)]
    options = replace(patience.options, timeout_s=5)
    assert get(server, tmp_path / "a.zip", options) == CONTENT
    assert len(server.requests) == 1


def test_a_connection_that_stays_open_after_the_last_byte_is_not_waited_for(
    server: ArchiveServer, tmp_path: Path, patience: Patience
) -> None:
    server.script = [stall(len(CONTENT))]
    options = replace(patience.options, timeout_s=0.5)
    assert get(server, tmp_path / "a.zip", options) == CONTENT
    assert len(server.requests) == 1 and patience.pauses == []


def test_what_came_is_kept_and_a_later_call_goes_on(
    server: ArchiveServer, tmp_path: Path, patience: Patience
) -> None:
    server.script = [truncate(200_000)] + [status(503)] * 4
    sentence = refused(server, tmp_path / "a.zip", patience.options)
    assert "in 4 attempts (the server answered 503 Service Unavailable)" in sentence
    assert "the same command goes on" in sentence
    assert part_of(tmp_path / "a.zip") == CONTENT[:200_000]
    assert patience.pauses == [1.0, 2.0, 4.0]
    assert get(server, tmp_path / "a.zip", patience.options) == CONTENT
    assert server.ranges[-1] == "bytes=200000-"


def test_pauses_grow_up_to_the_longest(
    server: ArchiveServer, tmp_path: Path, patience: Patience
) -> None:
    server.script = [status(500)] * 9
    options = replace(patience.options, attempts=6, longest_pause_s=5, first_pause_s=0.5)
    refused(server, tmp_path / "a.zip", options)
    assert patience.pauses == [0.5, 1.0, 2.0, 4.0, 5.0]
    assert len(server.requests) == 6
    assert list(tmp_path.iterdir()) == []


def test_attempts_that_get_further_are_not_counted(
    server: ArchiveServer, tmp_path: Path, patience: Patience
) -> None:
    server.script = [truncate(60_000)] * 9
    options = replace(patience.options, attempts=2)
    assert get(server, tmp_path / "a.zip", options) == CONTENT
    assert len(server.requests) == 10


def test_a_server_without_ranges_begins_anew_and_does_not_do_so_for_ever(
    server: ArchiveServer, tmp_path: Path, patience: Patience
) -> None:
    server.has_ranges = False
    server.script = [truncate(300_000), truncate(200_000)]
    assert get(server, tmp_path / "a.zip", patience.options) == CONTENT
    assert server.ranges == [None, "bytes=300000-", "bytes=200000-"]
    (tmp_path / "a.zip").unlink()
    server.script = [truncate(300_000), truncate(200_000)] * 50
    refused(server, tmp_path / "a.zip", patience.options)
    assert len(server.script) == 100 - 4


def change(server: ArchiveServer, *, names: bool = True) -> None:
    """Put another file of the same size in the place of the first."""
    server.content = CHANGED
    if names:
        server.etag, server.modified = '"two"', "Tue, 03 Nov 2026 10:00:00 GMT"


@pytest.mark.parametrize("etag", ['"one"', 'W/"one"', None])
def test_a_file_that_changed_is_begun_anew(
    server: ArchiveServer, tmp_path: Path, patience: Patience, etag: str | None
) -> None:
    server.etag = etag
    server.script = [lambda handler: (truncate(250_000)(handler), change(server))]
    assert get(server, tmp_path / "a.zip", patience.options) == CHANGED
    assert server.requests[1]["If-Range"] == (etag if etag == '"one"' else DATE)


def test_a_changed_file_is_seen_where_the_server_ignores_the_condition(
    server: ArchiveServer, tmp_path: Path, patience: Patience
) -> None:
    def heedless(handler) -> None:
        change(server)
        del handler.headers["If-Range"]
        serve()(handler)

    server.script = [truncate(250_000), heedless]
    assert get(server, tmp_path / "a.zip", patience.options) == CHANGED
    assert server.ranges == [None, "bytes=250000-", None]


def test_a_file_of_another_size_is_seen_where_its_names_did_not_change(
    server: ArchiveServer, tmp_path: Path, patience: Patience
) -> None:
    def longer(handler) -> None:
        server.content = CHANGED + b"more"
        serve()(handler)

    server.script = [truncate(250_000), longer]
    assert get(server, tmp_path / "a.zip", patience.options) == CHANGED + b"more"


def test_without_etag_and_date_nothing_is_pieced_together(
    server: ArchiveServer, tmp_path: Path, patience: Patience
) -> None:
    server.etag = server.modified = None
    server.script = [lambda handler: (truncate(250_000)(handler), change(server, names=False))]
    assert get(server, tmp_path / "a.zip", patience.options) == CHANGED
    assert server.ranges == [None, None]


def test_a_file_that_became_shorter_is_begun_anew(
    server: ArchiveServer, tmp_path: Path, patience: Patience
) -> None:
    def shorter(handler) -> None:
        server.content = CONTENT[:1000]
        serve()(handler)  # answers 416

    server.script = [truncate(250_000), shorter]
    assert get(server, tmp_path / "a.zip", patience.options) == CONTENT[:1000]
    assert server.ranges == [None, "bytes=250000-", None]


@pytest.mark.parametrize(
    "place", ["bytes 0-9/600002", "bytes 250001-600001/600002", "nonsense", ""]
)
def test_another_part_than_the_one_asked_for_is_not_added(
    server: ArchiveServer, tmp_path: Path, patience: Patience, place: str
) -> None:
    server.script = [truncate(250_000), send(b"0123456789", "x/y", 206, Content_Range=place)]
    assert get(server, tmp_path / "a.zip", patience.options) == CONTENT
    assert server.ranges == [None, "bytes=250000-", None]


def test_the_rest_may_come_in_pieces_that_do_not_say_of_how_much(
    server: ArchiveServer, tmp_path: Path, patience: Patience
) -> None:
    piece = send(CONTENT[250_000:400_000], "x/y", 206, Content_Range="bytes 250000-399999/*")
    server.script = [truncate(250_000), piece]
    assert get(server, tmp_path / "a.zip", patience.options) == CONTENT
    assert server.ranges == [None, "bytes=250000-", "bytes=400000-"]


def test_a_rest_that_nobody_asked_for_is_not_added(
    server: ArchiveServer, tmp_path: Path, patience: Patience
) -> None:
    server.etag = server.modified = None
    place = f"bytes 250000-600001/{len(CONTENT)}"
    server.script = [truncate(250_000), send(CHANGED[250_000:], "x/y", 206, Content_Range=place)]
    assert get(server, tmp_path / "a.zip", patience.options) == CONTENT
    assert server.ranges == [None, None, None]


def test_a_part_that_nobody_asked_for_is_refused(
    server: ArchiveServer, tmp_path: Path, patience: Patience
) -> None:
    server.script = [send(b"PK", "x/y", 206, Content_Range="bytes 0-1/2")] * 4
    assert "another part" in refused(server, tmp_path / "a.zip", patience.options)


@pytest.mark.parametrize("note", [None, "", "{", "[]", "{}", '{"url": 1}', "other", "bad etag"])
def test_bytes_whose_version_is_not_known_are_worth_nothing(
    server: ArchiveServer, tmp_path: Path, patience: Patience, note: str | None
) -> None:
    target = tmp_path / "a.zip"
    server.script = [truncate(250_000), status(404)]
    refused(server, target, patience.options)
    file = tmp_path / "a.zip.part.json"
    known = json.loads(file.read_text())
    if note == "other":
        note = json.dumps({**known, "url": "http://elsewhere/a.zip"})
    if note == "bad etag":
        note = json.dumps({**known, "etag": '"one"\r\nX: y'})
    file.unlink() if note is None else file.write_text(note)
    assert get(server, target, patience.options) == CONTENT
    assert server.ranges == [None, "bytes=250000-", None]


def test_a_download_stopped_after_the_last_byte_asks_for_nothing(
    server: ArchiveServer, tmp_path: Path, patience: Patience
) -> None:
    target = tmp_path / "a.zip"
    with Part(target) as part:
        part.begin(Version(f"{server.url}/a.zip", '"one"', None, len(CONTENT)))
        part.write(CONTENT)
    assert get(server, target, patience.options) == CONTENT
    assert server.requests == []


@pytest.mark.parametrize(
    ("code", "words"),
    [(404, "404 Not Found"), (403, "403 Forbidden"), (416, "416"), (410, "410"), (204, "204")],
)
def test_a_refusal_that_stays_is_told_at_once(
    server: ArchiveServer, tmp_path: Path, patience: Patience, code: int, words: str
) -> None:
    server.script = [status(code)]
    sentence = refused(server, tmp_path / "a.zip", patience.options)
    assert words in sentence and server.url in sentence
    assert len(server.requests) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("code", [500, 502, 503, 429, 408])
def test_a_refusal_that_may_pass_is_tried_again(
    server: ArchiveServer, tmp_path: Path, patience: Patience, code: int
) -> None:
    server.script = [status(code), status(code)]
    assert get(server, tmp_path / "a.zip", patience.options) == CONTENT
    assert patience.pauses == [1.0, 2.0]


def test_a_web_page_is_refused_at_once_and_costs_nothing(
    server: ArchiveServer, tmp_path: Path, patience: Patience
) -> None:
    page = send(b"<html>Please log in</html>" * 9999, "text/html")
    server.script = [truncate(250_000), page]
    sentence = refused(server, tmp_path / "a.zip", patience.options)
    assert "text/html" in sentence and "--url" in sentence
    assert part_of(tmp_path / "a.zip") == CONTENT[:250_000]
    assert get(server, tmp_path / "a.zip", patience.options) == CONTENT
    assert server.ranges[-1] == "bytes=250000-"


def test_what_is_no_http_is_tried_again_and_then_told(
    server: ArchiveServer, tmp_path: Path, patience: Patience
) -> None:
    server.script = [noise] * 4
    assert "in 4 attempts" in refused(server, tmp_path / "a.zip", patience.options)
    server.script = [noise]
    assert get(server, tmp_path / "a.zip", patience.options) == CONTENT


def test_a_content_length_that_promises_too_much(
    server: ArchiveServer, tmp_path: Path, patience: Patience
) -> None:
    server.script = [misstate(50)] * 9
    sentence = refused(server, tmp_path / "a.zip", patience.options)
    assert "nothing after the first 600,002 bytes" in sentence


def test_a_file_that_is_not_sound_is_told_and_removed(
    server: ArchiveServer, tmp_path: Path, patience: Patience
) -> None:
    seen = []

    def refuse(file: Path) -> None:
        seen.append(file.read_bytes())
        raise StudyError("it is not sound")

    server.script = [misstate(-50)]
    with pytest.raises(StudyError, match="not sound"):
        get(server, tmp_path / "a.zip", patience.options, check=refuse)
    assert seen == [CONTENT[:-50]]
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_unknown_length_comes_whole(
    server: ArchiveServer, tmp_path: Path, patience: Patience
) -> None:
    server.script = [chunked(end=False), chunked()]
    server.has_ranges = False
    assert get(server, tmp_path / "a.zip", patience.options) == CONTENT
    assert len(server.requests) == 2


def test_a_file_that_is_too_large_is_refused(
    server: ArchiveServer, tmp_path: Path, patience: Patience
) -> None:
    options = replace(patience.options, largest_bytes=len(CONTENT) - 1)
    assert "has 600,002 bytes" in refused(server, tmp_path / "a.zip", options)
    server.script = [chunked()]
    assert "sends no end" in refused(server, tmp_path / "a.zip", options)
    assert list(tmp_path.iterdir()) == []
    server.script = [chunked()]
    options = replace(patience.options, largest_bytes=len(CONTENT))
    assert get(server, tmp_path / "a.zip", options) == CONTENT


def test_redirects_are_followed_with_the_range(
    server: ArchiveServer, tmp_path: Path, patience: Patience
) -> None:
    moved = status(302, Location="/elsewhere/a.zip")
    server.script = [moved, truncate(250_000), moved]
    assert get(server, tmp_path / "a.zip", patience.options) == CONTENT
    assert server.paths == ["/a.zip", "/elsewhere/a.zip"] * 2
    assert server.ranges[2:] == ["bytes=250000-"] * 2


@pytest.mark.parametrize("where", ["file:///etc/passwd", "ftp://127.0.0.1/a.zip", "data:,PK"])
def test_a_redirect_that_leaves_the_web_is_refused(
    server: ArchiveServer, tmp_path: Path, patience: Patience, where: str
) -> None:
    server.script = [status(302, Location=where)]
    sentence = refused(server, tmp_path / "a.zip", patience.options)
    assert "302" in sentence and where in sentence
    assert len(server.requests) == 1


def test_a_circle_of_redirects_ends(
    server: ArchiveServer, tmp_path: Path, patience: Patience
) -> None:
    server.script = [status(302, Location="/a.zip")] * 99
    assert "loop" in refused(server, tmp_path / "a.zip", patience.options)
    assert len(server.requests) < 20


def test_nobody_listens(tmp_path: Path, patience: Patience) -> None:
    with ArchiveServer(b"") as gone:
        pass
    assert "Connection refused" in refused(gone, tmp_path / "a.zip", patience.options)


def test_a_certificate_that_cannot_be_trusted_is_told_at_once() -> None:
    fault = URLError(ssl.SSLCertVerificationError(1, "self-signed certificate"))
    with pytest.raises(StudyError, match=r"no certificate to trust.*self-signed"):
        _network_fault("https://host/a.zip", fault)


@pytest.mark.parametrize(
    "url",
    [
        *("", "a.zip", "file:///etc/a.zip", "ftp://host/a.zip", "http:///a.zip", "http://"),
        *("http://host:port/a.zip", "http://host:99999/a.zip", "http://a:b@host/a.zip"),
        *("http://host/a b.zip", "http://host/ä.zip", "http://host/a.zip\r\nX: y", "http://[/a"),
        *("http://host/a.zip?token=1", "http://host/#/a.zip", "-http://host/"),
    ],
)
def test_an_address_that_is_none(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigurationError, match="is no address to download from"):
        download(url, tmp_path / "a.zip", begins_with=b"PK", check=accept)
    assert list(tmp_path.iterdir()) == []


def test_two_downloads_of_one_file_do_not_mix(
    server: ArchiveServer, tmp_path: Path, patience: Patience
) -> None:
    with Part(tmp_path / "a.zip") as part:
        part.begin(Version("http://host/a.zip", None, None, None))
        part.write(b"PK")
        assert "another process" in refused(server, tmp_path / "a.zip", patience.options)
        part.flush()
        assert part_of(tmp_path / "a.zip") == b"PK"
    assert get(server, tmp_path / "a.zip", patience.options) == CONTENT


def test_progress_counts_the_mebibytes_with_those_that_are_there(
    server: ArchiveServer, tmp_path: Path, patience: Patience
) -> None:
    server.content = CONTENT * 5  # 2.86 MiB
    server.script = [truncate(2_200_000)]
    told: list[tuple[str, int | None, int]] = []

    def count(items, description, total=None):
        told.append((description, total, number := 0))
        for item in items:
            number += 1
            told[-1] = (description, total, number)
            yield item

    download(
        f"{server.url}/a.zip",
        tmp_path / "a.zip",
        begins_with=b"PK",
        check=accept,
        options=patience.options,
        progress=count,
    )
    assert (tmp_path / "a.zip").read_bytes() == server.content
    assert told == [
        ("downloading a.zip, MiB", 2, 2),
        ("the connection ended after 2,200,000 of 3,000,010 bytes; waiting 1 s", 1, 1),
        ("downloading a.zip, MiB", 2, 2),
    ]


GET = """
import resource, signal, sys
from pathlib import Path
from beholder.errors import StudyError
from beholder.study.fetching import download
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
if sys.argv[3] != "0":
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]),) * 2)
try:
    download(sys.argv[1], Path(sys.argv[2]), begins_with=b"PK", check=lambda part: None)
except StudyError as error:
    print(error)
"""


def test_a_full_disk_is_told_and_what_came_is_gone_on_with(
    server: ArchiveServer, tmp_path: Path, patience: Patience
) -> None:
    target = tmp_path / "a.zip"
    arguments = [sys.executable, "-c", GET, f"{server.url}/a.zip", str(target), "100000"]
    ran = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert ran.stdout == (
        f"{target}.part was not written: File too large; what came before is kept\n"
    )
    came = part_of(target)
    assert came and CONTENT.startswith(came)
    assert get(server, target, patience.options) == CONTENT
    assert server.ranges == [None, f"bytes={len(came)}-"]


def test_a_killed_download_goes_on_where_it_was(
    server: ArchiveServer, tmp_path: Path, patience: Patience
) -> None:
    target = tmp_path / "a.zip"
    server.script = [stall(123_456)]
    arguments = [sys.executable, "-c", GET, f"{server.url}/a.zip", str(target), "0"]
    with subprocess.Popen(arguments) as process:
        part = tmp_path / "a.zip.part"
        while not (part.exists() and part.stat().st_size == 123_456):
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()
    assert get(server, target, patience.options) == CONTENT
    assert server.ranges == [None, "bytes=123456-"]


def test_a_folder_that_cannot_be_written(server: ArchiveServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StudyError, match=r"a\.zip\.part was not written: Not a directory"):
        get(server, tmp_path / "file" / "a.zip", DownloadOptions())
    assert server.requests == []
