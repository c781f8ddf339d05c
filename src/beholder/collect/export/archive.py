"""Exports that lie ready in a study's data folder as ZIP files, each whole or absent."""

import csv
import fcntl
import io
import re
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from beholder.collect.export.bids import export_bids
from beholder.collect.export.selection import Choice
from beholder.collect.export.study import export_study
from beholder.collect.export.tables import export_tables
from beholder.collect.images import ImageCache
from beholder.collect.store import Store
from beholder.errors import StudyError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*\.zip")
_PEOPLE = "tables/participants.csv"


@dataclass(frozen=True)
class Archive:
    """A ZIP file of an export."""

    name: str
    bytes: int
    made_ms: int


class Archives:
    """The exports of one study: each holds ``study/``, ``tables/`` and ``bids/``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep every other process and thread from making or withdrawing meanwhile.

        Nobody may be withdrawn while an export that holds them is in the making.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / ".lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # closing the file lets go
            yield

    def prepare(self, store: Store, images: ImageCache, choice: Choice | None = None) -> Archive:
        """Make an export of what there is now."""
        with self.alone():
            return self._prepare(store, images, choice)

    def _prepare(self, store: Store, images: ImageCache, choice: Choice | None) -> Archive:
        moment = datetime.fromtimestamp(store.clock() / 1000, UTC)
        stem = f"{store.definition.name}-{moment:%Y%m%dT%H%M%S%f}"
        staging = self._folder / f".{stem}.partial"
        try:
            staging.mkdir()
            export_study(store, images, staging / "all" / "study", choice)
            export_tables(store, images, staging / "all" / "tables", choice)
            export_bids(store, images, staging / "all" / "bids", choice)
            packed = shutil.make_archive(str(staging / stem), "zip", staging / "all")
            Path(packed).replace(self._folder / f"{stem}.zip")
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        return self._archive(self._folder / f"{stem}.zip")

    def all(self) -> list[Archive]:
        """Return the exports that lie ready, newest first."""
        return sorted(map(self._archive, self._files()), key=lambda one: -one.made_ms)

    def path(self, name: str) -> Path:
        """Return an export's file; StudyError where there is none of this name."""
        file = self._folder / name
        if not _NAME.fullmatch(name) or not file.is_file():
            raise StudyError(f"there is no export {name!r}")
        return file

    def remove(self, name: str) -> None:
        """Remove an export."""
        self.path(name).unlink()

    def remove_with(self, participant: str) -> tuple[str, ...]:
        """Remove every export that holds a participant, and what is half-made; say which."""
        for unfinished in self._folder.glob(".*.partial"):
            shutil.rmtree(unfinished, ignore_errors=True)
        held = [file for file in self._files() if _holds(file, participant)]
        for file in held:
            file.unlink()
        return tuple(sorted(file.name for file in held))

    def _files(self) -> list[Path]:
        return [file for file in self._folder.glob("*.zip") if _NAME.fullmatch(file.name)]

    def _archive(self, file: Path) -> Archive:
        facts = file.stat()
        return Archive(file.name, facts.st_size, int(facts.st_mtime * 1000))


def _holds(file: Path, participant: str) -> bool:
    """Tell whether an export holds a participant; one that cannot be read may."""
    try:
        with zipfile.ZipFile(file) as archive:
            people = io.StringIO(archive.read(_PEOPLE).decode())
    except (OSError, KeyError, UnicodeDecodeError, zipfile.BadZipFile):
        return True
    return any(row["participant"] == participant for row in csv.DictReader(people))
