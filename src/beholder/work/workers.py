"""What does tasks: one interface, whether it is this process, others here, or other machines."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import ClassVar, Protocol, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Workers(Protocol):
    """Does tasks that do not depend on one another, several at once."""

    @property
    def shares_disk(self) -> bool:
        """Whether what a task writes is there for the asking process as well."""

    def run(self, work: Callable[[T], R], tasks: Iterable[T]) -> Iterator[tuple[int, R]]:
        """Do ``work`` on every task; give each result with its task's place, as it comes.

        Tasks are drawn when they can be begun, so those that are large need not all exist.
        ``work``, the tasks and the results must be picklable, and ``work`` pure: a task whose
        worker was killed is done again, three times at most, and then RunError names it. A
        task's own BeholderError or OSError is raised as it is, any other as a RuntimeError
        with its traceback; what is not done by then is dropped, as it is when the iterator
        is closed.
        """


class Here:
    """Does one task after the other in this process."""

    shares_disk: ClassVar[bool] = True

    def run(self, work: Callable[[T], R], tasks: Iterable[T]) -> Iterator[tuple[int, R]]:
        """Do ``work`` on every task; what it raises is raised."""
        for place, task in enumerate(tasks):
            yield place, work(task)


HERE = Here()


def in_order(workers: Workers, work: Callable[[T], R], tasks: Iterable[T]) -> Iterator[R]:
    """Do tasks and give their results in the order of the tasks.

    A single task is done in this process: it is not worth a worker.
    """
    following_tasks = iter(tasks)
    first = list(islice(following_tasks, 2))
    chosen = workers if len(first) > 1 else HERE
    early: dict[int, R] = {}
    following = 0
    for place, result in chosen.run(work, chain(first, following_tasks)):
        early[place] = result
        while following in early:
            yield early.pop(following)
            following += 1
