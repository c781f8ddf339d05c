"""A training step of ours beside the same towers in a bare loop: python -m benchmarks.steps.

Both learn a gaze and a text tower of the default size from the same features in batches of the
default size, with contrastive losses of the same value. The bare loop is what PyTorch alone is at
its shortest: its tensors lie on the device, its dropout is PyTorch's own, its right answers are
the diagonal. Ours draws its rows from arrays of main memory, finds which pairs are positives
and draws dropout from a generator of its own, so that an epoch can be repeated on any device. As
that dropout is quicker than PyTorch's on a processor, steps without any are measured too. A
step's time is the median over epochs: of processor by one thread, or on a CUDA device by the
clock.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from beholder.model import Hyperparameters, learning
from beholder.model.devices import Device
from beholder.model.distributed import LONE
from beholder.model.networks import Network
from beholder.model.spaces import Positives, _Ownership
from beholder.model.state import Features, SpaceData, State
from beholder.model.towers import Masks, Tower
from benchmarks.commands import write_results

PAIR = ("gaze", "text")
WIDTHS = {"gaze": 315, "text": 1024}
SAMPLES, VIEWERS = 8192, 8
EPOCHS = 7


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", default="cpu,cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    rows = [
        _row(name, compiled, precision, dropout)
        for name, compiled, precision, dropout in product(
            options.devices.split(","), (False, True), ("float32", "bfloat16"), (True, False)
        )
    ]
    lines = [
        "| device | towers | precision | dropout | bare, ms a step | ours | ours / bare |",
        "|---|---|---|---|---|---|---|",
        *(_line(row) for row in rows),
    ]
    write_results("steps", rows, "\n".join(lines))


def _row(name: str, compiled: bool, precision: str, dropout: bool) -> dict[str, Any]:
    device = Device.chosen(name, compiled=compiled)
    hyperparameters = Hyperparameters(precision=precision)
    if not dropout:
        hyperparameters = replace(hyperparameters, input_dropout=0.0, hidden_dropout=0.0)
    data = made_data()
    with device.in_use():
        ours = _ours(device, data, hyperparameters)
        bare = _bare(device, data, hyperparameters)
        times: dict[str, list[float]] = {"ours": [], "bare": []}
        for epoch in range(EPOCHS):
            for whose, one_epoch in (("ours", ours), ("bare", bare)):
                spent = _spent(device, one_epoch)
                if epoch:  # the first compiles, and loads what is loaded at first use
                    times[whose].append(spent / (SAMPLES // hyperparameters.batch))
    found = {whose: 1000 * statistics.median(own) for whose, own in times.items()}
    asked = {"compiled": compiled, "precision": precision, "dropout": dropout}
    row = {"device": str(device), **asked, **found}
    print(row, flush=True)
    return row


def _spent(device: Device, one_epoch: Callable[[], None]) -> float:
    is_cuda = device.at.type == "cuda"
    clock = time.perf_counter if is_cuda else time.process_time
    started = clock()
    one_epoch()
    if is_cuda:
        torch.cuda.synchronize(device.at)
    return clock() - started


def made_data() -> SpaceData:
    """Return random features of samples, each with an image that eight people saw."""
    generator = np.random.default_rng(0)
    everyone = np.arange(SAMPLES)
    features = {
        modality: Features(generator.normal(size=(SAMPLES, width)).astype(np.float32), everyone)
        for modality, width in WIDTHS.items()
    }
    items = {modality: _Ownership.of(everyone, everyone, everyone) for modality in PAIR}
    positives = Positives(everyone, everyone // VIEWERS, items)
    network = Network("gaze-text", (PAIR,))
    return SpaceData(network, features, everyone, {PAIR: everyone[:100]}, positives, positives)


def _ours(device: Device, data: SpaceData, hyperparameters: Hyperparameters) -> Callable[[], None]:
    state: State = learning._begin(data, hyperparameters, [0], device)
    source = np.random.default_rng(0)

    def one_epoch() -> None:
        learning._one_epoch(state, data, hyperparameters, 5, source, LONE)

    return one_epoch


class BareTower(Tower):
    """The same tower with PyTorch's own dropout."""

    def __init__(
        self, width: int, hyperparameters: Hyperparameters, generator: torch.Generator
    ) -> None:
        super().__init__(width, hyperparameters, generator)
        self.shares = hyperparameters.input_dropout, hyperparameters.hidden_dropout

    def forward(self, features: Tensor, masks: Masks = (None, None)) -> Tensor:
        features = functional.dropout(features, self.shares[0])
        hidden = functional.gelu(features @ self.enter + self.bias)
        hidden = functional.dropout(hidden, self.shares[1])
        return functional.normalize((features @ self.linear + hidden @ self.leave).float(), dim=1)


def _bare(device: Device, data: SpaceData, hyperparameters: Hyperparameters) -> Callable[[], None]:
    at, size, precision = device.at, hyperparameters.batch, hyperparameters.precision
    generator = torch.Generator().manual_seed(0)
    towers = nn.ModuleDict(
        {name: BareTower(width, hyperparameters, generator) for name, width in WIDTHS.items()}
    ).to(at)
    if device.backend is not None:
        for tower in towers.values():
            tower.compile(backend=device.backend)
    optimiser = torch.optim.AdamW(towers.parameters(), lr=1e-4, fused=True)
    tensors = {name: torch.from_numpy(data.features[name].values).to(at) for name in PAIR}
    diagonal = torch.arange(size, device=at)
    is_narrow = precision == "bfloat16"

    def one_epoch() -> None:
        for batch in torch.randperm(SAMPLES).to(at).split(size):
            with torch.autocast(at.type, torch.bfloat16, enabled=is_narrow):
                first, second = (towers[name](tensors[name][batch]) for name in PAIR)
            logits = first @ second.T / hyperparameters.temperature
            loss = functional.cross_entropy(logits, diagonal)
            loss = (loss + functional.cross_entropy(logits.T, diagonal)) / 2
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()

    return one_epoch


def _line(row: dict[str, Any]) -> str:
    figures = [f"{row['bare']:.2f}", f"{row['ours']:.2f}", f"{row['ours'] / row['bare']:.2f}"]
    towers = "compiled" if row["compiled"] else "as they are"
    dropout = "yes" if row["dropout"] else "no"
    words = [row["device"], towers, row["precision"], dropout]
    return f"| {' | '.join([*words, *figures])} |"


if __name__ == "__main__":
    main()
