"""Holding a run's folder: one process writes it, and all processes of a training see it."""

import contextlib
import fcntl
import shutil
import socket
import time
from collections.abc import Iterator

from beholder.errors import RunError
from beholder.model.configuration import TrainingConfiguration
from beholder.model.folder import RunFolder

SEEN_WITHIN_S = 60.0
"""A disk that machines share may show a file to the others only after so long."""


@contextlib.contextmanager
def claimed(
    folder: RunFolder,
    configuration: TrainingConfiguration,
    resume: bool,
    overwrite: bool,
    launch: frozenset[str],
) -> Iterator[bool]:
    """Hold a run's folder for one process; give whether it is finished already.

    What was begun by the same ``launch`` was interrupted and goes on, whatever was asked.
    """
    is_restart = bool(launch & folder.launch)
    if is_restart:
        resume, overwrite = not folder.is_empty, False
    if not folder.is_empty:
        if not (resume or overwrite):
            raise RunError(f"{folder.path} exists already; pass --resume or --overwrite")
        begun = folder.configuration()  # RunError if this is no run: nothing else is touched
        if resume and begun != configuration:
            raise RunError(
                f"{folder.path} was begun with another configuration; a resumed run keeps its own"
            )
    elif resume:
        raise RunError(f"{folder.path} holds no run to resume")
    folder.path.mkdir(parents=True, exist_ok=True)
    with folder.lock.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RunError(f"another process is training {folder.path}") from error
        if overwrite:
            folder.clear()
        if not is_restart:
            lock.truncate(0)
        # Only added to: were it cut and killed, the next attempt would not know its own run.
        lock.writelines(f"{agent}\n" for agent in sorted(launch - folder.launch))
        lock.flush()
        try:
            yield folder.is_finished
        finally:
            if folder.is_empty:  # refused before it began
                shutil.rmtree(folder.path)


def check_sight(
    folder: RunFolder, configuration: TrainingConfiguration, within_s: float = SEEN_WITHIN_S
) -> None:
    """Raise RunError where a process does not see the folder that the first one writes."""
    last = time.monotonic() + within_s
    while True:
        with contextlib.suppress(RunError):
            if folder.configuration() == configuration:
                return
        if time.monotonic() > last:
            raise RunError(
                f"{socket.gethostname()} does not see what the first process wrote in "
                f"{folder.path}: a run must lie on a disk that every machine shares"
            )
        time.sleep(0.1)
