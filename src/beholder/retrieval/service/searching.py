"""Searches that wait at the same time are answered together, by one thread.

A product of the vectors with twenty queries costs little more than with one, so whatever waits
when a search ends is the next search. Nobody waits for company: a query that comes alone is
searched at once. What waits is bounded; beyond that a request is refused at the door.
"""

import asyncio
import gc
import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from beholder.errors import BeholderError
from beholder.retrieval.current import Current
from beholder.retrieval.query import Query
from beholder.retrieval.search import Result, Searcher
from beholder.retrieval.service.bodies import SearchBody
from beholder.retrieval.service.limits import Limits
from beholder.retrieval.service.metrics import Metrics
from beholder.retrieval.service.names import Names
from beholder.retrieval.service.refusals import BUSY, LOG, RefusedError, as_refused
from beholder.retrieval.store import Snapshot, Store

_logger = logging.getLogger(LOG)
_AGAIN_S = 5.0  # after which loading is tried again where it failed


@dataclass(frozen=True)
class Found:
    """The results of a request's queries, and the state of the store that gave them."""

    results: tuple[Result, ...]
    names: Names


@dataclass(frozen=True)
class _Asked:
    bodies: Sequence[SearchBody]
    answer: "Future[Found]" = field(default_factory=Future)


class SearchThread:
    """Answers what waits, as much as may go together at a time."""

    def __init__(
        self,
        store: Store,
        searcher: Searcher,
        names: Current[Names],
        metrics: Metrics,
        limits: Limits,
    ) -> None:
        self._store, self._searcher, self._names = store, searcher, names
        self._metrics, self._limits = metrics, limits
        self._waiting: deque[_Asked] = deque()
        self._queries = 0
        self._changed = threading.Condition()
        self._is_stopping = False
        self._thread: threading.Thread | None = None
        self._settled = -1
        self.is_loaded = False

    def start(self) -> None:
        """Load the store, then answer."""
        self._thread = threading.Thread(target=self._run, name="search", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Answer what waits, then end."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    @property
    def waiting(self) -> int:
        """How many queries wait."""
        return self._queries

    async def ask(self, bodies: Sequence[SearchBody]) -> Found:
        """Return the results of queries, all from one state of the store.

        Raises RefusedError for the first query that cannot be answered, and where too many
        wait or the answer takes too long.
        """
        asked = _Asked(bodies)
        with self._changed:
            if self._queries + len(bodies) > self._limits.waiting_queries or self._is_stopping:
                raise RefusedError("busy", BUSY, retry_after=1)
            self._waiting.append(asked)
            self._queries += len(bodies)
            self._changed.notify()
        try:
            async with asyncio.timeout(self._limits.search_seconds):
                return await asyncio.wrap_future(asked.answer)
        except TimeoutError:
            raise RefusedError("busy", BUSY, retry_after=2) from None

    def _run(self) -> None:
        while True:
            if not self.is_loaded:
                self._load()
            together = self._next()
            if together:
                # Whoever has gone meanwhile is asked for no more.
                self._answer([one for one in together if one.answer.set_running_or_notify_cancel()])
            elif self._is_stopping:
                return

    def _next(self) -> list[_Asked]:
        """Wait for queries, and return those that are searched together."""
        with self._changed:
            if not self._waiting and not self._is_stopping:
                self._changed.wait(None if self.is_loaded else _AGAIN_S)
            together: list[_Asked] = []
            size = 0
            while self._waiting:
                size += len(self._waiting[0].bodies)
                if together and size > self._limits.together:
                    break
                asked = self._waiting.popleft()
                self._queries -= len(asked.bodies)
                together.append(asked)
            return together

    def _load(self) -> None:
        """Read the vectors and the model before anybody asks."""
        try:
            with self._store.read() as snapshot:
                names = self._names.of(snapshot)
                self._searcher.embedder(snapshot)
                self._settle(names)
                self.is_loaded = True
        except Exception as error:
            fields = {"failure": str(error) if isinstance(error, BeholderError) else ""}
            _logger.exception("not loaded", extra={"fields": fields})

    def _settle(self, names: Names) -> None:
        """Take what was loaded for a state out of the garbage collector's rounds.

        It stays until the store changes, and to walk through it took a fifth of a second in
        which nobody was answered.
        """
        if names.generation != self._settled:
            self._settled = names.generation
            gc.collect()
            gc.freeze()

    def _answer(self, together: list[_Asked]) -> None:
        begun = time.perf_counter()
        try:
            with self._store.read() as snapshot:
                names = self._names.of(snapshot)
                self._settle(names)
                self._answer_within(snapshot, names, together)
        except Exception as error:
            for asked in together:
                if not asked.answer.done():
                    asked.answer.set_exception(error)
        queries = sum(len(asked.bodies) for asked in together)
        self._metrics.search(queries, time.perf_counter() - begun)

    def _answer_within(self, snapshot: Snapshot, names: Names, together: list[_Asked]) -> None:
        understood: list[tuple[_Asked, list[Query]]] = []
        for asked in together:
            try:
                understood.append((asked, _queries(names, asked.bodies)))
            except BeholderError as error:
                asked.answer.set_exception(error)
        every = [query for _, queries in understood for query in queries]
        try:
            results = iter(self._searcher.search_within(snapshot, every))
        except Exception:
            # One of them is the cause: each is asked alone, so that the others are answered.
            for asked, queries in understood:
                self._answer_alone(snapshot, names, asked, queries)
            return
        for asked, queries in understood:
            asked.answer.set_result(Found(tuple(next(results) for _ in queries), names))

    def _answer_alone(
        self, snapshot: Snapshot, names: Names, asked: _Asked, queries: list[Query]
    ) -> None:
        results = []
        for place, query in enumerate(queries):
            try:
                results += self._searcher.search_within(snapshot, [query])
            except BeholderError as error:
                asked.answer.set_exception(_at(place, len(queries), error))
                return
            except Exception as error:
                asked.answer.set_exception(error)
                return
        asked.answer.set_result(Found(tuple(results), names))


def _queries(names: Names, bodies: Sequence[SearchBody]) -> list[Query]:
    queries = []
    for place, body in enumerate(bodies):
        try:
            queries.append(names.query(body))
        except BeholderError as error:
            raise _at(place, len(bodies), error) from error
    return queries


def _at(place: int, count: int, error: BeholderError) -> RefusedError:
    """Return the refusal of one query, which it names where there are several."""
    refused = as_refused(error)
    return refused if count == 1 else RefusedError(refused.kind, f"queries.{place}: {refused}")
