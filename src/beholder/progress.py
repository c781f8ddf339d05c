"""Progress of long work, shown on standard error only by whoever asks for it."""

import threading
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
    """Show a bar on standard error, if it is a terminal, once the loop has taken a second."""
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    length = total if total is not None else len(items) if isinstance(items, Sized) else None
    columns = (*Bar.get_default_columns()[:3], MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    bar = Bar(*columns, console=console, transient=True, disable=not console.is_terminal)
    task = bar.add_task(description, total=length)
    # A timer shows the bar also where the first item alone takes long.
    timer = threading.Timer(SHOW_AFTER_S, bar.start)
    timer.daemon = True
    timer.start()
    try:
        for item in items:
            yield item
            bar.advance(task)
    finally:
        timer.cancel()
        timer.join()
        bar.stop()
