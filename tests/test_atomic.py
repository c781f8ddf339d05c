"""Files and folders appear whole or not at all."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from beholder import atomic


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _dead_process() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def test_a_file_is_written_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "note.txt"
    atomic.write_text(path, "größer")
    atomic.write_bytes(path, b"new")
    assert path.read_bytes() == b"new"
    assert _names(tmp_path) == ["note.txt"]


def test_text_is_utf_8_whatever_the_locale(tmp_path: Path) -> None:
    atomic.write_text(tmp_path / "note.txt", "größer\r\n")
    assert (tmp_path / "note.txt").read_bytes() == "größer\r\n".encode()


@pytest.mark.parametrize("fault", [OSError(errno.ENOSPC, "No space left"), KeyboardInterrupt()])
def test_a_failed_write_keeps_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: BaseException
) -> None:
    path = tmp_path / "note.txt"
    path.write_text("old")

    def fail(descriptor: int) -> None:
        raise fault

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(type(fault)):
        atomic.write_text(path, "new")
    assert path.read_text() == "old"
    assert _names(tmp_path) == ["note.txt"]


def test_a_folder_appears_when_the_block_ends(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "run"
    with atomic.staged_folder(target) as folder:
        (folder / "weights").write_text("1")
        assert not target.exists()
    assert (target / "weights").read_text() == "1"
    assert _names(target.parent) == ["run"]


@pytest.mark.parametrize("fault", [ValueError("broken"), KeyboardInterrupt(), SystemExit(3)])
def test_a_failed_block_leaves_nothing(tmp_path: Path, fault: BaseException) -> None:
    with pytest.raises(type(fault)), atomic.staged_folder(tmp_path / "run") as folder:
        (folder / "weights").write_text("1")
        raise fault
    assert _names(tmp_path) == []


def test_a_failed_block_keeps_what_was_to_be_overwritten(tmp_path: Path) -> None:
    target = tmp_path / "run"
    target.mkdir()
    (target / "weights").write_text("old")
    with pytest.raises(ValueError), atomic.staged_folder(target, overwrite=True) as folder:
        (folder / "weights").write_text("new")
        raise ValueError
    assert (target / "weights").read_text() == "old"
    assert _names(tmp_path) == ["run"]


def test_overwriting_replaces_the_whole_folder(tmp_path: Path) -> None:
    target = tmp_path / "run"
    target.mkdir()
    (target / "of_before").write_text("old")
    with atomic.staged_folder(target, overwrite=True) as folder:
        (folder / "weights").write_text("new")
    assert _names(target) == ["weights"]
    assert _names(tmp_path) == ["run"]


def test_an_existing_folder_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    target = tmp_path / "run"
    target.mkdir()
    with pytest.raises(FileExistsError, match="exists already"), atomic.staged_folder(target):
        pytest.fail("the block must not start")
    assert _names(tmp_path) == ["run"]


def test_a_folder_that_appears_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    target = tmp_path / "run"
    with pytest.raises(OSError), atomic.staged_folder(target) as folder:
        (folder / "mine").write_text("1")
        target.mkdir()
        (target / "theirs").write_text("2")
    assert _names(target) == ["theirs"]
    assert _names(tmp_path) == ["run"]


def test_a_target_inside_a_file_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError) as caught, atomic.staged_folder(tmp_path / "file/run"):
        pytest.fail("the block must not start")
    assert caught.value.filename == str(tmp_path / "file")


def test_the_old_folder_comes_back_when_the_exchange_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "run"
    target.mkdir()
    (target / "weights").write_text("old")
    rename = Path.rename

    def fail_on_staged(path: Path, to: Path) -> Path:
        if path.name.endswith(".partial") and ".old." not in path.name:
            raise OSError(errno.EIO, "input/output error")
        return rename(path, to)

    monkeypatch.setattr(Path, "rename", fail_on_staged)
    staging = atomic.staged_folder(target, overwrite=True)
    with pytest.raises(OSError, match="input/output"), staging:
        pass
    assert (target / "weights").read_text() == "old"
    assert _names(tmp_path) == ["run"]


def test_the_leftover_of_a_killed_process_goes_at_the_next_attempt(tmp_path: Path) -> None:
    (tmp_path / f".run.{_dead_process()}.partial").mkdir()
    with atomic.staged_folder(tmp_path / "run"):
        pass
    assert _names(tmp_path) == ["run"]


def test_the_leftover_of_an_earlier_process_with_this_number_goes(tmp_path: Path) -> None:
    leftover = tmp_path / f".run.{os.getpid()}.partial"
    leftover.mkdir()
    (leftover / "half").write_text("")
    with atomic.staged_folder(tmp_path / "run"):
        pass
    assert _names(tmp_path / "run") == []
    assert _names(tmp_path) == ["run"]


def test_a_folder_that_another_process_is_writing_stays(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        theirs = tmp_path / f".run.{other.pid}.partial"
        theirs.mkdir()
        with atomic.staged_folder(tmp_path / "run"):
            pass
        assert theirs.is_dir()
        other.send_signal(signal.SIGKILL)


def test_another_targets_leftover_stays(tmp_path: Path) -> None:
    other = tmp_path / f".runs.{_dead_process()}.partial"
    other.mkdir()
    with atomic.staged_folder(tmp_path / "run"):
        pass
    assert other.is_dir()


def test_what_a_killed_exchange_had_moved_away_comes_back(tmp_path: Path) -> None:
    moved = tmp_path / f".run.{_dead_process()}.old.partial"
    moved.mkdir()
    (moved / "weights").write_text("old")
    with pytest.raises(FileExistsError), atomic.staged_folder(tmp_path / "run"):
        pass
    assert (tmp_path / "run" / "weights").read_text() == "old"


def test_one_process_cannot_stage_a_folder_twice(tmp_path: Path) -> None:
    with atomic.staged_folder(tmp_path / "run") as folder:
        (folder / "first").write_text("")
        again = atomic.staged_folder(tmp_path / "run")
        with pytest.raises(RuntimeError, match="being written"), again:
            pass
    assert _names(tmp_path / "run") == ["first"]
