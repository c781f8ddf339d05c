"""Writing files and folders so that they are whole or absent, whatever happens meanwhile."""

import contextlib
import errno
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


@contextlib.contextmanager
def staged_file(path: Path) -> Iterator[BinaryIO]:
    """Give a temporary neighbour of a file, which takes its place when the block succeeds.

    No reader sees the file half-written, and a block that fails leaves it as it was.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        # The reader of the message knows the file that was asked for, not its neighbour.
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        with contextlib.suppress(OSError):  # it has moved, or was never made
            temporary.unlink()


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file, whole or not at all."""
    with staged_file(path) as file:
        file.write(data)


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 file, whole or not at all."""
    write_bytes(path, text.encode())


@contextlib.contextmanager
def staged_folder(path: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Give an empty folder beside ``path`` that takes its place when the block succeeds.

    When the block fails or is interrupted the staged folder goes and ``path`` stays as it
    was; what a killed process left behind goes at the next attempt. Raises FileExistsError,
    naming ``path``, where it exists and must not be overwritten.
    """
    if path.parent.exists() and not path.parent.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "it is no folder", str(path.parent))
    path.parent.mkdir(parents=True, exist_ok=True)
    _clear_abandoned(path)
    if path.exists() and not overwrite:
        raise FileExistsError(errno.EEXIST, "it exists already", str(path))
    staging = path.with_name(f".{path.name}.{os.getpid()}.partial")
    if staging in _IN_USE:
        raise RuntimeError(f"{path} is being written by this very process")
    staging.mkdir()
    _IN_USE.add(staging)
    try:
        yield staging
        _flush_tree(staging)
        if overwrite and path.exists():
            _exchange(staging, path)
        else:
            staging.rename(path)
    finally:
        _IN_USE.discard(staging)
        shutil.rmtree(staging, ignore_errors=True)


_IN_USE: set[Path] = set()
"""What this process is staging: a folder with its number may be an earlier process's."""


def _exchange(new: Path, path: Path) -> None:
    old = path.with_name(f".{path.name}.{os.getpid()}.old.partial")
    path.rename(old)
    try:
        new.rename(path)
    except BaseException:
        old.rename(path)
        raise
    shutil.rmtree(old)


def _flush_tree(folder: Path) -> None:
    """Bring a folder's files to the disk, so that a rename never names unwritten data."""
    for file in folder.rglob("*"):
        if file.is_file():
            descriptor = os.open(file, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def _clear_abandoned(path: Path) -> None:
    """Remove what killed processes left beside a path, and put back what one had moved away."""
    pattern = re.compile(rf"\.{re.escape(path.name)}\.(\d+)(\.old)?\.partial")
    for neighbour in path.parent.iterdir():
        match = pattern.fullmatch(neighbour.name)
        if not match or neighbour in _IN_USE or _is_another(int(match[1])):
            continue
        if match[2] and not path.exists():
            neighbour.rename(path)
        else:
            shutil.rmtree(neighbour, ignore_errors=True)


def _is_another(process: int) -> bool:
    """Tell whether a process is running and is not this one."""
    if process == os.getpid():
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
