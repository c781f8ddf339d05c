"""The cache of arrays: it saves work, and no fault of the disk changes a result."""

from __future__ import annotations

import mmap
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from beholder.caching import default_cache_folder
from beholder.features.cache import FeatureCache, cache_key, take

ARRAY = np.arange(12, dtype=np.float32).reshape(3, 4)
KEY = "ab" * 32


@dataclass(frozen=True)
class _Options:
    cells: int = 4
    scales: tuple[float, ...] = (1.0, 2.0)


class _Work:
    """Computes the array and counts how often."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> np.ndarray:
        self.times += 1
        return ARRAY


@pytest.fixture
def cache(tmp_path: Path) -> FeatureCache:
    return FeatureCache(tmp_path / "cache")


def _entry(cache: FeatureCache, key: str = KEY) -> Path:
    assert cache.folder is not None
    return cache.folder / key[:2] / f"{key}.npy"


def _files(cache: FeatureCache) -> list[Path]:
    assert cache.folder is not None
    return [path for path in cache.folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    "array",
    [ARRAY, ARRAY.T, np.zeros((0, 5)), np.array(3), np.array([True]), np.array([np.nan, -0.0])],
)
def test_what_was_computed_once_is_read_the_next_time(
    cache: FeatureCache, array: np.ndarray
) -> None:
    calls = []

    def work() -> np.ndarray:
        calls.append(1)
        return array

    for _ in range(3):
        found = cache.get(KEY, work)
        assert_array_equal(found, array)
        assert found.dtype == array.dtype and found.shape == array.shape
    assert len(calls) == 1


def test_another_key_is_another_entry(cache: FeatureCache) -> None:
    work = _Work()
    cache.get(KEY, work)
    cache.get("cd" * 32, work)
    assert work.times == 2


def test_a_cache_without_a_folder_keeps_nothing() -> None:
    work = _Work()
    for _ in range(2):
        assert_array_equal(FeatureCache(None).get(KEY, work), ARRAY)
    assert work.times == 2


def test_a_key_depends_on_name_configuration_and_content() -> None:
    keys = [
        cache_key("grid", _Options(), "a", "b"),
        cache_key("grid-2", _Options(), "a", "b"),
        cache_key("grid", _Options(cells=5), "a", "b"),
        cache_key("grid", _Options(scales=(1.0,)), "a", "b"),
        cache_key("grid", _Options(), "b", "a"),
        cache_key("grid", _Options(), "ab"),
        cache_key("grid", _Options(), "a"),
        cache_key("grid", _Options()),
    ]
    assert len(set(keys)) == len(keys)
    assert cache_key("grid", _Options(cells=4), "a", "b") == keys[0]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: b"",
        lambda data: data[:20],
        lambda data: data[:-1],
        lambda data: data + b"\0",
        lambda data: data[:-3] + bytes([data[-3] ^ 1]) + data[-2:],
        lambda data: bytes([data[0] ^ 1]) + data[1:],
        lambda data: data[32:],  # the array alone, as NumPy would write it
        lambda data: b"PK\x03\x04 something else entirely",
    ],
    ids=["empty", "stub", "short", "long", "flipped", "digest", "foreign", "other"],
)
def test_a_spoilt_entry_is_made_again(cache: FeatureCache, spoil) -> None:
    work = _Work()
    cache.get(KEY, work)
    whole = _entry(cache).read_bytes()
    _entry(cache).write_bytes(spoil(whole))
    assert_array_equal(cache.get(KEY, work), ARRAY)
    assert work.times == 2
    assert _entry(cache).read_bytes() == whole
    cache.get(KEY, work)
    assert work.times == 2


def test_a_failure_in_mid_write_leaves_no_entry(
    cache: FeatureCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    work = _Work()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", fail)
        assert_array_equal(cache.get(KEY, work), ARRAY)
    assert _files(cache) == []
    cache.get(KEY, work)
    cache.get(KEY, work)
    assert work.times == 2


def test_an_interruption_in_mid_write_is_not_swallowed(
    cache: FeatureCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(self: Path, target: Path) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        cache.get(KEY, _Work())
    assert _files(cache) == []


_KILLED = """
import os, signal, sys
from pathlib import Path
import numpy as np
from beholder.features.cache import FeatureCache
os.fsync = lambda descriptor: os.kill(os.getpid(), signal.SIGKILL)
FeatureCache(Path(sys.argv[1])).get(sys.argv[2], lambda: np.ones(1000))
"""


def test_a_killed_process_leaves_no_entry(cache: FeatureCache) -> None:
    command = [sys.executable, "-c", _KILLED, str(cache.folder), KEY]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert _files(cache) != [] and not _entry(cache).exists()
    work = _Work()
    assert_array_equal(cache.get(KEY, work), ARRAY)
    assert work.times == 1
    cache.get(KEY, work)
    assert work.times == 1


def test_a_failure_to_compute_is_no_entry(cache: FeatureCache) -> None:
    def fail() -> np.ndarray:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        cache.get(KEY, fail)
    work = _Work()
    assert_array_equal(cache.get(KEY, work), ARRAY)
    assert work.times == 1


def test_a_folder_that_cannot_be_made_costs_only_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    cache, work = FeatureCache(tmp_path / "file"), _Work()
    for _ in range(2):
        assert_array_equal(cache.get(KEY, work), ARRAY)
    assert work.times == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_costs_only_time(cache: FeatureCache) -> None:
    assert cache.folder is not None
    cache.folder.mkdir()
    cache.folder.chmod(0o500)
    work = _Work()
    for _ in range(2):
        assert_array_equal(cache.get(KEY, work), ARRAY)
    assert work.times == 2


def test_the_default_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BEHOLDER_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", "/home/zoë")
    assert default_cache_folder() == Path("/home/zoë/.cache/beholder")
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert default_cache_folder() == Path("/caches/beholder")
    monkeypatch.setenv("BEHOLDER_CACHE", "/elsewhere")
    assert FeatureCache.default() == FeatureCache(Path("/elsewhere"))


class _Rows:
    """Gives the array in blocks of two rows and one, and counts how often it begins."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> Iterator[np.ndarray]:
        self.times += 1
        yield ARRAY[:2]
        yield ARRAY[2:]


def test_rows_are_mapped_from_an_entry_of_the_same_form(cache: FeatureCache) -> None:
    work = _Rows()
    for _ in range(2):
        found = cache.rows(KEY, 3, work)
        assert_array_equal(found, ARRAY)
        assert isinstance(found.base, mmap.mmap) and found.dtype == ARRAY.dtype
        found[0] = -1  # one's own copy: the entry stays as it is
    assert work.times == 1
    assert_array_equal(cache.get(KEY, _Work()), ARRAY)
    whole = _entry(cache).read_bytes()
    cache.get("cd" * 32, _Work())
    assert _entry(cache, "cd" * 32).read_bytes() == whole


@pytest.mark.parametrize("spoil", [lambda d: b"", lambda d: d[:20], lambda d: d[:-1] + b"\1"])
def test_spoilt_rows_are_made_again(cache: FeatureCache, spoil) -> None:
    work = _Rows()
    cache.rows(KEY, 3, work)
    _entry(cache).write_bytes(spoil(_entry(cache).read_bytes()))
    assert_array_equal(cache.rows(KEY, 3, work), ARRAY)
    assert work.times == 2


def test_rows_that_cannot_be_written_are_held(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for cache in (FeatureCache(None), FeatureCache(tmp_path / "file")):
        found = cache.rows(KEY, 3, _Rows())
        assert_array_equal(found, ARRAY)
        assert found.dtype == ARRAY.dtype
        assert_array_equal(take(found, np.array([2, 0])), ARRAY[[2, 0]])


def test_a_disk_that_fills_in_mid_write_costs_only_time(
    cache: FeatureCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    work = _Rows()
    monkeypatch.setattr(os, "fsync", full)
    assert_array_equal(cache.rows(KEY, 3, work), ARRAY)
    assert work.times == 2 and _files(cache) == []


def test_a_failure_between_two_blocks_is_no_entry(cache: FeatureCache) -> None:
    def fail() -> Iterator[np.ndarray]:
        yield ARRAY[:2]
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        cache.rows(KEY, 3, fail)
    assert _files(cache) == []
    assert_array_equal(cache.rows(KEY, 3, _Rows()), ARRAY)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_rows_that_were_drawn_do_not_stay_in_memory(cache: FeatureCache) -> None:
    def resident() -> int:  # MiB of files that this process has in its memory
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("RssFile:")) >> 10

    array = cache.rows(KEY, 4096, lambda: (np.full((64, 4096), n, np.float32) for n in range(64)))
    before = resident()
    for seed in range(2):
        rows = np.random.default_rng(seed).permutation(4096)
        assert_array_equal(take(array, rows)[:, 7], rows // 64)
    assert resident() - before < 32  # of 64
