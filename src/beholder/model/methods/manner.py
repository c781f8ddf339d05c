"""`ours`, and how well the manner of looking fits the manner of writing."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from beholder.features.gaze import Scanpath
from beholder.features.text import Manner as WrittenManner
from beholder.model.agreement import Agreement, fit_agreement
from beholder.model.learning import Features
from beholder.model.methods.method import Matcher, Method, Setting
from beholder.model.methods.spaces import SpaceMethod
from beholder.model.planning import with_both
from beholder.model.popularity import LENGTH, TEMPERATURE
from beholder.model.ranking import Scorer
from beholder.model.training import TAUGHT
from beholder.study.gaze import Floats
from beholder.study.tasks import Codes, Task

PAIR = ("gaze", "text")

RATE = TEMPERATURE / LENGTH
"""What a log ratio of 1 is worth in scores of `ours`, which are cosines divided by a constant."""


@dataclass(frozen=True)
class MannerMatcher:
    """`ours` with the log ratio of every pair's manners added."""

    ours: Matcher
    agreement: Agreement
    features: Mapping[str, Features]

    def against(self, task: Task, gallery: Codes) -> Scorer:
        """Return what scores these items by their similarity and by how the manners fit."""
        similarity = self.ours.against(task, gallery)
        items = self._variates(task.target, gallery)  # (g,)

        def scores(queries: Codes) -> NDArray[np.floating]:
            asked = self._variates(task.source, queries)  # (q,)
            return similarity(queries) + RATE * self.agreement.log_ratio(asked, items)

        return scores

    def _variates(self, modality: str, samples: Codes) -> Floats:
        side = self.agreement.first if modality == PAIR[0] else self.agreement.second
        return side.of(self.features[modality].of(samples))


class Manner(Method):
    """score = `ours` + τ log p(u, v) / (p(u) p(v)), u how a person looks and v how one writes.

    A contrastively learnt similarity divided by a temperature τ stands for the log ratio of a
    pair's density to that of unrelated sides (van den Oord et al., 2018), so that what the
    manners tell is added to it; τ is that of popularity. Both manners know no image, so the
    ratio is worth as much for images that training never saw.
    """

    name = "manner"

    @property
    def group(self) -> str:
        """The run of the spaces, which `ours` is made of."""
        return self._ours.group

    @property
    def _ours(self) -> SpaceMethod:
        return SpaceMethod("ours")

    def missing_for(self, setting: Setting, task: Task) -> str | None:
        """Return what `ours` lacks, or that one side is neither looked nor written."""
        if task.pair != PAIR:
            return f"manner fits how people look to how they write, which {task.name} has not both"
        return self._ours.missing_for(setting, task)

    def fit(self, setting: Setting) -> MannerMatcher:
        """Fit the agreement to what taught `ours`, which is trained if it is not yet."""
        features = {
            "gaze": setting.features("gaze", Scanpath()),
            "text": setting.features("text", WrittenManner()),
        }
        rows = np.sort(np.concatenate([setting.split.rows(part) for part in TAUGHT]))
        rows = with_both(setting.study, rows, PAIR)
        agreement = fit_agreement(*(features[modality].of(rows) for modality in PAIR))
        return MannerMatcher(self._ours.fit(setting), agreement, features)
