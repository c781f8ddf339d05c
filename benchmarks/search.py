"""What a search costs in both kinds of store, beside plain FAISS and plain pgvector.

OMP_NUM_THREADS=1 python -m benchmarks.search [ROWS …]

All are asked the same queries over the same vectors, one query at a time and in turn, so that
other work on the machine slows all of them alike. The plain ones return the numbers of the
first ten; ours also open a state, make sure of the order in double precision, and take the
scores apart. A plain graph examines as many rows as ours found that it has to.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from beholder.retrieval import Store, create_store, open_store
from beholder.retrieval.layout import Description, PairLayout
from beholder.retrieval.proposals import LEAST_EXAMINED, RECALL
from beholder.retrieval.records import Addition, ImageRecord, SampleRecord
from beholder.retrieval.store import Probe, Ranking
from benchmarks.commands import write_results
from benchmarks.postgres import PostgresAbsentError, running_postgres

SPACES, DIMENSIONS, CLUSTERS = ("base", "content", "style"), 64, 500
LAYOUT = PairLayout(
    ("gaze", "text"), dict.fromkeys(SPACES, 1 / 3), dict.fromkeys(SPACES, DIMENSIONS)
)
DESCRIPTION = Description("made", "run", "ours", "random", 0, ("g2t",), (LAYOUT,), "", None)
SIDE = LAYOUT.side("text")
ROWS = (20_000, 50_000, 100_000)
QUERIES, TOP = 200, 10

Search = Callable[[int], Sequence[int]]
"""Answers the query of a number with the numbers of the first ten."""


@dataclass(frozen=True)
class Made:
    """What everything is measured on: a side's rows (n, 193), and queries (q, 193)."""

    gazes: np.ndarray
    texts: np.ndarray
    queries: np.ndarray


def made(count: int) -> Made:
    generator = np.random.default_rng(1)
    gazes, texts = rows(count, generator), rows(count, generator)
    queries = rows(QUERIES, generator)
    queries[:, :-1] /= len(SPACES)  # as the run's method weighs them
    queries[:, -1] = 1
    return Made(gazes, texts, queries)


def rows(count: int, generator: np.random.Generator) -> np.ndarray:
    """Return rows in clusters, as samples of images and people are."""
    blocks = []
    for _ in SPACES:
        centres = np.random.default_rng(0).normal(size=(CLUSTERS, DIMENSIONS))
        values = centres[generator.integers(CLUSTERS, size=count)]
        values = values + generator.normal(size=values.shape)
        blocks.append(values / np.linalg.norm(values, axis=1, keepdims=True))
    taken = -0.1 - 0.05 * generator.random((count, 1))
    return np.concatenate([*blocks, taken], axis=1).astype(np.float32)


def store_of(where: str, vectors: Made) -> tuple[Store, dict[str, Any]]:
    """Return a store with indexes, how long it took to write and to index, and its graph."""
    image = ImageRecord(0, "image", 4, 3, b"", np.zeros((1, 1, 1), np.float32))
    count = len(vectors.texts)
    samples = tuple(SampleRecord(n, None, "image", text="some words") for n in range(count))
    numbers = np.arange(count)
    sides = {
        LAYOUT.side("gaze"): (numbers, vectors.gazes),
        LAYOUT.side("text"): (numbers, vectors.texts),
    }
    start = time.monotonic()
    with create_store(where) as writer:
        writer.clear(DESCRIPTION, {})
        writer.add(Addition(images=(image,), samples=samples, vectors=sides))
    written = time.monotonic()
    store = open_store(where)
    recalls = store.build_indexes(least_rows=0)
    indexed = time.monotonic() - written
    with store.read() as snapshot:
        indexes: Any = snapshot
        indexes = getattr(indexes._indexes, "by_side", indexes._indexes)
    return store, {
        "write_s": round(written - start, 1),
        "index_s": round(indexed, 1),
        "recall_it_says": round(recalls[SIDE.name], 4) if recalls else None,
        "examined": indexes[SIDE.name].examined if indexes else None,
    }


def searches_of(store: Store, vectors: Made) -> dict[str, Search]:
    """Return the exact and the approximate search of a store, opening a state for each."""
    asked = [Ranking("text", (Probe("gaze", SIDE, one),), {"gaze": 1.0}) for one in vectors.queries]

    def search(number: int, approximate: bool) -> Sequence[int]:
        with store.read() as snapshot:
            (hits,) = snapshot.rank([replace(asked[number], approximate=approximate)])
        return [hit.number for hit in hits.hits]

    return {
        "exact": lambda number: search(number, approximate=False),
        "hnsw": lambda number: search(number, approximate=True),
    }


def plain_faiss(vectors: Made, examined: int) -> dict[str, Search]:
    import faiss

    from beholder.retrieval.embedded.approximate import _EFFORT, _NEIGHBOURS

    flat = faiss.IndexFlatIP(vectors.texts.shape[1])
    flat.add(vectors.texts)
    combined = LAYOUT.combined(vectors.texts)
    graph = faiss.IndexHNSWFlat(combined.shape[1], _NEIGHBOURS, faiss.METRIC_INNER_PRODUCT)
    graph.hnsw.efConstruction = _EFFORT
    graph.add(combined)
    graph.hnsw.efSearch = examined
    scaled = np.stack([LAYOUT.combined_query(one) for one in vectors.queries])
    return {
        "exact": lambda number: flat.search(vectors.queries[number : number + 1], TOP)[1][0],
        "hnsw": lambda number: graph.search(scaled[number : number + 1], TOP)[1][0],
    }


@contextmanager
def plain_pgvector(url: str, vectors: Made, examined: int) -> Iterator[dict[str, Search]]:
    import psycopg
    from psycopg import sql

    from beholder.retrieval.server import wire

    combined = LAYOUT.combined(vectors.texts)
    scaled = [wire.as_text(LAYOUT.combined_query(one)) for one in vectors.queries]
    queries = [wire.as_text(one) for one in vectors.queries]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
        for name, held in {"flat": vectors.texts, "graph": combined}.items():
            width = held.shape[1]
            connection.execute(f"CREATE TABLE {name} (item bigint, vector vector({width}))")
            wire.copy_in(connection, sql.Identifier(name), np.arange(len(held)), held)
        connection.execute("SET maintenance_work_mem = '1GB'")
        connection.execute("SET max_parallel_maintenance_workers = 0")
        connection.execute("CREATE INDEX ON graph USING hnsw (vector vector_ip_ops)")
        connection.execute("ANALYZE flat, graph")
        connection.execute(f"SET hnsw.ef_search = {examined}")

        def search(table: str, query: str) -> list[int]:
            statement = f"SELECT item FROM {table} ORDER BY vector <#> %s::vector LIMIT {TOP}"
            return [row[0] for row in connection.execute(statement, (query,), prepare=False)]

        yield {
            "exact": lambda number: search("flat", queries[number]),
            "hnsw": lambda number: search("graph", scaled[number]),
        }


def compared(searches: dict[str, Search], vectors: Made) -> dict[str, dict[str, float]]:
    """Return each one's milliseconds and recall, every query asked of all in turn."""
    truth = np.argsort(-(vectors.queries @ vectors.texts.T), axis=1, kind="stable")[:, :TOP]
    spent: dict[str, list[float]] = {name: [] for name in searches}
    shares: dict[str, list[float]] = {name: [] for name in searches}
    for search in searches.values():
        search(0)  # reads what it needs
    for number in range(len(vectors.queries)):
        for name, search in searches.items():
            start = time.monotonic()
            found = search(number)
            spent[name].append(1000 * (time.monotonic() - start))
            shares[name].append(float(np.isin(truth[number], found).mean()))
    return {
        name: {
            "p50_ms": round(float(np.percentile(spent[name], 50)), 2),
            "p99_ms": round(float(np.percentile(spent[name], 99)), 2),
            "recall_top10": round(float(np.mean(shares[name])), 4),
        }
        for name in searches
    }


def measured(count: int) -> dict[str, Any]:
    """Measure both kinds of store beside what they are made of; PostgreSQL where there is one."""
    vectors = made(count)
    result: dict[str, Any] = {"rows": count, "width": vectors.texts.shape[1], "queries": QUERIES}
    with tempfile.TemporaryDirectory() as folder:
        store, costs = store_of(str(Path(folder) / "store"), vectors)
        result["embedded"] = costs
        examined = costs["examined"] or LEAST_EXAMINED
        engines = {"embedded": searches_of(store, vectors), "FAISS": plain_faiss(vectors, examined)}
        try:
            with running_postgres() as postgres:
                server, costs = store_of(postgres.new_database(), vectors)
                result["PostgreSQL"] = costs
                examined = costs["examined"] or LEAST_EXAMINED
                with plain_pgvector(postgres.new_database(), vectors, examined) as plain:
                    engines |= {"PostgreSQL": searches_of(server, vectors), "pgvector": plain}
                    result["searches"] = compared(_flat(engines), vectors)
        except PostgresAbsentError as error:
            print(f"PostgreSQL is not measured: {error}", file=sys.stderr)
            result["searches"] = compared(_flat(engines), vectors)
    return result | {"ratios": ratios(result["searches"])}


def ratios(searches: dict[str, dict[str, float]]) -> dict[str, float]:
    """Return how many times as long as the plain one each of ours takes, at the median."""
    pairs = {"embedded": "FAISS", "PostgreSQL": "pgvector"}
    return {
        f"{ours}, {way}": round(
            searches[f"{ours}, {way}"]["p50_ms"] / searches[f"{plain}, {way}"]["p50_ms"], 2
        )
        for ours, plain in pairs.items()
        for way in ("exact", "hnsw")
        if f"{ours}, {way}" in searches
    }


def table(result: dict[str, Any]) -> str:
    lines = [
        f"{result['rows']:,} vectors of width {result['width']}, one query at a time",
        "",
        "| search | median ms | p99 ms | recall of the first ten | of the plain one's time |",
        "|---|---|---|---|---|",
    ]
    for name, cost in result["searches"].items():
        ratio = result["ratios"].get(name)
        lines.append(
            f"| {name} | {cost['p50_ms']} | {cost['p99_ms']} | {cost['recall_top10']} "
            f"| {'' if ratio is None else f'{ratio} ×'} |"
        )
    for name in ("embedded", "PostgreSQL"):
        if name in result:
            lines += ["", _about_index(name, result[name])]
    return "\n".join(lines)


def _about_index(name: str, costs: dict[str, Any]) -> str:
    if costs["examined"] is None:
        return f"{name}: no graph of a price that pays finds {RECALL:.0%}, so hnsw is exact here."
    return (
        f"{name}: the graph examines {costs['examined']} rows a query, and says that it finds "
        f"{costs['recall_it_says']:.1%}."
    )


def _flat(engines: dict[str, dict[str, Search]]) -> dict[str, Search]:
    return {
        f"{engine}, {way}": search
        for way in ("exact", "hnsw")
        for engine, searches in engines.items()
        for search in (searches[way],)
    }


if __name__ == "__main__":
    outcomes = [measured(size) for size in map(int, sys.argv[1:] or ROWS)]
    write_results("search", outcomes, "\n\n".join(map(table, outcomes)))
