"""A folder is published whole: nothing, the old one or the new one, whenever it stops."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from flaky_storage import FlakyFileSystem, Killed
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from beholder.errors import RunError, StudyError
from beholder.remote import local, publish
from beholder.remote.publishing import changed, written

URL = "flaky://bucket/some/study"
OLD = {"study.toml": b"old", "shared": b"in both", "images/1.jpg": b"same size 1", "gone": b"x"}
NEW = {"study.toml": b"new", "shared": b"in both", "images/1.jpg": b"same size 2", "twin": b"new"}

Made = Callable[..., Path]
Flaky = type[FlakyFileSystem]


def files_in(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def opened(cache: Path) -> dict[str, bytes] | None:
    """Return what a machine that knows nothing yet reads at the address; None if refused."""
    shutil.rmtree(cache, ignore_errors=True)
    try:
        return files_in(local(URL, "study"))
    except StudyError as error:
        assert URL in str(error)
        return None


def objects(flaky: Flaky) -> set[str]:
    return {name for name in flaky.store if "/objects/" in name}


def operations(flaky: Flaky, what: Callable[[], None]) -> int:
    flaky.strike(-1)
    what()
    return len(flaky.done)


def test_what_is_published_comes_back(made: Made, flaky: Flaky) -> None:
    publish(made("new", NEW), URL, "study")
    folder = local(URL, "study")
    assert files_in(folder) == NEW
    assert folder.name == "study"
    assert len(objects(flaky)) == len(set(NEW.values())) == 3


def test_what_stands_there_is_replaced_only_if_asked(made: Made, flaky: Flaky) -> None:
    publish(made("old", OLD), URL, "study")
    with pytest.raises(StudyError, match=r"some/study exists already; .* --overwrite"):
        publish(made("new", NEW), URL, "study")
    with pytest.raises(RunError, match="is a study, not a run"):
        publish(made("new", NEW), URL, "run", overwrite=True)
    assert files_in(local(URL, "study")) == OLD
    publish(made("new", NEW), URL, "study", overwrite=True)
    assert files_in(local(URL, "study")) == NEW
    assert len(objects(flaky)) == 3, "what the old one alone had is removed"


def test_files_of_somebody_else_are_not_touched(made: Made, flaky: Flaky) -> None:
    flaky().pipe_file("/bucket/some/study/notes.txt", b"mine")
    with pytest.raises(StudyError, match="holds files that Beholder did not publish"):
        publish(made("new", NEW), URL, "study", overwrite=True)
    assert list(flaky.store) == ["/bucket/some/study/notes.txt"]


@pytest.mark.parametrize("when", ["before", "half", "after"])
@pytest.mark.parametrize("old", [None, OLD], ids=["first", "replacing"])
def test_a_kill_at_any_operation_leaves_no_mixture_and_is_gone_on_with(
    made: Made, flaky: Flaky, cache: Path, old: dict[str, bytes] | None, when: str
) -> None:
    def publish_new() -> None:
        publish(made("new", NEW), URL, "study", overwrite=True)

    def begin_anew() -> None:
        flaky.reset()
        if old is not None:
            publish(made("old", old), URL, "study")

    begin_anew()
    count = operations(flaky, publish_new)
    assert count > 8
    kinds = set()
    for number in range(1, count + 1):
        begin_anew()
        flaky.strike(number, when)
        with pytest.raises(Killed):
            publish_new()
        operation, path = flaky.done[-1]
        sent = [path for name, path in flaky.done[:-1] if name == "put"]
        whole = set(sent) | ({path} if operation == "put" and when == "after" else set())
        kinds.add(operation)
        flaky.be_well()
        found = opened(cache)
        if (operation, when) == ("pipe", "half"):  # on a backend that keeps no promise at all
            assert found is None
        else:
            assert found in ([old, NEW] if old else [None, NEW])
        if (operation, when) == ("pipe", "half"):
            continue
        flaky.be_well()
        publish_new()
        assert not whole & {path for name, path in flaky.done if name == "put"}, "sent twice"
        assert opened(cache) == NEW
    assert {"put", "pipe", "find"} | ({"rm"} if old and when else set()) <= kinds


DYING = """
import os, signal, sys
from pathlib import Path
from beholder.remote import publish

folder, url, sent = sys.argv[1:]
opened = set()

def watch(event, given):
    if event == "open" and str(given[0]).startswith(sent):
        opened.add(given[0])
        if len(opened) > 12:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(watch)
publish(Path(folder), url, "study")
"""
"""Publishes, and kills itself when it opens the thirteenth file there."""


def test_a_killed_process_is_gone_on_with_on_a_disk(made: Made, tmp_path: Path) -> None:
    """A mounted folder keeps less than storage does: a file may be cut short under its name."""
    files = {"study.toml": b"here"} | {f"{n}.jpg": bytes([n]) * 300_000 for n in range(200)}
    folder, url = made("large", files), f"file://{tmp_path}/storage/large"
    sent = tmp_path / "storage" / "large" / "objects"
    process = subprocess.run([sys.executable, "-c", DYING, str(folder), url, str(sent)])
    assert process.returncode == -signal.SIGKILL
    min(sent.iterdir()).write_bytes(b"short")
    whole = {p: p.stat().st_mtime_ns for p in sent.iterdir() if p.stat().st_size == 300_000}
    assert len(whole) > 8
    with pytest.raises(StudyError, match="is not a study"):
        local(url, "study")
    publish(folder, url, "study")
    assert files_in(local(url, "study")) == files
    assert {path: path.stat().st_mtime_ns for path in whole} == whole, "sent twice"


def test_on_a_disk_the_manifest_is_replaced_at_once(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left")

    url = f"file://{tmp_path}/storage/study"
    publish(made("old", OLD), url, "study")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(StudyError, match=r"cannot be written: .*No space left"):
            publish(made("new", NEW), url, "study", overwrite=True)
    assert files_in(local(url, "study")) == OLD


def test_a_manifest_cut_short_is_refused_clearly(made: Made, flaky: Flaky) -> None:
    publish(made("new", NEW), URL, "study")
    for length in (0, 1, 50):
        data = flaky().cat_file("/bucket/some/study/beholder.json")
        flaky().pipe_file("/bucket/some/study/beholder.json", data[:length])
        with pytest.raises(StudyError, match=r"study/beholder\.json is damaged or not of"):
            local(URL, "study")


def test_a_reader_meets_a_writer_at_any_operation(made: Made, flaky: Flaky, cache: Path) -> None:
    publish(made("old", OLD), URL, "study")
    count = operations(flaky, lambda: local(URL, "study") and None)
    for number in range(1, count + 1):
        flaky.reset()
        publish(made("old", OLD), URL, "study")
        shutil.rmtree(cache)
        flaky.strike(number, then=lambda: publish(made("new", NEW), URL, "study", overwrite=True))
        try:
            assert files_in(local(URL, "study")) in (OLD, NEW)
        except StudyError as error:
            assert "if somebody was replacing it just now, try again" in str(error)
        assert opened(cache) == NEW


@pytest.mark.parametrize("old", [None, OLD], ids=["first", "replacing"])
def test_two_writers_leave_one_of_both_and_never_a_mixture(
    made: Made, flaky: Flaky, cache: Path, old: dict[str, bytes] | None
) -> None:
    """Each drops a file that the other shares with the old folder."""
    mine, theirs = NEW, {"study.toml": b"theirs", "gone": b"x"}
    folders = made("mine", mine), made("theirs", theirs)

    def begin_anew() -> None:
        flaky.reset()
        if old is not None:
            publish(made("old", old), URL, "study")

    def publish_theirs() -> None:
        publish(folders[1], URL, "study", overwrite=True)

    begin_anew()
    count = operations(flaky, lambda: publish(folders[0], URL, "study", overwrite=True))
    names = [name for name, _ in flaky.done]
    refused = 0
    for number in range(1, count + 1):
        begin_anew()
        flaky.strike(number, then=publish_theirs)
        try:
            publish(folders[0], URL, "study", overwrite=True)
            # One removes what the other was about to share: no lock prevents that.
            is_damaged = names[number - 1] == "rm"
            assert opened(cache) in ([None, theirs] if is_damaged else [mine, theirs])
        except StudyError as error:
            assert "was published by somebody else meanwhile" in str(error)
            assert opened(cache) == theirs
            refused += 1
        flaky.be_well()
        publish_theirs()
        assert opened(cache) == theirs
    assert refused > 2


def test_the_first_publication_is_put_only_if_there_is_none(made: Made, flaky: Flaky) -> None:
    """Also in the moment between looking and putting, where the backend can."""
    count = operations(flaky, lambda: publish(made("new", NEW), URL, "study"))
    pipe = next(n for n in range(count) if flaky.done[n][0] == "pipe") + 1
    flaky.reset()
    flaky.strike(pipe, then=lambda: publish(made("old", OLD), URL, "study"))
    with pytest.raises(StudyError, match="published by somebody else meanwhile"):
        publish(made("new", NEW), URL, "study")
    assert files_in(local(URL, "study")) == OLD


def test_an_equal_folder_is_not_published_again(made: Made, flaky: Flaky) -> None:
    publish(made("new", NEW), URL, "study")
    flaky.be_well()
    publish(made("new", NEW), URL, "study", overwrite=True)
    assert {name for name, _ in flaky.done} == {"cat", "find"}


def test_a_damaged_folder_is_refused_and_mended_by_publishing_it_again(
    made: Made, flaky: Flaky, cache: Path
) -> None:
    publish(made("new", NEW), URL, "study")
    one, other, _ = sorted(objects(flaky))
    flaky().rm_file(one)
    flaky().pipe_file(other, flaky.store[other].getvalue()[:-1])
    assert opened(cache) is None
    publish(made("new", NEW), URL, "study", overwrite=True)
    assert opened(cache) == NEW


def test_locks_and_what_is_not_whole_are_not_published(made: Made) -> None:
    noise = {".lock": b"", "spaces/.base.12.partial": b"", ".x.3.partial/y": b""}
    publish(made("new", NEW | noise | {"images/.1.jpg": b"an image"}), URL, "study")
    assert files_in(local(URL, "study")) == NEW | {"images/.1.jpg": b"an image"}


def test_a_name_that_no_reader_takes_is_refused_before_anything_is_sent(
    made: Made, flaky: Flaky
) -> None:
    with pytest.raises(StudyError, match="cannot be published: the name"):
        publish(made("new", NEW | {"a\\b": b""}), URL, "study")
    assert not flaky.store


def test_a_block_that_fails_publishes_nothing_and_leaves_nothing(flaky: Flaky, cache: Path) -> None:
    with pytest.raises(ValueError), written(URL, "study") as folder:
        assert not folder.exists()
        folder.mkdir()
        (folder / "study.toml").write_text("half")
        raise ValueError
    assert not flaky.store
    assert not folder.exists()


def test_what_is_there_is_refused_before_the_work_begins(made: Made) -> None:
    publish(made("old", OLD), URL, "study")
    with pytest.raises(StudyError, match="exists already"), written(URL, "study"):
        pytest.fail("the block must not start")


def test_two_processes_of_a_machine_do_not_write_one_address(flaky: Flaky) -> None:
    with (
        written(URL, "study") as folder,
        pytest.raises(StudyError, match="another process is writing flaky://"),
        written(URL, "study"),
    ):
        pytest.fail("the block must not start")
    assert not folder.exists() or not flaky.store


def test_files_are_added_to_a_folder_that_is_published(made: Made, flaky: Flaky) -> None:
    said: list[str] = []
    publish(made("old", OLD), URL, "study")
    with changed(URL, "study", say=said.append) as folder:
        (folder / "scores").write_bytes(b"1")
        flaky.be_well()
    assert [name for name, _ in flaky.done].count("put") == 1
    assert files_in(local(URL, "study")) == OLD | {"scores": b"1"}
    assert said == []


def test_a_folder_on_this_machine_is_given_as_it_is(tmp_path: Path) -> None:
    for place in (tmp_path / "study", str(tmp_path / "study")):
        with written(place, "study") as folder:
            assert folder == tmp_path / "study"
        with changed(place, "study", say=pytest.fail) as folder:
            assert folder == tmp_path / "study"


names = st.from_regex(r"[a-cä.]{1,3}(/[a-cä.]{1,3})?", fullmatch=True).filter(
    lambda name: not {"..", "."} & set(name.split("/")) and not name.endswith(("/", ".partial"))
)
folders = st.dictionaries(names, st.binary(max_size=3), min_size=1, max_size=5).filter(
    lambda files: not any(a.startswith(f"{b}/") for a in files for b in files)
)


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(first=folders, then=folders, number=st.integers(1, 30))
def test_any_folder_after_any_folder(
    first: dict[str, bytes],
    then: dict[str, bytes],
    number: int,
    made: Made,
    flaky: Flaky,
    cache: Path,
    tmp_path: Path,
) -> None:
    shutil.rmtree(tmp_path / "made", ignore_errors=True)
    flaky.reset()
    publish(made("first", first), URL, "study")
    flaky.strike(number)
    try:
        publish(made("then", then), URL, "study", overwrite=True)
        flaky.be_well()
        assert opened(cache) == then
    except Killed:
        flaky.be_well()
        assert opened(cache) in (first, then)
        publish(made("then", then), URL, "study", overwrite=True)
    shutil.rmtree(cache / "remote" / "mirrors")
    assert files_in(local(URL, "study")) == then
    named = json.loads(flaky().cat_file("/bucket/some/study/beholder.json"))["files"]
    assert {entry["sha256"] for entry in named.values()} <= {
        name.rpartition("/")[2] for name in objects(flaky)
    }
