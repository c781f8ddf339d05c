"""How a study's people differ: in the spaces, from their surveys, by their words and regions."""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beholder.errors import UnsupportedError
from beholder.evaluation.distinctness.distances import (
    Apartness,
    Encounters,
    apartness,
    image_distances,
    overall_people_distances,
    people_distances,
)
from beholder.evaluation.distinctness.mantel import draw_people
from beholder.evaluation.distinctness.markers import (
    PersonMarkers,
    Scores,
    TraitMarkers,
    mark_people,
    mark_traits,
)
from beholder.evaluation.distinctness.personality import Relation, relation
from beholder.evaluation.distinctness.regions import (
    Dwell,
    dwell_on_cells,
    dwell_on_labels,
    excess_over_others,
    person_excess,
    score_regions,
)
from beholder.evaluation.distinctness.result import Distinctness, InSpace, Marks
from beholder.evaluation.distinctness.words import score_words, shares_of_people, words_of_texts
from beholder.study.gaze import Areas, Floats
from beholder.study.study import Study
from beholder.study.tasks import Codes

Embed = Callable[[str, str, Codes], NDArray[np.floating[Any]]]
"""From a space, a modality and samples (n,) to their embeddings (n, d) of length one."""

MINIMUM_VIEWERS = 4
"""Viewers that an image needs to be listed: with fewer its interval spans nearly everything."""

MINIMUM_PEOPLE = 5
"""People who must have a word or region for it to be tested against traits."""

MOST_SURVEYED = 300
"""People who are tested against their surveys, drawn where there are more.

A test then takes some ten seconds, and there are two a space and modality.
"""

MOST_FEATURES = 500
"""Words or regions tested against a trait, those of most people.

A single true marker among 500 can then pass at 5%: it needs p <= 1 / 10,000, the least that
9,999 permutations give.
"""


def measure_distinctness(
    study: Study,
    rows: Codes,
    embed: Embed,
    spaces: Sequence[str],
    modalities: Sequence[str],
    generator: np.random.Generator,
    *,
    described: Codes | None = None,
    permutations: int = 9999,
    exchanges: int = 199,
) -> Distinctness:
    """Measure how people differ in the samples ``rows`` of a study.

    ``modalities`` are of gaze and text. Words and regions are those of the samples
    ``described``, ``rows`` unless given: nothing was learned from them, so they may be the
    whole study. Samples of unknown people are left out. The result does not depend on the
    order of samples, spaces or modalities, as every part draws from a generator of its own. A
    part that the samples cannot support is absent, with the reason.
    """
    rows, described = (
        np.unique(some[study.participant_codes[some] >= 0])
        for some in (rows, rows if described is None else described)
    )
    seed = int(generator.integers(2**62))
    measuring = _Measuring(study, rows, described, seed, permutations, exchanges)
    return measuring.distinctness(embed, spaces, modalities)


@dataclass(frozen=True)
class _Measuring:
    """One measurement under way: what it is of, and the parts found to be absent."""

    study: Study
    rows: Codes
    described: Codes
    seed: int
    permutations: int
    exchanges: int
    absent: dict[str, str] = field(default_factory=dict)

    def distinctness(
        self, embed: Embed, spaces: Sequence[str], modalities: Sequence[str]
    ) -> Distinctness:
        study, people = self.study, self.study.participant_codes[self.rows]
        surveyed, warnings = self._surveyed()
        found: dict[str, dict[str, InSpace]] = {}
        for space in spaces:
            for modality in modalities:
                one = self._in_space(embed, space, modality, surveyed)
                if one is not None:
                    found.setdefault(space, {})[modality] = one
        return Distinctness(
            participants=study.participants.column("participant").to_pylist(),
            image_names=study.images.column("image").to_pylist(),
            traits=study.instrument.traits if study.instrument else (),
            counts={
                "samples": len(self.rows),
                "people": len(np.unique(people)),
                "images": len(np.unique(study.image_codes[self.rows])),
                "described": len(self.described),
            },
            spaces=found,
            words=self._words(surveyed),
            regions=self._regions(surveyed),
            absent=self.absent,
            warnings=warnings,
        )

    def _generator(self, *part: str) -> np.random.Generator:
        return np.random.default_rng([self.seed, zlib.crc32("/".join(part).encode())])

    def _surveyed(self) -> tuple[Codes, list[str]]:
        """Return the people to test against their surveys, ascending, perhaps none."""
        people = np.unique(self.study.participant_codes[self.rows])
        if self.study.instrument is None:
            self.absent["personality"] = "the study has no survey"
            return people[:0], []
        people = people[~np.isnan(self.study.answers[people]).any(axis=1)]
        if len(people) < MINIMUM_PEOPLE:
            self.absent["personality"] = (
                f"{MINIMUM_PEOPLE} people with a survey are needed, and there are {len(people)}"
            )
            return people[:0], []
        drawn, warning = draw_people(len(people), self._generator("people"), MOST_SURVEYED)
        return people[drawn], [] if warning is None else [f"personality: {warning}"]

    def _traits(self, people: Codes) -> Floats:
        """Return the people's trait scores, shape (n, traits)."""
        assert self.study.instrument is not None  # people were found to have a survey
        return self.study.instrument.trait_scores(self.study.answers[people])

    def _with(self, modality: str, rows: Codes) -> Codes:
        return rows[self.study.has(modality)[rows]]

    def _in_space(self, embed: Embed, space: str, modality: str, surveyed: Codes) -> InSpace | None:
        part = f"{space}/{modality}"
        if modality == "personality":
            self.absent[part] = "a survey is of a person, whatever the image"
            return None
        rows = self._with(modality, self.rows)
        if not len(rows):
            self.absent[part] = f"no sample of a known person has {modality}"
            return None
        images, people = self.study.image_codes[rows], self.study.participant_codes[rows]
        encounters = Encounters.of(embed(space, modality, rows), images, people)
        apart: Apartness | None = None
        try:
            apart = apartness(encounters, self._generator(part, "apartness"))
        except UnsupportedError as error:
            self.absent[f"{part}/apartness"] = str(error)
        listed = image_distances(encounters).seen_by(MINIMUM_VIEWERS)
        if not len(listed.images):
            self.absent[f"{part}/images"] = f"no image has {MINIMUM_VIEWERS} viewers"
        images_found = listed if len(listed.images) else None
        return InSpace(apart, images_found, self._relations(part, encounters, surveyed))

    def _relations(self, part: str, encounters: Encounters, surveyed: Codes) -> dict[str, Relation]:
        people = np.intersect1d(surveyed, encounters.people)
        if not len(people):
            return {}
        assert self.study.instrument is not None
        kinds = {"same_image": people_distances, "overall": overall_people_distances}
        found = {}
        for kind, distances in kinds.items():
            try:
                found[kind] = relation(
                    distances(encounters, people),
                    self._traits(people),
                    self.study.instrument.traits,
                    self._generator(part, "survey", kind),
                    self.permutations,
                )
            except UnsupportedError as error:
                self.absent[f"{part}/surveys/{kind}"] = str(error)
        return found

    def _words(self, surveyed: Codes) -> Marks | None:
        rows = self._with("text", self.described)
        if not len(rows):
            self.absent["words"] = "no sample of a known person has text"
            return None
        counts, names = words_of_texts([self.study.texts[row] or "" for row in rows])
        images, people = self.study.image_codes[rows], self.study.participant_codes[rows]
        marked = self._people(
            "words", lambda whose: score_words(counts, images, whose), images, people
        )
        own = np.isin(people, surveyed)
        tested, traits = np.zeros(0, np.int64), None
        if own.any():
            writers, tested, shares = shares_of_people(
                counts[own], people[own], MINIMUM_PEOPLE, MOST_FEATURES
            )
            traits = self._against_traits("words", writers, shares)
        elif len(surveyed):
            self.absent["words/traits"] = "nobody with a survey wrote"
        return Marks(names, marked, traits, tested)

    def _regions(self, surveyed: Codes) -> dict[str, Marks]:
        rows = self._with("gaze", self.described)
        if not len(rows):
            self.absent["regions"] = "no sample of a known person has gaze"
            return {}
        gazes = [self.study.gaze(int(row)) for row in rows]
        has_areas = np.array([isinstance(gaze, Areas) for gaze in gazes])
        found = {}
        if has_areas.any():
            met = [gaze for gaze in gazes if isinstance(gaze, Areas)]
            labels = dwell_on_labels(met, self.study.image_codes[rows[has_areas]])
            found["labels"] = self._kind("labels", rows[has_areas], *labels, surveyed)
        if not has_areas.all():
            others = [gaze for gaze in gazes if gaze is not None and not isinstance(gaze, Areas)]
            aspects = self.study.aspects[self.study.image_codes[rows[~has_areas]]]
            cells = dwell_on_cells(others, aspects)
            found["cells"] = self._kind("cells", rows[~has_areas], *cells, surveyed)
        return found

    def _kind(
        self, kind: str, rows: Codes, dwell: Dwell, names: tuple[str, ...], surveyed: Codes
    ) -> Marks:
        part = f"regions/{kind}"
        images, people = self.study.image_codes[rows], self.study.participant_codes[rows]
        excess = excess_over_others(dwell, images)
        marked = self._people(part, lambda whose: score_regions(excess, whose), images, people)
        viewers, means, known = person_excess(excess, people, len(names))
        tested, traits = np.zeros(0, np.int64), None
        if len(surveyed):
            own = np.isin(viewers, surveyed)
            seen_by = known[own].sum(axis=0)
            often = np.lexsort((np.arange(len(names)), -seen_by))[:MOST_FEATURES]
            tested = np.sort(often[seen_by[often] >= MINIMUM_PEOPLE])
            traits = self._against_traits(part, viewers[own], means[own][:, tested])
        return Marks(names, marked, traits, tested)

    def _people(
        self, part: str, score: Callable[[Codes], Scores], images: Codes, people: Codes
    ) -> PersonMarkers | None:
        viewings = np.unique(np.stack([images, people]), axis=1)
        if len(np.unique(viewings[0])) == viewings.shape[1]:
            self.absent[f"{part}/people"] = "no image has two known people"
            return None
        generator = self._generator(part, "people")
        return mark_people(score, images, people, generator, self.exchanges)

    def _against_traits(self, part: str, people: Codes, values: Floats) -> TraitMarkers | None:
        if not values.shape[1]:
            self.absent[f"{part}/traits"] = f"nothing is shared by {MINIMUM_PEOPLE} surveyed people"
            return None
        generator = self._generator(part, "traits")
        return mark_traits(values, self._traits(people), generator, self.permutations)
