"""A map of a store: every sample of one modality as a point, every person as their mean.

The two axes are the first principal components (Pearson 1901) of the samples' embeddings in
one space, or in all of them as the run weighs them. Both axes have one scale, so that
distances on the map compare.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beholder.errors import StoreError, UnsupportedError
from beholder.model.combination import combine
from beholder.retrieval.layout import PairLayout, Vectors
from beholder.retrieval.store import Catalogue, Snapshot

COMBINED = "combined"
"""The name of all spaces together, each scaled by the root of its weight."""

MOST_DRAWN = 2000
"""More items than these hardly change a sample's error."""

TIE = 1e-5
"""Scores nearer than this are alike and neither lies above the other: float32 adds so well."""

_SHOWN = (0.005, 0.995)  # quantiles between which an axis is shown
_MARGIN = 0.05  # of the map at each edge, for what lies beyond
_SEED = 0
_ROWS_AT_ONCE = 1 << 14
_SCORES_AT_ONCE = 1 << 22  # 16 MiB of float32

Numbers = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Projection:
    """Where samples and people lie, both axes from 0 to 1, and how well each sample is found.

    ``error`` is the share, of a fixed draw of at most `MOST_DRAWN` items of the sample's own
    split part, that score above the sample's own item of the pair's other modality; NaN where
    the sample has not both. ``explained`` is each axis's share of the variance.
    """

    space: str
    modality: str
    samples: Numbers  # (n,) their numbers
    points: NDArray[np.float32]  # (n, 2)
    error: NDArray[np.float32]  # (n,)
    participants: Numbers  # (p,) the numbers of those who have such samples
    people: NDArray[np.float32]  # (p, 2)
    explained: tuple[float, float]


def project(snapshot: Snapshot, space: str = "style", modality: str = "text") -> Projection:
    """Return the map of a modality's samples in a space of the first pair that has it.

    The space is one of the run's, or ``combined``. The longest entry of each axis is positive.
    The middle 99 % of the samples along the longer axis fill the map but for a margin; who
    lies beyond comes into the margin in the order of the distances, ever closer to the edge,
    and never piles up there. Raises UnsupportedError for a space or modality that the run has
    not, StoreError where fewer than two samples differ.
    """
    layout = _layout(snapshot, space, modality)
    numbers, rows = snapshot.vectors(layout.side(modality))
    mean, axes, explained = _principal_axes(rows, layout, space, modality)
    placed = np.concatenate(
        [(chunk - mean) @ axes for chunk in _embeddings(rows, layout, space)]
    )  # (n, 2)
    catalogue = snapshot.catalogue()
    owner = catalogue.participant[np.searchsorted(catalogue.samples, numbers)]  # (n,)
    participants, person = np.unique(owner[owner >= 0], return_inverse=True)
    sums = np.stack([np.bincount(person, own[owner >= 0]) for own in placed.T], axis=1)  # (p, 2)
    people = sums / np.bincount(person)[:, None]
    low, high = np.quantile(placed, _SHOWN, axis=0)  # (2,) each
    return Projection(
        space,
        modality,
        numbers,
        _within(placed, low, high),
        _errors(snapshot, catalogue, layout, space, modality, np.random.default_rng(_SEED)),
        participants,
        _within(people, low, high),
        explained,
    )


def _layout(snapshot: Snapshot, space: str, modality: str) -> PairLayout:
    description = snapshot.description
    if modality == "personality":
        raise UnsupportedError("a map shows samples, by their gaze or text, not by personality")
    layout = description.between(modality, modality)
    if layout is None:
        raise UnsupportedError(
            f"the run {description.run} was not trained for {modality}, only for "
            f"{', '.join(description.tasks)}"
        )
    if space not in (COMBINED, *layout.weights):
        raise UnsupportedError(
            f"the run {description.run} has no space {space!r} for {' and '.join(layout.pair)}, "
            f"only {', '.join(layout.weights)} and {COMBINED}"
        )
    return layout


def _embedded(rows: Vectors, layout: PairLayout, space: str) -> Vectors:
    """Return the embeddings (n, d) in a space by a side's rows (n, width)."""
    if space != COMBINED:
        return rows[:, layout.block(space)]
    return combine({name: rows[:, layout.block(name)] for name in layout.weights}, layout.weights)


def _embeddings(rows: Vectors, layout: PairLayout, space: str) -> Iterator[Floats]:
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        yield _embedded(rows[start : start + _ROWS_AT_ONCE], layout, space).astype(np.float64)


def _principal_axes(
    rows: Vectors, layout: PairLayout, space: str, modality: str
) -> tuple[Floats, Floats, tuple[float, float]]:
    """Return the mean (d,) of the embeddings, two axes (d, 2), and what these explain."""
    if len(rows) < 2:
        held = "one sample" if len(rows) else "no sample"
        raise StoreError(f"the store has {held} with {modality}: a map takes two that differ")
    mean = sum(chunk.sum(axis=0) for chunk in _embeddings(rows, layout, space)) / len(rows)
    scatter = sum(
        (chunk - mean).T @ (chunk - mean) for chunk in _embeddings(rows, layout, space)
    ) / len(rows)  # (d, d)
    variance = float(np.trace(scatter))
    if variance < 1e-12:
        raise StoreError(
            f"all {len(rows):,} samples with {modality} have the same embedding in the space "
            f"{space}: a map takes two that differ"
        )
    energy, directions = np.linalg.eigh(scatter)  # ascending
    axes = np.zeros((len(mean), 2))
    shares = [0.0, 0.0]
    for axis in range(min(2, len(mean))):
        direction = directions[:, -1 - axis]
        axes[:, axis] = direction * np.sign(direction[np.argmax(np.abs(direction))])
        shares[axis] = max(float(energy[-1 - axis]), 0.0) / variance
    return mean, axes, (shares[0], shares[1])


def _within(placed: Floats, low: Floats, high: Floats) -> NDArray[np.float32]:
    """Return points (n, 2) on the map, on which ``low`` to ``high`` (2,) lie in the middle."""
    span = max(float((high - low).max()), 1e-12)
    shown = 0.5 + (placed - (low + high) / 2) / span * (1 - 2 * _MARGIN)
    middle = np.clip(shown, _MARGIN, 1 - _MARGIN)
    beyond = shown - middle
    return (middle + beyond / (1 + np.abs(beyond) / _MARGIN)).astype(np.float32)


def _errors(
    snapshot: Snapshot,
    catalogue: Catalogue,
    layout: PairLayout,
    space: str,
    modality: str,
    generator: np.random.Generator,
) -> NDArray[np.float32]:
    """Return each sample's error, shape (n,); see `Projection`."""
    numbers, rows = snapshot.vectors(layout.side(modality))
    other = next(one for one in layout.pair if one != modality)
    owners, items = snapshot.vectors(layout.side(other))
    sample = np.searchsorted(catalogue.samples, numbers)  # (n,)
    of_sample = catalogue.participant if other == "personality" else catalogue.samples
    row_of = _places(owners, of_sample)  # (samples,) in items, or -1
    errors = np.full(len(numbers), np.nan, np.float32)
    parts = np.array([part or "" for part in catalogue.parts])
    for part in np.unique(parts):
        known = np.unique(row_of[(parts == part) & (row_of >= 0)])
        drawn = generator.permutation(known)[:MOST_DRAWN]
        own = np.flatnonzero((parts[sample] == part) & (row_of[sample] >= 0))
        step = max(1, _SCORES_AT_ONCE // max(1, len(drawn)))
        for start in range(0, len(own), step):
            asking = own[start : start + step]
            errors[asking] = _shares_above(
                rows[asking], items[row_of[sample[asking]]], items[drawn], layout, space
            )
    return errors


def _places(owners: Numbers, wanted: Numbers) -> Numbers:
    """Return where in ``owners``, ascending, each wanted number is, or -1."""
    if not len(owners):
        return np.full(len(wanted), -1)
    place = np.minimum(np.searchsorted(owners, wanted), len(owners) - 1)
    return np.where(owners[place] == wanted, place, -1)


def _shares_above(
    asking: Vectors, right: Vectors, drawn: Vectors, layout: PairLayout, space: str
) -> Any:
    """Return the share (n,) of drawn items that score above the right one of each row asking.

    In all spaces together popularity counts, as in a search.
    """
    asked = _embedded(asking, layout, space)  # (n, d)
    own = np.einsum("nd,nd->n", asked, _embedded(right, layout, space))
    scores = asked @ _embedded(drawn, layout, space).T  # (n, drawn)
    if space == COMBINED:
        own, scores = own + right[:, -1], scores + drawn[:, -1]
    return (scores > own[:, None] + np.float32(TIE)).mean(axis=1)
