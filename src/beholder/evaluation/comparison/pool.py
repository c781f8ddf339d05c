"""Jobs over several processes, each with one thread."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from beholder.errors import BeholderError, RunError
from beholder.evaluation.comparison.cells import Job

_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_WORKER = "beholder.evaluation.comparison.worker"


@dataclass(frozen=True)
class Pool:
    """Worker processes for the comparison in a folder."""

    folder: Path
    study: Path
    processes: int
    keep_runs: bool = False
    _workers: list["_Worker"] = field(default_factory=list, init=False)

    def run(self, jobs: Sequence[Job]) -> Iterator[Job]:
        """Do all jobs and give each as it is done; the first error stops what has not begun."""
        if not jobs:
            return
        with self._threads(min(self.processes, len(jobs))) as threads:
            running: dict[Future[None], Job] = {}
            left = list(reversed(jobs))
            try:
                while left or running:
                    while left and len(running) < self.processes:
                        job = left.pop()
                        running[threads.submit(self._do, job)] = job
                    done, _ = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        job = running.pop(future)
                        future.result()
                        yield job
            finally:
                for worker in self._workers:
                    worker.stop()

    @contextmanager
    def _threads(self, count: int) -> Iterator[ThreadPoolExecutor]:
        threads = ThreadPoolExecutor(count)
        try:
            yield threads
        finally:
            threads.shutdown(wait=True, cancel_futures=True)
            self._workers.clear()

    def _do(self, job: Job) -> None:
        """Do a job in this thread's own worker."""
        mine = threading.get_ident()
        worker = next((w for w in self._workers if w.thread == mine), None)
        if worker is None:
            worker = _Worker(mine, self.folder, self.study, keep_runs=self.keep_runs)
            self._workers.append(worker)
        worker.do(job)


class _Worker:
    """One process, told its jobs line by line."""

    def __init__(self, thread: int, folder: Path, study: Path, *, keep_runs: bool) -> None:
        self.thread = thread
        self._process = subprocess.Popen(
            [sys.executable, "-m", _WORKER, str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | _ONE_THREAD,
            # Ctrl-C is for the parent, which stops its workers.
            start_new_session=True,
        )
        self._tell({"folder": str(folder), "study": str(study), "keep_runs": keep_runs})

    def do(self, job: Job) -> None:
        """Have a job done; raises what stopped it."""
        self._tell(job.as_json())
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RunError(
                f"the process that did {job.group} of {'-'.join(map(str, job.key.values()))} "
                "was killed, perhaps for want of memory; the same command goes on from here"
            )
        answer = json.loads(line)
        if "errno" in answer:
            raise OSError(answer["errno"], os.strerror(answer["errno"]), answer["file"])
        if "error" in answer:
            raise BeholderError(answer["error"])
        if "fault" in answer:
            raise RuntimeError(answer["fault"])

    def stop(self) -> None:
        """End the process at once; what it was doing is done again by the next comparison."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def _tell(self, values: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(values) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise RunError("a worker process ended before its work") from error
