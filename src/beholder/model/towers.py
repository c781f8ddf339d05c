"""Towers: networks that turn the features of one modality into vectors of length one."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from beholder.model.configuration import Hyperparameters


@dataclass(frozen=True)
class Dropout:
    """Dropout whose randomness is a generator handed to it, so that a run can be repeated.

    Values are the rows from ``start`` on of a batch of ``count``, or a whole batch. The masks of
    all its rows are drawn, so that a share of a batch is dropped as it is within the whole.
    """

    generator: torch.Generator
    of_inputs: float
    of_hidden: float
    start: int = 0
    count: int | None = None

    def inputs(self, values: Tensor) -> Tensor:
        """Return features with a share of them set to 0 and the others scaled up."""
        return self._drop(values, self.of_inputs)

    def hidden(self, values: Tensor) -> Tensor:
        """Return hidden units with a share of them set to 0 and the others scaled up."""
        return self._drop(values, self.of_hidden)

    def _drop(self, values: Tensor, share: float) -> Tensor:
        if share == 0:
            return values
        # A byte a value decides, eight of them from one number: far cheaper than a float each.
        shape = (len(values) if self.count is None else self.count, *values.shape[1:])
        drawn = math.prod(shape)
        numbers = torch.empty(-(-drawn // 8), dtype=torch.int64)
        numbers.random_(-(2**63), None, generator=self.generator)
        chance = numbers.view(torch.uint8)[:drawn].view(shape)
        chance = chance[self.start : self.start + len(values)]
        dropped = min(round(share * 256), 255)
        return values * (chance >= dropped).to(values.dtype).mul_(256 / (256 - dropped))


class Tower(nn.Module):
    """Features → a linear map plus a network of one hidden layer → an embedding of length one."""

    def __init__(
        self, width: int, hyperparameters: Hyperparameters, generator: torch.Generator
    ) -> None:
        super().__init__()
        hidden, dimensions = hyperparameters.hidden, hyperparameters.dimensions
        self.linear = nn.Parameter(_uniform(width, dimensions, generator))
        self.enter = nn.Parameter(_uniform(width, hidden, generator))
        self.bias = nn.Parameter(torch.zeros(hidden))
        self.leave = nn.Parameter(_uniform(hidden, dimensions, generator))

    def forward(self, features: Tensor, dropout: Dropout | None = None) -> Tensor:
        """Return embeddings (n, dimensions) of features (n, width); evaluation has no dropout."""
        if dropout is not None:
            features = dropout.inputs(features)
        hidden: Tensor = functional.gelu(features @ self.enter + self.bias)  # (n, hidden)
        if dropout is not None:
            hidden = dropout.hidden(hidden)
        embedding: Tensor = features @ self.linear + hidden @ self.leave  # (n, dimensions)
        length: Tensor = embedding.norm(dim=1, keepdim=True)  # (n, 1)
        return embedding / length.clamp(min=1e-12)


class Participants(nn.Module):
    """What each participant weighs the dimensions of an embedding by; 1 before learning.

    ``seen`` are the codes of the participants of the training part. Whoever was not seen has
    the mean of those.
    """

    def __init__(self, seen: NDArray[np.int64], dimensions: int) -> None:
        super().__init__()
        self.register_buffer("seen", torch.from_numpy(seen))
        self.departure = nn.Parameter(torch.zeros(len(seen), dimensions))

    def forward(self, codes: Tensor) -> Tensor:
        """Return the weights (n, dimensions) of participants by their codes (n,)."""
        seen = self.get_buffer("seen")
        row = torch.searchsorted(seen, codes).clamp(max=len(seen) - 1)
        known = (seen[row] == codes)[:, None]  # (n, 1)
        own = torch.where(known, self.departure[row], self.departure.mean(dim=0))
        return 1 + own


def _uniform(inputs: int, outputs: int, generator: torch.Generator) -> Tensor:
    """Return weights (inputs, outputs), uniform within ± 1 / √inputs as in PyTorch's Linear."""
    return (torch.rand((inputs, outputs), generator=generator) * 2 - 1) / math.sqrt(max(inputs, 1))


@torch.inference_mode()
def embed(
    tower: Tower, features: NDArray[np.float32], rows_at_once: int = 4096
) -> NDArray[np.float32]:
    """Return the embeddings of n items, shape (n, dimensions), each of length one."""
    chunks: list[NDArray[np.float32]] = [
        tower(torch.from_numpy(features[start : start + rows_at_once])).numpy()
        for start in range(0, len(features), rows_at_once)
    ]
    empty = np.zeros((0, tower.linear.shape[1]), np.float32)
    return np.concatenate([empty, *chunks])
