"""Fetching from end to end: download, unpack, read, stopped wherever it can be."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from archive_server import ArchiveServer, reset, send, stall, status, truncate
from made_archives import SMALL, Member, zip_of, zipped

from beholder.errors import BeholderError, ConfigurationError, StudyError
from beholder.study import ReadOptions, Study, read
from beholder.study.fetching import (
    NOTICE,
    DownloadOptions,
    FetchedPaths,
    FetchOptions,
    FetchReport,
    Limits,
    fetch,
)

HURRIED = DownloadOptions(timeout_s=5, attempts=3, sleep=lambda _: None)
OPTIONS = FetchOptions(downloading=HURRIED)
OUTPUTS = {"ads", "ads.study", "ads.zip"}


@pytest.fixture
def expected(exported: Path, tmp_path: Path) -> str:
    """The fingerprint of the study that the archive holds."""
    read("crossmod", exported, tmp_path / "expected")
    return Study.open(tmp_path / "expected").fingerprint


@pytest.fixture
def changed(exported: Path, tmp_path: Path) -> bytes:
    """An archive with other words."""
    copy = tmp_path / "changed"
    shutil.copytree(exported, copy)
    table = (copy / "data.csv").read_text("utf-8")
    assert " a " in table
    (copy / "data.csv").write_text(table.replace(" a ", " the "), "utf-8")
    return zipped(copy)


def fetched(server: ArchiveServer, folder: Path, options: FetchOptions = OPTIONS) -> FetchReport:
    return fetch("ads", folder, source_url=server.url, options=options)


def fingerprint(folder: Path) -> str:
    return Study.open(folder / "ads.study").fingerprint


def refusal(server: ArchiveServer, folder: Path, options: FetchOptions = OPTIONS) -> str:
    with pytest.raises(BeholderError) as caught:
        fetched(server, folder, options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def states(folder: Path) -> dict[str, tuple[int, int]]:
    """Return what tells whether a file or folder has been written again."""
    return {str(p): (p.stat().st_mtime_ns, p.stat().st_ino) for p in sorted(folder.rglob("*"))}


def test_everything_is_fetched_and_then_left_alone(
    server: ArchiveServer, archive: bytes, exported: Path, expected: str, tmp_path: Path
) -> None:
    folder = tmp_path / "new" / "folder"
    report = fetched(server, folder)
    assert server.paths == ["/ads.zip"]
    assert names(folder) == OUTPUTS
    assert (folder / "ads.zip").read_bytes() == archive
    files = {path.relative_to(exported) for path in exported.rglob("*")}
    assert {path.relative_to(folder / "ads") for path in (folder / "ads").rglob("*")} == files
    study = Study.open(folder / "ads.study")
    assert study.fingerprint == expected
    assert study.info.name == "ads"
    assert report.steps == ("download", "unpack", "read")
    assert (report.samples, report.participants) == (len(study), SMALL.participants)
    assert report.images == study.images.num_rows
    assert report.archive_bytes == len(archive)
    assert report.study == FetchedPaths.of("ads", folder).study
    assert "items 5 and 10" in " ".join(report.notes)
    assert report.notes.count(NOTICE) == 1

    before = states(folder)
    again = fetched(server, folder)
    assert again.steps == ()
    assert replace(again, steps=report.steps, notes=report.notes) == report
    assert again.notes[-1] == NOTICE and "everything was there" in again.notes[0]
    assert states(folder) == before
    assert len(server.requests) == 1


def test_the_other_archive_lies_beside_it(server: ArchiveServer, tmp_path: Path) -> None:
    fetch("coco", tmp_path / "data", source_url=server.url + "/deep/", options=OPTIONS)
    assert server.paths == ["/deep/coco.zip"]
    assert names(tmp_path / "data") == {"coco", "coco.study", "coco.zip"}


@pytest.mark.parametrize("prefix", ["ads/", "crossmod data/"])
def test_content_one_folder_deeper_is_found(
    server: ArchiveServer, exported: Path, expected: str, tmp_path: Path, prefix: str
) -> None:
    server.content = zipped(exported, prefix)
    fetched(server, tmp_path / "data")
    assert fingerprint(tmp_path / "data") == expected


def test_what_macos_adds_does_not_hide_the_content(
    server: ArchiveServer, expected: str, exported: Path, tmp_path: Path
) -> None:
    files = [path for path in exported.rglob("*") if path.is_file()]
    server.content = zip_of(
        member
        for path in files
        for member in (
            Member(f"ads/{path.relative_to(exported)}".encode(), path.read_bytes()),
            Member(f"__MACOSX/ads/{path.relative_to(exported)}".encode(), b"\0\5\x16\7"),
        )
    )
    fetched(server, tmp_path / "data")
    assert fingerprint(tmp_path / "data") == expected
    assert not (tmp_path / "data" / "ads" / "__MACOSX").exists()


def test_each_step_is_done_only_where_its_output_is_wanting(
    server: ArchiveServer, archive: bytes, expected: str, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "ads.zip").write_bytes(archive)  # fetched with a browser
    assert fetched(server, folder).steps == ("unpack", "read")
    (folder / "ads.zip").unlink()
    report = fetched(server, folder)
    assert (report.steps, report.archive_bytes, report.sha256) == ((), None, None)
    (folder / "ads.study").rename(tmp_path / "first")
    assert fetched(server, folder).steps == ("read",)
    assert fingerprint(folder) == expected
    assert server.requests == []


def test_a_reading_that_fails_can_be_done_again_with_other_options(
    server: ArchiveServer, exported: Path, tmp_path: Path
) -> None:
    with (exported / "data.csv").open(newline="") as table:
        missing = exported / "ims" / next(csv.DictReader(table))["image"]
    server.content = zip_of(
        Member(str(path.relative_to(exported)).encode(), path.read_bytes())
        for path in exported.rglob("*")
        if path.is_file() and path != missing
    )
    folder = tmp_path / "data"
    assert "data.csv, row" in refusal(server, folder)
    assert names(folder) == {"ads", "ads.zip"}
    skipping = replace(OPTIONS, reading=ReadOptions(skip_bad=True, pseudonymise=False, name="n"))
    report = fetched(server, folder, skipping)
    assert report.steps == ("read",)
    assert report.skipped_rows > 0 and "left out" in report.notes[0]
    assert Study.open(folder / "ads.study").info.name == "n"
    assert len(server.requests) == 1


@pytest.mark.parametrize("name", [b"readme.txt", b"data.csv"])
def test_an_archive_with_nothing_to_read_or_too_much(
    server: ArchiveServer, tmp_path: Path, name: bytes
) -> None:
    server.content = zip_of([Member(b"a/" + name), Member(b"b/" + name)])
    assert "holds none of data.csv" in refusal(server, tmp_path / "data")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\3\4" + b"garbage" * 999, "is not a whole zip archive"),
        (zip_of([]), "something else than a zip archive"),
        (b"", "is not a whole zip archive"),
        (b"Not found, sorry", "something else than a zip archive"),
    ],
)
def test_what_is_no_archive_is_never_kept(
    server: ArchiveServer, tmp_path: Path, content: bytes, words: str
) -> None:
    server.content = content
    sentence = refusal(server, tmp_path / "data")
    assert words in sentence and "--url" in sentence
    assert names(tmp_path / "data") == set()


def test_a_damaged_archive_is_downloaded_again_with_overwrite(
    server: ArchiveServer, archive: bytes, expected: str, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    server.content = archive[:2000] + bytes(500) + archive[2500:]
    assert "--overwrite to download it again" in refusal(server, folder)
    assert names(folder) == {"ads.zip"}
    server.content, server.etag = archive, '"sound"'
    fetched(server, folder, replace(OPTIONS, overwrite=True))
    assert fingerprint(folder) == expected


def test_limits_reach_the_unpacking(server: ArchiveServer, tmp_path: Path) -> None:
    strict = replace(OPTIONS, limits=Limits(members=1))
    assert "files, expected at most 1" in refusal(server, tmp_path / "data", strict)


@pytest.mark.parametrize("dataset", ["", "adz", "../ads"])
def test_an_unknown_dataset(server: ArchiveServer, tmp_path: Path, dataset: str) -> None:
    with pytest.raises(ConfigurationError, match="unknown dataset"):
        fetch(dataset, tmp_path, source_url=server.url)


def test_a_folder_that_cannot_be(server: ArchiveServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "file: File exists" in refusal(server, tmp_path / "file")
    assert "Not a directory" in refusal(server, tmp_path / "file" / "data")
    assert server.requests == []


def test_overwriting_replaces_everything(
    server: ArchiveServer, changed: bytes, expected: str, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    fetched(server, folder)
    server.content, server.etag = changed, '"changed"'
    assert fetched(server, folder).steps == ()
    report = fetched(server, folder, replace(OPTIONS, overwrite=True))
    assert report.steps == ("download", "unpack", "read")
    assert names(folder) == OUTPUTS
    assert fingerprint(folder) != expected
    assert " the " in (folder / "ads" / "data.csv").read_text("utf-8")


def test_an_overwriting_whose_download_fails_changes_nothing(
    server: ArchiveServer, archive: bytes, expected: str, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    fetched(server, folder)
    before = states(folder)
    overwriting = replace(OPTIONS, overwrite=True)
    for answer in (status(404), send(b"<html>", "text/html"), send(archive[:-9], "x/zip")):
        server.script = [answer]
        refusal(server, folder, overwriting)
        after = states(folder)
        assert after == before
        assert fetched(server, folder).steps == ()
    server.script = [truncate(5000)] + [status(503)] * 9
    refusal(server, folder, overwriting)
    assert fetched(server, folder).steps == ()
    server.script = []
    fetched(server, folder, overwriting)
    assert server.ranges[-1] == "bytes=5000-"
    assert names(folder) == OUTPUTS
    assert fingerprint(folder) == expected


@pytest.mark.parametrize("name", ["ads", "ads.study"])
def test_overwriting_leaves_what_it_did_not_write(
    server: ArchiveServer, tmp_path: Path, name: str
) -> None:
    (tmp_path / "data" / name).mkdir(parents=True)
    (tmp_path / "data" / name / "thesis.txt").write_text("mine")
    assert "not overwriting it" in refusal(
        server, tmp_path / "data", replace(OPTIONS, overwrite=True)
    )
    assert server.requests == []
    assert (tmp_path / "data" / name / "thesis.txt").read_text() == "mine"


STOP_AT = """
import sys
from beholder.study.fetching import FetchOptions, fetch

def stop(items, description, total=None):
    for number, item in enumerate(items):
        if number == 3 and description.startswith(sys.argv[4]):
            print("here", flush=True)
            sys.stdin.read()
        yield item

options = FetchOptions(overwrite=sys.argv[3] == "overwrite")
fetch("ads", sys.argv[1], source_url=sys.argv[2], options=options, progress=stop)
"""


def kill_at(step: str, server: ArchiveServer, folder: Path, how: str = "plain") -> None:
    """Kill a fetching, as no program can prevent, in the middle of a step."""
    arguments = [sys.executable, "-c", STOP_AT, str(folder), server.url, how, step]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(arguments, **pipes) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"here\n"
        process.kill()


STEPS = {"unpacking": ("unpack", "read"), "reading": ("read",)}


@pytest.mark.parametrize("step", STEPS)
def test_a_killed_step_is_done_again_and_those_before_are_not(
    server: ArchiveServer, expected: str, tmp_path: Path, step: str
) -> None:
    folder = tmp_path / "data"
    kill_at(step, server, folder)
    assert "ads.study" not in names(folder)
    assert ("ads" in names(folder)) == (step != "unpacking")
    assert fetched(server, folder).steps == STEPS[step]
    assert names(folder) == OUTPUTS
    assert fingerprint(folder) == expected
    assert len(server.requests) == 1


@pytest.mark.parametrize("step", STEPS)
def test_a_killed_overwriting_never_mixes_old_and_new(
    server: ArchiveServer, changed: bytes, expected: str, tmp_path: Path, step: str
) -> None:
    folder = tmp_path / "data"
    fetched(server, folder)
    server.content, server.etag = changed, '"changed"'
    kill_at(step, server, folder, "overwrite")
    assert fingerprint(folder) == expected  # whole, until the new one is
    assert fetched(server, folder).steps == STEPS[step]
    assert names(folder) == OUTPUTS
    assert (folder / "ads.zip").read_bytes() == changed
    read("crossmod", folder / "ads", tmp_path / "again")
    assert fingerprint(folder) == Study.open(tmp_path / "again").fingerprint != expected


def command(server: ArchiveServer, folder: Path, *more: str) -> list[str]:
    words = ["-m", "beholder", "fetch", "ads", str(folder), "--url", server.url]
    return [sys.executable, *words, *more]


def stop_command(
    server: ArchiveServer, folder: Path, size: int, how: signal.Signals, *more: str
) -> tuple[int, str]:
    """Signal the command once its part has a size; return its status and errors."""
    with subprocess.Popen(
        command(server, folder, *more),
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        part = folder / "ads.zip.part"
        while not (part.exists() and part.stat().st_size == size):
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(how)
        _, errors = process.communicate()
        return process.returncode, errors


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_the_command_goes_on_where_it_was_stopped(
    server: ArchiveServer, archive: bytes, expected: str, tmp_path: Path, how: signal.Signals
) -> None:
    folder = tmp_path / "data"
    server.script = [stall(7000)]
    code, errors = stop_command(server, folder, 7000, how)
    assert code == (130 if how == signal.SIGINT else -how)
    if how == signal.SIGINT:
        assert errors == "beholder: interrupted; what came is kept, the same command goes on\n"
    assert names(folder) == {"ads.zip.part", "ads.zip.part.json"}
    server.script = [reset(100)]
    ran = subprocess.run(command(server, folder, "--json"), capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    result: dict[str, Any] = json.loads(ran.stdout)
    assert server.ranges[:2] == [None, "bytes=7000-"] and len(server.ranges) == 3
    assert (folder / "ads.zip").read_bytes() == archive
    assert fingerprint(folder) == expected
    assert result["study"] == str(folder / "ads.study")
    assert result["steps"] == ["download", "unpack", "read"]
    assert result["samples"] == len(Study.open(folder / "ads.study"))
    assert result["notes"].count(NOTICE) == 1


def test_the_command_prints_for_people(server: ArchiveServer, tmp_path: Path) -> None:
    ran = subprocess.run(command(server, tmp_path / "data"), capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    printed = " ".join(ran.stdout.split())
    assert f"{SMALL.participants} participants" in printed
    assert printed.count("do not pass it on") == 1
    ran = subprocess.run(
        command(server, tmp_path / "data", "--keep-ids", "--overwrite"), capture_output=True
    )
    assert ran.returncode == 0
    people = Study.open(tmp_path / "data" / "ads.study").participants["participant"].to_pylist()
    assert not any(len(person) == 17 for person in people)


@pytest.mark.parametrize(
    ("prepare", "more", "words"),
    [
        (lambda server: server.script.append(status(404)), (), "404 Not Found"),
        (lambda server: setattr(server, "content", b"PK\3\4no"), (), "not a whole zip archive"),
        (lambda server: None, ("--url", "file:///etc"), "is no address"),
        (lambda server: None, ("--url", ""), "is no address"),
    ],
)
def test_the_command_tells_a_mistake_in_one_sentence(
    server: ArchiveServer,
    tmp_path: Path,
    prepare: Callable[[ArchiveServer], object],
    more: tuple[str, ...],
    words: str,
) -> None:
    prepare(server)
    ran = subprocess.run(command(server, tmp_path, *more), capture_output=True, text=True)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert words in ran.stderr and ran.stderr.count("\n") == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_may_not_be_written(server: ArchiveServer, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        assert "Permission denied" in refusal(server, tmp_path)
    finally:
        tmp_path.chmod(0o700)


def test_a_disk_that_fills_up_while_unpacking(
    server: ArchiveServer, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "data"

    def refuse(_: int) -> None:
        raise OSError(28, "No space left on device")

    def fill(items, description, total=None):
        if description.startswith("unpacking"):
            monkeypatch.setattr("beholder.atomic.os.fsync", refuse)
        return items

    with pytest.raises(StudyError, match="ads was not unpacked: No space left on device"):
        fetch("ads", folder, source_url=server.url, options=OPTIONS, progress=fill)
    monkeypatch.undo()
    monkeypatch.setenv("BEHOLDER_KEY_FILE", str(tmp_path / "keys" / "key"))
    assert names(folder) == {"ads.zip"}
    assert fetched(server, folder).steps == ("unpack", "read")
    assert fingerprint(folder) == expected
