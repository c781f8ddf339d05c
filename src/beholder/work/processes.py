"""Tasks over several processes of this machine, each with one thread."""

import contextlib
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import islice
from typing import Any, ClassVar, TypeVar

from beholder.errors import RunError
from beholder.work.attempts import ATTEMPTS, ONE_THREAD, Failure, killed, packed

T = TypeVar("T")
R = TypeVar("R")

_WORKER = "beholder.work.process"


@dataclass(frozen=True)
class Processes:
    """Worker processes here, by default as many as there are processors."""

    count: int | None = None

    shares_disk: ClassVar[bool] = True

    def run(self, work: Callable[[T], R], tasks: Iterable[T]) -> Iterator[tuple[int, R]]:
        """Do ``work`` on every task; give each result with its task's place, as it comes."""
        count = self.count or os.cpu_count() or 1
        crew = _Crew(packed(work))
        with ThreadPoolExecutor(count) as threads:
            running: dict[Future[R], int] = {}
            left = enumerate(tasks)
            try:
                while True:
                    for place, task in islice(left, count - len(running)):
                        running[threads.submit(crew.do, task)] = place
                    if not running:
                        return
                    done, _ = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        yield running.pop(future), future.result()
            finally:
                crew.disband()


class _Crew:
    """One process for each thread that asks, begun when it first does."""

    def __init__(self, work: bytes) -> None:
        self._work = work
        self._own = threading.local()
        self._every: list[_Worker] = []
        self._is_disbanded = False
        self._lock = threading.Lock()

    def do(self, task: Any) -> Any:
        """Have a task done, in another process if one is killed; raises what the task did."""
        for _ in range(ATTEMPTS):
            worker = self._worker()
            try:
                result = worker.do(task)
            except (BrokenPipeError, EOFError, pickle.UnpicklingError):  # it is gone
                self._dismiss(worker)
                continue
            if isinstance(result, Failure):
                raise result.error
            return result
        raise killed(task)

    def disband(self) -> None:
        """End all processes at once; what they were doing is not done."""
        with self._lock:
            self._is_disbanded = True
            for worker in self._every:
                worker.kill()

    def _worker(self) -> "_Worker":
        worker: _Worker | None = getattr(self._own, "worker", None)
        if worker is None:
            with self._lock:
                if self._is_disbanded:
                    raise RunError("the work was stopped")
                worker = self._own.worker = _Worker(self._work)
                self._every.append(worker)
        return worker

    def _dismiss(self, worker: "_Worker") -> None:
        self._own.worker = None
        with self._lock:
            if worker in self._every:
                self._every.remove(worker)
            worker.kill()


class _Worker:
    """One process, told its work and then its tasks."""

    def __init__(self, work: bytes) -> None:
        self._work: bytes | None = work
        self._process = subprocess.Popen(
            [sys.executable, "-m", _WORKER, str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | ONE_THREAD,
            # Ctrl-C is for the parent, which stops its workers.
            start_new_session=True,
        )

    def do(self, task: Any) -> Any:
        """Return what `attempt` gives; EOFError or another error of pipes if it was killed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        if self._work is not None:
            pickle.dump(self._work, self._process.stdin)
            self._work = None
        pickle.dump(task, self._process.stdin)
        self._process.stdin.flush()
        return pickle.load(self._process.stdout)

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(BrokenPipeError):  # what it did not read is lost anyway
                assert stream is not None
                stream.close()
