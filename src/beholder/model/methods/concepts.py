"""`canonical`, told besides which of an image's concepts a text names, found by regression."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_expit

from beholder.features.bags import Bag, fit_vocabulary, weigh
from beholder.features.concepts import concept_bag, shown_concepts
from beholder.features.encoder import Statistics, evenly
from beholder.features.gaze import AttendedAreas
from beholder.model.canonical import Projection
from beholder.model.combining import TAUGHT
from beholder.model.correlations import MANNER_WIDTH, MOST_TAUGHT, PAIR
from beholder.model.methods.method import Matcher, Method, Setting
from beholder.model.methods.spaces import RunMatcher, SpaceMethod
from beholder.model.planning import with_both
from beholder.model.popularity import LENGTH, MOST_KNOWN, TEMPERATURE, less_popularity
from beholder.model.ranking import Scorer
from beholder.model.regression import fit_regression
from beholder.model.state import Features
from beholder.study.study import Study
from beholder.study.tasks import Codes, Task

RATE = TEMPERATURE / LENGTH
"""What a log ratio of 1 is worth in scores of `ours`, which are cosines divided by a constant."""

RIDGE = 1.0
"""As much as a column's mean variance: a text's columns may be as many as texts."""

SPACES_COUNT, CONCEPTS_COUNT, BEFOREHAND = 0.3, 0.5, -2.0
"""What the log ratios of both similarities are worth as evidence of one image, and without any."""

BEYOND = 0.2
"""What the spaces' log ratio is worth among the items of one image, where it tells people apart."""

_CANONICAL = SpaceMethod("canonical")
_SPACES, _MANNER = slice(None, -MANNER_WIDTH), slice(-MANNER_WIDTH, None)  # of its vectors


@dataclass(frozen=True)
class Concepts:
    """The concepts of the study's gazes as tf-idf, weighed as in the training part."""

    study: Study
    shown: list[Bag]  # by image
    statistics: Statistics

    @classmethod
    def fit(cls, setting: Setting, shown: list[Bag]) -> "Concepts":
        """Return them with the vocabulary of the training part's gazes."""
        study = setting.study
        blank = cls(study, shown, Statistics())
        rows = setting.split.rows("train")
        usual = AttendedAreas()
        bags = blank._bags(rows[study.has("gaze")[rows]])
        return replace(blank, statistics=fit_vocabulary(bags, usual.minimum, usual.most_terms))

    def of(self, samples: Codes) -> NDArray[np.float32]:
        """Return the features of these samples' gazes, (n, concepts)."""
        return np.asarray(weigh(self._bags(samples), self.statistics).toarray())

    def _bags(self, samples: Codes) -> list[Bag]:
        bags = []
        for sample in samples:
            gaze = self.study.gaze(int(sample))
            assert gaze is not None  # as every one of these samples has one
            bags.append(concept_bag(gaze, self.shown[self.study.image_codes[sample]]))
        return bags


@dataclass(frozen=True)
class ConceptSpace:
    """Vectors of length one: a gaze's concepts, less their mean; those that a text foretells."""

    concepts: Concepts
    texts: Features
    projections: Mapping[str, Projection]
    taught: Codes  # samples that tell who is popular

    def against(self, task: Task, gallery: Codes) -> Scorer:
        """Return what scores these items by their cosine less popularity, as in `ours`."""
        items = self._less_popularity(task.target, gallery)
        return lambda queries: self._less_popularity(task.source, queries) @ items.T

    def _less_popularity(self, modality: str, samples: Codes) -> NDArray[np.float32]:
        first, second = PAIR
        known = self._known[second if modality == first else first]
        return less_popularity(self._of(modality, samples), known, first=modality == first)

    @cached_property
    def _known(self) -> dict[str, NDArray[np.float32]]:
        return {modality: self._of(modality, self.taught) for modality in PAIR}

    def _of(self, modality: str, samples: Codes) -> NDArray[np.float32]:
        features = self.concepts if modality == "gaze" else self.texts
        return self.projections[modality].of(features.of(samples))


@dataclass(frozen=True)
class OneImage:
    """log P(both sides are of one image), what the spaces tell beyond it, and the manners.

    However surely a text is of the gaze's image, the logarithm ends at 0: who looked and who
    wrote decides among all that are surely of it, and not who described it most plainly.
    """

    canonical: RunMatcher
    concepts: Matcher

    def against(self, task: Task, gallery: Codes) -> Scorer:
        """Return what scores these items, on the scale of `ours`."""
        items = self.canonical.run.embed_samples(task.pair, task.target, gallery)
        by_concepts = self.concepts.against(task, gallery)

        def scores(queries: Codes) -> NDArray[np.floating]:
            asked = self.canonical.asked(task, queries)
            spaces, manner = (asked[:, own] @ items[:, own].T / RATE for own in (_SPACES, _MANNER))
            concepts = by_concepts(queries) / RATE
            evidence = SPACES_COUNT * spaces + CONCEPTS_COUNT * concepts + BEFOREHAND
            return np.asarray(RATE * (log_expit(evidence) + BEYOND * spaces + manner))

        return scores


@dataclass(frozen=True)
class ConceptMethod(Method):
    """score = τ log P(one image | `canonical`'s spaces, concepts) + what spaces and manners tell.

    What an image shows is learnt from its texts by a linear regression from these to the labels
    of its areas, and to how long the gaze dwelt on each: few numbers, so that they hold for
    images that training never saw. Which labels an image has is its content, whoever met them;
    without ``whole_image`` a gaze knows those that it met itself, alone.
    """

    name = "concepts"
    builds_on = ("canonical",)
    whole_image: bool = True

    @property
    def group(self) -> str:
        """The run of `canonical`."""
        return _CANONICAL.group

    def missing_for(self, setting: Setting, task: Task) -> str | None:
        """Return what `canonical` lacks, that no area has a label, or that images are known."""
        if lack := _CANONICAL.missing_for(setting, task):
            return lack
        if "areas" not in setting.study.gaze_forms:
            return "concepts needs gaze on labelled areas of interest, and the study has none"
        if setting.split.keeps_images:
            return (
                "concepts tells apart images that training never saw: those of the "
                f"{setting.split.kind} split are known, and nothing is gained there"
            )
        return None

    def fit(self, setting: Setting) -> OneImage:
        """Fit the regression to what taught `canonical`, which is trained if it is not yet."""
        canonical = _CANONICAL.fit(setting)
        study, texts = setting.study, setting.features("text")
        nothing: list[Bag] = [{} for _ in range(study.images.num_rows)]
        concepts = Concepts.fit(setting, shown_concepts(study) if self.whole_image else nothing)
        rows = np.sort(np.concatenate([setting.split.rows(part) for part in TAUGHT]))
        rows = with_both(study, rows, PAIR)
        taught = rows[evenly(len(rows), MOST_TAUGHT)]
        looked = concepts.of(taught)
        foretold = fit_regression(texts.of(taught), looked, RIDGE)
        own = Projection(looked.mean(axis=0), np.eye(looked.shape[1]))
        sides = {"gaze": own, "text": foretold}
        space = ConceptSpace(concepts, texts, sides, rows[evenly(len(rows), MOST_KNOWN)])
        return OneImage(canonical, space)
