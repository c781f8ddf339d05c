"""Writing: a folder is published whole, and replaced by one put of one small object.

What is promised, on every backend that puts one object whole or not at all:

* Stopped at any moment, there is nothing that opens, or the old folder, or the new one. The
  files go first, as objects that their own digests name; ``beholder.json``, which names them,
  goes last, and only afterwards what the old one alone had.
* Whoever reads meanwhile gets the old folder, the new one or an error, never some of each:
  every file is checked against the digest in the ``beholder.json`` that was read first.
* What an interrupted publication had sent is not sent again.

What cannot be promised, as object storage has no locks: of two that publish to one address at
once, the second to finish is refused where it can tell, by looking just before it puts and, for
the first publication, by a conditional put where the backend has it. In the moment between
looking and putting the last one wins. If the one then removes what the other was about to share
with the old folder, who reads is refused with a sentence until it is published again.

What stopped publications sent, and nobody goes on with, stays among the objects.
"""

import contextlib
import fcntl
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from beholder.progress import Progress, silent
from beholder.remote.address import Kind, is_remote
from beholder.remote.manifest import Manifest
from beholder.remote.mirror import assemble, fetch, in_its_words, remote_cache
from beholder.remote.storage import Storage


def publish(
    folder: Path, url: str, kind: Kind, *, overwrite: bool = False, progress: Progress = silent
) -> None:
    """Publish a finished local folder at an address.

    Raises StudyError or RunError, by the kind, where something is there and must not be
    overwritten, where something else is there, and where the storage refuses.
    """
    storage = Storage(url, kind)
    replace(storage, seen(storage, overwrite=overwrite), folder, progress)


def seen(storage: Storage, *, overwrite: bool) -> Manifest | None:
    """Return what is published at an address that is to be written, if it may be replaced."""
    storage.require_writable()
    manifest = storage.manifest()
    if manifest is not None and not overwrite:
        raise storage.error(
            f"{storage.where} exists already; choose another address or pass --overwrite"
        )
    return manifest


def replace(
    storage: Storage, old: Manifest | None, folder: Path, progress: Progress = silent
) -> Manifest:
    """Put a folder in place of the generation ``old``, or where nothing was."""
    new = Manifest.of(folder, storage.kind, progress)
    _send(storage, new, folder, progress)
    if old is not None and new.generation == old.generation:
        return old
    current = storage.manifest()
    if current is not None and (old is None or current.generation != old.generation):
        raise storage.published_meanwhile()
    storage.put_manifest(new, is_first=current is None)
    # Another publication, overtaken by this one, may just have removed what both hold.
    _send(storage, new, folder)
    # What is no longer named goes, unless somebody may just have come to name it again.
    if old is not None and storage.manifest() == new:
        kept = {entry.key for entry in new.files.values()}
        gone = {e.key: e for e in old.files.values() if e.key not in kept}
        storage.remove(gone.values())
    return new


def _send(storage: Storage, manifest: Manifest, folder: Path, progress: Progress = silent) -> None:
    """Send the files whose bytes are not there."""
    there = storage.sizes()
    files = {
        entry.key: (folder / name, entry)
        for name, entry in manifest.files.items()
        if there.get(str(entry.sha256)) != entry.size
    }
    storage.for_each(
        lambda wanted: storage.send(*wanted), files.values(), progress, "sending files"
    )


@contextlib.contextmanager
def written(
    place: str | Path, kind: Kind, *, overwrite: bool = False, progress: Progress = silent
) -> Iterator[Path]:
    """Give the folder to write a new study or run into: the place itself, if it is a path.

    Of an address it is a local folder that is not there yet; it is published when the block
    ends well, and goes.
    """
    if not isinstance(place, str) or not is_remote(place):
        yield Path(place)
        return
    storage = Storage(place, kind)
    old = seen(storage, overwrite=overwrite)
    with _outgoing(storage) as folder, in_its_words(folder, place):
        yield folder
        replace(storage, old, folder, progress)


@contextlib.contextmanager
def changed(
    place: str | Path, kind: Kind, *, say: Callable[[str], None], progress: Progress = silent
) -> Iterator[Path]:
    """Give a folder to add files to: the place itself, if it is a path.

    Of an address it is a local copy, published again when the block ends well, and goes. Where
    nothing can be published, ``say`` is told that what was added is not kept.
    """
    if not isinstance(place, str) or not is_remote(place):
        yield Path(place)
        return
    storage = Storage(place, kind)
    published = storage.manifest()
    manifest = published or storage.listed()
    fetch(storage, manifest, progress)
    with _outgoing(storage) as folder, in_its_words(folder, place):
        assemble(manifest, folder, as_copies=True)
        yield folder
        if published is None or storage.is_read_only:
            say(f"{storage.where} is only read: what was added to the {kind} is not kept there")
        else:
            replace(storage, published, folder, progress)


@contextlib.contextmanager
def _outgoing(storage: Storage) -> Iterator[Path]:
    """Give a folder that is not there yet and goes afterwards; a killed process's goes now."""
    with claimed(storage, "outgoing") as own:
        folder = own / storage.address.name
        shutil.rmtree(folder, ignore_errors=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def claimed(storage: Storage, purpose: str) -> Iterator[Path]:
    """Hold an address's own folder of the cache for one process of this machine."""
    own = remote_cache() / purpose / storage.address.key
    own.mkdir(parents=True, exist_ok=True)
    with (own / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise storage.error(f"another process is writing {storage.where}") from error
        yield own
