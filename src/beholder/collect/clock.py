"""Time as the store keeps it: whole milliseconds since 1970, UTC."""

import time
from collections.abc import Callable

Clock = Callable[[], int]
"""Gives the present; tests pass one that they can turn."""

SECOND, MINUTE, DAY = 1000, 60_000, 86_400_000


def now_ms() -> int:
    """Return the present in milliseconds."""
    return time.time_ns() // 1_000_000
