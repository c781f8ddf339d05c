"""Searches that wait at the same time are answered together, and each gets its own answer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from beholder.retrieval import EmbeddedStore, Query, Result, Searcher, Snapshot
from beholder.retrieval.current import Current
from beholder.retrieval.service.bodies import SearchBody
from beholder.retrieval.service.limits import Limits
from beholder.retrieval.service.metrics import Metrics
from beholder.retrieval.service.names import names_of
from beholder.retrieval.service.refusals import RefusedError
from beholder.retrieval.service.searching import Found, SearchThread
from beholder.retrieval.service.waiting import OneAtATime


class Watched(Searcher):
    """Counts how many queries are searched together, and can be held."""

    def __init__(self, store: EmbeddedStore) -> None:
        super().__init__(store)
        self.together: list[int] = []
        self.is_held = threading.Event()
        self.may_go = threading.Event()
        self.may_go.set()

    def search_within(self, snapshot: Snapshot, queries: Sequence[Query]) -> list[Result]:
        self.together.append(len(queries))
        self.is_held.set()
        assert self.may_go.wait(30)
        if any(query.text == "breaks" for query in queries):
            raise ZeroDivisionError
        return super().search_within(snapshot, queries)


@contextmanager
def searching(store: EmbeddedStore, **limits: Any) -> Iterator[tuple[SearchThread, Watched]]:
    searcher = Watched(store)
    thread = SearchThread(store, searcher, Current(names_of), Metrics(), Limits(**limits))
    thread.start()
    try:
        yield thread, searcher
    finally:
        searcher.may_go.set()
        thread.stop()


def bodies(*texts: str) -> list[SearchBody]:
    return [SearchBody(text=text, top=1) for text in texts]


async def held(thread: SearchThread, searcher: Watched) -> asyncio.Task[Found]:
    """Begin a search and hold it, so that others have to wait."""
    searcher.may_go.clear()
    first = asyncio.create_task(thread.ask(bodies("first")))
    await asyncio.to_thread(searcher.is_held.wait, 30)
    return first


async def waiting(thread: SearchThread, *each: Sequence[SearchBody]) -> list[asyncio.Task[Found]]:
    tasks = []
    for some in each:
        tasks.append(asyncio.create_task(thread.ask(some)))
        await asyncio.sleep(0)  # it takes its place
    return tasks


def test_what_waits_is_searched_together_and_one_alone_at_once(tiny_store: EmbeddedStore) -> None:
    texts = [f"a dog and {number} boats" for number in range(7)]
    expected = Searcher(tiny_store).search_all([Query(text=text, top=1) for text in texts])

    async def scenario() -> None:
        with searching(tiny_store) as (thread, searcher):
            first = await held(thread, searcher)
            tasks = await waiting(thread, *(bodies(text) for text in texts))
            assert thread.waiting == 7
            searcher.may_go.set()
            found = await asyncio.gather(*tasks)
            await first
            assert searcher.together == [1, 7]
            assert thread.waiting == 0
            for own, result in zip(found, expected, strict=True):
                assert [one.number for one in own.results[0].answers] == [
                    one.number for one in result.answers
                ]

    asyncio.run(scenario())


def test_no_more_go_together_than_may_but_a_batch_goes_whole(tiny_store: EmbeddedStore) -> None:
    async def scenario() -> None:
        with searching(tiny_store, together=3) as (thread, searcher):
            first = await held(thread, searcher)
            tasks = await waiting(
                thread, bodies("a", "b"), bodies("c"), bodies("d"), bodies(*"efghi"), bodies("j")
            )
            searcher.may_go.set()
            found = await asyncio.gather(first, *tasks)
            assert searcher.together == [1, 3, 1, 5, 1]
            assert [len(one.results) for one in found] == [1, 2, 1, 1, 5, 1]

    asyncio.run(scenario())


def test_a_refused_query_or_a_fault_is_its_askers_alone(tiny_store: EmbeddedStore) -> None:
    async def scenario() -> None:
        with searching(tiny_store) as (thread, searcher):
            first = await held(thread, searcher)
            nobody = [SearchBody.model_validate({"text": "a", "as": "nobody"})]
            survey = [SearchBody(text="a"), SearchBody(personality=[1, 2])]
            tasks = await waiting(
                thread, bodies("a"), nobody, bodies("breaks"), survey, bodies("b")
            )
            searcher.may_go.set()
            one, unknown, fault, invalid, other = await asyncio.gather(
                *tasks, return_exceptions=True
            )
            await first
            assert isinstance(one, Found)
            assert isinstance(other, Found)
            assert isinstance(unknown, RefusedError)
            assert unknown.kind == "unknown"
            assert isinstance(fault, ZeroDivisionError)
            assert isinstance(invalid, RefusedError)
            assert str(invalid).startswith("queries.1: ")

    asyncio.run(scenario())


def test_beyond_the_bound_nobody_waits(tiny_store: EmbeddedStore) -> None:
    async def scenario() -> None:
        with searching(tiny_store, waiting_queries=4) as (thread, searcher):
            first = await held(thread, searcher)
            tasks = await waiting(thread, bodies("a", "b", "c"))
            with pytest.raises(RefusedError) as refused:
                await thread.ask(bodies("d", "e"))
            assert (refused.value.kind, refused.value.status) == ("busy", 503)
            tasks += await waiting(thread, bodies("d"))
            with pytest.raises(RefusedError):
                await thread.ask(bodies("e"))
            searcher.may_go.set()
            assert len(await asyncio.gather(first, *tasks)) == 3
            assert await thread.ask(bodies("e"))

    asyncio.run(scenario())


def test_who_waits_too_long_is_told_so_and_searched_for_no_more(
    tiny_store: EmbeddedStore,
) -> None:
    async def scenario() -> None:
        with searching(tiny_store, search_seconds=0.05) as (thread, searcher):
            first = await held(thread, searcher)
            tasks = await waiting(thread, bodies("a"), bodies("b"))
            outcomes = await asyncio.gather(first, *tasks, return_exceptions=True)
            assert [getattr(one, "kind", None) for one in outcomes] == ["busy"] * 3
            searcher.may_go.set()
        assert sum(searcher.together) == 1

    asyncio.run(scenario())


def test_the_end_answers_what_waits(tiny_store: EmbeddedStore) -> None:
    async def scenario() -> None:
        with searching(tiny_store) as (thread, searcher):
            first = await held(thread, searcher)
            tasks = await waiting(thread, bodies("a"), bodies("b"))
            stopping = asyncio.create_task(asyncio.to_thread(thread.stop))
            await asyncio.sleep(0.02)
            with pytest.raises(RefusedError):
                await thread.ask(bodies("too late"))
            searcher.may_go.set()
            assert len(await asyncio.gather(first, *tasks)) == 3
            await stopping

    asyncio.run(scenario())


def test_slow_things_are_done_one_at_a_time_and_wait_up_to_a_bound() -> None:
    async def scenario() -> None:
        slow = OneAtATime("slow", most_waiting=2, seconds=5)
        begun, may_go = threading.Event(), threading.Event()

        def first() -> str:
            begun.set()
            may_go.wait(30)
            return "first"

        tasks = [asyncio.create_task(slow.do(first))]
        await asyncio.to_thread(begun.wait, 30)
        tasks.append(asyncio.create_task(slow.do(lambda: "second")))
        await asyncio.sleep(0)
        with pytest.raises(RefusedError) as refused:
            await slow.do(lambda: "third")
        assert refused.value.kind == "busy"
        may_go.set()
        assert await asyncio.gather(*tasks) == ["first", "second"]
        assert await slow.do(lambda: "fourth") == "fourth"
        slow.stop()

    asyncio.run(scenario())


def test_many_askers_at_once_all_get_their_own_answers(client, tiny_store: EmbeddedStore) -> None:  # type: ignore[no-untyped-def]
    texts = [f"a {color} {thing}" for color in ("red", "blue") for thing in "abcdefghijkl"]
    expected = Searcher(tiny_store).search_all([Query(text=text, top=3) for text in texts])

    def ask(text: str) -> list[int]:
        answer = client.post("/v1/search", json={"text": text, "top": 3})
        return [one["number"] for one in answer.json()["answers"]]

    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(ask, texts))
    assert found == [[one.number for one in result.answers] for result in expected]
