"""Progress of long work, shown on standard error only by whoever asks for it."""

import time
from collections.abc import Iterable, Iterator, Sized
from typing import Protocol, TypeVar

T = TypeVar("T")

SHOW_AFTER_S = 1.0


class Progress(Protocol):
    """Wraps the items of a long loop; gives each on and may show how far it is."""

    def __call__(
        self, items: Iterable[T], description: str, total: int | None = None
    ) -> Iterable[T]:
        """Return the items, one by one; ``total`` is their number where it is not known."""
        ...


def silent(items: Iterable[T], description: str, total: int | None = None) -> Iterable[T]:
    """Show nothing: the default of the Python API."""
    return items


def shown(items: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
    """Show a bar on standard error once the loop has taken over a second."""
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    length = total if total is not None else len(items) if isinstance(items, Sized) else None
    columns = (*Bar.get_default_columns()[:3], MofNCompleteColumn(), TimeRemainingColumn())
    bar = Bar(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task(description, total=length)
    started = time.monotonic()
    running = False
    try:
        for item in items:
            yield item
            bar.advance(task)
            if not running and time.monotonic() - started > SHOW_AFTER_S:
                running = True
                bar.start()
    finally:
        if running:
            bar.stop()
