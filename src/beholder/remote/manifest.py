"""What a published folder holds: the one object that makes it a study or a run.

``beholder.json`` names every file of the folder with its size and SHA-256. The files
themselves lie beside it as ``objects/<SHA-256>``: an object's name says what it holds, so an
object is never replaced by another, and what is there need not be sent again.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from beholder.progress import Progress, silent
from beholder.remote.address import ERRORS, Kind

FILE = "beholder.json"
OBJECTS = "objects"

_VERSION = 1
_SHA256 = re.compile(r"[0-9a-f]{64}")
NEVER_PUBLISHED = re.compile(r"\.lock|(?:.*/)?\.[^/]*\.partial(?:/.*)?")
"""A lock, and what is not whole yet."""


@dataclass(frozen=True)
class Entry:
    """One file: where it lies below the address, how large it is, and what it holds.

    Where no digest is known, as no manifest tells it, ``sha256`` is None and ``version`` is
    what the storage says of this version of the file.
    """

    key: str
    size: int
    sha256: str | None
    version: str = ""

    @property
    def cached(self) -> str:
        """The name under which the file's bytes are cached."""
        text = f"{self.key} {self.size} {self.version}"
        return self.sha256 or "listed-" + hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Manifest:
    """The files of a folder by their names, which lead nowhere outside it."""

    kind: Kind
    files: Mapping[str, Entry]

    @classmethod
    def of(cls, folder: Path, kind: Kind, progress: Progress = silent) -> "Manifest":
        """Return the manifest of a local folder."""
        names = sorted(f.relative_to(folder).as_posix() for f in folder.rglob("*") if f.is_file())
        names = [name for name in names if not NEVER_PUBLISHED.fullmatch(name)]
        try:
            files = {
                is_inside(name): _entry(folder / name)
                for name in progress(names, "reading files", len(names))
            }
        except ValueError as error:
            raise ERRORS[kind](f"{folder} cannot be published: {error}") from error
        return cls(kind, files)

    @property
    def generation(self) -> str:
        """The SHA-256 of all this: what is published anew and equal is the same generation."""
        facts = [(n, entry.cached, entry.size) for n, entry in sorted(self.files.items())]
        return hashlib.sha256(json.dumps([self.kind, facts]).encode()).hexdigest()

    def text(self) -> str:
        """Return what ``beholder.json`` says."""
        files = {n: {"size": e.size, "sha256": e.sha256} for n, e in self.files.items()}
        said = {"version": _VERSION, "kind": self.kind, "files": files}
        return json.dumps(said, ensure_ascii=False, indent=1) + "\n"


def parse_manifest(data: bytes, where: str, kind: Kind) -> Manifest:
    """Return the manifest that a ``beholder.json`` holds; the error of ``kind`` if it is none."""
    wrong = ERRORS[kind]
    try:
        said: dict[str, Any] = json.loads(data)
        version, own_kind = said["version"], said["kind"]
        if version != _VERSION:
            raise wrong(f"{where} has version {version}; this Beholder reads version {_VERSION}")
        if own_kind not in ERRORS:
            raise ValueError("its kind is neither study nor run")  # noqa: TRY301
        files = {
            is_inside(name): _entry_of(int(file["size"]), str(file["sha256"]))
            for name, file in said["files"].items()
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise wrong(f"{where} is damaged or not of a folder that Beholder published") from error
    return Manifest(own_kind, files)


def is_inside(name: str) -> str:
    """Return the name of a file if it stays inside the folder it is joined to; else ValueError."""
    path = PurePosixPath(name)
    is_plain = str(path) == name and "\\" not in name and "\0" not in name
    if not is_plain or not path.parts or path.is_absolute() or ".." in path.parts:
        raise ValueError(f"the name {name!r} leads outside its folder")
    name.encode()  # UnicodeEncodeError, a ValueError, where it is no text
    return name


def _entry(file: Path) -> Entry:
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        return _entry_of(stream.tell(), digest)


def _entry_of(size: int, sha256: str) -> Entry:
    if not _SHA256.fullmatch(sha256) or size < 0:
        raise ValueError("no SHA-256 and size of a file")
    return Entry(f"{OBJECTS}/{sha256}", size, sha256)
