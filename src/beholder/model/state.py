"""What a space is learnt from, and what a training needs to go on: a checkpoint's content."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from beholder.features.cache import take
from beholder.model.networks import Network, Pair
from beholder.model.spaces import Positives
from beholder.model.towers import Tower
from beholder.study.tasks import Codes

PARTICIPANTS = "participants"


@dataclass(frozen=True)
class Features:
    """Features of one modality: ``values`` (n, width); ``row`` gives each sample's row, or -1.

    The values may be mapped from a file: what is drawn of them is copied, the rest stays there.
    """

    values: NDArray[np.float32]
    row: Codes

    def has(self, samples: Codes) -> NDArray[np.bool_]:
        """Return which of these samples have the modality."""
        return self.row[samples] >= 0

    def of(self, samples: Codes) -> NDArray[np.float32]:
        """Return the features of these samples, which must have the modality."""
        return take(self.values, self.row[samples])


@dataclass(frozen=True)
class SpaceData:
    """What a space of a network is learnt from: samples are given by their numbers.

    ``train`` holds the training samples that some pair of the network links; ``validation``
    those of the validation part that have both modalities of a tested pair. ``alike`` is the
    modality whose own items of one group also lie together, or None. ``participants`` gives
    each sample's participant, (samples,), where similarity depends on who asks, or None.
    """

    network: Network
    features: Mapping[str, Features]
    train: Codes
    validation: Mapping[Pair, Codes]
    positives: Positives
    validation_positives: Positives
    alike: str | None = None
    participants: Codes | None = None


@dataclass(frozen=True)
class Epoch:
    """One line of a training's log; the validation score is what early stopping goes by."""

    epoch: int
    loss: float
    validation: float
    spread: float
    seconds: float


@dataclass
class State:
    """Everything that a training needs to go on: kept in a checkpoint between epochs.

    Towers and optimiser are on the device of the training, ``best`` is in main memory, and so is
    what a checkpoint stores: any device may go on with it.
    """

    towers: nn.ModuleDict  # by modality; and `PARTICIPANTS`, where who asks matters
    optimiser: torch.optim.AdamW
    best: dict[str, Tensor]
    log: list[Epoch] = field(default_factory=list)

    def tower(self, modality: str) -> Tower:
        """Return the tower of a modality."""
        tower = self.towers[modality]
        assert isinstance(tower, Tower)
        return tower

    def scores(self, data: SpaceData, samples: Codes, queries: Tensor, items: Tensor) -> Tensor:
        """Return how the items (m, d) score for what these samples ask (n, d), (n, m)."""
        if data.participants is not None:
            who = torch.from_numpy(data.participants[samples])
            queries = queries * self.towers[PARTICIPANTS](who).to(queries.device)
        return queries @ items.T

    @property
    def best_epoch(self) -> int:
        """The epoch with the best validation score, the first of equals; 0 before any."""
        if not self.log:
            return 0
        return max(self.log, key=lambda line: (line.validation, -line.epoch)).epoch

    def tensors(self) -> dict[str, Tensor]:
        """Return all tensors by name, as a checkpoint stores them."""
        tensors = {f"towers.{name}": t for name, t in self.towers.state_dict().items()}
        tensors |= {f"best.{name}": t for name, t in self.best.items()}
        for number, moments in self.optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{number}.{name}": t for name, t in moments.items()}
        return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}

    def restore(self, tensors: dict[str, Tensor], log: list[Epoch]) -> None:
        """Take up the tensors and the log of a checkpoint."""

        def part(prefix: str) -> dict[str, Tensor]:
            return {k.removeprefix(prefix): t for k, t in tensors.items() if k.startswith(prefix)}

        self.towers.load_state_dict(part("towers."))
        self.best = part("best.")
        moments: dict[int, dict[str, Tensor]] = {}
        for name, tensor in part("optimiser.").items():
            number, kind = name.split(".")
            moments.setdefault(int(number), {})[kind] = tensor
        state = self.optimiser.state_dict()
        self.optimiser.load_state_dict({"state": moments, "param_groups": state["param_groups"]})
        self.log = list(log)


def log_rows(log: list[Epoch]) -> list[dict[str, Any]]:
    """Return a log as plain dictionaries."""
    return [asdict(line) for line in log]
