"""A cache of its own for each test, and folders to publish."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flaky_storage import FlakyFileSystem
from fsspec.implementations.memory import MemoryFileSystem


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BEHOLDER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)  # thousands of small folders
    return tmp_path / "cache"


@pytest.fixture(autouse=True)
def flaky() -> Iterator[type[FlakyFileSystem]]:
    FlakyFileSystem.reset()
    MemoryFileSystem.store.clear()
    yield FlakyFileSystem
    FlakyFileSystem.reset()
    MemoryFileSystem.store.clear()


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Path]:
    """Make a folder of the files given by name."""

    def make(name: str, files: dict[str, bytes]) -> Path:
        for file, data in files.items():
            path = tmp_path / "made" / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return tmp_path / "made" / name

    return make
