"""Writing files and folders so that they are whole or absent, whatever happens meanwhile."""

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file by way of a temporary neighbour, so that no reader sees it half-written."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 file, whole or not at all."""
    write_bytes(path, text.encode())


@contextlib.contextmanager
def staged_folder(path: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Give an empty folder beside ``path`` that takes its place when the block succeeds.

    When the block fails or is interrupted the staged folder goes and ``path`` stays as it
    was; what a killed process left behind goes at the next attempt.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and not overwrite:
        raise FileExistsError(17, "it exists already", str(path))
    _remove_abandoned(path)
    staging = path.with_name(f".{path.name}.{os.getpid()}.partial")
    staging.mkdir()
    try:
        yield staging
        _flush_tree(staging)
        _replace_folder(staging, path)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _replace_folder(new: Path, path: Path) -> None:
    if not path.exists():
        new.rename(path)
        return
    old = path.with_name(f".{path.name}.{os.getpid()}.old.partial")
    path.rename(old)
    new.rename(path)
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


def _remove_abandoned(path: Path) -> None:
    pattern = re.compile(rf"\.{re.escape(path.name)}\.(\d+)(\.old)?\.partial")
    for neighbour in path.parent.iterdir():
        match = pattern.fullmatch(neighbour.name)
        if match and not _is_running(int(match[1])):
            shutil.rmtree(neighbour, ignore_errors=True)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
