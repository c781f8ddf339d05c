"""What a search of the embedded store costs, exact and by an index, and what the index misses.

OMP_NUM_THREADS=1 python -m benchmarks.search [ROWS …]

Times are of the processor, so that other work on the machine changes them little.
"""

import json
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from beholder.retrieval import EmbeddedStore
from beholder.retrieval.layout import Description, PairLayout
from beholder.retrieval.records import Addition, ImageRecord, SampleRecord
from beholder.retrieval.store import Probe, Ranking

SPACES, DIMENSIONS, CLUSTERS = ("base", "content", "style"), 64, 500
LAYOUT = PairLayout(("gaze", "text"), dict.fromkeys(SPACES, 1 / 3), DIMENSIONS)
DESCRIPTION = Description("made", "run", "ours", "random", 0, ("g2t",), (LAYOUT,), "", None)
QUERIES = 100


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


def store_of(path: Path, count: int, generator: np.random.Generator) -> EmbeddedStore:
    image = ImageRecord(0, "image", 4, 3, b"", np.zeros((1, 1, 1), np.float32))
    samples = tuple(SampleRecord(n, None, "image", text="some words") for n in range(count))
    numbers = np.arange(count)
    vectors = {LAYOUT.side(side): (numbers, rows(count, generator)) for side in LAYOUT.pair}
    with EmbeddedStore.create(path) as writer:
        writer.clear(DESCRIPTION, {})
        writer.add(Addition(images=(image,), samples=samples, vectors=vectors))
    return EmbeddedStore.open(path)


def milliseconds(store: EmbeddedStore, asked: list[Ranking]) -> list[float]:
    """Return how long each search takes, of processor, opening a snapshot for each."""
    spent = []
    for ranking in asked:
        start = time.process_time()
        with store.read() as snapshot:
            snapshot.rank([ranking])
        spent.append(1000 * (time.process_time() - start))
    return spent


def measured(count: int) -> dict[str, object]:
    generator = np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as folder:
        start = time.process_time()
        store = store_of(Path(folder) / "store", count, generator)
        written = time.process_time() - start
        side = LAYOUT.side("text")
        asked = rows(QUERIES, generator)
        asked[:, :-1] /= len(SPACES)
        asked[:, -1] = 1
        exact = [Ranking("text", (Probe("gaze", side, one),), {"gaze": 1.0}) for one in asked]
        exact_ms = milliseconds(store, exact)
        start = time.process_time()
        recalls = store.build_indexes(least_rows=0)
        built = (time.process_time() - start) / len(recalls)
        quick = [replace(one, approximate=True) for one in exact]
        milliseconds(store, quick[:1])  # reads the index
        quick_ms = milliseconds(store, quick)
        return {
            "rows": count,
            "write_s": round(written, 1),
            "exact_ms": _quantiles(exact_ms),
            "build_s_a_side": round(built, 1),
            "approximate_ms": _quantiles(quick_ms),
            "recall_top10": round(recalls[side.name], 4),
        }


def _quantiles(values: list[float]) -> dict[str, float]:
    return {f"p{q}": round(float(np.percentile(values, q)), 2) for q in (50, 99)}


if __name__ == "__main__":
    for size in map(int, sys.argv[1:] or ["10000", "50000", "100000"]):
        print(json.dumps(measured(size)), flush=True)
