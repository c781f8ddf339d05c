"""A query becomes probes: what is given is embedded, weighed, and compared side by side.

A modality of the query is compared with each modality of what is to be found for which the
run has a network. A `Comparison` is one of these: it turns features of the query's modality
into the vectors whose inner products with the rows of a side are scores.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from beholder.errors import ConfigurationError, UnsupportedError
from beholder.features import Grid, Surveys, Viewings
from beholder.retrieval.embedder import Embedder
from beholder.retrieval.layout import Description, PairLayout, Side, Vectors
from beholder.retrieval.pictures import grid_of
from beholder.retrieval.query import Query
from beholder.retrieval.store import TARGETS, Probe, Ranking, Snapshot
from beholder.study.survey import parse_instrument

STYLE = "style"


@dataclass(frozen=True)
class Comparison:
    """A query's ``modality`` beside the rows of one side, in the network of its pair.

    ``weights`` are those of the spaces here; ``style`` (dimensions,) is the embedding that
    takes the place of the query's own in the style space, if somebody's eyes are borrowed.
    """

    modality: str
    layout: PairLayout
    target: str
    weights: Mapping[str, float]
    is_between: bool  # two modalities, so that manner and popularity count
    style: Vectors | None

    @property
    def side(self) -> Side:
        """The rows that are compared with."""
        return self.layout.side(self.target)

    def vectors(self, embedder: Embedder, features: Vectors) -> Vectors:
        """Return what items of the query's modality are asked with, (n, width), by features."""
        return self.weighed(embedder.rows(self.layout.side(self.modality), features))

    def weighed(self, rows: Vectors) -> Vectors:
        """Return what items are asked with, (n, width), by their rows (n, width)."""
        if self.style is not None:
            rows = rows.copy()
            rows[:, self.layout.block(STYLE)] = self.style
        return self.layout.asked(rows, self.weights, between=self.is_between)


def comparisons(query: Query, description: Description, snapshot: Snapshot) -> list[Comparison]:
    """Return all that a query is compared with, modality by modality.

    Raises UnsupportedError for what the run was not trained for, StoreError for a person
    that is not there.
    """
    if query.find not in TARGETS:
        raise ConfigurationError(f"cannot find {query.find!r}, only {', '.join(TARGETS)}")
    if query.seen_as is not None and query.find == "participants":
        raise ConfigurationError(
            "participants are found by their style, which a search as someone replaces: ask "
            "for one of the two"
        )
    found = []
    for modality in query.modalities:
        for layout, target in _compared(modality, query.find, description):
            style = None
            if query.seen_as is not None:
                style = _style_of(query.seen_as, layout, modality, snapshot)
            # Popularity is of items among queries of the other modality, not of people or images.
            between = modality != target and query.find not in ("participants", "images")
            weights = _weights(query.find, layout)
            found.append(Comparison(modality, layout, target, weights, between, style))
    return found


def rows_of(
    asked: Sequence[Sequence[Comparison]],
    features: Sequence[Mapping[str, Vectors]],
    embedder: Embedder,
) -> list[list[Vectors]]:
    """Return the row (1, width) of each comparison of each query, by the queries' features.

    What is embedded by the same towers is embedded at once, and only once.
    """
    together: dict[Side, dict[int, None]] = {}
    for place, own in enumerate(asked):
        for one in own:
            together.setdefault(one.layout.side(one.modality), {})[place] = None
    rows: dict[tuple[int, Side], Vectors] = {}
    for side, places in together.items():
        given = np.concatenate([features[place][side.modality] for place in places])
        for place, row in zip(places, embedder.rows(side, given), strict=True):
            rows[place, side] = row[None, :]
    return [
        [rows[place, one.layout.side(one.modality)] for one in own]
        for place, own in enumerate(asked)
    ]


def ranking_of(query: Query, probes: Sequence[Probe]) -> Ranking:
    """Return what a store is asked for a query."""
    return Ranking(
        query.find,
        tuple(probes),
        query.shares,
        query.filters,
        query.top,
        query.offset,
        query.approximate,
    )


def features_of(
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
            inputs = _inputs(modality, [queries[place] for place in own], embedder, snapshot)
            for place, row in zip(own, embedder.encode(modality, inputs), strict=True):
                features[place][modality] = row[None, :]
    return features


def _inputs(modality: str, queries: Sequence[Query], embedder: Embedder, snapshot: Snapshot) -> Any:
    description = embedder.description
    if modality == "text":
        return [query.text for query in queries]
    if modality == "personality":
        if description.instrument is None:
            raise UnsupportedError("the study of this store has no survey instrument")
        instrument = parse_instrument(description.instrument)
        answers = [instrument.validate([query.personality or ()])[0] for query in queries]
        return Surveys(np.array(answers, dtype=float), instrument)
    images = list(dict.fromkeys(query.image for query in queries))
    seen = [shown(image, snapshot, embedder.grid) for image in images]
    return Viewings(
        [query.gaze for query in queries if query.gaze is not None],
        np.array([images.index(query.image) for query in queries]),
        np.stack([grid for grid, _ in seen]),
        np.array([aspect for _, aspect in seen]),
    )


def shown(image: str | Path | None, snapshot: Snapshot, grid: Grid) -> tuple[Vectors, float]:
    """Return what an image shows, a file or one of the store by name, and width / height."""
    if isinstance(image, Path):
        return grid_of(image, grid)
    record = snapshot.image(str(image))
    return record.grid, record.width / record.height


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


def _style_of(name: str, layout: PairLayout, modality: str, snapshot: Snapshot) -> Vectors:
    """Return the mean style of a person, (dimensions,), of length one."""
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
    return np.asarray(mean / max(np.linalg.norm(mean), 1e-12), np.float32)


def _weights(find: str, layout: PairLayout) -> Mapping[str, float]:
    """Return what the spaces weigh: people are found by their style, if the run has one."""
    if find == "participants" and STYLE in layout.weights:
        return {STYLE: 1.0}
    return layout.weights
