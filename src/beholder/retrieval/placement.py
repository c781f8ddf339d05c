"""How certain it is where a person stands among the people of a store.

A person stands at the mean of their samples in the style space, or in all spaces by their
weights where the run has no style space: as when people are searched for. Everything here
speaks of one modality at a time, and of samples as vectors of length one.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from beholder.evaluation.clusters import NOTHING, Interval
from beholder.model.combination import combine
from beholder.retrieval.layout import Side
from beholder.retrieval.probes import STYLE
from beholder.retrieval.recognition import Recognition, Samples, recognise
from beholder.retrieval.store import Snapshot

NEAREST = 5
"""How many people are named."""


@dataclass(frozen=True)
class Neighbour:
    """A person near by: the cosine of both mean directions, and its angle."""

    participant: str
    cosine: float
    degrees: float


@dataclass(frozen=True)
class Certainty:
    """What the samples of one modality say of where a person stands; NaN: they cannot say.

    ``people`` are all that have such samples, the person among them. ``concentration`` is the
    length of the mean of the person's samples, from 0 (they point everywhere) to 1 (they are
    one). ``agreement`` is the mean cosine of two of the person's samples, with a jackknife
    interval, and ``with_others`` that of one of theirs with one of another person.
    ``error_degrees`` is the jackknife's standard error of the mean direction. The samples,
    held out, look for the person among ``everybody``, and among the ``viewers`` of their image.
    """

    modality: str
    samples: int
    people: int
    concentration: float
    agreement: float
    agreement_interval: Interval
    with_others: float
    error_degrees: float
    everybody: Recognition
    viewers: Recognition
    nearest: tuple[Neighbour, ...]

    @property
    def verdict(self) -> str:
        """What the figures mean, in a sentence."""
        if self.samples == 1:
            return (
                f"how certain the placement by {self.modality} is cannot be judged from one "
                "sample: it shows what the person did once, not how their samples differ"
            )
        if not self.everybody.samples:
            return f"there is nobody from whom the person could be told by {self.modality}"
        if self.viewers.samples:
            result = "are" if self.viewers.is_above_chance else "are not"
            return (
                f"by {self.modality} the person's samples {result} told from those of others who "
                "saw the same image better than by chance"
            )
        result = "are" if self.everybody.is_above_chance else "are not"
        return (
            f"by {self.modality} the person's samples {result} told from those of others better "
            "than by chance; nobody else saw these images, which may be all that tells them apart"
        )


@dataclass(frozen=True)
class Placement:
    """Where a person stands: by each modality that there are vectors of their samples of."""

    participant: str
    samples: int
    has_survey: bool
    certainty: tuple[Certainty, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the placement as what JSON can hold: None for what cannot be said."""
        certainty = [asdict(one) | {"verdict": one.verdict} for one in self.certainty]
        result: dict[str, Any] = _sayable(vars(self) | {"certainty": certainty})
        return result


def place(snapshot: Snapshot, name: str) -> Placement:
    """Return where a person stands and how certain that is; StoreError if nobody is called so."""
    person = snapshot.participant(name)
    description = snapshot.description
    certainty = []
    for modality in description.modalities:
        layout = description.between(modality, modality)
        if modality != "personality" and layout is not None:
            known = _samples(snapshot, layout.side(modality))
            if (known.owners == person.number).any():
                certainty.append(_certainty(modality, known, person.number, snapshot))
    samples = len(snapshot.samples_of(name))
    return Placement(name, samples, person.answers is not None, tuple(certainty))


def _samples(snapshot: Snapshot, side: Side) -> Samples:
    """Return everybody's samples of a side; those of nobody are left out."""
    catalogue = snapshot.catalogue()
    layout = snapshot.description.layout(side)
    numbers, rows = snapshot.vectors(side)
    places = np.searchsorted(catalogue.samples, numbers)
    is_owned = catalogue.participant[places] >= 0
    places, rows = places[is_owned], rows[is_owned]
    if STYLE in layout.weights:
        vectors = rows[:, layout.block(STYLE)]
    else:
        spaces = {space: rows[:, layout.block(space)] for space in layout.weights}
        vectors = combine(spaces, layout.weights)
    directions = _unit(vectors.astype(np.float64))
    return Samples(directions, catalogue.participant[places], catalogue.image[places])


def _certainty(modality: str, known: Samples, number: int, snapshot: Snapshot) -> Certainty:
    own = known.vectors[known.owners == number]
    people, of_person = np.unique(known.owners, return_inverse=True)
    means = np.zeros((len(people), own.shape[1]))
    np.add.at(means, of_person, known.vectors)
    means /= np.bincount(of_person)[:, None]  # (people, d)
    place = int(np.searchsorted(people, number))
    others = np.delete(means, place, axis=0)
    everybody, viewers = recognise(known, number)
    return Certainty(
        modality,
        len(own),
        len(people),
        float(np.linalg.norm(means[place])),
        *agreement(own),
        float((others @ means[place]).mean()) if len(others) else math.nan,
        error_degrees(own),
        everybody,
        viewers,
        _nearest(means, place, people, snapshot),
    )


def agreement(own: NDArray[np.float64]) -> tuple[float, Interval]:
    """Return the mean cosine of two of k samples (k, d) and its 95% interval.

    The interval is the jackknife's of a mean over pairs (Arvesen, 1969), with Student's t of
    k - 1 degrees. One sample has no pair, two have no interval.
    """
    count = len(own)
    if count < 2:
        return math.nan, NOTHING
    cosines = own @ own.T
    total = cosines.sum() - np.trace(cosines)
    mean = float(total / (count * (count - 1)))
    if count < 3:
        return mean, NOTHING
    lost = 2 * (cosines.sum(axis=1) - np.diag(cosines))  # (k,)
    without = (total - lost) / ((count - 1) * (count - 2))
    spread = (count - 1) / count * ((without - without.mean()) ** 2).sum()
    reach = float(stdtrit(count - 1, 0.975) * np.sqrt(spread))
    return mean, Interval(max(mean - reach, -1.0), min(mean + reach, 1.0))


def error_degrees(own: NDArray[np.float64]) -> float:
    """Return the jackknife's standard error of the mean direction of k samples (k, d)."""
    count = len(own)
    if count < 2:
        return math.nan
    whole = own.sum(axis=0)
    angles = _degrees(_unit(whole - own) @ _unit(whole))  # (k,)
    return min(float(np.sqrt((count - 1) / count * (angles**2).sum())), 180.0)


def _nearest(
    means: NDArray[np.float64], place: int, people: NDArray[np.int64], snapshot: Snapshot
) -> tuple[Neighbour, ...]:
    cosines = _unit(means) @ _unit(means[place])
    order = np.argsort(-cosines.round(9), kind="stable")
    order = order[order != place][:NEAREST]
    named = snapshot.participants(people[order].tolist())
    return tuple(
        Neighbour(named[int(people[one])].name, float(cosines[one]), float(_degrees(cosines[one])))
        for one in order
    )


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12))


def _degrees(cosines: Any) -> NDArray[np.float64]:
    return np.asarray(np.degrees(np.arccos(np.clip(cosines, -1, 1))))


def _sayable(value: Any) -> Any:
    """Return a value with None for every number that is none."""
    if isinstance(value, Mapping):
        return {name: _sayable(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_sayable(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
