"""What a user waits for: twenty at once over HTTP, on a store of many samples.

python -m benchmarks.latency [--rows 100000] [--dimensions 64] [--users 20] [--seconds 10]
                             [--store STORE]

A run is trained on a small simulated study, and its store enlarged with samples like its own, so
that queries are encoded by a real model; or a store that is there is asked, a folder or a URL.
`beholder serve` is a process of its own on this machine, and so is whoever asks: every user
sends the next search when the last is answered ("no pause"), or a second later. The processor
is shared by both.
"""

import argparse
import asyncio
import itertools
import json
import os
import re
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from beholder.model import Hyperparameters, Run, TrainingConfiguration, train
from beholder.retrieval import EmbeddedStore, index
from beholder.retrieval.records import Addition
from beholder.retrieval.store import Snapshot
from beholder.study import Study
from beholder.study.simulation import simulate
from benchmarks.commands import write_results
from benchmarks.served import Connection, Server, serving

TASKS = "g2t,t2g,g2p,p2g,t2p,p2t"
WORDS = "a an the dog cat tree red blue house car street man woman sky small large two of on"
KINDS = ("text", "gaze", "personality")
DIFFERENT = 200  # queries of each kind
PAUSES = (0.0, 1.0)
_AT_ONCE = 5000  # rows of vectors that are made at once


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--dimensions", type=int, default=64, help="of a space")
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--store", help="a folder or a URL, in place of a made one")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = asked.store or str(made_store(Path(folder), asked.rows, asked.dimensions))
        results = measured(store, asked.users, asked.seconds)
    write_results("latency", results, table(results))


def made_store(folder: Path, rows: int, dimensions: int) -> Path:
    """Train on a small study and return a store with many more samples like its own."""
    simulate(folder / "study", participants=60, images=200)
    setting = Hyperparameters(dimensions=dimensions, epochs=3, refit=1)
    configuration = TrainingConfiguration("ours", TASKS, hyperparameters=setting)
    run = train(Study.open(folder / "study"), folder / "run", configuration)
    small, path = index(Run.open(run.path), folder / "small"), folder / "store"
    generator = np.random.default_rng(0)
    with small.read() as snapshot, EmbeddedStore.create(path) as writer:
        writer.clear(snapshot.description, snapshot.model())
        catalogue = snapshot.catalogue()
        images = tuple(snapshot.images(catalogue.images).values())
        writer.add(Addition(catalogue.participants, images))
        own, rows_of = [one.name for one in catalogue.participants], _rows(snapshot)
        records = snapshot.samples(catalogue.samples.tolist())
        likes = generator.choice(catalogue.samples, rows)
        owners = generator.integers(len(own), size=rows)
        writer.add(
            Addition(
                samples=tuple(
                    replace(records[like], number=number, participant=own[owner])
                    for number, (like, owner) in enumerate(zip(likes.tolist(), owners, strict=True))
                )
            )
        )
        for start in range(0, rows, _AT_ONCE):
            numbers = np.arange(start, min(start + _AT_ONCE, rows))
            vectors = {
                side: (
                    numbers,
                    _near(values[np.searchsorted(places, likes[numbers])], layout, generator),
                )
                for side, (places, values, layout) in rows_of.items()
                if side.modality != "personality"
            }
            writer.add(Addition(vectors=vectors))
        for side, (places, values, _) in rows_of.items():
            if side.modality == "personality":
                writer.add(Addition(vectors={side: (places, values)}))
    made = EmbeddedStore.open(path)
    if made.wants_indexes():
        print("recall", made.build_indexes(), flush=True)
    return path


def _rows(snapshot: Snapshot) -> dict[Any, tuple[Any, Any, Any]]:
    description = snapshot.description
    return {side: (*snapshot.vectors(side), description.layout(side)) for side in description.sides}


def _near(rows: np.ndarray, layout: Any, generator: np.random.Generator) -> np.ndarray:
    """Return rows near to others, each space's of length one."""
    rows = rows.copy()
    for space in layout.weights:
        block = rows[:, layout.block(space)]
        noise = generator.normal(size=block.shape) * 0.7 / np.sqrt(block.shape[1])
        block = block + noise
        rows[:, layout.block(space)] = block / np.linalg.norm(block, axis=1, keepdims=True)
    return rows


@dataclass(frozen=True)
class Load:
    """What everybody searches with, and how long they pause between two searches."""

    asked_with: str
    exact: bool
    pause_s: float


def measured(store: str, users: int, seconds: float) -> dict[str, Any]:
    results: dict[str, Any] = {"users": users, "processors": os.cpu_count(), "searches": []}
    loads = [Load(*one) for one in itertools.product(KINDS, (True, False), PAUSES)]
    with serving(store) as server:
        results |= asyncio.run(_about(server))
        for load in loads:
            facts = asyncio.run(_searches(server, results, load, seconds))
            results["searches"].append({"together": True} | facts)
    with serving(store, together=1) as server:
        asyncio.run(_about(server))
        for load in (Load("text", exact=True, pause_s=0.0), Load("text", exact=False, pause_s=0.0)):
            facts = asyncio.run(_searches(server, results, load, seconds))
            results["searches"].append({"together": False} | facts)
    return results


async def _about(server: Server) -> dict[str, Any]:
    """Wait until a server is ready; return what it says of its store, and its first page's time."""
    async with Connection(server.port) as one:
        while (await one.ask("/ready"))[0] != 200:
            await asyncio.sleep(0.1)
        about = json.loads((await one.ask("/v1/store"))[1])
        pages = [round(await _first_page(one), 1) for _ in range(5)]
    return {
        "counts": about["counts"],
        "survey": about["instrument"],
        "recall": about["approximate"],
        "first_page_ms": pages,
    }


async def _searches(
    server: Server, about: dict[str, Any], load: Load, seconds: float
) -> dict[str, Any]:
    bodies = queries(load.asked_with, about, exact=load.exact)
    await _load(server.port, bodies, 2, 1.0, 0.0)  # what is read or compiled once
    busy, spent = round(os.getloadavg()[0], 1), server.processor_s()
    taken = await _load(server.port, bodies, about["users"], seconds, load.pause_s)
    facts = asdict(load) | {
        "searches": len(taken),
        "a_second": round(len(taken) / seconds, 1),
        **_quantiles(taken),
        "server_processor_ms": round(1000 * (server.processor_s() - spent) / len(taken), 2),
        "load_before": busy,
    }
    print(json.dumps(facts), flush=True)
    return facts


def _quantiles(taken: list[float]) -> dict[str, float]:
    return {f"p{q}_ms": round(float(np.percentile(taken, q)), 1) for q in (50, 95, 99)}


async def _first_page(connection: Connection) -> float:
    """Return the milliseconds until the first page and all that it names are here."""
    begun = time.perf_counter()
    status, page = await connection.ask("/")
    assert status == 200, page
    own = set(re.findall(r'(?:src|href)="(/(?:static|v1)/[^"]+)"', page.decode()))
    for path in sorted(own):
        status, _ = await connection.ask(path)
        assert status == 200, path
    return 1000 * (time.perf_counter() - begun)


async def _load(
    port: int, bodies: Sequence[bytes], users: int, seconds: float, pause: float
) -> list[float]:
    """Let users search for a while; return how many milliseconds each search took."""
    taken: list[float] = []
    end = time.perf_counter() + seconds

    async def user(number: int) -> None:
        async with Connection(port) as connection:
            await asyncio.sleep(pause * number / users)
            turn = number * 7
            while time.perf_counter() < end:
                begun = time.perf_counter()
                status, answer = await connection.ask("/v1/search", bodies[turn % len(bodies)])
                taken.append(1000 * (time.perf_counter() - begun))
                assert status == 200, answer
                turn += 1
                await asyncio.sleep(pause)

    await asyncio.gather(*(user(number) for number in range(users)))
    return taken


def queries(kind: str, about: dict[str, Any], *, exact: bool) -> list[bytes]:
    """Return searches as people make them: a sentence, a dozen clicks, a survey."""
    generator = np.random.default_rng(1)
    images, instrument = about["counts"]["images"], about["survey"]
    made: list[dict[str, Any]] = []
    for _ in range(DIFFERENT):
        match kind:
            case "text":
                words = generator.choice(WORDS.split(), generator.integers(3, 15))
                made.append({"text": " ".join(words), "find": "gaze"})
            case "gaze":
                x, y = generator.random((2, 12)).round(4).tolist()
                image = {"number": int(generator.integers(images))}
                made.append({"gaze": {"x": x, "y": y}, "image": image, "find": "text"})
            case "personality":
                low, high = instrument["lowest"], instrument["highest"]
                survey = generator.integers(low, high + 1, len(instrument["items"])).tolist()
                made.append({"personality": survey, "find": "text"})
    return [json.dumps(one | {"exact": exact}).encode() for one in made]


def table(results: dict[str, Any]) -> str:
    counts = results["counts"]
    lines = [
        f"{results['users']} users at once over HTTP, {counts['samples']:,} samples of "
        f"{counts['participants']:,} people and {counts['images']:,} images, "
        f"{results['processors']} processors that the users share with the server. The first "
        f"page with all its files: {np.median(results['first_page_ms']):.0f} ms.",
        "",
        "| asked with | answers | pause | searched | searches a second | median ms "
        "| 95th percentile ms | 99th percentile ms | server's processor ms a search "
        "| load average before |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {one['asked_with']} | {'exact' if one['exact'] else 'approximate'} "
        f"| {one['pause_s']:g} s | {'together' if one['together'] else 'one by one'} "
        f"| {one['a_second']} | {one['p50_ms']} | {one['p95_ms']} | {one['p99_ms']} "
        f"| {one['server_processor_ms']} | {one['load_before']} |"
        for one in results["searches"]
    ]
    recalls = ", ".join(f"{recall:.0%} of {side}" for side, recall in results["recall"].items())
    lines += [
        "",
        f"The index finds, of the exact first ten, {recalls or 'nothing: there is none'}. "
        "A load average above the number of processors means that others used the machine too.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
