"""A space that a method of its own has learnt, as its matcher."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from beholder.model.learning import learn_space, refit_space
from beholder.model.methods.method import Setting
from beholder.model.networks import Network, Pair, network_name
from beholder.model.ranking import Scorer
from beholder.model.space_training import space_data
from beholder.model.state import Features, SpaceData, State
from beholder.model.towers import embed
from beholder.study.tasks import Codes, Task


@dataclass(frozen=True)
class LearntSpaces:
    """One base space a pair, kept in memory."""

    spaces: Mapping[Pair, tuple[SpaceData, State]]

    def against(self, task: Task, gallery: Codes) -> Scorer:
        """Return what scores these items by their similarity, seen by who asks if that matters."""
        data, state = self.spaces[task.pair]
        items = torch.from_numpy(self._embedded(data, state, task.target, gallery))

        @torch.inference_mode()
        def scores(queries: Codes) -> NDArray[np.float32]:
            asked = torch.from_numpy(self._embedded(data, state, task.source, queries))
            found: NDArray[np.float32] = state.scores(data, queries, asked, items).numpy()
            return found

        return scores

    @staticmethod
    def _embedded(
        data: SpaceData, state: State, modality: str, samples: Codes
    ) -> NDArray[np.float32]:
        return embed(state.tower(modality), data.features[modality].of(samples))


def learn_base(
    setting: Setting,
    features: Mapping[str, Features],
    *,
    participants: Codes | None = None,
) -> LearntSpaces:
    """Learn the base space of every pair of the setting's tasks from these features.

    With ``participants``, the code of each sample's, similarity depends on who asks.
    """
    spaces = {}
    for pair in dict.fromkeys(task.pair for task in setting.tasks):
        network = Network(network_name(pair, joint=False), (pair,))
        own = {modality: features[modality] for modality in pair}
        data = space_data(
            setting.study, setting.split, "base", network, own, participants=participants
        )
        state = learn_space(
            "base",
            data,
            setting.configuration.hyperparameters,
            setting.seed,
            progress=setting.progress,
        )
        whole = space_data(
            setting.study,
            setting.split,
            "base",
            network,
            own,
            participants=participants,
            parts=("train", "validation"),
        )
        state = refit_space(
            "base",
            state,
            whole,
            setting.configuration.hyperparameters,
            setting.seed,
            progress=setting.progress,
        )
        spaces[pair] = (data, state)
    return LearntSpaces(spaces)
