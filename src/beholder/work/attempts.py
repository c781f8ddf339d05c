"""One attempt at a task by a worker: its result, or what stopped it, as a value that travels."""

import os
import pickle
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from beholder import errors
from beholder.errors import BeholderError, RunError

ATTEMPTS = 4
"""How often a task is begun, if the workers that do it are killed."""

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""The environment of a worker: its results must not hang on how many work beside it."""


@dataclass(frozen=True)
class Failure:
    """What a task raised."""

    error: Exception


def attempt(work: Callable[[], Callable[[Any], Any]], task: Any) -> Any:
    """Return what the work makes of a task, or its Failure; ``work`` gives the work itself."""
    try:
        return work()(task)
    except BeholderError as error:
        known = getattr(errors, type(error).__name__, BeholderError)
        return Failure(known(str(error)))
    except OSError as error:
        if error.errno is None:
            return Failure(OSError(str(error)))
        return Failure(OSError(error.errno, os.strerror(error.errno), error.filename))
    except Exception:  # a fault of ours or of a user's method: who asked says where
        return Failure(RuntimeError(traceback.format_exc()))


def packed(work: Callable[[Any], Any]) -> bytes:
    """Return work in the form in which it goes to workers."""
    return pickle.dumps(work)


def killed(task: object) -> RunError:
    """Return what is raised of a task whose every worker was killed."""
    return RunError(
        f"the process that did {task} was killed {ATTEMPTS} times, perhaps for want of memory; "
        "the same command goes on from here"
    )
