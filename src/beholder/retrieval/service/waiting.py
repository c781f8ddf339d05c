"""What is slow, such as an explanation: one at a time, beside the searches."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from beholder.retrieval.service.refusals import BUSY, RefusedError

Made = TypeVar("Made")


class OneAtATime:
    """Does one slow thing after the other; whoever comes when too many wait is refused."""

    def __init__(self, name: str, most_waiting: int, seconds: float) -> None:
        self._most, self._seconds = most_waiting, seconds
        self._pool = ThreadPoolExecutor(1, name)
        self._waiting = 0

    async def do(self, make: Callable[[], Made]) -> Made:
        """Return what ``make`` makes in a thread of its own; raises RefusedError when busy."""
        if self._waiting >= self._most:
            raise RefusedError("busy", BUSY)
        self._waiting += 1
        future = self._pool.submit(make)
        future.add_done_callback(lambda _: self._done())
        try:
            async with asyncio.timeout(self._seconds):
                return await asyncio.wrap_future(future)
        except TimeoutError:
            raise RefusedError("busy", BUSY, retry_after=5) from None

    def _done(self) -> None:
        self._waiting -= 1

    def stop(self) -> None:
        """End when what is being made is made."""
        self._pool.shutdown(cancel_futures=True)
