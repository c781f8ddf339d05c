"""What is derived from a store's present state, and made anew when the store has changed."""

import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from beholder.retrieval.store import Snapshot


class _OfState(Protocol):
    @property
    def generation(self) -> int: ...


Derived = TypeVar("Derived", bound=_OfState)


class Current(Generic[Derived]):
    """Keeps what ``make`` derives from one state of a store; it is asked from many threads."""

    def __init__(self, make: Callable[[Snapshot], Derived]) -> None:
        self._make = make
        self._held: Derived | None = None
        self._making = threading.Lock()

    def of(self, snapshot: Snapshot) -> Derived:
        """Return what is derived from a snapshot."""
        held = self._held
        if held is not None and held.generation == snapshot.generation:
            return held
        with self._making:
            held = self._held
            if held is None or held.generation != snapshot.generation:
                held = self._held = self._make(snapshot)
            return held


def counts(numbers: NDArray[np.int64]) -> dict[int, int]:
    """Return how often each number is there."""
    values, often = np.unique(numbers, return_counts=True)
    return dict(zip(values.tolist(), often.tolist(), strict=True))
