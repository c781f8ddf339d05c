"""What a store's vectors mean: the pairs of modalities, their spaces and weights.

A row of vectors is a sample's or a participant's embeddings in every space of one pair, laid
end to end; its manner, where the run's method has that; and then the share of its popularity
that is taken off its scores: ``[base | content | style | canonical | manner | -popularity]``. A
query's row carries the weights of the spaces, so that one inner product is the score and its
blocks are the parts of the score.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beholder.errors import StoreError
from beholder.model.networks import Pair

MANNER, POPULARITY = "manner", "popularity"
"""The names of the parts of a score that are of no space, but defined between two modalities."""

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Side:
    """The vectors of one modality in one pair's network."""

    pair: Pair
    modality: str

    @property
    def name(self) -> str:
        """Such as ``gaze-text/gaze``."""
        return f"{'-'.join(self.pair)}/{self.modality}"

    @property
    def other(self) -> "Side":
        """The pair's other side, whose items are asked with to find these."""
        first, second = self.pair
        return Side(self.pair, second if self.modality == first else first)


@dataclass(frozen=True)
class PairLayout:
    """How the vectors of a pair are laid out: its spaces in order, and its manner if it has one."""

    pair: Pair
    weights: Mapping[str, float]  # by space; what they weigh in the run's method
    widths: Mapping[str, int]  # by space, in the same order; and that of the manner

    @property
    def width(self) -> int:
        """The length of a row."""
        return sum(self.widths.values()) + 1

    @property
    def parts(self) -> tuple[str, ...]:
        """The names of a score's parts, one a block."""
        return (*self.widths, POPULARITY)

    @property
    def starts(self) -> NDArray[np.int64]:
        """Where each block of a row begins, shape (parts,)."""
        return np.cumsum([0, *self.widths.values()])

    def side(self, modality: str) -> Side:
        """Return one side of the pair."""
        return Side(self.pair, modality)

    def block(self, part: str) -> slice:
        """Return where a space's embedding, or the manner, lies in a row."""
        start = int(self.starts[self.parts.index(part)])
        return slice(start, start + self.widths[part])

    def asked(self, rows: Vectors, weights: Mapping[str, float], *, between: bool) -> Vectors:
        """Return what items are asked with, (n, width), by their rows (n, width).

        ``weights`` are of spaces; what is defined ``between`` two modalities counts where two
        are compared.
        """
        vectors = np.zeros_like(rows)
        for space, weight in weights.items():
            vectors[:, self.block(space)] = np.float32(weight) * rows[:, self.block(space)]
        if between:
            if MANNER in self.widths:
                vectors[:, self.block(MANNER)] = rows[:, self.block(MANNER)]
            vectors[:, -1] = 1
        return vectors

    def combined(self, rows: Vectors) -> Vectors:
        """Return scaled vectors of one length whose inner products are scores, (n, width + 1).

        This is what an index holds: rows (n, width) with each space scaled by the root of its
        weight, and one number that brings all to one length. See `combined_query`.
        """
        scaled = rows * self._roots()
        length = (scaled.astype(np.float64) ** 2).sum(axis=1)  # (n,)
        rest = np.sqrt(np.maximum(length.max(initial=0) - length, 0)).astype(np.float32)
        return np.concatenate([scaled, rest[:, None]], axis=1)

    def combined_query(self, vector: Vectors) -> Vectors:
        """Return a query's row (width,) as the inner products with `combined` need it."""
        roots = self._roots()
        scaled = np.divide(vector, roots, out=np.zeros_like(vector), where=roots > 0)
        return np.append(scaled, np.float32(0))

    def _roots(self) -> Vectors:
        weights = [self.weights.get(part, 1.0) for part in self.widths]
        spread = np.repeat(np.array(weights, np.float32), list(self.widths.values()))
        return np.sqrt(np.append(spread, np.float32(1)))


@dataclass(frozen=True)
class Description:
    """What a store was made from, and what its vectors mean."""

    study: str
    run: str
    method: str
    split: str
    seed: int
    tasks: tuple[str, ...]
    pairs: tuple[PairLayout, ...]
    model: str  # the SHA-256 of the files that embed a query
    instrument: str | None  # as TOML, where the study has a survey

    @property
    def modalities(self) -> tuple[str, ...]:
        """What the run was trained for."""
        return tuple(dict.fromkeys(modality for pair in self.pairs for modality in pair.pair))

    @property
    def sides(self) -> tuple[Side, ...]:
        """Both sides of every pair."""
        return tuple(layout.side(modality) for layout in self.pairs for modality in layout.pair)

    def layout(self, side: Side) -> PairLayout:
        """Return the layout of a side's vectors."""
        return next(layout for layout in self.pairs if layout.pair == side.pair)

    def between(self, source: str, target: str) -> PairLayout | None:
        """Return the pair whose network compares two modalities, or None.

        A modality is compared with itself in the first network that has it.
        """
        for layout in self.pairs:
            if {source, target} <= set(layout.pair):
                return layout
        return None

    def json(self) -> str:
        """Return the description as JSON text."""
        pairs = [
            {"pair": pair.pair, "weights": dict(pair.weights), "widths": dict(pair.widths)}
            for pair in self.pairs
        ]
        return json.dumps(vars(self) | {"pairs": pairs}, ensure_ascii=False)


def parse_description(text: str, where: str) -> Description:
    """Return the description in a JSON text, or raise StoreError."""
    try:
        data: dict[str, Any] = json.loads(text)
        pairs = tuple(
            PairLayout((one["pair"][0], one["pair"][1]), one["weights"], one["widths"])
            for one in data["pairs"]
        )
        return Description(**data | {"pairs": pairs, "tasks": tuple(data["tasks"])})
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise StoreError(f"{where} does not describe its vectors: {error!r}") from error
