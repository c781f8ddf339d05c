"""What an encoder is: a name, a frozen configuration, and statistics fitted on training items.

An encoder turns the items of one modality into one block of numbers. It holds no state of its
own: `fit` returns the statistics, `encode` takes them back, so that a run can store them
beside its weights and nothing of a test item can leak into them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float32]

Inputs = TypeVar("Inputs", contravariant=True)

MOST_FITTED = 50_000
"""More items than these hardly change a mean, a spread or a main direction."""


@dataclass(frozen=True)
class Statistics:
    """What an encoder learnt from training items: arrays by name, and a vocabulary."""

    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    vocabulary: tuple[str, ...] = ()


class Encoder(Protocol[Inputs]):
    """One block of features of one modality, as a frozen data class of its options."""

    name: ClassVar[str]

    def fit(self, inputs: Inputs) -> Statistics:
        """Return the statistics of training items."""
        ...

    def encode(self, inputs: Inputs, statistics: Statistics) -> Array:
        """Return the block of n items, shape (n, width), of mean square length about 1."""
        ...


def evenly(count: int, most: int = MOST_FITTED) -> slice:
    """Return which of ``count`` items to fit on: at most so many, as neighbours are often alike."""
    return slice(None, None, max(1, -(-count // most)))


def standardise_fit(values: NDArray[Any]) -> Statistics:
    """Return the mean and spread of each column; a constant column gets a spread of 1."""
    spread = values.std(axis=0)
    spread = np.where(spread > 1e-6, spread, 1.0)
    arrays = {"mean": values.mean(axis=0), "spread": spread}
    return Statistics({name: array.astype(np.float32) for name, array in arrays.items()})


def standardise(values: NDArray[Any], statistics: Statistics, limit: float = 3.0) -> Array:
    """Return z-scores within ±``limit``, divided by the square root of their number.

    A block then has a mean square length of about 1, whatever its width.
    """
    scores = (values - statistics.arrays["mean"]) / statistics.arrays["spread"]
    scores = np.clip(scores, -limit, limit) / np.sqrt(max(values.shape[1], 1))
    return np.asarray(scores, dtype=np.float32)


def whiten_fit(values: NDArray[Any], dimensions: int, power: float = 1.0) -> Statistics:
    """Return a projection on the leading principal components, scaled towards unit variance.

    ``power`` 1 whitens wholly, 0 not at all. Directions with hardly any variance are left out.
    Training rows come out with a mean square length of 1.
    """
    values = np.asarray(values, dtype=np.float64)
    mean, spread = values.mean(axis=0), values.std(axis=0)
    spread = np.where(spread > 1e-6, spread, 1.0)
    centred = (values - mean) / spread
    _, scale, components = np.linalg.svd(centred, full_matrices=False)
    kept = min(dimensions, int((scale > 1e-4 * max(scale[0], 1e-12)).sum()))
    scale = scale[:kept] / np.sqrt(len(values))
    projection = components[:kept].T / scale**power  # (features, kept)
    length = np.sqrt((scale ** (2 - 2 * power)).sum())
    projection = projection / max(length, 1e-12) / spread[:, None]
    return Statistics(
        {"mean": mean.astype(np.float32), "projection": projection.astype(np.float32)}
    )


def whiten(values: NDArray[Any], statistics: Statistics) -> Array:
    """Return values projected as `whiten_fit` found, shape (n, kept)."""
    centred = values - statistics.arrays["mean"]
    return np.asarray(centred @ statistics.arrays["projection"], dtype=np.float32)


def unit_rows(values: NDArray[Any]) -> Array:
    """Return rows of length 1; a row of zeros stays so."""
    length = np.linalg.norm(values, axis=1, keepdims=True)
    return np.asarray(values / np.where(length > 0, length, 1.0), dtype=np.float32)
