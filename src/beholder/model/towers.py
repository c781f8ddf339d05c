"""Towers: networks that turn the features of one modality into vectors of length one."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from beholder.model.configuration import Hyperparameters
from beholder.model.devices import put


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

    def masks(self, features: Tensor, hidden: int) -> "Masks":
        """Return what features (n, width) and ``hidden`` units are multiplied by, on their device:
        0 for a share of them, and what makes up for it for the others."""
        return (
            self._mask(features, features.shape[1], self.of_inputs),
            self._mask(features, hidden, self.of_hidden),
        )

    def _mask(self, features: Tensor, width: int, share: float) -> Tensor | None:
        if share == 0:
            return None
        # A byte a value decides, eight of them from one number: far cheaper than a float each.
        shape = (len(features) if self.count is None else self.count, width)
        drawn = math.prod(shape)
        numbers = torch.empty(-(-drawn // 8), dtype=torch.int64)
        numbers.random_(-(2**63), None, generator=self.generator)
        chance = numbers.view(torch.uint8)[:drawn].view(shape)
        chance = put(chance[self.start : self.start + len(features)], features.device)
        dropped = min(round(share * 256), 255)
        # Compared straight into numbers: twice as quick as by way of a mask of bits.
        kept = torch.ge(chance, dropped, out=torch.empty_like(chance, dtype=features.dtype))
        return kept.mul_(256 / (256 - dropped))


Masks = tuple[Tensor | None, Tensor | None]
"""What a dropout multiplies the inputs (n, width) and the hidden units (n, hidden) by."""


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

    def forward(self, features: Tensor, masks: Masks = (None, None)) -> Tensor:
        """Return embeddings (n, dimensions) of features (n, width); evaluation has no dropout.

        Where products are of fewer bits, all that follows them is of float32.
        """
        of_inputs, of_hidden = masks
        if of_inputs is not None:
            features = features * of_inputs
        hidden: Tensor = functional.gelu(features @ self.enter + self.bias)  # (n, hidden)
        if of_hidden is not None:
            hidden = hidden * of_hidden
        straight, bent = features @ self.linear, hidden @ self.leave
        embedding: Tensor = straight.float() + bent.float()  # (n, dimensions)
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
        codes = put(codes, seen.device)
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
    """Return the embeddings of n items, shape (n, dimensions), each of length one.

    They are worked out where the tower is, and never by what was compiled for the training.
    """
    device = tower.linear.device
    chunks: list[NDArray[np.float32]] = [
        tower.forward(put(torch.from_numpy(features[start : start + rows_at_once]), device))
        .cpu()
        .numpy()
        for start in range(0, len(features), rows_at_once)
    ]
    empty = np.zeros((0, tower.linear.shape[1]), np.float32)
    return np.concatenate([empty, *chunks])
