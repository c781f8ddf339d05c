"""Our objectives beside two libraries' on the same tensors: python -m benchmarks.objectives.

Needs the extra `bench`. Forward and backward of embeddings (n, 256) with one positive a query, or
with eight. BatchHardMiner chooses the triples of a TripletMarginLoss; SigLIP is the line that
transformers has for it. Where a library has the very same objective the values are compared too.
Every figure comes from a process of its own, which may take so much memory and no more; processor
time by one thread.
"""

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.commands import write_results

DIMENSIONS, PER_GROUP, TEMPERATURE, MARGIN = 256, 8, 0.1, 0.2
SIZES = (64, 512, 4096, 16384)
OURS = "beholder"
SECONDS = 1.0  # of processor that each figure is taken over, but once at least
MOST_GIB = 14
MOST_S = 60


@dataclass(frozen=True)
class Rival:
    """An objective of ours and what of another library is nearest to it."""

    objective: str
    positives: int  # of a query
    theirs: str
    is_same: bool  # whether the values must be equal


RIVALS = (
    Rival("contrastive", 1, "MultipleNegativesRankingLoss", True),
    Rival("contrastive", PER_GROUP, "NTXentLoss", True),
    Rival("contrastive", PER_GROUP, "SupConLoss", False),
    Rival("hinge-sum", PER_GROUP, "TripletMarginLoss", True),
    Rival("hinge-hardest", 1, "BatchHardMiner", True),
    Rival("hinge-hardest", PER_GROUP, "BatchHardMiner", False),
    Rival("sigmoid", 1, "SigLIP", False),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--measure", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        objective, positives, whose, size = options.measure
        print(json.dumps(measured(objective, int(positives), whose, int(size))))
        return
    rows = [_row(rival, size) for rival in RIVALS for size in map(int, options.sizes.split(","))]
    lines = [
        "| objective | positives | n | ours, ms | peak MiB | theirs | ms | peak MiB | ratio |",
        "|---|---|---|---|---|---|---|---|---|",
        *(_line(row) for row in rows),
    ]
    write_results("objectives", rows, "\n".join(lines))


def _row(rival: Rival, size: int) -> dict[str, Any]:
    ours, theirs = (_in_process(rival, name, size) for name in (OURS, rival.theirs))
    if rival.is_same and ours and theirs and abs(ours["loss"] / theirs["loss"] - 1) > 1e-4:
        raise SystemExit(f"{rival} differs: {ours['loss']} and {theirs['loss']}")
    row = {
        **{"objective": rival.objective, "positives": rival.positives, "n": size},
        **{"name": rival.theirs, "is_same": rival.is_same, "ours": ours, "theirs": theirs},
    }
    print(json.dumps(row), flush=True)
    return row


def _in_process(rival: Rival, whose: str, size: int) -> dict[str, Any] | None:
    """Measure in a process of its own; None where what was allowed was not enough."""
    arguments = [rival.objective, str(rival.positives), whose, str(size)]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.objectives", "--measure", *arguments],
        capture_output=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        text=True,
    )
    if done.returncode == 0:
        found: dict[str, Any] = json.loads(done.stdout)
        return found
    if "memory" in done.stderr or done.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        return None
    raise SystemExit(done.stderr)


def measured(objective: str, positives: int, whose: str, size: int) -> dict[str, Any]:
    """Return the loss, milliseconds and peak MiB of one forward and backward pass."""
    import torch

    generator = torch.Generator().manual_seed(0)
    first, second = (
        torch.nn.functional.normalize(
            torch.randn((size, DIMENSIONS), generator=generator), dim=1
        ).requires_grad_()
        for _ in range(2)
    )
    group = torch.randperm(size, generator=generator) // positives
    loss_of = _ours(objective) if whose == OURS else _theirs(whose)
    loss_of(first[:32], second[:32], group[:32]).backward()  # what is loaded at first use
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_S, MOST_S))
    resource.setrlimit(resource.RLIMIT_AS, (MOST_GIB << 30, MOST_GIB << 30))
    before, passes, started = _peak_mib(), 0, time.process_time()
    while not passes or time.process_time() - started < SECONDS:
        first.grad = second.grad = None
        loss = loss_of(first, second, group)
        loss.backward()
        passes += 1
    spent = time.process_time() - started
    return {"loss": loss.item(), "ms": 1000 * spent / passes, "mib": _peak_mib() - before}


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _ours(objective: str) -> Callable[..., Any]:
    import torch

    from beholder.model.batch_loss import batch_loss

    scale = torch.tensor(MARGIN if objective.startswith("hinge") else TEMPERATURE)

    def loss(first: Any, second: Any, group: Any) -> Any:
        positives = group[:, None] == group[None, :]
        return batch_loss(objective, first, second, positives, scale)

    return loss


def _theirs(name: str) -> Callable[..., Any]:
    if name == "MultipleNegativesRankingLoss":
        from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

        one_positive = MultipleNegativesRankingLoss(
            None,
            scale=1 / TEMPERATURE,
            directions=("query_to_doc", "doc_to_query"),
            partition_mode="per_direction",
        )
        return lambda first, second, _: one_positive.compute_loss_from_embeddings(
            [first, second], None
        )
    if name == "SigLIP":
        return _siglip
    from pytorch_metric_learning import distances, losses, miners, reducers

    cosine: Any = distances.CosineSimilarity()
    several: Any = {
        "NTXentLoss": lambda: losses.NTXentLoss(TEMPERATURE),
        "SupConLoss": lambda: losses.SupConLoss(TEMPERATURE),
        "TripletMarginLoss": lambda: losses.TripletMarginLoss(
            MARGIN, distance=cosine, reducer=reducers.SumReducer()
        ),
        "BatchHardMiner": lambda: losses.TripletMarginLoss(
            MARGIN, distance=cosine, reducer=reducers.MeanReducer()
        ),
    }[name]()
    miner: Any = miners.BatchHardMiner(distance=cosine) if name == "BatchHardMiner" else None

    def one_way(queries: Any, items: Any, group: Any) -> Any:
        other = group.clone()  # labels that are the same object would mean the same items
        chosen = miner and miner(queries, group, items, other)
        return several(queries, group, chosen, items, other)

    def loss(first: Any, second: Any, group: Any) -> Any:
        both = (one_way(first, second, group) + one_way(second, first, group)) / 2
        # A sum is over all triples: ours is the mean over a query's positives and the queries.
        return both / group.bincount().square().sum() if name == "TripletMarginLoss" else both

    return loss


def _siglip(first: Any, second: Any, group: Any) -> Any:
    """Return -log σ of ± the logits, summed over the items, with 1 for a pair and -1 for others."""
    import torch

    sign = 2 * torch.eye(len(first)) - 1
    logits = (first @ second.T - 0.5) / TEMPERATURE
    return -torch.nn.functional.logsigmoid(sign * logits).sum(dim=1).mean()


def _line(row: dict[str, Any]) -> str:
    ours, theirs = row["ours"], row["theirs"]
    ratio = f"{theirs['ms'] / ours['ms']:.1f}" if ours and theirs else "–"
    figures = (*_figures(ours), row["name"], *_figures(theirs), ratio)
    return f"| {row['objective']} | {row['positives']} | {row['n']:,} | {' | '.join(figures)} |"


def _figures(found: dict[str, Any] | None) -> tuple[str, str]:
    """Return milliseconds and peak MiB, or that what was allowed was not enough."""
    if found is None:
        return f"over {MOST_GIB} GiB or {MOST_S} s", "–"
    return f"{found['ms']:.2f}", f"{found['mib']:.0f}"


if __name__ == "__main__":
    main()
