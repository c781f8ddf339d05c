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
from dataclasses import dataclass
from typing import Any

from beholder.retrieval.embedder import Embedder
from beholder.retrieval.layout import Vectors
from beholder.retrieval.probes import STYLE as STYLE
from beholder.retrieval.probes import Comparison, comparisons, features_of, ranking_of, rows_of
from beholder.retrieval.query import Query
from beholder.retrieval.store import Hit, Hits, Probe, Ranking, Snapshot, Store


@dataclass(frozen=True)
class Answer:
    """One answer: its place from 1 on, its score, what the score is made of, and the item.

    ``number`` is that of the sample, participant or image. ``parts`` are by space and
    ``popularity``, ``by_modality`` what each part of the query gave; either sums to the
    score. ``chance_rank`` is the mean place in a random order.
    """

    rank: int
    number: int
    score: float
    parts: Mapping[str, float]
    by_modality: Mapping[str, float]
    chance_rank: float
    item: Mapping[str, Any]


@dataclass(frozen=True)
class Result:
    """One page of answers out of ``candidates``; ``notes`` are sentences to show with it.

    ``approximate`` says that an index proposed the answers and may have missed some.
    """

    find: str
    candidates: int
    chance_rank: float
    offset: int
    answers: tuple[Answer, ...]
    notes: tuple[str, ...] = ()
    approximate: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return the result as what JSON can hold; the items are not copied."""
        return vars(self) | {"answers": [dict(vars(answer)) for answer in self.answers]}


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
            return self.search_within(snapshot, queries)

    def search_within(self, snapshot: Snapshot, queries: Sequence[Query]) -> list[Result]:
        """Return the asked pages of many queries from a state of the store; see `search_all`."""
        embedder = self.embedder(snapshot)
        features = features_of(queries, embedder, snapshot)
        asked = [comparisons(query, embedder.description, snapshot) for query in queries]
        rows = rows_of(asked, features, embedder)
        rankings = [
            _ranking(query, own, embedded)
            for query, own, embedded in zip(queries, asked, rows, strict=True)
        ]
        found = snapshot.rank(rankings)
        items = _items_of(snapshot, rankings, found)
        return [
            _result(ranking, hits, items[ranking.find], _notes(own))
            for ranking, hits, own in zip(rankings, found, asked, strict=True)
        ]

    def embedder(self, snapshot: Snapshot) -> Embedder:
        """Return what embeds a query for a state of the store; it is kept for the next one."""
        with self._loading:
            held = self._embedder
            if held is None or held.description != snapshot.description:
                held = Embedder(snapshot.model(), snapshot.description)
                self._embedder = held
            return held


def _ranking(query: Query, asked: Sequence[Comparison], rows: Sequence[Vectors]) -> Ranking:
    probes = [
        Probe(one.modality, one.side, one.weighed(row)[0])
        for one, row in zip(asked, rows, strict=True)
    ]
    return ranking_of(query, probes)


def _notes(asked: Sequence[Comparison]) -> tuple[str, ...]:
    """Return what is to be said of a query, each sentence once."""
    notes = (
        f"the run gives style no weight for {' and '.join(one.layout.pair)}, so that nobody sees "
        "these differently"
        for one in asked
        if one.style is not None and not one.weights[STYLE]
    )
    return tuple(dict.fromkeys(notes))


def parts_of(hit: Hit) -> dict[str, float]:
    """Return the parts of a score by their names, over all modalities of the query."""
    parts: dict[str, float] = {}
    for own in hit.parts.values():
        for name, value in own.items():
            parts[name] = parts.get(name, 0.0) + value
    return parts


def _result(
    ranking: Ranking, hits: Hits, items: dict[int, dict[str, Any]], notes: tuple[str, ...]
) -> Result:
    chance = (hits.candidates + 1) / 2
    answers = []
    for place, hit in enumerate(hits.hits):
        by_modality = {modality: sum(own.values()) for modality, own in hit.parts.items()}
        answers.append(
            Answer(
                ranking.offset + place + 1,
                hit.number,
                hit.score,
                parts_of(hit),
                by_modality,
                chance,
                items[hit.number],
            )
        )
    return Result(
        ranking.find,
        hits.candidates,
        chance,
        ranking.offset,
        tuple(answers),
        notes,
        hits.is_approximate,
    )


def _items_of(
    snapshot: Snapshot, rankings: Sequence[Ranking], found: Sequence[Hits]
) -> dict[str, dict[int, dict[str, Any]]]:
    """Return what answers any of the rankings, by what is found and its number, read at once."""
    numbers: dict[str, set[int]] = {}
    for ranking, hits in zip(rankings, found, strict=True):
        numbers.setdefault(ranking.find, set()).update(hit.number for hit in hits.hits)
    return {find: _items(snapshot, find, sorted(own)) for find, own in numbers.items()}


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
