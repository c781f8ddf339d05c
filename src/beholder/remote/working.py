"""Working for long on a remote folder: a local copy, published now and then.

The copy stays in the cache. It is taken up again while the storage still has what the copy
was last in step with; else it is made anew from what somebody published meanwhile.
"""

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from beholder import atomic
from beholder.progress import Progress, silent
from beholder.remote.address import Kind
from beholder.remote.manifest import Manifest
from beholder.remote.mirror import assemble, fetch, in_its_words
from beholder.remote.publishing import claimed, replace
from beholder.remote.storage import Storage


@dataclass
class WorkingCopy:
    """A local folder and what the storage had when the two were last in step."""

    path: Path
    _storage: Storage
    _in_step_with: Manifest | None

    def publish(self, progress: Progress = silent) -> None:
        """Publish the folder as it is now; an error if somebody else did meanwhile."""
        self._in_step_with = replace(self._storage, self._in_step_with, self.path, progress)
        _note(self.path, self._in_step_with)


@contextlib.contextmanager
def working_copy(url: str, kind: Kind, progress: Progress = silent) -> Iterator[WorkingCopy]:
    """Give the working copy of what is, or will be, published at an address.

    One process of a machine has it at a time. It is published when the block ends well;
    otherwise it stays as it is, to be taken up again.
    """
    storage = Storage(url, kind)
    storage.require_writable()
    with claimed(storage, "working") as own:
        published = storage.manifest()
        folder = own / storage.address.name
        is_there = folder.is_dir() or published is None
        if not is_there or _noted(folder) != _mark(published):
            shutil.rmtree(folder, ignore_errors=True)
            if published is not None:
                fetch(storage, published, progress)
                with atomic.staged_folder(folder, overwrite=True) as staged:
                    assemble(published, staged, as_copies=True)
            _note(folder, published)
        copy = WorkingCopy(folder, storage, published)
        with in_its_words(folder, url):
            yield copy
            copy.publish(progress)


def _mark(manifest: Manifest | None) -> str:
    return "nothing" if manifest is None else manifest.generation


def _note(folder: Path, manifest: Manifest | None) -> None:
    atomic.write_text(folder.parent / "in-step-with", _mark(manifest))


def _noted(folder: Path) -> str | None:
    try:
        return (folder.parent / "in-step-with").read_text("utf-8")
    except FileNotFoundError:
        return None
