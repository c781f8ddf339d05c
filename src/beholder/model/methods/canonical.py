"""`manner` with a fourth space, found in closed form: canonical variates of both sides."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from beholder.features.encoder import evenly
from beholder.model.canonical import Projection, fit_projections
from beholder.model.combination import combine
from beholder.model.learning import Features
from beholder.model.methods.manner import PAIR, Manner, MannerMatcher
from beholder.model.methods.method import Method, Setting
from beholder.model.methods.spaces import SpaceMethod
from beholder.model.planning import with_both
from beholder.model.popularity import MOST_KNOWN, less_popularity
from beholder.model.ranking import Scorer
from beholder.model.run import Run
from beholder.model.training import TAUGHT
from beholder.study.tasks import Codes, Task

DIMENSIONS = 64

RIDGE = 1.0
"""As much as a column's mean variance: columns may be as many as samples."""

SHARE = 0.15
"""The weight of the canonical space beside the trained ones, which share the rest."""

MOST_TAUGHT = 20_000
"""More samples than these hardly change the directions."""


class SomeVectors(Protocol):
    """Vectors of length one of samples, of both sides in one space."""

    def of(self, modality: str, samples: Codes) -> NDArray[np.float32]:
        """Return the vectors of samples that have the modality, (n, d)."""
        ...


@dataclass(frozen=True)
class Vectors:
    """Vectors of length one: those of the trained spaces, as `added`, and canonical variates."""

    run: Run
    projections: Mapping[str, Projection]
    features: Mapping[str, Features]

    def of(self, modality: str, samples: Codes) -> NDArray[np.float32]:
        """Return the vectors of samples that have the modality, (n, d)."""
        trained = self.run.embed_samples(PAIR, modality, samples, "added")
        canonical = self.projections[modality].of(self.features[modality].of(samples))
        return combine(
            {"trained": trained, "canonical": canonical},
            {"trained": 1 - SHARE, "canonical": SHARE},
        )


@dataclass(frozen=True)
class LessPopular:
    """Cosines of vectors, less popularity with ``known``, what taught, as in `ours`."""

    vectors: SomeVectors
    known: Mapping[str, NDArray[np.float32]]

    def against(self, task: Task, gallery: Codes) -> Scorer:
        """Return what scores these items by the inner product of their vectors."""
        items = self._less_popularity(task.target, gallery)
        return lambda queries: self._less_popularity(task.source, queries) @ items.T

    def _less_popularity(self, modality: str, samples: Codes) -> NDArray[np.float32]:
        first, second = PAIR
        other = second if modality == first else first
        vectors = self.vectors.of(modality, samples)
        return less_popularity(vectors, self.known[other], first=modality == first)


class Canonical(Method):
    """score = `manner`, its trained spaces joined by the canonical variates of all features.

    A linear space that is found at once errs elsewhere than those that are trained, and has no
    randomness of its own.
    """

    name = "canonical"

    @property
    def group(self) -> str:
        """The run of the spaces, which `manner` is made of."""
        return Manner().group

    def missing_for(self, setting: Setting, task: Task) -> str | None:
        """Return what `manner` lacks."""
        return Manner().missing_for(setting, task)

    def fit(self, setting: Setting) -> MannerMatcher:
        """Fit the directions to what taught `manner`, whose spaces are trained if not yet."""
        manner = Manner().fit(setting)
        run = SpaceMethod("ours").fit(setting).run
        features = {modality: setting.features(modality) for modality in PAIR}
        rows = np.sort(np.concatenate([setting.split.rows(part) for part in TAUGHT]))
        rows = with_both(setting.study, rows, PAIR)
        taught = rows[evenly(len(rows), MOST_TAUGHT)]
        first, second = (features[modality].of(taught) for modality in PAIR)
        sides = fit_projections(first, second, DIMENSIONS, RIDGE)
        vectors = Vectors(run, dict(zip(PAIR, sides, strict=True)), features)
        rows = rows[evenly(len(rows), MOST_KNOWN)]
        known = {modality: vectors.of(modality, rows) for modality in PAIR}
        return replace(manner, ours=LessPopular(vectors, known))
