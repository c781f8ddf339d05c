"""Embedding many items at once, as work that can be done anywhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from beholder.features import Viewings
from beholder.retrieval.embedder import Embedder
from beholder.retrieval.layout import Description, Side, Vectors
from beholder.study.tasks import Codes


@dataclass(frozen=True)
class Items:
    """Items of a modality by their numbers, (n,), as the encoders take them."""

    modality: str
    numbers: Codes
    inputs: Any

    def __getstate__(self) -> dict[str, Any]:
        """Travel with what the images of these items show, not those of the whole study."""
        state = dict(vars(self))
        if isinstance(self.inputs, Viewings):
            of = self.inputs
            images, row = np.unique(of.image, return_inverse=True)
            state["inputs"] = Viewings(of.gazes, row, of.grids[images], of.aspects[images])
        elif isinstance(self.inputs, list):
            state["inputs"] = list(self.inputs)  # texts alone, without the study's others
        return state


@dataclass(frozen=True)
class Embedding:
    """Embeds items with the files of a run.

    ``known`` holds the combination's embeddings that an item's popularity is measured against,
    by the item's side, where the run has such.
    """

    files: Mapping[str, bytes]
    description: Description
    known: Mapping[Side, Vectors]

    def __call__(self, items: Sequence[Items]) -> list[dict[Side, tuple[Codes, Vectors]]]:
        """Return, of each modality's items, the numbers and rows (n, width) by side."""
        return [self._embedded(of) for of in items if len(of.numbers)]

    def _embedded(self, items: Items) -> dict[Side, tuple[Codes, Vectors]]:
        features = self._embedder.encode(items.modality, items.inputs)
        sides = [
            layout.side(items.modality)
            for layout in self.description.pairs
            if items.modality in layout.pair
        ]
        return {
            side: (items.numbers, self._embedder.rows(side, features, self.known.get(side)))
            for side in sides
        }

    @cached_property
    def _embedder(self) -> Embedder:
        return Embedder(self.files, self.description)
