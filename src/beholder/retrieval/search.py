"""Search: a query becomes inner products, and what ranks first becomes answers.

A query is compared with items of another modality as the run's method does it, and with items
of its own modality in the spaces alone, popularity left out, as that is defined between two
modalities. People and images are scored by the mean over all that they hold: people in the
style space where the run has one, since it holds what a person made together; images by the
run's weights.

Seen as a person, the query's embedding in the style space is replaced by the mean of that
person's own: base and content still say what is asked for, and style says whose eye chooses.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from beholder.errors import ConfigurationError, UnsupportedError
from beholder.features import Surveys, Viewings
from beholder.retrieval.embedder import Embedder
from beholder.retrieval.layout import Description, PairLayout, Vectors
from beholder.retrieval.pictures import grid_of
from beholder.retrieval.query import Query
from beholder.retrieval.store import TARGETS, Hits, Probe, Ranking, Snapshot, Store
from beholder.study.survey import parse_instrument

STYLE = "style"


@dataclass(frozen=True)
class Answer:
    """One answer: its place from 1 on, its score, what the score is made of, and the item.

    ``parts`` are by space and ``popularity``, ``by_modality`` what each part of the query
    gave; either sums to the score. ``chance_rank`` is the mean place in a random order.
    """

    rank: int
    score: float
    parts: Mapping[str, float]
    by_modality: Mapping[str, float]
    chance_rank: float
    item: Mapping[str, Any]


@dataclass(frozen=True)
class Result:
    """One page of answers out of ``candidates``; ``notes`` are sentences to show with it."""

    find: str
    candidates: int
    chance_rank: float
    offset: int
    answers: tuple[Answer, ...]
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the result as what JSON can hold."""
        return asdict(self)


class Searcher:
    """Answers queries from a store; its methods may be called from many threads."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._embedder: Embedder | None = None
        self._loading = threading.Lock()

    def search(self, query: Query) -> Result:
        """Return the asked page of a query's answers; see `search_all`."""
        return self.search_all([query])[0]

    def search_all(self, queries: Sequence[Query]) -> list[Result]:
        """Return the asked pages of many queries, all from one state of the store.

        Raises UnsupportedError for what the run was not trained for, StoreError for people,
        images and filters that are not there.
        """
        with self.store.read() as snapshot:
            embedder = self._embedder_of(snapshot)
            features = _features(queries, embedder, snapshot)
            rankings, notes = [], []
            for query, own in zip(queries, features, strict=True):
                ranking, said = _ranking(query, own, embedder, snapshot)
                rankings.append(ranking)
                notes.append(said)
            found = snapshot.rank(rankings)
            return [
                _result(snapshot, ranking, hits, said)
                for ranking, hits, said in zip(rankings, found, notes, strict=True)
            ]

    def _embedder_of(self, snapshot: Snapshot) -> Embedder:
        with self._loading:
            held = self._embedder
            if held is None or held.description != snapshot.description:
                held = Embedder(snapshot.model(), snapshot.description)
                self._embedder = held
            return held


def _features(
    queries: Sequence[Query], embedder: Embedder, snapshot: Snapshot
) -> list[dict[str, Vectors]]:
    """Return the features of what each query gives, (1, width) by modality."""
    description = embedder.description
    features: list[dict[str, Vectors]] = [{} for _ in queries]
    for query in queries:
        for modality in query.modalities:
            if modality not in description.modalities:
                raise UnsupportedError(
                    f"the run {description.run} was not trained for {modality}, only for "
                    f"{', '.join(description.tasks)}"
                )
    for modality in description.modalities:
        own = [place for place, query in enumerate(queries) if modality in query.modalities]
        if own:
            inputs = _inputs(modality, [queries[place] for place in own], description, snapshot)
            for place, row in zip(own, embedder.encode(modality, inputs), strict=True):
                features[place][modality] = row[None, :]
    return features


def _inputs(
    modality: str, queries: Sequence[Query], description: Description, snapshot: Snapshot
) -> Any:
    if modality == "text":
        return [query.text for query in queries]
    if modality == "personality":
        if description.instrument is None:
            raise UnsupportedError("the study of this store has no survey instrument")
        instrument = parse_instrument(description.instrument)
        answers = [instrument.validate([query.personality or ()])[0] for query in queries]
        return Surveys(np.array(answers, dtype=float), instrument)
    images = list(dict.fromkeys(query.image for query in queries))
    shown = [_shown(image, snapshot) for image in images]
    return Viewings(
        [query.gaze for query in queries if query.gaze is not None],
        np.array([images.index(query.image) for query in queries]),
        np.stack([grid for grid, _ in shown]),
        np.array([aspect for _, aspect in shown]),
    )


def _shown(image: str | Path | None, snapshot: Snapshot) -> tuple[Vectors, float]:
    if isinstance(image, Path):
        return grid_of(image)
    record = snapshot.image(str(image))
    return record.grid, record.width / record.height


def _ranking(
    query: Query, features: Mapping[str, Vectors], embedder: Embedder, snapshot: Snapshot
) -> tuple[Ranking, tuple[str, ...]]:
    description = embedder.description
    if query.find not in TARGETS:
        raise ConfigurationError(f"cannot find {query.find!r}, only {', '.join(TARGETS)}")
    if query.seen_as is not None and query.find == "participants":
        raise ConfigurationError(
            "participants are found by their style, which a search as someone replaces: ask "
            "for one of the two"
        )
    probes = []
    notes: dict[str, None] = {}
    for modality in query.modalities:
        for layout, target in _compared(modality, query.find, description):
            row = embedder.rows(layout.side(modality), features[modality])[0]
            if query.seen_as is not None:
                row = _seen_as(row, query.seen_as, layout, modality, snapshot)
                if not layout.weights[STYLE]:
                    notes[
                        f"the run gives style no weight for {' and '.join(layout.pair)}, so that "
                        "nobody sees these differently"
                    ] = None
            vector = _weighed(row, query.find, layout, modality != target)
            probes.append(Probe(modality, layout.side(target), vector))
    ranking = Ranking(
        query.find,
        tuple(probes),
        query.shares,
        query.filters,
        query.top,
        query.offset,
        query.approximate,
    )
    return ranking, tuple(notes)


def _compared(modality: str, find: str, description: Description) -> list[tuple[PairLayout, str]]:
    """Return what a query's modality is compared with, and in which pair's network."""
    found = [(description.between(modality, target), target) for target in TARGETS[find]]
    compared = [(layout, target) for layout, target in found if layout is not None]
    if not compared:
        target = TARGETS[find][0]
        raise UnsupportedError(
            f"the run {description.run} was not trained for {modality[0]}2{target[0]}, to find "
            f"{find} from {modality}, only for {', '.join(description.tasks)}"
        )
    return compared


def _seen_as(
    row: Vectors, name: str, layout: PairLayout, modality: str, snapshot: Snapshot
) -> Vectors:
    """Return a row with the mean style of a person in place of its own."""
    if STYLE not in layout.weights:
        raise UnsupportedError(
            f"nobody's style is known for {' and '.join(layout.pair)}: the run has no style space"
        )
    snapshot.participant(name)  # says so if nobody is called so
    other = next(one for one in layout.pair if one != modality)
    own = snapshot.vectors_of(layout.side(modality), name)
    if not len(own):
        own = snapshot.vectors_of(layout.side(other), name)
    if not len(own):
        raise UnsupportedError(f"nothing is known of how {name} sees: no {modality}, no {other}")
    mean = own[:, layout.block(STYLE)].astype(np.float64).mean(axis=0)
    result = row.copy()
    result[layout.block(STYLE)] = mean / max(np.linalg.norm(mean), 1e-12)
    return result


def _weighed(row: Vectors, find: str, layout: PairLayout, is_between: bool) -> Vectors:
    """Return a query's row (width,) with each space times its weight."""
    weights = dict(layout.weights)
    if find == "participants" and STYLE in weights:
        weights = {space: float(space == STYLE) for space in weights}
    vector = np.zeros_like(row)
    for space, weight in weights.items():
        vector[layout.block(space)] = np.float32(weight) * row[layout.block(space)]
    # Popularity is of items among queries of the other modality, not of people or images.
    vector[-1] = is_between and find not in ("participants", "images")
    return vector


def _result(snapshot: Snapshot, ranking: Ranking, hits: Hits, notes: tuple[str, ...]) -> Result:
    chance = (hits.candidates + 1) / 2
    items = _items(snapshot, ranking.find, [hit.number for hit in hits.hits])
    answers = []
    for place, hit in enumerate(hits.hits):
        parts: dict[str, float] = {}
        for own in hit.parts.values():
            for name, value in own.items():
                parts[name] = parts.get(name, 0.0) + value
        by_modality = {modality: sum(own.values()) for modality, own in hit.parts.items()}
        answers.append(
            Answer(
                ranking.offset + place + 1,
                hit.score,
                parts,
                by_modality,
                chance,
                items[hit.number],
            )
        )
    return Result(ranking.find, hits.candidates, chance, ranking.offset, tuple(answers), notes)


def _items(snapshot: Snapshot, find: str, numbers: list[int]) -> dict[int, dict[str, Any]]:
    if find in ("participants", "personality"):
        return {
            number: {
                "participant": one.name,
                "answers": None if one.answers is None else list(one.answers),
                "traits": one.traits,
            }
            for number, one in snapshot.participants(numbers).items()
        }
    if find == "images":
        return {
            number: {"image": one.name, "width": one.width, "height": one.height}
            for number, one in snapshot.images(numbers).items()
        }
    return {
        number: {"sample": number}
        | {name: value for name, value in vars(one).items() if name != "number"}
        for number, one in snapshot.samples(numbers).items()
    }
