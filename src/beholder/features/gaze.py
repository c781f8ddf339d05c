"""Features of a gaze: where it lay, what it met, in which order, and how it moved.

A gaze is always of a known image, so it may know what that image shows: its pixels and the
areas that it met. Identifiers of images, areas or people are never features.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from beholder.features.bags import Bag, fit_vocabulary, weigh
from beholder.features.cache import take
from beholder.features.encoder import (
    Array,
    Statistics,
    evenly,
    standardise,
    standardise_fit,
    unit_rows,
    whiten,
    whiten_fit,
)
from beholder.study.gaze import Areas, Floats, Gaze, Kernel, attention_maps
from beholder.study.scanpath import statistics_of_scanpaths

MOST_FITTED_IMAGES = 10_000
"""More images than these hardly change their main directions."""


@dataclass(frozen=True)
class Viewings:
    """Gazes, each with the image it is of.

    ``image`` gives each gaze's row in ``grids`` (images, cells, cells, channels), which hold
    what the images show, and in ``aspects``, their widths divided by their heights.
    """

    gazes: Sequence[Gaze]
    image: NDArray[np.int64]
    grids: NDArray[np.float32]
    aspects: Floats
    _known: dict[tuple[Any, ...], Array] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __len__(self) -> int:
        return len(self.gazes)

    def attention(self, cells: int, kernel: Kernel | None, weighted: bool = True) -> Array:
        """Return every gaze's attention map, shape (n, cells, cells), each summing to 1.

        Maps once made are kept: several encoders ask for the same ones.
        """
        key = (cells, kernel, weighted)
        if key not in self._known:
            self._known[key] = attention_maps(
                self.gazes,
                *(cells, cells),
                aspects=self.aspects[self.image],
                kernel=kernel,
                weight_by_duration=weighted,
                dtype=np.float32,
            )
        return self._known[key]

    def evenly(self) -> "Viewings":
        """Return as many of them, evenly spaced, as statistics need; all where they are few."""
        chosen = evenly(len(self))
        if chosen.step == 1:
            return self  # with the maps that it has kept
        return Viewings(self.gazes[chosen], self.image[chosen], self.grids, self.aspects)


@dataclass(frozen=True)
class Attention:
    """The attention map, the square root of each cell, blurred by a Gaussian kernel.

    The kernel is a fraction of the image's width; duration weighting can be switched off.
    """

    name: ClassVar[str] = "attention"

    cells: int = 16
    kernel: float = 0.06
    weight_by_duration: bool = True

    def fit(self, inputs: Viewings) -> Statistics:
        """Return nothing: a map needs no statistics."""
        return Statistics()

    def encode(self, inputs: Viewings, statistics: Statistics) -> Array:
        """Return maps as rows of length 1, shape (n, cells * cells)."""
        maps = inputs.attention(self.cells, Kernel(self.kernel), self.weight_by_duration)
        return unit_rows(np.sqrt(maps.reshape(-1, self.cells**2)))


def area_bag(gaze: Gaze) -> Bag:
    """Return what a gaze met, from its areas' labels: how much, when, how many, in which order.

    Empty for a gaze without areas.
    """
    if not isinstance(gaze, Areas) or not len(gaze.fixation):
        return {}
    bag: Counter[str] = Counter()
    early = gaze.fixation < gaze.fixations / 2
    for label, share, is_early in zip(gaze.label, gaze.shares(), early, strict=True):
        bag[label] += share
        bag[f"{label} {'early' if is_early else 'late'}"] += share
    areas = {(label, *box) for label, box in zip(gaze.label, gaze.box.tolist(), strict=True)}
    bag.update(f"{label} areas" for label, *_ in areas)
    visits = [label for label, _ in groupby(gaze.label)]
    bag.update(f"{one} > {other}" for one, other in pairwise(visits))
    bag.update((f"first {visits[0]}", f"last {visits[-1]}"))
    return bag


@dataclass(frozen=True)
class AttendedAreas:
    """The labels of the areas that a gaze met: amount, early or late, number and transitions."""

    name: ClassVar[str] = "areas"

    minimum: int = 3  # training gazes that must hold a term
    most_terms: int = 4000

    def fit(self, inputs: Viewings) -> Statistics:
        """Return the vocabulary of labels and transitions with its idf."""
        return fit_vocabulary(map(area_bag, inputs.gazes), self.minimum, self.most_terms)

    def encode(self, inputs: Viewings, statistics: Statistics) -> Array:
        """Return tf-idf rows of length 1, shape (n, vocabulary)."""
        return np.asarray(weigh([area_bag(gaze) for gaze in inputs.gazes], statistics).toarray())


@dataclass(frozen=True)
class Scanpath:
    """How the gaze moved: the statistics of `beholder.study.scanpath`."""

    name: ClassVar[str] = "scanpath"

    weight: float = 0.3

    def fit(self, inputs: Viewings) -> Statistics:
        """Return the mean and spread of each statistic."""
        return standardise_fit(_statistics(inputs.evenly()))

    def encode(self, inputs: Viewings, statistics: Statistics) -> Array:
        """Return z-scores of the statistics, shape (n, statistics)."""
        return self.weight * standardise(_statistics(inputs), statistics)


def _statistics(inputs: Viewings) -> Floats:
    return statistics_of_scanpaths(inputs.gazes)


@dataclass(frozen=True)
class AttendedContent:
    """What the image shows where the gaze lay: its grid pooled by attention, then whitened."""

    name: ClassVar[str] = "content"

    kernel: float = 0.06
    dimensions: int = 128

    def fit(self, inputs: Viewings) -> Statistics:
        """Return the whitening of the pooled grids."""
        return whiten_fit(self._pool(inputs.evenly()), self.dimensions)

    def encode(self, inputs: Viewings, statistics: Statistics) -> Array:
        """Return whitened pooled grids, shape (n, dimensions kept)."""
        return whiten(self._pool(inputs), statistics)

    def _pool(self, inputs: Viewings) -> Array:
        images, cells, _, channels = inputs.grids.shape
        maps = inputs.attention(cells, Kernel(self.kernel)).reshape(-1, cells * cells)
        grids = inputs.grids.reshape(images, -1, channels)
        pooled = [one @ grids[row] for one, row in zip(maps, inputs.image, strict=True)]
        return np.array(pooled, dtype=np.float32).reshape(-1, channels)


@dataclass(frozen=True)
class ImageContent:
    """What the whole image shows: its grid averaged over coarser grids, then whitened.

    Fitted on the training images, each counted once however many gazes are of it.
    """

    name: ClassVar[str] = "image"

    levels: tuple[int, ...] = (1, 2, 4)
    dimensions: int = 300
    whitening: float = 1.0
    weight: float = 1.0

    def fit(self, inputs: Viewings) -> Statistics:
        """Return the projection on the main directions of the training images."""
        used = np.unique(inputs.image)
        used = used[evenly(len(used), MOST_FITTED_IMAGES)]
        images = self._pyramid(take(inputs.grids, used))
        return whiten_fit(images, self.dimensions, self.whitening)

    def encode(self, inputs: Viewings, statistics: Statistics) -> Array:
        """Return each gaze's projected image, shape (n, dimensions kept)."""
        used, row = np.unique(inputs.image, return_inverse=True)
        return self.weight * whiten(self._pyramid(take(inputs.grids, used)), statistics)[row]

    def _pyramid(self, grids: NDArray[np.float32]) -> Array:
        images, cells, _, channels = grids.shape
        parts = []
        for level in self.levels:
            step = cells // level
            blocks = grids.reshape(images, level, step, level, step, channels)
            parts.append(blocks.mean(axis=(2, 4)).reshape(images, level**2 * channels))
        return np.concatenate(parts, axis=1)
