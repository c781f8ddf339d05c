"""What was found of how a study's people differ, and the object that it becomes in JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from beholder.evaluation.clusters import Interval
from beholder.evaluation.distinctness.distances import Apartness, Estimate, ImageDistances
from beholder.evaluation.distinctness.mantel import Mantel
from beholder.evaluation.distinctness.markers import PersonMarkers, TraitMarkers
from beholder.evaluation.distinctness.personality import Relation
from beholder.study.tasks import Codes

LISTED = 10
"""Images listed at either end, and words or regions listed a trait."""


@dataclass(frozen=True)
class InSpace:
    """How people differ in one modality of one space; None is absent.

    ``images`` are those with enough viewers, what people differ on most first. ``surveys`` has
    tests by which distance of people was taken: ``same_image`` or ``overall``.
    """

    apartness: Apartness | None
    images: ImageDistances | None
    surveys: Mapping[str, Relation]


@dataclass(frozen=True)
class Marks:
    """Words or regions that mark people or traits; None is absent.

    ``names`` are those of all features, ``tested`` (f,) the features that were tested against
    the traits.
    """

    names: Sequence[str]
    people: PersonMarkers | None
    traits: TraitMarkers | None
    tested: Codes


@dataclass(frozen=True)
class Distinctness:
    """How the people of some samples differ.

    ``spaces[space][modality]`` is what the embeddings tell, ``words`` and ``regions`` what
    marks people and traits (regions by their kind: ``labels`` or ``cells``). ``absent`` says
    in a sentence why a part is not there, by the part's name.
    """

    participants: Sequence[str]
    image_names: Sequence[str]
    traits: Sequence[str]
    counts: Mapping[str, int]
    spaces: Mapping[str, Mapping[str, InSpace]]
    words: Marks | None
    regions: Mapping[str, Marks]
    absent: Mapping[str, str]
    warnings: Sequence[str]

    def as_json(self) -> dict[str, Any]:
        """Return the object for ``results.json``; what has no value is None."""
        return {
            **self.counts,
            "spaces": {
                space: {modality: self._in_space(one) for modality, one in found.items()}
                for space, found in self.spaces.items()
            },
            "words": None if self.words is None else self._marks(self.words),
            "regions": {kind: self._marks(marks) for kind, marks in self.regions.items()},
            "absent": dict(self.absent),
            "warnings": list(self.warnings),
        }

    def _in_space(self, found: InSpace) -> dict[str, Any]:
        return {
            **{
                name: None if found.apartness is None else _estimate(getattr(found.apartness, name))
                for name in Apartness.__dataclass_fields__
            },
            "images": None if found.images is None else self._images(found.images),
            "surveys": {name: _relation(one) for name, one in found.surveys.items()},
        }

    def _images(self, found: ImageDistances) -> dict[str, Any]:
        rows = [
            {
                "image": self.image_names[found.images[row]],
                "viewers": int(found.viewers[row]),
                "distance": float(found.distance[row]),
                "ci95": _bounds(Interval(float(found.low[row]), float(found.high[row]))),
            }
            for row in range(len(found.images))
        ]
        # An image is at one end, also where there are few.
        at_end = min(LISTED, len(rows) // 2)
        least = rows[::-1][:at_end]
        return {"eligible": len(rows), "most": rows[: max(at_end, 1)], "least": least}

    def _marks(self, marks: Marks) -> dict[str, Any]:
        return {
            "people": None if marks.people is None else self._people(marks, marks.people),
            "traits": None if marks.traits is None else self._traits(marks, marks.traits),
        }

    def _people(self, marks: Marks, found: PersonMarkers) -> list[dict[str, Any]]:
        return [
            {
                "participant": self.participants[found.people[row]],
                "feature": marks.names[found.features[row]],
                **{name: float(getattr(found, name)[row]) for name in _OF_MARKER},
            }
            for row in range(len(found))
        ]

    def _traits(self, marks: Marks, found: TraitMarkers) -> dict[str, Any]:
        listed: dict[str, Any] = {"tested": len(marks.tested)}
        for column, trait in enumerate(self.traits):
            p, size = found.p[:, column], np.abs(found.correlation[:, column])
            order = np.lexsort((-size, p))[:LISTED]
            listed[trait] = [
                {
                    "feature": marks.names[marks.tested[row]],
                    "correlation": float(found.correlation[row, column]),
                    "p": float(p[row]),
                    "q": float(found.q[row, column]),
                }
                for row in order
                if not np.isnan(p[row])
            ]
        return listed


_OF_MARKER = ("own", "others", "score", "p")


def _relation(found: Relation) -> dict[str, Any]:
    traits = {
        name: _mantel(test) | {"p_holm": found.corrected[name]}
        for name, test in found.traits.items()
    }
    return {"profile": _mantel(found.profile), "traits": traits}


def _mantel(test: Mantel) -> dict[str, Any]:
    values = dict(vars(test))
    values["null_interval"] = _bounds(test.null_interval)
    return values


def _estimate(estimate: Estimate) -> dict[str, Any]:
    return {"value": estimate.value, "ci95": _bounds(estimate.interval)}


def _bounds(interval: Interval) -> list[float | None]:
    return [None if np.isnan(end) else end for end in (interval.low, interval.high)]
