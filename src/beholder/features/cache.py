"""A cache of extracted arrays, keyed by the content that they derive from.

An entry is one file, written whole or not at all; an entry that cannot be read (a disk that
failed, a file cut short by hand) is made again. Deleting the folder loses nothing but time. An
array that may be larger than memory is written block by block and mapped from its file, so that
memory holds the rows in use and not the array.
"""

import hashlib
import io
import json
import mmap
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from beholder.atomic import staged_file, write_bytes
from beholder.caching import default_cache_folder

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_DIGEST_BYTES = 32
_READ_AT_ONCE = 1 << 22
_TAKEN_AT_ONCE = 1024  # rows of a mapped array


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
        path = self._path(key)
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

    def rows(
        self, key: str, count: int, blocks: Callable[[], Iterable[NDArray[Any]]]
    ) -> NDArray[Any]:
        """Return an array of ``count`` rows that is made block by block, mapped from its file.

        ``blocks`` gives it anew from its first row; there is at least one row. `take` draws
        rows of the array and leaves none of the others in memory. Where nothing can be cached
        the whole array is held in memory.
        """
        if self.folder is None:
            return _filled(count, blocks())
        path = self._path(key)
        if not _is_sound(path):
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                _write_rows(path, count, blocks())
            except OSError:
                return _filled(count, blocks())
        return _mapped(path)

    def _path(self, key: str) -> Path:
        assert self.folder is not None  # else nothing is cached
        return self.folder / key[:2] / f"{key}.npy"


def take(array: NDArray[Any], rows: NDArray[np.integer[Any]]) -> NDArray[Any]:
    """Return a copy of some rows; those of a mapped array do not stay in this process's memory."""
    if not isinstance(array.base, mmap.mmap):
        return np.array(array[rows])
    taken = np.empty((len(rows), *array.shape[1:]), array.dtype)
    for start in range(0, len(rows), _TAKEN_AT_ONCE):
        part = slice(start, start + _TAKEN_AT_ONCE)
        taken[part] = array[rows[part]]
        # Rows that lie far apart bring their whole neighbourhoods with them. The system may
        # still keep the file's pages, as long as nobody needs the room.
        array.base.madvise(mmap.MADV_DONTNEED)
    return taken


def _filled(count: int, blocks: Iterable[NDArray[Any]]) -> NDArray[Any]:
    array, start = None, 0
    for block in blocks:
        if array is None:
            array = np.empty((count, *block.shape[1:]), block.dtype)
        array[start : start + len(block)] = block
        start += len(block)
    assert array is not None and start == count  # as `rows` demands
    return array


def _write_rows(path: Path, count: int, blocks: Iterable[NDArray[Any]]) -> None:
    """Write an entry of the same form as `_with_digest` gives, a block at a time."""
    digest = hashlib.sha256()
    with staged_file(path) as file:
        file.write(bytes(_DIGEST_BYTES))  # its place: the digest is known at the end
        for number, block in enumerate(blocks):
            if number == 0:
                header = io.BytesIO()
                shape = (count, *block.shape[1:])
                described = {"descr": npy.dtype_to_descr(block.dtype), "fortran_order": False}
                npy.write_array_header_1_0(header, described | {"shape": shape})
                file.write(header.getvalue())
                digest.update(header.getvalue())
            data = np.ascontiguousarray(block).data
            file.write(data)
            digest.update(data)
        file.seek(0)
        file.write(digest.digest())


def _is_sound(path: Path) -> bool:
    """Tell whether an entry is there and what was written, reading it a piece at a time."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            expected = file.read(_DIGEST_BYTES)
            while piece := file.read(_READ_AT_ONCE):
                digest.update(piece)
    except OSError:
        return False
    return digest.digest() == expected


def _mapped(path: Path) -> NDArray[Any]:
    with path.open("rb") as file:
        file.seek(_DIGEST_BYTES)
        npy.read_magic(file)
        shape, _, dtype = npy.read_array_header_1_0(file)
        offset = file.tell()
    # Copy on write: who changes a row changes their own copy, never the entry.
    return np.memmap(path, dtype, "c", offset, shape)


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
