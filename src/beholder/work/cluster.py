"""Tasks over the machines of a Ray cluster, each task on one processor with one thread.

Ray begins a task again where its process or its machine was killed, and no other. The work
goes to every machine once, through Ray's object store; results come back as values.
"""

import contextlib
import importlib
import logging
import os
import pickle
import platform
import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any, ClassVar, TypeVar

from beholder.errors import ConfigurationError, StudyError, UnsupportedError
from beholder.work.attempts import ATTEMPTS, ONE_THREAD, Failure, attempt, killed, packed

T = TypeVar("T")
R = TypeVar("R")

_OBJECTS_BYTES = 256 * 2**20  # beyond this Ray keeps objects on the disk
_ANSWER_S = 5.0
_WAITING = 2  # tasks told to the cluster for each of its processors


@dataclass(frozen=True)
class Cluster:
    """The Ray cluster at an address, such as ``10.0.0.1:6379``.

    Without an address it is the one that this process has joined, else that of the variable
    RAY_ADDRESS, else one that is begun here with ``count`` processors, by default all. With an
    address ``count`` is how many tasks run at once at most, by default as many as fit.
    """

    address: str | None = None
    count: int | None = None

    shares_disk: ClassVar[bool] = False

    def run(self, work: Callable[[T], R], tasks: Iterable[T]) -> Iterator[tuple[int, R]]:
        """Do ``work`` on every task; give each result with its task's place, as it comes.

        Raises UnsupportedError where Ray is missing, ConfigurationError where no cluster
        answers.
        """
        ray = _ray()
        self._join(ray)
        held = ray.put(packed(work))
        do = ray.remote(num_cpus=1, max_retries=ATTEMPTS - 1)(_do)
        running: dict[Any, tuple[int, T]] = {}
        left = enumerate(tasks)
        try:
            while True:
                for place, task in islice(left, max(self._room(ray) - len(running), 0)):
                    running[do.remote([held], task)] = place, task
                if not running:
                    return
                (done, *_), _ = ray.wait(list(running), num_returns=1)
                place, task = running.pop(done)
                yield place, _result(ray, done, task)
        finally:
            for reference in running:
                ray.cancel(reference, force=True)

    def _room(self, ray: Any) -> int:
        """Return how many tasks the cluster is told at once, with the machines that it has now."""
        return self.count or max(_WAITING * int(ray.cluster_resources().get("CPU", 1)), 1)

    def _join(self, ray: Any) -> None:
        """Join the cluster, or begin one; nothing where this process is in one already."""
        if ray.is_initialized():
            return
        address = self.address or os.environ.get("RAY_ADDRESS")
        if address and address != "auto":
            _check_answers(address)
        logging.getLogger("ray").setLevel(logging.ERROR)
        begun = {
            "num_cpus": self.count or os.cpu_count() or 1,
            "object_store_memory": _OBJECTS_BYTES,
            "include_dashboard": False,
        }
        with _environment(_QUIET if address else _QUIET | ONE_THREAD):
            try:
                ray.init(
                    address or "local",
                    **({} if address else begun),
                    log_to_driver=False,
                    configure_logging=False,
                )
            except Exception as error:  # Ray has no type of its own for a start that took too long
                where = f"the Ray cluster at {address} cannot be joined"
                what = where if address else "a Ray cluster cannot be begun"
                raise ConfigurationError(f"{what}: {_sentence(error)}") from error


@contextlib.contextmanager
def cluster(address: str | None = None, count: int | None = None) -> Iterator[Cluster]:
    """Give a `Cluster`; one that was begun for it ends with the block, one joined is left."""
    ray = _ray()
    was_joined = ray.is_initialized()
    try:
        yield Cluster(address, count)
    finally:
        if not was_joined and ray.is_initialized():
            ray.shutdown()


_QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_task_oom_retries": str(ATTEMPTS - 1)}


def _check_answers(address: str) -> None:
    """Raise ConfigurationError where nobody answers: Ray itself would wait for many minutes."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise ConfigurationError(f"{address} is no address of a Ray cluster, such as 10.0.0.1:6379")
    if "//" in host:
        raise ConfigurationError(
            f"{address} is for Ray's client: run this on a machine of the cluster, with an "
            "address such as 10.0.0.1:6379"
        )
    try:
        socket.create_connection((host, int(port)), _ANSWER_S).close()
    except (OSError, OverflowError) as error:
        raise ConfigurationError(f"no Ray cluster answers at {address}: {error}") from error


def _do(held: Sequence[Any], task: Any) -> Any:
    """Do a task, in a worker of the cluster."""
    threads = os.environ.get("OMP_NUM_THREADS")
    if threads != "1":
        return Failure(
            UnsupportedError(
                f"{platform.node()} has OMP_NUM_THREADS={threads}, and results must not hang on "
                "it: begin its Ray with OMP_NUM_THREADS=1"
            )
        )
    found = attempt(lambda: _held(held[0]), task)
    if isinstance(found, Failure) and isinstance(found.error, StudyError):
        advice = "every machine must have the study's folder at the same path"
        return Failure(StudyError(f"on {platform.node()}: {found.error} ({advice})"))
    return found


@lru_cache(maxsize=1)
def _held(reference: Any) -> Callable[[Any], Any]:
    """Return the work, which a worker unpacks for its first task."""
    work: Callable[[Any], Any] = pickle.loads(_ray().get(reference))
    return work


def _result(ray: Any, reference: Any, task: Any) -> Any:
    """Return a task's result, or raise what stopped it."""
    lost = ray.exceptions
    try:
        found = ray.get(reference)
    except (
        lost.WorkerCrashedError,
        lost.NodeDiedError,
        lost.OutOfMemoryError,
        lost.ObjectLostError,
    ) as error:
        raise killed(task) from error
    except lost.RayError as error:
        raise UnsupportedError(
            "a machine of the cluster cannot work; each needs the same Beholder and Python: "
            f"{_sentence(error)}"
        ) from error
    if isinstance(found, Failure):
        raise found.error
    return found


def _sentence(error: Exception) -> str:
    """Return the last line of what Ray says, which is the cause."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__


@contextlib.contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Set variables, which the processes that are begun meanwhile inherit."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _ray() -> Any:
    try:
        return importlib.import_module("ray")
    except ImportError as error:
        raise UnsupportedError(
            "working on a Ray cluster needs ray: pip install 'beholder[cluster]'"
        ) from error
