"""A mirror has the very bytes that were published, and nothing outside its folder."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from flaky_storage import FlakyFileSystem, Killed
from fsspec.registry import known_implementations

from beholder.errors import ConfigurationError, StudyError, UnsupportedError
from beholder.remote import changed, in_its_words, local, publish
from beholder.remote.address import Address
from beholder.remote.manifest import is_inside, parse_manifest
from beholder.remote.storage import _reason

URL = "flaky://bucket/some/study"
FILES = {"study.toml": b"a", "images/1.jpg": b"b", "images/2.jpg": b"c", "samples.parquet": b"d"}

Made = Callable[..., Path]
Flaky = type[FlakyFileSystem]


def gets(flaky: Flaky) -> int:
    return sum(name == "get" for name, _ in flaky.done)


def test_what_is_here_is_not_fetched_again(made: Made, flaky: Flaky) -> None:
    publish(made("study", FILES), URL, "study")
    flaky.be_well()
    first = local(URL, "study")
    assert gets(flaky) == 4
    assert local(URL, "study") == first
    assert gets(flaky) == 4
    publish(made("study", {"samples.parquet": b"e"}), URL, "study", overwrite=True)
    second = local(URL, "study")
    assert gets(flaky) == 5
    assert (first / "samples.parquet").read_bytes() == b"d", "who reads the old one goes on"
    assert (second / "samples.parquet").read_bytes() == b"e"


@pytest.mark.parametrize("when", ["before", "half", "after"])
def test_a_fetching_that_was_killed_goes_on(made: Made, flaky: Flaky, when: str) -> None:
    publish(made("study", FILES), URL, "study")
    flaky.strike(4, when)  # the manifest, two files, and the third
    with pytest.raises(Killed):
        local(URL, "study")
    flaky.be_well()
    folder = local(URL, "study")
    assert gets(flaky) == 2
    assert {p.relative_to(folder).as_posix() for p in folder.rglob("*.*")} == set(FILES)


def test_a_mirror_that_lost_a_file_is_made_again(made: Made, flaky: Flaky) -> None:
    publish(made("study", FILES), URL, "study")
    folder = local(URL, "study")
    (folder / "images" / "1.jpg").unlink()
    flaky.be_well()
    assert (local(URL, "study") / "images" / "1.jpg").read_bytes() == b"b"
    assert gets(flaky) == 0


def test_bytes_that_are_not_those_published_are_refused(made: Made, flaky: Flaky) -> None:
    publish(made("study", FILES), URL, "study")
    key = f"/bucket/some/study/objects/{hashlib.sha256(b'd').hexdigest()}"
    flaky().pipe_file(key, b"D")
    with pytest.raises(StudyError, match=r"'samples.parquet' of flaky://bucket/some/study is miss"):
        local(URL, "study")


HOSTILE = ("/abs", "../up", "a/../../up", "..", ".", "", "a//b", "a/", "./a", "a\\..\\b", "a\0b")


@pytest.mark.parametrize("name", [*HOSTILE, "\udcff"])
def test_no_name_leads_outside(name: str, flaky: Flaky, tmp_path: Path) -> None:
    with pytest.raises(ValueError):
        is_inside(name)
    digest = hashlib.sha256(b"evil").hexdigest()
    entry = {"size": 4, "sha256": digest}
    text = json.dumps({"version": 1, "kind": "study", "files": {"study.toml": entry, name: entry}})
    flaky().pipe_file("/bucket/some/study/beholder.json", text.encode())
    flaky().pipe_file(f"/bucket/some/study/objects/{digest}", b"evil")
    with pytest.raises(StudyError, match="is damaged or not of a folder"):
        local(URL, "study")
    assert not list(tmp_path.rglob("*up*"))


@pytest.mark.parametrize("sha256", ["../../../up", "0" * 63, "A" * 64, ""])
def test_no_digest_leads_outside(sha256: str) -> None:
    files = {"study.toml": {"size": 4, "sha256": sha256}}
    data = json.dumps({"version": 1, "kind": "study", "files": files}).encode()
    with pytest.raises(StudyError, match="damaged"):
        parse_manifest(data, "there", "study")


@pytest.mark.parametrize(
    "said",
    [b"[]", b"{}", b"\xff", b'{"version": 1, "kind": "cat", "files": {}}', b"null", b"1e999"],
)
def test_a_manifest_of_anything_else_is_refused(said: bytes) -> None:
    with pytest.raises(StudyError, match=r"^there is damaged or not of a folder"):
        parse_manifest(said, "there", "study")


def test_a_manifest_of_a_later_version_says_so() -> None:
    with pytest.raises(StudyError, match="has version 2; this Beholder reads version 1"):
        parse_manifest(b'{"version": 2, "kind": "study", "files": {}}', "there", "study")


def test_a_file_and_a_folder_of_one_name_are_refused(flaky: Flaky) -> None:
    entry = {"size": 1, "sha256": hashlib.sha256(b"x").hexdigest()}
    text = json.dumps({"version": 1, "kind": "study", "files": {"a": entry, "a/b": entry}})
    flaky().pipe_file("/bucket/some/study/beholder.json", text.encode())
    flaky().pipe_file(f"/bucket/some/study/objects/{entry['sha256']}", b"x")
    with pytest.raises(StudyError, match="cannot be mirrored"):
        local(URL, "study")


def copied(files: dict[str, bytes]) -> None:
    """Put files as another tool would."""
    for name, data in files.items():
        FlakyFileSystem().pipe_file(f"/bucket/some/study/{name}", data)


def test_a_folder_that_another_tool_copied_is_read(flaky: Flaky) -> None:
    copied(FILES)
    flaky.be_well()
    folder = local(URL, "study")
    assert {n: (folder / n).read_bytes() for n in FILES} == FILES
    assert gets(flaky) == 4
    local(URL, "study")
    assert gets(flaky) == 4
    copied({"samples.parquet": b"e"})
    assert (local(URL, "study") / "samples.parquet").read_bytes() == b"e"
    assert gets(flaky) == 5


def test_a_copied_folder_that_changes_while_it_is_read_is_refused(flaky: Flaky) -> None:
    copied(FILES)
    flaky.strike(4, then=lambda: copied({"samples.parquet": b"e", "images/1.jpg": b"f"}))
    with pytest.raises(StudyError, match="changed while it was read: try again"):
        local(URL, "study")


def test_a_copied_folder_with_a_hostile_name_is_refused(flaky: Flaky, tmp_path: Path) -> None:
    copied({"study.toml": b"a", "../../../up": b"b"})
    copied({"study.toml": b"a", "x\\y": b"b"})
    with pytest.raises(StudyError, match="leads outside its folder"):
        local(URL, "study")


def test_a_copied_folder_is_only_read(flaky: Flaky) -> None:
    said: list[str] = []
    copied(FILES)
    with changed(URL, "study", say=said.append) as folder:
        (folder / "more").write_text("more")
    assert said == [f"{URL} is only read: what was added to the study is not kept there"]
    assert len(flaky.store) == 4


def test_what_is_no_study_downloads_nothing(flaky: Flaky) -> None:
    copied({"holiday.jpg": b"a"})
    flaky.be_well()
    with pytest.raises(
        StudyError, match=r"is not a study: it has no beholder\.json and no study\.t"
    ):
        local(URL, "study")
    assert gets(flaky) == 0


def test_an_edited_mirror_cannot_change_what_is_cached(made: Made, cache: Path) -> None:
    publish(made("study", FILES), URL, "study")
    folder = local(URL, "study")
    assert all(p.stat().st_mode & 0o222 == 0 for p in folder.rglob("*") if p.is_file())
    assert (cache / "remote").stat().st_mode & 0o077 == 0


def test_an_error_names_the_address_that_was_given(tmp_path: Path) -> None:
    with (
        pytest.raises(StudyError, match=r"^https://host/a/study\.toml is odd$"),
        in_its_words(tmp_path, "https://user:pw@host/a?sig=1"),
    ):
        raise StudyError(f"{tmp_path}/study.toml is odd")


def test_a_backends_words_are_shown_without_secrets() -> None:
    plain = Address.parse("https://host/a")
    error = OSError("403, url='https://user:pw@host/b?X-Amz-Signature=SECRET&a=b' (denied)")
    assert _reason(error, plain) == "403, url='https:…host/b…' (denied) (OSError)"
    signed = Address.parse("https://host/a?sig=SECRET")
    assert _reason(OSError("SECRET"), signed) == "OSError"


def test_a_backend_that_fails_is_one_sentence(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(made("study", FILES), URL, "study")

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("token\nexpired at https://host/?sig=SECRET")

    monkeypatch.setattr(FlakyFileSystem, "cat_file", fail)
    with pytest.raises(StudyError) as caught:
        local(URL, "study")
    told = f"{URL} cannot be read: token expired at https://host/… (RuntimeError)"
    assert str(caught.value) == told
    assert caught.value.__cause__ is None, "a traceback would show the backend's own words"


def test_a_missing_backend_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    absent = {"class": "library_that_is_absent.System", "err": "Install it"}
    monkeypatch.setitem(known_implementations, "absent", absent)
    with pytest.raises(UnsupportedError, match=r"absent:// needs .*: pip install library_that_is"):
        local("absent://bucket/study", "study")
    with pytest.raises(UnsupportedError, match="no storage is known as odd://"):
        local("odd://bucket/study", "study")


def test_without_fsspec_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'beholder\[storage\]'"):
        local("s3://bucket/study", "study")


def test_opening_a_local_study_loads_no_fsspec(tiny_study: object) -> None:
    script = (
        "import sys; from beholder.study import Study; import beholder.remote\n"
        f"Study.open({str(tiny_study.path)!r}); sys.exit('fsspec' in sys.modules)"  # type: ignore[attr-defined]
    )
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0
