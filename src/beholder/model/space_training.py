"""Training the spaces of a run: each is learnt, judged, refitted and kept before the next."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from beholder.model.combining import TAUGHT
from beholder.model.configuration import TrainingConfiguration
from beholder.model.devices import Device
from beholder.model.distributed import Group
from beholder.model.folder import RunFolder
from beholder.model.learning import learn_space, refit_space
from beholder.model.networks import Network
from beholder.model.planning import linked, with_both
from beholder.model.spaces import Positives, Space
from beholder.model.state import Features, SpaceData, State
from beholder.model.towers import embed
from beholder.progress import Progress
from beholder.study.splits import Part, Split
from beholder.study.study import Study
from beholder.study.tasks import Codes

MOST_VALIDATION = 1000
"""More validation samples than these hardly change when a training stops."""


@dataclass(frozen=True)
class SpaceTraining:
    """Trains the spaces of a run; one that is trained already is left as it is.

    All of ``group`` train them together, and the first alone writes, a checkpoint at most every
    so many seconds.
    """

    folder: RunFolder
    configuration: TrainingConfiguration
    study: Study
    split: Split
    features: Mapping[str, Features]  # by modality
    checkpoint_every_s: float
    progress: Progress
    group: Group
    device: Device

    def train(self, network: Network, space: Space) -> None:
        """Learn a space, keep what it makes of the validation part, and refit it on that too."""
        if self.group.first(self.folder.has_space, network.name, space):
            return
        given = self.study, self.split, space, network, self.features
        data = space_data(*given)
        state = self._learnt(data, space)
        judged = self.group.first(self._judged, state, data)
        self.group.first(self.folder.write_judged, network.name, space, judged)
        refit_space(
            space,
            state,
            space_data(*given, parts=TAUGHT),
            self.configuration.hyperparameters,
            self.configuration.seed,
            progress=self.progress,
            group=self.group,
        )
        self.group.first(self.folder.write_space, network, space, state)

    def _learnt(self, data: SpaceData, space: Space) -> State:
        network, last = data.network, time.monotonic()

        def keep(state: State) -> None:
            nonlocal last
            if time.monotonic() - last >= self.checkpoint_every_s:
                self.folder.write_checkpoint(network.name, space, state)
                last = time.monotonic()

        return learn_space(
            space,
            data,
            self.configuration.hyperparameters,
            self.configuration.seed,
            checkpoint=self.group.first(self.folder.checkpoint, network.name, space),
            after_epoch=lambda state: self.group.first(keep, state),
            progress=self.progress,
            group=self.group,
            device=self.device,
        )

    def _judged(self, state: State, data: SpaceData) -> dict[str, NDArray[np.float32]]:
        """Return the embeddings of the validation part, by modality, of what has it."""
        rows = self.split.rows("validation")
        return {
            modality: embed(state.tower(modality), features.of(rows[features.has(rows)]))
            for modality, features in data.features.items()
            if modality in data.network.kept
        }


def space_data(
    study: Study,
    split: Split,
    space: Space,
    network: Network,
    features: Mapping[str, Features],
    participants: Codes | None = None,
    parts: Sequence[Part] = ("train",),
) -> SpaceData:
    """Return what a space of a network is learnt from on a split: the samples in ``parts``."""
    taught = np.sort(np.concatenate([split.rows(part) for part in parts]))
    rows = linked(study, taught, network.links)
    validation = {pair: with_both(study, split.rows("validation"), pair) for pair in network.pairs}
    watched = linked(study, split.rows("validation"), network.pairs)
    # What two people wrote of one image is alike even where they looked elsewhere.
    has_alike = space == "content" and "text" in network.modalities
    return SpaceData(
        network,
        features,
        rows,
        {
            pair: samples[:: -(-len(samples) // MOST_VALIDATION)]
            for pair, samples in validation.items()
        },
        Positives.of(study, space, network.modalities, rows),
        Positives.of(study, space, network.kept, watched),
        alike="text" if has_alike else None,
        participants=participants,
    )
