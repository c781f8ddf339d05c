"""Approximate indexes beside a store's file: hierarchical navigable small worlds.

Malkov and Yashunin, IEEE TPAMI 2018, as in FAISS. Their files are a cache of one generation: a
writing removes them before it takes effect, and a store without them answers exactly.
"""

import importlib
import importlib.util
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from beholder import atomic
from beholder.errors import UnsupportedError
from beholder.progress import Progress, silent
from beholder.retrieval.embedded import exact
from beholder.retrieval.embedded.contents import Contents
from beholder.retrieval.layout import Side
from beholder.retrieval.proposals import (
    LEAST_EXAMINED,
    LEAST_ROWS,
    chosen,
    is_for_index,
    judged,
    proposed,
    questions,
)
from beholder.retrieval.store import Hits, Ranking

FOLDER = "index"

_NEIGHBOURS, _EFFORT = 32, 80  # of the graph, and how hard it is made
_ROWS_AN_EXAMINED = 32
"""How many rows a pass over all of them reads, at least, while a graph examines one item."""


@dataclass(frozen=True)
class Index:
    """The graph of one side, how many items it examines for a query, and its recall then."""

    graph: Any
    examined: int
    recall: float

    def pays(self, rankings: int) -> bool:
        """Tell whether so many rankings, which would share a pass, are sooner found here."""
        return rankings <= _most_examined(self.graph.ntotal) // self.examined

    def rank(self, contents: Contents, ranking: Ranking) -> Hits | None:
        """Return a ranking's page, or None if it lies too far."""
        (probe,) = ranking.probes
        wanted = proposed(ranking)
        examined = max(self.examined, wanted)
        if examined > _most_examined(self.graph.ntotal):
            return None
        query = contents.description.layout(probe.side).combined_query(probe.vector)
        settings = _faiss().SearchParametersHNSW(efSearch=examined)
        _, (rows,) = self.graph.search(query[None, :], wanted, params=settings)
        rows = np.sort(rows[rows >= 0])
        if len(rows) < ranking.offset + ranking.top:
            return None
        return replace(exact.rank_near(contents, ranking, rows), is_approximate=True)


@dataclass(frozen=True)
class Indexes:
    """The indexes of one generation, by side."""

    by_side: Mapping[str, Index]

    def rank(self, contents: Contents, rankings: Sequence[Ranking]) -> dict[int, Hits]:
        """Return the pages that an index may find, and finds sooner, by the rankings' places."""
        by_side: dict[str, list[int]] = {}
        for place, ranking in enumerate(rankings):
            if is_for_index(ranking) and ranking.probes[0].side.name in self.by_side:
                by_side.setdefault(ranking.probes[0].side.name, []).append(place)
        found = {}
        for name, places in by_side.items():
            index = self.by_side[name]
            for place in places if index.pays(len(places)) else ():
                hits = index.rank(contents, rankings[place])
                if hits is not None:
                    found[place] = hits
        return found


def is_installed() -> bool:
    """Tell whether FAISS is there."""
    return importlib.util.find_spec("faiss") is not None


def build(
    contents: Contents, path: Path, progress: Progress = silent, least_rows: int = LEAST_ROWS
) -> dict[str, float]:
    """Write an index of every side of at least so many rows; return each one's recall.

    An index that would have to examine so much that it does not pay is not kept. Raises
    UnsupportedError where FAISS is missing.
    """
    if not is_installed():
        raise UnsupportedError(
            "an approximate index needs FAISS: pip install 'beholder[approximate]'"
        )
    remove(path)
    kept = {}
    sides = [
        side
        for side in contents.description.sides
        if len(contents.matrices[side.name].rows) >= least_rows
    ]
    for side in progress(sides, "building indexes", len(sides)):
        index = _built(contents, side)
        if index is not None:
            kept[side.name] = index
            file = _file(path, contents, side)
            file.parent.mkdir(exist_ok=True)
            atomic.write_bytes(file, _faiss().serialize_index(index.graph).tobytes())
    if kept:
        facts = {name: [index.examined, index.recall] for name, index in kept.items()}
        atomic.write_text(_facts_file(path, contents), json.dumps(facts))
    return {name: index.recall for name, index in kept.items()}


def load(contents: Contents, path: Path) -> Indexes:
    """Return the indexes of this very generation that are there and whole."""
    by_side = {}
    facts = _facts(_facts_file(path, contents))
    for side in contents.description.sides:
        file = _file(path, contents, side)
        if side.name in facts and file.is_file() and is_installed():
            try:
                graph = _faiss().deserialize_index(np.fromfile(file, np.uint8))
            except (RuntimeError, OSError):
                continue  # a cache that cannot be read, or has just gone, costs time alone
            if graph.ntotal == len(contents.matrices[side.name].rows):
                by_side[side.name] = Index(graph, *facts[side.name])
    return Indexes(by_side)


def remove(path: Path) -> bool:
    """Remove all indexes of a store; return whether there were any."""
    were = (path / FOLDER).is_dir()
    if were:
        shutil.rmtree(path / FOLDER)
    return were


def _faiss() -> Any:
    """Return FAISS, whose names its own stubs do not all know."""
    return importlib.import_module("faiss")


def _most_examined(rows: int) -> int:
    """Return how many items an index of so many rows may examine: beyond, a pass is sooner."""
    return max(LEAST_EXAMINED, rows // _ROWS_AN_EXAMINED)


def _built(contents: Contents, side: Side) -> Index | None:
    faiss, rows = _faiss(), contents.matrices[side.name].rows
    vectors = contents.description.layout(side).combined(rows)
    graph = faiss.IndexHNSWFlat(vectors.shape[1], _NEIGHBOURS, faiss.METRIC_INNER_PRODUCT)
    graph.hnsw.efConstruction = _EFFORT
    graph.add(vectors)

    def ask(examined: int, asked: Sequence[Ranking]) -> list[Hits]:
        index = Index(graph, examined, 0.0)
        return [index.rank(contents, one) or exact.rank(contents, [one], "")[0] for one in asked]

    other = contents.matrices[side.other.name].rows
    asked = questions(contents.description, side, other[judged(len(other))])
    found = chosen(
        ask, lambda asked: exact.rank(contents, asked, ""), asked, _most_examined(len(rows))
    )
    return None if found is None else Index(graph, *found)


def _facts(file: Path) -> dict[str, tuple[int, float]]:
    """Return how many items each index examines, and its recall, by side."""
    try:
        facts = json.loads(file.read_text())
        return {name: (int(examined), float(recall)) for name, (examined, recall) in facts.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}  # it has just gone, or was never made, or not like this


def _facts_file(path: Path, contents: Contents) -> Path:
    return path / FOLDER / f"indexes.{contents.generation}.json"


def _file(path: Path, contents: Contents, side: Side) -> Path:
    name = side.name.replace("/", ".")
    return path / FOLDER / f"{name}.{contents.generation}.faiss"
