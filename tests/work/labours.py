"""Work for the tests of workers, in a module of its own so that workers can import it."""

from __future__ import annotations

import os
import signal
import sys
import time
import uuid
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from beholder.errors import StudyError
from beholder.study import Study


@dataclass(frozen=True)
class Squares:
    """Squares numbers and notes each beginning; is killed at some numbers, hangs on a machine."""

    notes: Path
    killed_at: tuple[int, ...] = ()
    always: bool = False
    wait_s: float = 0.0
    hangs_on: str = ""

    def __call__(self, number: int) -> int:
        is_first = not list(self.notes.glob(f"{number} *"))
        (self.notes / f"{number} {machine()} {uuid.uuid4()}").touch()
        if number in self.killed_at and (is_first or self.always):
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(3600 if machine() == self.hangs_on else self.wait_s)
        return number * number

    def begun(self) -> Counter[int]:
        """How often each number was begun."""
        return Counter(int(note.name.split()[0]) for note in self.notes.iterdir())

    def begun_on(self, where: str) -> set[int]:
        """What was begun on a machine."""
        return {int(n.name.split()[0]) for n in self.notes.iterdir() if n.name.split()[1] == where}


def machine() -> str:
    """The address of the machine of a Ray cluster that this worker is on."""
    if "ray" not in sys.modules:
        return "here"
    import ray

    return str(ray.util.get_node_ip_address())


@dataclass(frozen=True)
class Named:
    """Tells the name of a study that has travelled."""

    study: Study

    def __call__(self, task: int) -> str:
        return self.study.info.name


class OwnError(StudyError):
    """What a method of a user's own may raise."""


def fail(how: str) -> None:
    """Raise something."""
    if how == "study":
        raise StudyError("row 3 is bad")
    if how == "own":
        raise OwnError("row 4 is bad")
    if how == "file":
        Path("/nowhere/at all").read_bytes()
    if how == "full":
        raise OSError("no number")
    raise ValueError("the moon is full")


def about(task: int) -> dict[str, Any]:
    """Tell about the process, after it has printed something."""
    import torch

    print("this is no result")
    variables = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    threads = [os.environ.get(name) for name in variables]
    return {"process": os.getpid(), "threads": threads, "torch": torch.get_num_threads()}
