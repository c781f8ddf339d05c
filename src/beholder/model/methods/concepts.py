"""`canonical`, told besides which of an image's concepts a text names, found by regression."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_expit

from beholder.features.bags import Bag, fit_vocabulary, weigh
from beholder.features.concepts import concept_bag, shown_concepts
from beholder.features.encoder import Statistics, evenly
from beholder.features.gaze import AttendedAreas
from beholder.model.canonical import Projection
from beholder.model.learning import Features
from beholder.model.methods.canonical import MOST_TAUGHT, Canonical, LessPopular
from beholder.model.methods.manner import PAIR, RATE, MannerMatcher
from beholder.model.methods.method import Matcher, Method, Setting
from beholder.model.planning import with_both
from beholder.model.popularity import MOST_KNOWN
from beholder.model.ranking import Scorer
from beholder.model.regression import fit_regression
from beholder.model.training import TAUGHT
from beholder.study.study import Study
from beholder.study.tasks import Codes, Task

RIDGE = 1.0
"""As much as a column's mean variance: a text's columns may be as many as texts."""

SPACES_COUNT, CONCEPTS_COUNT, BEFOREHAND = 0.3, 0.5, -2.0
"""What the log ratios of both similarities are worth as evidence of one image, and without any."""

BEYOND = 0.2
"""What the spaces' log ratio is worth among the items of one image, where it tells people apart."""


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
class ConceptVectors:
    """Vectors of length one: a gaze's concepts, less their mean; those that a text foretells."""

    concepts: Concepts
    texts: Features
    projections: Mapping[str, Projection]

    def of(self, modality: str, samples: Codes) -> NDArray[np.float32]:
        """Return the vectors of samples that have the modality, (n, concepts)."""
        features = self.concepts if modality == "gaze" else self.texts
        return self.projections[modality].of(features.of(samples))


@dataclass(frozen=True)
class OneImage:
    """log P(both sides are of one image), and what the spaces tell beyond it, as scores of `ours`.

    However surely a text is of the gaze's image, the logarithm ends at 0: who looked and who
    wrote decides among all that are surely of it, and not who described it most plainly.
    """

    spaces: Matcher
    concepts: Matcher

    def against(self, task: Task, gallery: Codes) -> Scorer:
        """Return what scores these items by both similarities."""
        by_spaces = self.spaces.against(task, gallery)
        by_concepts = self.concepts.against(task, gallery)

        def scores(queries: Codes) -> NDArray[np.floating]:
            spaces, concepts = by_spaces(queries) / RATE, by_concepts(queries) / RATE
            evidence = SPACES_COUNT * spaces + CONCEPTS_COUNT * concepts + BEFOREHAND
            return np.asarray(RATE * (log_expit(evidence) + BEYOND * spaces))

        return scores


@dataclass(frozen=True)
class ConceptMethod(Method):
    """score = τ log P(one image | `canonical`'s spaces, concepts) + what the manners tell.

    What an image shows is learnt from its texts by a linear regression from these to the labels
    of its areas, and to how long the gaze dwelt on each: few numbers, so that they hold for
    images that training never saw. Which labels an image has is its content, whoever met them;
    without ``whole_image`` a gaze knows those that it met itself, alone.
    """

    name = "concepts"
    whole_image: bool = True

    @property
    def group(self) -> str:
        """The run of the spaces, which `canonical` is made of."""
        return Canonical().group

    def missing_for(self, setting: Setting, task: Task) -> str | None:
        """Return what `canonical` lacks, that no area has a label, or that images are known."""
        if lack := Canonical().missing_for(setting, task):
            return lack
        if "areas" not in setting.study.gaze_forms:
            return "concepts needs gaze on labelled areas of interest, and the study has none"
        if setting.split.keeps_images:
            return (
                "concepts tells apart images that training never saw: those of the "
                f"{setting.split.kind} split are known, and nothing is gained there"
            )
        return None

    def fit(self, setting: Setting) -> MannerMatcher:
        """Fit the regression to what taught `canonical`, which is fitted if it is not yet."""
        canonical = Canonical().fit(setting)
        study, texts = setting.study, setting.features("text")
        nothing: list[Bag] = [{} for _ in range(study.images.num_rows)]
        concepts = Concepts.fit(setting, shown_concepts(study) if self.whole_image else nothing)
        rows = np.sort(np.concatenate([setting.split.rows(part) for part in TAUGHT]))
        rows = with_both(study, rows, PAIR)
        taught = rows[evenly(len(rows), MOST_TAUGHT)]
        looked = concepts.of(taught)
        foretold = fit_regression(texts.of(taught), looked, RIDGE)
        own = Projection(looked.mean(axis=0), np.eye(looked.shape[1]))
        vectors = ConceptVectors(concepts, texts, {"gaze": own, "text": foretold})
        rows = rows[evenly(len(rows), MOST_KNOWN)]
        known = {modality: vectors.of(modality, rows) for modality in PAIR}
        return replace(canonical, ours=OneImage(canonical.ours, LessPopular(vectors, known)))
