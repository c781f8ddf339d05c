"""Ranks beside two libraries' measures on the same scores: python -m benchmarks.ranks.

Needs ir-measures and torchmetrics, which the tests need too. Ours ranks as many queries as the
gallery has items, in blocks; theirs the first few of them, as their time is one query after
another's. Every query has one right answer, and top-3 and MRR of these few must agree.
"""

import argparse
import resource
import time
from typing import Any

import numpy as np

from beholder.evaluation.metrics import mean_reciprocal_rank, top
from beholder.model.ranking import Scorer, rank
from beholder.study.tasks import Retrieval, parse_tasks
from benchmarks.commands import write_results

SIZES = (1000, 10_000, 50_000)
DIMENSIONS = 192
AT_ONCE = 20  # queries that the libraries get


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    options = parser.parse_args()
    rows = [measured(int(size)) for size in options.sizes.split(",")]
    lines = [
        "| queries and items | ours, ms a query | of it scores | ir-measures | ratio "
        "| torchmetrics | ratio | ours, all | peak MiB |",
        "|---|---|---|---|---|---|---|---|---|",
        *(
            f"| {row['size']:,} | {row['ours_ms']:.3f} | {row['scores_ms']:.3f} "
            f"| {row['ir_measures_ms']:.2f} | {row['ir_measures_ms'] / row['ours_ms']:.0f} "
            f"| {row['torchmetrics_ms']:.2f} | {row['torchmetrics_ms'] / row['ours_ms']:.0f} "
            f"| {row['all_s']:.1f} s | {row['peak_mib']:.0f} |"
            for row in rows
        ),
        "",
        "Processor time. Ours includes making the scores from vectors of "
        f"{DIMENSIONS} dimensions; the libraries are given them.",
    ]
    write_results("ranks", rows, "\n".join(lines))


def measured(size: int) -> dict[str, Any]:
    """Return milliseconds a query of ours and of the libraries, at one size of the gallery."""
    generator = np.random.default_rng(0)
    items = generator.normal(size=(size, DIMENSIONS)).astype(np.float32)
    queries = items + 3 * generator.normal(size=items.shape).astype(np.float32)

    def scorer(rows: np.ndarray) -> np.ndarray:
        return queries[rows] @ items.T

    before = _peak_mib()
    numbers = np.arange(size)
    started = time.process_time()
    own = Retrieval(parse_tasks("g2t")[0], numbers, numbers, np.stack([numbers, numbers]))
    ranks = rank(own, scorer).ranks
    spent = time.process_time() - started
    peak = _peak_mib() - before
    few = scorer(numbers[:AT_ONCE])
    found = {
        "size": size,
        "ours_ms": 1000 * spent / size,
        "scores_ms": 1000 * _time_of_scores(scorer, size) / size,
        "all_s": spent,
        "peak_mib": peak,
    }
    expected = top(ranks[:AT_ONCE], 3), mean_reciprocal_rank(ranks[:AT_ONCE])
    for name, measure in (("ir_measures", _ir_measures), ("torchmetrics", _torchmetrics)):
        values, seconds = measure(few)
        if not np.allclose(values, expected):
            raise SystemExit(f"{name} finds {values}, ours {expected}")
        found[f"{name}_ms"] = 1000 * seconds / AT_ONCE
    return found


def _time_of_scores(scorer: Scorer, size: int) -> float:
    rows = max(1, (1 << 24) // size)
    started = time.process_time()
    for start in range(0, size, rows):
        scorer(np.arange(start, min(start + rows, size)))
    return time.process_time() - started


def _ir_measures(scores: np.ndarray) -> tuple[tuple[float, float], float]:
    import ir_measures
    from ir_measures import RR, Success

    run = {
        str(query): {str(item): float(score) for item, score in enumerate(row)}
        for query, row in enumerate(scores)
    }
    right = {query: {query: 1} for query in run}
    started = time.process_time()
    found = ir_measures.calc_aggregate([Success @ 3, RR], right, run)
    return (found[Success @ 3], found[RR]), time.process_time() - started


def _torchmetrics(scores: np.ndarray) -> tuple[tuple[float, float], float]:
    import torch
    from torchmetrics.retrieval import RetrievalHitRate, RetrievalMRR

    values = torch.from_numpy(scores)
    right = torch.zeros(values.shape, dtype=torch.bool)
    right.fill_diagonal_(True)
    indexes = torch.arange(len(values))[:, None].expand(values.shape)
    flat = values.flatten(), right.flatten(), indexes.flatten()
    started = time.process_time()
    found = []
    for metric in (RetrievalHitRate(top_k=3), RetrievalMRR()):
        metric.update(flat[0], flat[1], indexes=flat[2])
        found.append(float(metric.compute()))
    return (found[0], found[1]), time.process_time() - started


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
