"""Unpacks a zip archive that came from elsewhere: all of it inside one folder, or nothing."""

import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

from beholder.atomic import staged_folder
from beholder.errors import StudyError
from beholder.progress import Progress, silent

_CHUNK_BYTES = 2**20
_LONGEST_PART, _LONGEST_NAME = 255, 1024  # bytes, as most file systems have it
_AGAIN = "pass --overwrite to download it again"

# Whatever zipfile stumbles on in bytes that are no zip archive, or no sound one.
_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError),
    *(NotImplementedError, RuntimeError, ValueError, OverflowError),
)


@dataclass(frozen=True)
class Limits:
    """The most that an archive may unpack to; ``ratio`` is unpacked bytes to archive bytes.

    Attention maps are mostly smooth or empty and pack well, a bomb packs better by far.
    """

    total_bytes: int = 200 * 2**30
    members: int = 100_000
    ratio: float = 200.0


_DEFAULT = Limits()


def check_archive(archive: Path) -> None:
    """Raise StudyError unless a file has a zip archive's directory, as only a whole one has.

    The members' own bytes are checked by `unpack`, which has to read them anyway.
    """
    with _opened(archive, "try again later, or name another address with --url") as opened:
        if not opened.infolist():
            raise StudyError(f"{archive} is an empty zip archive, expected data")


def unpack(
    archive: Path,
    target: Path,
    *,
    limits: Limits = _DEFAULT,
    overwrite: bool = False,
    progress: Progress = silent,
) -> None:
    """Unpack ``archive`` to the folder ``target``, whole or not at all.

    Every member's size and CRC are checked; what macOS adds (``__MACOSX/``) is left out.
    Raises StudyError, with nothing written, for an archive that is damaged, that holds a link
    or a name that leads outside, that names a file twice, or that exceeds ``limits``.
    """
    with _opened(archive, _AGAIN) as opened:
        members = _members(opened, archive, limits)
        try:
            with staged_folder(target, overwrite=overwrite) as folder:
                for member, path in progress(members, f"unpacking {archive.name}"):
                    _write(opened, member, folder / path, archive)
        except OSError as error:
            raise StudyError(f"{target} was not unpacked: {error.strerror or error}") from error


@contextmanager
def _opened(archive: Path, advice: str) -> Iterator[zipfile.ZipFile]:
    try:
        opened = zipfile.ZipFile(archive)
    except _DAMAGE as error:
        raise StudyError(
            f"{archive} is not a whole zip archive ({_said(error)}): {advice}"
        ) from error
    with opened:
        yield opened


def _members(
    opened: zipfile.ZipFile, archive: Path, limits: Limits
) -> list[tuple[zipfile.ZipInfo, PurePosixPath]]:
    """Return what is to be unpacked and where, once nothing speaks against any of it."""
    members = opened.infolist()
    total, packed = sum(member.file_size for member in members), archive.stat().st_size
    if len(members) > limits.members:
        found, most = f"{len(members):,} files", f"{limits.members:,}"
    elif total > limits.total_bytes:
        found, most = f"{total:,} bytes", f"{limits.total_bytes:,}"
    elif total > limits.ratio * packed:
        found, most = f"{total / packed:,.0f} times its own size", f"{limits.ratio:,.0f}"
    else:
        return _paths(members, archive)
    raise StudyError(f"{archive} would unpack to {found}, expected at most {most}: not unpacked")


def _paths(
    members: list[zipfile.ZipInfo], archive: Path
) -> list[tuple[zipfile.ZipInfo, PurePosixPath]]:
    placed = []
    taken: dict[str, tuple[PurePosixPath, bool]] = {}  # by folded path: its spelling, if a file
    for member in members:
        name = _name(member)
        path = PurePosixPath(name)
        fault = _fault(name, member) or _clash(path, _is_folder(name), taken)
        if fault:
            raise StudyError(f"{archive} is not unpacked: its member {name[:200]!r} {fault}")
        if path.parts[0] != "__MACOSX":
            placed.append((member, path))
    return placed


def _name(member: zipfile.ZipInfo) -> str:
    """Return a member's name, which many tools write in UTF-8 without saying so."""
    name = member.orig_filename
    if not member.flag_bits & 0x800:
        try:
            return name.encode("cp437").decode("utf-8")
        except UnicodeError:
            return name  # in code page 437, as the format has it
    return name


def _is_folder(name: str) -> bool:
    return name.endswith("/")


def _fault(name: str, member: zipfile.ZipInfo) -> str | None:
    """Return what is wrong with one member, whatever the others are."""
    path = PurePosixPath(name)
    mode = stat.S_IFMT(member.external_attr >> 16)
    if path.is_absolute() or ".." in path.parts or PureWindowsPath(name).drive:
        return "leads outside the folder"
    if not path.parts or "\\" in name or any(unicodedata.category(c) == "Cc" for c in name):
        return "has no name that a file could have"
    if len(name.encode()) > _LONGEST_NAME or max(map(_length, path.parts)) > _LONGEST_PART:
        return "has a name that is too long for a file"
    if mode not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is a link or a device, expected files and folders alone"
    if member.flag_bits & 0x1:
        return "is encrypted, expected an archive without a password"
    # Others can blow up in memory, as Python unpacks a whole chunk of them at once.
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return f"is packed by method {member.compress_type}, expected stored or deflated"
    return None


def _length(part: str) -> int:
    return len(part.encode())


def _clash(
    path: PurePosixPath, is_folder: bool, taken: dict[str, tuple[PurePosixPath, bool]]
) -> str | None:
    """Note a path and the folders above it; return what is wrong where one is taken.

    Paths that differ by case or by Unicode's composition alone are one on many file systems.
    """
    for place in (*list(path.parents)[-2::-1], path):
        folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", str(place)).casefold())
        is_file = place == path and not is_folder
        spelling, was_file = taken.setdefault(folded, (place, is_file))
        if spelling is place:
            continue
        if spelling != place or is_file or was_file:
            return f"has the place of another, {str(spelling)!r}"
    return None


def _write(opened: zipfile.ZipFile, member: zipfile.ZipInfo, file: Path, archive: Path) -> None:
    if _is_folder(_name(member)):
        file.mkdir(parents=True, exist_ok=True)
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with file.open("xb") as stream:
        for chunk in _contents(opened, member, archive):
            written += stream.write(chunk)
    if written != member.file_size:
        raise StudyError(
            f"{archive} is damaged at {member.filename!r}: it has {written:,} bytes, expected "
            f"{member.file_size:,}; {_AGAIN}"
        )


def _contents(opened: zipfile.ZipFile, member: zipfile.ZipInfo, archive: Path) -> Iterator[bytes]:
    """Give a member's bytes; at their end zipfile compares their CRC."""
    try:
        with opened.open(member) as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                yield chunk
    except _DAMAGE as error:
        raise StudyError(
            f"{archive} is damaged at {member.filename!r} ({_said(error)}): {_AGAIN}"
        ) from error


def _said(error: Exception) -> str:
    said = error.strerror if isinstance(error, OSError) else str(error)
    return " ".join((said or type(error).__name__).split())[:200]
