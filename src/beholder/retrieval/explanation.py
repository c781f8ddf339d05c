"""Why an answer scores as it does: what each word, point, area or survey item brings.

A contribution is found by leaving one out: the thing is embedded again without the piece, and
the contribution is the score with it less the score without it. Such contributions need not
sum to the score, since pieces say the same thing twice, or something only together. The last
piece can be left out as well: encoders take an empty text, and a gaze that met nothing.

Of an answer's own pieces the popularity is held as it is: it belongs to the item that is found.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beholder.errors import StoreError
from beholder.retrieval.embedder import Embedder
from beholder.retrieval.layout import Side, Vectors
from beholder.retrieval.pieces import (
    InPieces,
    gaze_in_pieces,
    survey_in_pieces,
    text_in_pieces,
)
from beholder.retrieval.probes import Comparison, comparisons, features_of, ranking_of, shown
from beholder.retrieval.query import Query
from beholder.retrieval.records import SampleRecord, parse_gaze
from beholder.retrieval.search import Searcher, parts_of
from beholder.retrieval.store import Hit, Probe, Ranking, Snapshot
from beholder.study.gaze import Gaze, Points
from beholder.study.survey import parse_instrument

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Contribution:
    """What one piece brings: the score with it less the score without it.

    ``start`` and ``end`` are characters of a text, or places of points, of cells of a map (row
    by row) or of survey items, counted from 0; an area, with all its hits, has the place of
    the first. The label is what is written there, that of the area, the item's number from
    1 on, or empty.
    """

    start: int
    end: int
    label: str
    value: float


@dataclass(frozen=True)
class Explanation:
    """A score, its parts, and the contributions to it by modality.

    ``query`` has what was asked with, ``answer`` the answer's own text or gaze; people and
    images have none.
    """

    score: float
    parts: Mapping[str, float]
    query: Mapping[str, tuple[Contribution, ...]]
    answer: Mapping[str, tuple[Contribution, ...]]

    def as_json(self) -> dict[str, Any]:
        """Return the explanation as what JSON can hold."""
        return asdict(self)


def explain(searcher: Searcher, query: Query, number: int) -> Explanation:
    """Return why a sample, participant or image, by its number, answers a query as it does.

    The score and its parts are those of a search. Raises what a search raises, and StoreError
    where the number is none of the query's candidates.
    """
    with searcher.store.read() as snapshot:
        embedder = searcher.embedder(snapshot)
        (features,) = features_of([query], embedder, snapshot)
        compared = comparisons(query, embedder.description, snapshot)
        alone = _alone(query, number, snapshot)
        asked = [one.vectors(embedder, features[one.modality]) for one in compared]  # (1, width)
        hit = _hit(snapshot, alone, number, compared, asked)
        found = _mean_rows(snapshot, alone, number, compared)
        of_query = {}
        for modality in query.modalities:
            split = _query_in_pieces(query, modality, embedder, snapshot)
            without = embedder.encode(modality, split.without)  # (pieces + 1, features)
            values = _of_query(query, modality, without, compared, found, embedder)
            of_query[modality] = _contributions(split, values)
        of_answer = {}
        if query.find in ("text", "gaze"):
            sample = snapshot.samples([number])[number]
            split = _answer_in_pieces(query.find, sample, embedder, snapshot)
            rows = embedder.encode(query.find, split.without)  # (pieces + 1, features)
            values = _of_answer(query, rows, compared, asked, embedder)
            of_answer[query.find] = _contributions(split, values)
        return Explanation(hit.score, parts_of(hit), of_query, of_answer)


def _alone(query: Query, number: int, snapshot: Snapshot) -> Query:
    """Return the query with filters that leave a candidate and hardly anybody else."""
    participant = image = None
    if query.find == "images":
        image = next((one.name for one in snapshot.images([number]).values()), None)
    elif query.find in ("participants", "personality"):
        participant = next((one.name for one in snapshot.participants([number]).values()), None)
    elif sample := snapshot.samples([number]).get(number):
        participant, image = sample.participant, sample.image
    if participant is None and image is None:
        raise _no_candidate(query, number)
    filters = query.filters
    for names, name in ((filters.participants, participant), (filters.images, image)):
        if names and name is not None and name not in names:
            raise _no_candidate(query, number)
    filters = replace(
        filters,
        participants=filters.participants if participant is None else (participant,),
        images=filters.images if image is None else (image,),
    )
    top = max(1, sum(snapshot.counts().values()))
    return replace(query, filters=filters, top=top, offset=0, approximate=False)


def _hit(
    snapshot: Snapshot,
    alone: Query,
    number: int,
    compared: Sequence[Comparison],
    asked: Sequence[Vectors],
) -> Hit:
    """Return the candidate's score as a search gives it, or raise StoreError."""
    probes = [
        Probe(one.modality, one.side, vector[0])
        for one, vector in zip(compared, asked, strict=True)
    ]
    (hits,) = snapshot.rank([ranking_of(alone, probes)])
    for hit in hits.hits:
        if hit.number == number:
            return hit
    raise _no_candidate(alone, number)


def _mean_rows(
    snapshot: Snapshot, alone: Query, number: int, compared: Sequence[Comparison]
) -> dict[Side, Floats]:
    """Return the mean (width,) of the candidate's rows that pass the filters, by their side.

    A score is the inner product with it, so that a search is needed for no piece.
    """
    means = {}
    for side in dict.fromkeys(one.side for one in compared):
        own = [number]
        if alone.find in ("participants", "images"):
            # Whatever is asked for, all that passes answers.
            width = snapshot.description.layout(side).width
            probe = Probe(side.modality, side, np.zeros(width, np.float32))
            weights = {side.modality: 1.0}
            ranking = Ranking(side.modality, (probe,), weights, alone.filters, alone.top)
            (hits,) = snapshot.rank([ranking])
            own = sorted(hit.number for hit in hits.hits)
        if own:
            means[side] = snapshot.rows(side, own).astype(np.float64).mean(axis=0)
    return means


def _no_candidate(query: Query, number: int) -> StoreError:
    kinds = {"images": "image", "participants": "participant", "personality": "participant"}
    kind = kinds.get(query.find, "sample")
    return StoreError(f"no {kind} of the number {number} can answer this query for {query.find}")


def _query_in_pieces(
    query: Query, modality: str, embedder: Embedder, snapshot: Snapshot
) -> InPieces:
    if query.text is not None and modality == "text":
        return text_in_pieces(query.text)
    if query.gaze is not None and modality == "gaze":
        return gaze_in_pieces(query.gaze, *shown(query.image, snapshot, embedder.grid))
    instrument = parse_instrument(embedder.description.instrument or "")
    return survey_in_pieces(
        query.personality or (), embedder.typical_answers(instrument), instrument
    )


def _answer_in_pieces(
    modality: str, sample: SampleRecord, embedder: Embedder, snapshot: Snapshot
) -> InPieces:
    if modality == "text":
        return text_in_pieces(sample.text or "")
    return gaze_in_pieces(_gaze_of(sample), *shown(sample.image, snapshot, embedder.grid))


def _gaze_of(sample: SampleRecord) -> Gaze:
    """Return the gaze of a sample, whose points may miss the image or have no time.

    A sample of which no gaze is kept has one without a point.
    """
    record = sample.gaze or {"form": "points", "x": [], "y": []}
    if record["form"] != "points":
        return parse_gaze(record, f"the gaze of sample {sample.number}")
    columns = {
        name: np.array(record[name], dtype=float)
        for name in ("x", "y", "time", "duration")
        if record.get(name) is not None
    }
    return Points(**columns)


def _of_query(
    query: Query,
    modality: str,
    features: Vectors,
    compared: Sequence[Comparison],
    found: Mapping[Side, Floats],
    embedder: Embedder,
) -> Floats:
    """Return what the pieces of a query bring, (n,), by features of it without each, and whole.

    The features have shape (n + 1, width).
    """
    known = [one for one in compared if one.modality == modality and one.side in found]
    scores = np.zeros(len(features))
    for one in known:
        scores += one.vectors(embedder, features).astype(np.float64) @ found[one.side]  # (n + 1,)
    brought: Floats = query.shares[modality] / len(known) * (scores[-1] - scores[:-1])
    return brought


def _of_answer(
    query: Query,
    features: Vectors,
    compared: Sequence[Comparison],
    asked: Sequence[Vectors],
    embedder: Embedder,
) -> Floats:
    """Return what the pieces of an answer bring, (n,), by features of it without each, and whole.

    The features have shape (n + 1, width).
    """
    values = np.zeros(len(features) - 1)
    for one, vector in zip(compared, asked, strict=True):
        rows = embedder.rows(one.side, features)[:, :-1].astype(np.float64)  # without popularity
        scores = rows @ vector[0, :-1].astype(np.float64)  # (n + 1,)
        values += query.shares[one.modality] * (scores[-1] - scores[:-1])
    return values


def _contributions(split: InPieces, values: Floats) -> tuple[Contribution, ...]:
    return tuple(
        Contribution(piece.start, piece.end, piece.label, value)
        for piece, value in zip(split.pieces, values.tolist(), strict=True)
    )
