"""Zip archives of folders and of members as hostile as one likes."""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from beholder.study.simulation import PRESETS

SMALL = replace(PRESETS["ads"].resized(4, 20), width=40, height=30, task_images=8)


def zipped(folder: Path, prefix: str = "") -> bytes:
    """Return a folder's files as a zip archive, below ``prefix``."""
    file = folder.with_name("made.zip")
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, prefix + path.relative_to(folder).as_posix())
    return file.read_bytes()


@dataclass(frozen=True)
class Member:
    """A member of an archive; ``raw`` is its name as it stands there, ``mode`` as in `os.stat`."""

    raw: bytes
    content: bytes = b"content"
    mode: int = stat.S_IFREG | 0o644
    flags: int = 0
    method: int = zipfile.ZIP_DEFLATED


class _AsItIs(zipfile.ZipInfo):
    """Writes a name's bytes and flags as they are."""

    member: Member

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:  # noqa: N802
        return self.member.raw, self.member.flags


def zip_of(members: Iterable[Member]) -> bytes:
    """Return a zip archive of members, however hostile."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number, member in enumerate(members):
            info = _AsItIs(f"member {number}")
            info.member = member
            info.external_attr = member.mode << 16
            info.create_system = 3
            info.compress_type = member.method
            archive.writestr(info, member.content)
    return file.getvalue()
