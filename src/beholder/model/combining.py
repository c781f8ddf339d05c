"""What a training does once a pair's spaces are learnt: it chooses how they are combined.

The weights are chosen on the validation part, by what the spaces made of it before it taught
them. What else a method needs is fitted to all that taught: the embeddings that tell who is
popular, and the correlations of gaze and text.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from beholder.features import ModalityEncoder, StudyInputs
from beholder.features.encoder import evenly
from beholder.model.combination import choose_weights
from beholder.model.configuration import COMBINED, TrainingConfiguration
from beholder.model.correlations import (
    CANONICAL,
    MANNERS,
    MOST_TAUGHT,
    PAIR,
    Correlations,
    fit_correlations,
    has_correlations,
)
from beholder.model.folder import RunFolder
from beholder.model.networks import Pair, network_name
from beholder.model.planning import Plan, with_both
from beholder.model.popularity import MOST_KNOWN
from beholder.model.spaces import Space
from beholder.model.state import Features
from beholder.model.towers import embed
from beholder.study.splits import Part, Split
from beholder.study.study import Study
from beholder.study.tasks import Codes, Galleries

TAUGHT: tuple[Part, ...] = ("train", "validation")
"""The parts that teach in the end, once the validation part has nothing left to choose."""


@dataclass(frozen=True)
class Combining:
    """Combines the trained spaces of a run, pair by pair."""

    folder: RunFolder
    configuration: TrainingConfiguration
    study: Study
    split: Split
    plan: Plan
    inputs: StudyInputs
    encoders: Mapping[str, ModalityEncoder]  # by modality
    features: Mapping[str, Features]

    def combine(self, pair: Pair) -> None:
        """Choose, fit and write how a pair's spaces are combined."""
        self.folder.write_weights(pair, self._weights(pair))
        method = self.configuration.method
        if method not in COMBINED:
            return
        correlations = self._correlations() if has_correlations(method, pair) else None
        if correlations is not None:
            self.folder.write_correlations(pair, correlations)
        self.folder.write_known(pair, self._known(pair, correlations))

    def _weights(self, pair: Pair) -> dict[str, float]:
        """Choose the weights of a pair's spaces on the validation part."""
        network = network_name(pair, joint=self.configuration.joint)
        spaces = self.plan.spaces[network]
        if len(spaces) == 1:
            return {spaces[0]: 1.0}
        galleries = Galleries.of(self.study, pair)
        rows = self.split.rows("validation")
        retrievals = [
            galleries.retrieval(task, rows) for task in self.plan.tasks if task.pair == pair
        ]
        judged = {space: self.folder.judged(network, space, pair) for space in spaces}
        held = {modality: rows[self.features[modality].has(rows)] for modality in pair}

        def embedded(space: Space, modality: str, samples: Codes) -> NDArray[np.float32]:
            return judged[space][modality][np.searchsorted(held[modality], samples)]

        return choose_weights(
            retrievals,
            [
                {
                    space: (
                        embedded(space, retrieval.task.source, retrieval.queries),
                        embedded(space, retrieval.task.target, retrieval.gallery),
                    )
                    for space in spaces
                }
                for retrieval in retrievals
            ],
            np.random.default_rng(self.configuration.seed),
        )

    def _correlations(self) -> Correlations:
        rows = self._taught(PAIR)
        rows = rows[evenly(len(rows), MOST_TAUGHT)]
        return fit_correlations(
            {modality: self.features[modality].of(rows) for modality in PAIR},
            {
                modality: self.encoders[modality].columns(
                    MANNERS[modality], self.inputs.of(modality, rows[:1])
                )
                for modality in PAIR
            },
        )

    def _known(
        self, pair: Pair, correlations: Correlations | None
    ) -> dict[str, dict[str, NDArray[np.float32]]]:
        """Return what every space makes of samples that taught, by modality and space."""
        rows = self._taught(pair)
        rows = rows[evenly(len(rows), MOST_KNOWN)]
        network = network_name(pair, joint=self.configuration.joint)
        towers = {
            space: self.folder.towers(network, space, self.configuration)
            for space in self.plan.spaces[network]
        }

        def embedded(modality: str) -> dict[str, NDArray[np.float32]]:
            values = self.features[modality].of(rows)
            found: dict[str, NDArray[np.float32]] = {
                space: embed(own[modality], values) for space, own in towers.items()
            }
            if correlations is not None:
                found[CANONICAL] = correlations.space(modality, values)
            return found

        return {modality: embedded(modality) for modality in pair}

    def _taught(self, pair: Pair) -> Codes:
        """Return the samples that taught and have both modalities of a pair."""
        rows = np.sort(np.concatenate([self.split.rows(part) for part in TAUGHT]))
        return with_both(self.study, rows, pair)
