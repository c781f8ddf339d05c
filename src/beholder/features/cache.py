"""A cache of extracted arrays, keyed by the content that they derive from.

An entry is one file, written whole or not at all; an entry that cannot be read (a disk that
failed, a file cut short by hand) is made again. Deleting the folder loses nothing but time.
"""

import hashlib
import io
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from beholder.atomic import write_bytes

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_FOLDER_VARIABLE = "BEHOLDER_CACHE"
_DIGEST_BYTES = 32


def default_cache_folder() -> Path:
    """Return where features are cached unless told otherwise."""
    if given := os.environ.get(_FOLDER_VARIABLE):
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "beholder"


def cache_key(name: str, configuration: "DataclassInstance", *content: str) -> str:
    """Return the key of what an extractor of this name and configuration makes of some content.

    ``configuration`` is a frozen data class; ``content`` are digests of the inputs. Change
    the name when the extractor's code changes its results.
    """
    text = json.dumps([name, asdict(configuration), content], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class FeatureCache:
    """Arrays on disk by their key. A folder of None caches nothing."""

    folder: Path | None

    @classmethod
    def default(cls) -> "FeatureCache":
        """Return the user's cache."""
        return cls(default_cache_folder())

    def get(self, key: str, compute: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        """Return the array of a key, computing and keeping it if it is not there or broken."""
        if self.folder is None:
            return compute()
        path = self.folder / key[:2] / f"{key}.npy"
        found = _read(path)
        if found is None:
            found = compute()
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                write_bytes(path, _with_digest(found))
            except OSError:
                # A cache that cannot be written (full or read-only disk) costs time, no result.
                return found
        return found


def _with_digest(array: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    data = buffer.getvalue()
    return hashlib.sha256(data).digest() + data


def _read(path: Path) -> NDArray[Any] | None:
    try:
        data = path.read_bytes()
    except OSError:
        return None
    digest, content = data[:_DIGEST_BYTES], data[_DIGEST_BYTES:]
    if hashlib.sha256(content).digest() != digest:
        return None
    array: NDArray[Any] = np.load(io.BytesIO(content), allow_pickle=False)
    return array
