"""Unpacking archives that are damaged, enormous or mean harm."""

from __future__ import annotations

import errno
import os
import stat
import struct
import tempfile
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from made_archives import Member, zip_of

from beholder.errors import StudyError
from beholder.study.fetching import Limits, check_archive, unpack

Unpacked = Callable[..., dict[str, bytes]]


def tree(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder, following no link."""
    found = {}
    for path, _, files in os.walk(folder):
        for name in files:
            file = Path(path) / name
            assert stat.S_ISREG(file.lstat().st_mode)
            found[str(file.relative_to(folder))] = file.read_bytes()
    return found


def unpacked(folder: Path, archive: bytes, limits: Limits | None = None) -> dict[str, bytes]:
    """Unpack an archive in a folder and return what came of it."""
    (folder / "ads.zip").write_bytes(archive)
    try:
        unpack(folder / "ads.zip", folder / "ads", limits=limits or Limits())
    finally:
        left = {path.name for path in folder.iterdir()}
        assert left <= {"ads.zip", "ads"}
    return tree(folder / "ads")


def refusal(folder: Path, archive: bytes, limits: Limits | None = None) -> str:
    """Return the sentence that refuses an archive, nothing of it being written."""
    with pytest.raises(StudyError) as caught:
        unpacked(folder, archive, limits)
    assert not (folder / "ads").exists()
    assert "\n" not in str(caught.value)
    assert str(folder / "ads.zip") in str(caught.value)
    return str(caught.value)


def test_files_and_folders_come_out_as_they_went_in(tmp_path: Path) -> None:
    members = [
        Member(b"data.csv", b"a,b\n" * 1000),
        Member(b"empty/", b"", stat.S_IFDIR | 0o755),
        Member(b"./ims/a.png", os.urandom(3_000_000)),
        Member(b"bv//a_1.mat", b"", method=zipfile.ZIP_STORED),
        Member(b"no mode", b"made on Windows", mode=0),
        Member(b"run me", b"#!", stat.S_IFREG | 0o6777),
    ]
    found = unpacked(tmp_path, zip_of(members))
    assert found == {
        "data.csv": members[0].content,
        "ims/a.png": members[2].content,
        "bv/a_1.mat": b"",
        "no mode": b"made on Windows",
        "run me": b"#!",
    }
    assert (tmp_path / "ads" / "empty").is_dir()
    assert (tmp_path / "ads" / "run me").stat().st_mode & 0o7111 == 0


def test_what_macos_adds_is_left_out(tmp_path: Path) -> None:
    members = [Member(b"ads/data.csv"), Member(b"__MACOSX/._ads"), Member(b"__MACOSX/ads/._data")]
    assert set(unpacked(tmp_path, zip_of(members))) == {"ads/data.csv"}


def test_names_are_read_as_they_were_meant(tmp_path: Path) -> None:
    members = [
        Member("Käse.png".encode(), flags=0x800),
        Member("人.png".encode()),  # UTF-8 that does not say so
        Member("größe.png".encode("cp437")),
    ]
    found = unpacked(tmp_path, zip_of(members))
    assert set(found) == {"Käse.png", "人.png", "größe.png"}


@pytest.mark.parametrize(
    ("member", "words"),
    [
        *((Member(raw), "leads outside") for raw in (b"/etc/passwd", b"../a", b"a/../../b", b"..")),
        *((Member(raw), "leads outside") for raw in (b"C:/a", b"a/..", b"//host/a", b"C:a")),
        *((Member(raw), "no name that") for raw in (b"a\\b", b"", b".", b"./", b"a\nb", b"a\0b")),
        (Member(b"\xc2\x85"), "no name that"),
        *((Member(raw), "too long") for raw in (b"x" * 256, "ä".encode() * 128, b"y/" * 600)),
        (Member(b"a", b"/etc/passwd", stat.S_IFLNK | 0o777), "link or a device"),
        *((Member(b"a", mode=m), "device") for m in (stat.S_IFCHR, stat.S_IFIFO, stat.S_IFSOCK)),
        (Member(b"a", flags=1), "encrypted"),
        (Member(b"a", method=zipfile.ZIP_BZIP2), "method 12, expected stored or deflated"),
        (Member(b"a", method=zipfile.ZIP_LZMA), "method 14"),
        (Member(b"__MACOSX/../../a"), "leads outside"),
    ],
)
def test_a_hostile_member_refuses_the_archive(tmp_path: Path, member: Member, words: str) -> None:
    sentence = refusal(tmp_path, zip_of([Member(b"data.csv"), member]))
    assert words in sentence and "its member" in sentence


@pytest.mark.parametrize(
    ("first", "second"),
    [
        *((b"a", b"a"), (b"a", b"A"), (b"a/b", b"A/c"), (b"a", b"a/b"), (b"a/b", b"a")),
        *((b"a", b"./a"), (b"a/", b"a"), (b"x/a", b"x//a"), (b"a", b"a/"), (b"A/", b"a/")),
        ("ß".encode(), b"SS"),
        (unicodedata.normalize("NFC", "é").encode(), unicodedata.normalize("NFD", "É").encode()),
    ],
)
def test_no_two_members_have_one_place(tmp_path: Path, first: bytes, second: bytes) -> None:
    with_warning = [Member(first), Member(b"between"), Member(second)]
    assert "has the place of another" in refusal(tmp_path, zip_of(with_warning))


def test_a_folder_named_twice_is_one_folder(tmp_path: Path) -> None:
    names = (b"a/", b"a/b", b"a/", b"a/c/", b"a/c/d")
    assert set(unpacked(tmp_path, zip_of(map(Member, names)))) == {"a/b", "a/c/d"}


def test_a_bomb_is_refused_before_anything_is_unpacked(tmp_path: Path) -> None:
    zeros = zip_of([Member(b"zeros", bytes(10_000_000))])
    assert "times its own size, expected at most 200" in refusal(tmp_path, zeros)
    assert unpacked(tmp_path, zeros, Limits(ratio=2000))["zeros"] == bytes(10_000_000)


def test_limits_hold_to_the_last_byte_and_file(tmp_path: Path) -> None:
    archive = zip_of([Member(b"a", b"12345"), Member(b"b", b"67890")])
    assert len(unpacked(tmp_path, archive, Limits(total_bytes=10, members=2))) == 2
    (tmp_path / "other").mkdir()
    for limits, words in (
        (Limits(total_bytes=9), "10 bytes, expected at most 9"),
        (Limits(members=1), "2 files, expected at most 1"),
    ):
        assert words in refusal(tmp_path / "other", archive, limits)


def overlapping(copies: int) -> bytes:
    """Return an archive whose directory names the same bytes many times."""
    one = zip_of([Member(b"a", bytes(100_000))])
    end = one.rindex(b"PK\5\6")
    start = one.rindex(b"PK\1\2")
    tail = bytearray(one[end:])
    struct.pack_into("<HHI", tail, 8, copies, copies, copies * (end - start))
    return one[:start] + one[start:end] * copies + bytes(tail)


def test_members_that_share_their_bytes_are_refused(tmp_path: Path) -> None:
    refusal(tmp_path, overlapping(2))
    assert "its own size" in refusal(tmp_path, overlapping(1000))


@pytest.mark.parametrize("difference", [-1, 1])
def test_a_size_that_lies_is_found(tmp_path: Path, difference: int) -> None:
    content = b"content" * 99
    archive = bytearray(zip_of([Member(b"a", content)]))
    directory = archive.rindex(b"PK\1\2")
    struct.pack_into("<I", archive, directory + 24, len(content) + difference)
    sentence = refusal(tmp_path, bytes(archive))
    assert "damaged at 'a'" in sentence and "--overwrite" in sentence


def test_a_byte_that_changed_is_found(tmp_path: Path) -> None:
    archive = zip_of([Member(b"a", b"content", method=zipfile.ZIP_STORED)])
    sentence = refusal(tmp_path, archive.replace(b"content", b"CONTENT"))
    assert "damaged at 'a' (Bad CRC-32" in sentence and "--overwrite" in sentence


@pytest.mark.parametrize("damage", ["garbage", "empty", "cut", "half", "absent"])
def test_what_is_no_whole_archive_is_told(tmp_path: Path, damage: str) -> None:
    whole = zip_of([Member(b"a", os.urandom(5000)), Member(b"b", os.urandom(5000))])
    damaged = {
        "garbage": os.urandom(3000),
        "empty": b"",
        "cut": whole[:-30],
        "half": whole[: len(whole) // 2],
        "absent": b"",
    }[damage]
    sentence = refusal(tmp_path, damaged)
    assert "is not a whole zip archive" in sentence and "--overwrite" in sentence
    if damage == "absent":
        (tmp_path / "ads.zip").unlink()
    with pytest.raises(StudyError, match="is not a whole zip archive"):
        check_archive(tmp_path / "ads.zip")


def test_an_empty_archive_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zip_of([]))
    with pytest.raises(StudyError, match="is an empty zip archive"):
        check_archive(tmp_path / "a.zip")


def test_a_name_that_says_utf8_and_is_not(tmp_path: Path) -> None:
    assert "whole zip archive" in refusal(tmp_path, zip_of([Member(b"\xff\xfe", flags=0x800)]))


@pytest.mark.parametrize("place", ["pathlib.Path.open", "pathlib.Path.mkdir", "os.fsync"])
def test_a_full_disk_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    (tmp_path / "a.zip").write_bytes(zip_of([Member(b"data.csv"), Member(b"ims/a")]))

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch, pytest.raises(StudyError) as caught:
        patch.setattr(place, refuse)
        unpack(tmp_path / "a.zip", tmp_path / "ads")
    assert str(caught.value) == f"{tmp_path / 'ads'} was not unpacked: No space left on device"
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


def test_nothing_is_replaced_unless_asked_for(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zip_of([Member(b"new")]))
    (tmp_path / "ads").mkdir()
    (tmp_path / "ads" / "old").write_text("old")
    with pytest.raises(StudyError, match="exists already"):
        unpack(tmp_path / "a.zip", tmp_path / "ads")
    assert set(tree(tmp_path / "ads")) == {"old"}
    (tmp_path / "b.zip").write_bytes(zip_of([Member(b"new", b"damaged")]).replace(b"PK\3", b"PK?"))
    with pytest.raises(StudyError, match="damaged"):
        unpack(tmp_path / "b.zip", tmp_path / "ads", overwrite=True)
    assert set(tree(tmp_path / "ads")) == {"old"}
    unpack(tmp_path / "a.zip", tmp_path / "ads", overwrite=True)
    assert set(tree(tmp_path / "ads")) == {"new"}


pieces = st.sampled_from(
    (
        *b"abAB./\\:~ \0\n",
        *("..", "../", "/", "./", "C:", "ä", "Ä", "a\u0308", "__MACOSX/", "\u202e", "ims/"),
    )
)
names = st.lists(pieces, max_size=6).map(
    lambda parts: b"".join(bytes([p]) if isinstance(p, int) else p.encode() for p in parts)
)
kinds = st.sampled_from([stat.S_IFREG] * 6 + [0, stat.S_IFDIR, stat.S_IFLNK, stat.S_IFIFO])
hostile = st.lists(
    st.builds(Member, names | st.binary(max_size=8), st.binary(max_size=20), kinds), max_size=4
)


def is_outside(name: str) -> bool:
    """Tell by the file system's own rules whether a name leads out of a folder."""
    return not os.path.normpath(os.path.join("/in", name)).startswith("/in/")  # noqa: PTH118


@settings(max_examples=150)
@given(members=hostile)
def test_whatever_the_names_are_nothing_leaves_the_folder(members: list[Member]) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "inner"
        folder.mkdir()
        try:
            found = unpacked(folder, zip_of(members))
        except StudyError as error:
            assert not (folder / "ads").exists()
            assert "\n" not in str(error) and "\0" not in str(error)
            return
        finally:
            assert [path.name for path in Path(temporary).iterdir()] == ["inner"]
    contents = []
    for member in members:
        try:
            name = member.raw.decode()
        except UnicodeDecodeError:
            name = member.raw.decode("cp437")
        assert not is_outside(name)
        assert stat.S_IFMT(member.mode) not in (stat.S_IFLNK, stat.S_IFIFO)
        if not name.endswith("/") and os.path.normpath(name).split("/")[0] != "__MACOSX":
            contents.append((os.path.normpath(name), member.content))
    assert sorted(found.items()) == sorted(contents)
    assert len({name.casefold() for name in found}) == len(found)


@settings(max_examples=50)
@given(
    st.dictionaries(
        st.text("abcxyz09_-. äß人", min_size=1, max_size=12), st.binary(max_size=99), max_size=6
    )
)
def test_plain_names_come_out_whatever_they_hold(files: dict[str, bytes]) -> None:
    assume(not any(set(name) <= {"."} for name in files))
    assume(len({unicodedata.normalize("NFC", name.casefold()) for name in files}) == len(files))
    with tempfile.TemporaryDirectory() as temporary:
        archive = zip_of(Member(f"d/{n}".encode(), c, flags=0x800) for n, c in files.items())
        assert unpacked(Path(temporary), archive) == {f"d/{n}": c for n, c in files.items()}


SOUND = [Member(b"data.csv", b"a,b\n" * 40), Member(b"ims/a", bytes(range(60))), Member(b"bv/c")]


@settings(max_examples=150)
@given(st.data())
def test_damage_is_told_or_harmless(data: st.DataObject) -> None:
    archive = bytearray(zip_of(SOUND))
    for _ in range(data.draw(st.integers(1, 3), "flips")):
        place = data.draw(st.integers(0, len(archive) - 1), "place")
        archive[place] ^= data.draw(st.integers(1, 255), "bits")
    end = data.draw(st.sampled_from([len(archive)] * 3 + [len(archive) - 1]), "end")
    with tempfile.TemporaryDirectory() as temporary:
        try:
            found = unpacked(Path(temporary), bytes(archive[:end]))
        except StudyError as error:
            assert "\n" not in str(error)
            return
    assert set(found.values()) <= {member.content for member in SOUND}
