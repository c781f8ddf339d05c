"""Workers: every task is done, a killed worker costs its own task, errors travel."""

from __future__ import annotations

import errno
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import labours
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beholder.errors import BeholderError, RunError, StudyError
from beholder.study import Study
from beholder.work import HERE, Piece, Processes, in_order, pieces


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    here = str(Path(__file__).parent)
    monkeypatch.setenv("PYTHONPATH", f"{here}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    (tmp_path / "notes").mkdir()
    return tmp_path / "notes"


def children() -> set[str]:
    """The processes that this one has begun."""
    tasks = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    return {process for of in tasks for process in of.read_text().split()}


@given(st.integers(0, 50), st.integers(1, 20))
def test_pieces_hold_every_row_once(rows: int, at_once: int) -> None:
    found = pieces(rows, at_once)
    assert [row for piece in found for row in range(piece.start, piece.stop)] == list(range(rows))
    assert all(piece.stop - piece.start == at_once for piece in found[:-1])


class Shuffled:
    """Does all tasks at once and gives the results in another order."""

    shares_disk = True

    def __init__(self, order: list[int]) -> None:
        self.order = order

    def run(self, work, tasks):
        results = [work(task) for task in tasks]
        yield from ((place, results[place]) for place in self.order)


@given(st.permutations(range(7)))
def test_results_come_in_the_order_of_the_tasks(order: list[int]) -> None:
    found = list(in_order(Shuffled(order), str, iter(range(7))))
    assert found == [str(number) for number in range(7)]


def test_a_single_task_is_done_here(notes: Path) -> None:
    class Refusing:
        shares_disk = True

        def run(self, work, tasks):
            raise AssertionError("not worth a worker")

    assert list(in_order(Refusing(), os.getpgid, [0])) == [os.getpgid(0)]
    assert list(in_order(Refusing(), os.getpgid, [])) == []


def test_a_killed_worker_costs_its_own_task_only(notes: Path) -> None:
    work = labours.Squares(notes, killed_at=(3,))
    found = dict(Processes(2).run(work, range(8)))
    assert found == {number: number**2 for number in range(8)}
    assert work.begun() == {number: 2 if number == 3 else 1 for number in range(8)}


def test_a_task_that_always_kills_its_worker_is_named(notes: Path) -> None:
    work = labours.Squares(notes, killed_at=(1,), always=True)
    with pytest.raises(RunError, match=r"that did 1 was killed 4 times, perhaps for want of mem"):
        list(Processes(1).run(work, [0, 1, 2]))
    assert work.begun() == {0: 1, 1: 4}
    assert str(Piece(0, 4096)) == "rows 0 to 4,095"


def test_what_a_task_raises_is_raised(tmp_path: Path) -> None:
    workers = Processes(1)
    with pytest.raises(StudyError, match=r"^row 3 is bad$"):
        list(workers.run(labours.fail, ["study"]))
    with pytest.raises(BeholderError, match=r"^row 4 is bad$"):
        list(workers.run(labours.fail, ["own"]))
    with pytest.raises(FileNotFoundError) as caught:
        list(workers.run(labours.fail, ["file"]))
    assert (caught.value.errno, caught.value.filename) == (errno.ENOENT, "/nowhere/at all")
    with pytest.raises(OSError, match="no number"):
        list(workers.run(labours.fail, ["full"]))
    with pytest.raises(RuntimeError, match=r"labours\.py(.|\n)*the moon is full"):
        list(workers.run(labours.fail, ["moon"]))


def test_a_worker_has_one_thread_and_may_print() -> None:
    found = dict(Processes(2).run(labours.about, range(2)))
    assert len({one["process"] for one in found.values()} | {os.getpid()}) > 1
    for one in found.values():
        assert one["threads"] == ["1", "1", "1"]
        assert one["torch"] == 1


def test_tasks_are_drawn_when_they_can_be_begun_and_workers_end(notes: Path) -> None:
    drawn = []

    def tasks() -> Iterator[int]:
        for number in range(100):
            drawn.append(number)
            yield number

    before = children()
    running = Processes(2).run(labours.Squares(notes), tasks())
    next(running)
    assert len(drawn) <= 2
    assert children() - before
    running.close()
    assert children() == before
    assert list(HERE.run(str, [5, 6])) == [(0, "5"), (1, "6")]


def test_workers_that_are_stopped_at_work_end_at_once(notes: Path) -> None:
    work = labours.Squares(notes, wait_s=3600)
    before = children()

    def tasks() -> Iterator[int]:
        yield 0
        until = time.monotonic() + 60
        while not work.begun() and time.monotonic() < until:
            time.sleep(0.05)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(Processes(2).run(work, tasks()))
    assert work.begun() == {0: 1}
    assert children() == before


def test_a_study_travels_as_its_folder(tiny_study: Study, tmp_path: Path) -> None:
    shutil.copytree(tiny_study.path, tmp_path / "study")
    study = Study.open(tmp_path / "study")
    work = labours.Named(study)
    assert dict(Processes(1).run(work, [0])) == {0: tiny_study.info.name}
    shutil.copy(study.path / "images.parquet", study.path / "participants.parquet")
    with pytest.raises(StudyError, match=r"participants\.parquet has no column participant"):
        list(Processes(1).run(work, [0]))
    shutil.copy(tiny_study.path / "participants.parquet", study.path)
    shutil.copy(tiny_study.path / "images.parquet", study.path / "maps.parquet")
    with pytest.raises(StudyError, match="is another study here, or it has changed meanwhile"):
        list(Processes(1).run(work, [0]))
