"""The part of a file that has come so far, and of which version of the file it is a part."""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from beholder import atomic
from beholder.errors import StudyError


@dataclass(frozen=True)
class Version:
    """What a server said of a file: enough to ask for the rest of that very file."""

    url: str
    etag: str | None
    modified: str | None
    total: int | None  # bytes of the whole file

    @property
    def validator(self) -> str | None:
        """What a server can tell this version by: a strong ETag or the date, for If-Range."""
        if self.etag and not self.etag.startswith("W/"):
            return self.etag
        return self.modified

    def agrees_with(self, other: "Version") -> bool:
        """Tell whether nothing that both versions know differs."""
        pairs = zip(asdict(self).values(), asdict(other).values(), strict=True)
        return all(ours == theirs or None in (ours, theirs) for ours, theirs in pairs)


class Part:
    """``<name>.part`` beside a target, open and locked, with its version in ``<name>.part.json``.

    Use as a context manager. Bytes without a version are worth nothing and are never added
    to. Raises StudyError, naming the file, where the disk refuses or another process holds it.
    """

    def __init__(self, target: Path) -> None:
        self.path, self._note = part_files(target)
        self._target = target
        with self._writing():
            self._file = self.path.open("ab")
        try:
            self._lock()
            self.size = os.fstat(self._file.fileno()).st_size
            self.version = _read_version(self._note)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Of a full disk the failed write has told already; closing tries to write once more.
        with contextlib.suppress(OSError):
            self._file.close()
        if not self.size:
            remove_part(self._target)

    def begin(self, version: Version) -> None:
        """Drop what has come, if anything, and begin with another version of the file."""
        with self._writing():
            self._note.unlink(missing_ok=True)  # first: old bytes never meet a new version
            self._file.truncate(0)
            self.size, self.version = 0, version
            atomic.write_text(self._note, json.dumps(asdict(version)))

    def forget_version(self) -> None:
        """Make the next attempt begin anew."""
        self.version = None

    def write(self, data: bytes) -> None:
        """Add bytes at the end."""
        with self._writing():
            self._file.write(data)
        self.size += len(data)

    def flush(self) -> None:
        """Bring what was written to the file, where others can read it."""
        with self._writing():
            self._file.flush()

    def become_target(self) -> None:
        """Give the whole file its name."""
        with self._writing():
            self._file.flush()
            os.fsync(self._file.fileno())
            self.path.replace(self._target)
            self._note.unlink(missing_ok=True)

    def discard(self) -> None:
        """Drop what has come, because it is of no use; its file goes when the block ends."""
        self.size = 0

    def _lock(self) -> None:
        """Hold the file until it is closed, or raise StudyError where another process does."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Who held it until now may have renamed it to the target, or removed it.
            is_ours = os.path.samestat(os.fstat(self._file.fileno()), self.path.stat())
        except (BlockingIOError, FileNotFoundError):
            is_ours = False
        if not is_ours:
            raise StudyError(f"{self.path} is being written by another process; wait for it")

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StudyError(
                f"{self.path} was not written: {error.strerror or error}; what came before is kept"
            ) from error


def part_files(target: Path) -> tuple[Path, Path]:
    """Return where the part of a target lies, and where its version."""
    part = target.with_name(target.name + ".part")
    return part, part.with_name(part.name + ".json")


def remove_part(target: Path) -> None:
    """Remove the part of a target and its version, if there are any."""
    for file in reversed(part_files(target)):  # bytes without a version are never added to
        file.unlink(missing_ok=True)


def _read_version(file: Path) -> Version | None:
    """Return the version in a file; None where there is none that can be trusted."""
    try:
        version = Version(**json.loads(file.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    texts = (version.url, version.etag or "", version.modified or "")
    is_sound = all(isinstance(text, str) and text.isprintable() for text in texts)
    return version if is_sound and isinstance(version.total, int | None) else None
