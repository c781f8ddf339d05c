"""Reading: a local folder that mirrors a published one, the same bytes or an error.

Every generation of a folder has a mirror of its own below the cache, whole or absent, which
nobody changes: who has one open goes on with it while another is published. Its files are
links to the cached bytes of each object, so what two generations share is fetched once and
an interrupted fetching goes on with what is missing.
"""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from beholder.atomic import staged_folder
from beholder.caching import default_cache_folder
from beholder.errors import BeholderError
from beholder.progress import Progress, silent
from beholder.remote.address import Kind, without_secrets
from beholder.remote.manifest import Entry, Manifest
from beholder.remote.storage import Storage


def local(url: str, kind: Kind, progress: Progress = silent) -> Path:
    """Return a local folder with what is published at an address; to be read, never written.

    A folder that another tool copied there, with no ``beholder.json``, is read as it is
    listed, and refused where the list changed meanwhile. Raises StudyError or RunError, by the
    kind, where there is none or it cannot be read, and UnsupportedError where a library misses.
    """
    storage = Storage(url, kind)
    manifest = storage.manifest()
    if manifest is not None:
        return mirrored(storage, manifest, progress)
    listed = storage.listed()
    folder = mirrored(storage, listed, progress)
    if storage.listed() != listed:
        raise storage.error(f"{storage.where} changed while it was read: try again")
    return folder


def mirrored(storage: Storage, manifest: Manifest, progress: Progress = silent) -> Path:
    """Return the mirror of a generation, fetching what of it is not here."""
    folder = remote_cache() / "mirrors" / manifest.generation[:32] / storage.address.name
    if not _is_whole(folder, manifest):
        fetch(storage, manifest, progress)
        try:
            with staged_folder(folder, overwrite=folder.is_dir()) as staged:
                assemble(manifest, staged)
        except OSError as error:
            if not _is_whole(folder, manifest):  # else another process was first
                raise storage.error(f"{storage.where} cannot be mirrored: {error}") from error
    return folder


def fetch(storage: Storage, manifest: Manifest, progress: Progress = silent) -> None:
    """Bring the bytes of a manifest's files, those that are not here yet, into the cache."""
    objects = remote_cache() / "objects"
    objects.mkdir(parents=True, exist_ok=True)
    missing = {
        entry.cached: (name, entry)
        for name, entry in manifest.files.items()
        if not _has(objects / entry.cached, entry)
    }

    def bring(wanted: tuple[str, Entry]) -> None:
        name, entry = wanted
        temporary = objects / f".{entry.cached}.{os.getpid()}.partial"
        try:
            storage.fetch(name, entry, temporary)
            temporary.chmod(0o444)  # an edited mirror would change the cached bytes
            temporary.replace(objects / entry.cached)
        finally:
            temporary.unlink(missing_ok=True)

    storage.for_each(bring, missing.values(), progress, "fetching files")


def assemble(manifest: Manifest, folder: Path, *, as_copies: bool = False) -> None:
    """Fill an empty folder with the files of a manifest, whose bytes are in the cache."""
    for name, entry in manifest.files.items():
        cached, target = remote_cache() / "objects" / entry.cached, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if not as_copies:
            with contextlib.suppress(OSError):  # a file system without links, or with too many
                target.hardlink_to(cached)
                continue
        shutil.copyfile(cached, target)


@contextlib.contextmanager
def in_its_words(folder: Path, url: str) -> Iterator[None]:
    """Let errors name the address that somebody gave, not the local folder it stands for."""
    try:
        yield
    except BeholderError as error:
        text = str(error).replace(str(folder), without_secrets(url))
        raise type(error)(text) from error


def remote_cache() -> Path:
    """Return the folder of all that is kept of object storage, which its user alone reads."""
    folder = default_cache_folder() / "remote"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _is_whole(folder: Path, manifest: Manifest) -> bool:
    return folder.is_dir() and all(_has(folder / n, e) for n, e in manifest.files.items())


def _has(file: Path, entry: Entry) -> bool:
    try:
        return file.stat().st_size == entry.size
    except OSError:
        return False
