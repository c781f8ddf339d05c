"""Approximate indexes beside a store's file: hierarchical navigable small worlds.

Malkov and Yashunin, IEEE TPAMI 2018, as in FAISS. An index only proposes who may be first; the
scores are always computed from the vectors. Its files are a cache of one generation: a store
without them, or with those of another generation, answers exactly.
"""

import importlib
import importlib.util
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from beholder import atomic
from beholder.errors import UnsupportedError
from beholder.progress import Progress, silent
from beholder.retrieval.embedded.contents import Contents, Numbers
from beholder.retrieval.layout import Side
from beholder.retrieval.store import Probe, Ranking

FOLDER = "index"

LEAST_ROWS = 50_000
"""Below this exact answers are quick enough: one of 100,000 rows took some 16 ms of processor."""

_NEIGHBOURS, _EFFORT = 32, 80  # of the graph, and how hard it is made
_MOST_EXAMINED = 2000
_EXAMINED, _PER_ANSWER = 200, 4  # at least, and for each answer asked for
_JUDGED, _TOP = 100, 10  # queries that the recall is measured with, and its depth


@dataclass(frozen=True)
class Indexes:
    """The indexes of one generation, by side."""

    by_side: dict[str, Any]

    def near(self, contents: Contents, ranking: Ranking) -> Numbers | None:
        """Return the rows that may be first, or None where only an exact ranking will do.

        That is so for filters, several probes, people, images, far pages, and weights that
        are not the run's.
        """
        last = ranking.offset + ranking.top
        if len(ranking.probes) != 1 or ranking.find in ("participants", "images"):
            return None
        (probe,) = ranking.probes
        examined = max(_EXAMINED, _PER_ANSWER * last)
        if (
            probe.side.name not in self.by_side
            or ranking.filters != type(ranking.filters)()
            or examined > _MOST_EXAMINED
        ):
            return None
        found = _search(self.by_side[probe.side.name], contents, probe, examined)
        return found if len(found) >= last else None


def is_installed() -> bool:
    """Tell whether FAISS is there."""
    return importlib.util.find_spec("faiss") is not None


def build(
    contents: Contents, path: Path, progress: Progress = silent, least_rows: int = LEAST_ROWS
) -> dict[str, float]:
    """Write an index of every side of at least so many rows; return each one's recall.

    The recall is the share of the exact first ten that the index finds too, asked with rows of
    the pair's other side. Raises UnsupportedError where FAISS is missing.
    """
    if not is_installed():
        raise UnsupportedError(
            "an approximate index needs FAISS: pip install 'beholder[approximate]'"
        )
    remove(path)
    faiss, recalls = _faiss(), {}
    sides = [
        side
        for side in contents.description.sides
        if len(contents.matrices[side.name].rows) >= least_rows
    ]
    for side in progress(sides, "building indexes", len(sides)):
        layout = contents.description.layout(side)
        vectors = layout.combined(contents.matrices[side.name].rows)
        index = faiss.IndexHNSWFlat(vectors.shape[1], _NEIGHBOURS, faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction = _EFFORT
        index.add(vectors)
        recalls[side.name] = _recall(index, contents, side)
        file = _file(path, contents, side)
        file.parent.mkdir(exist_ok=True)
        atomic.write_bytes(file, faiss.serialize_index(index).tobytes())
    return recalls


def load(contents: Contents, path: Path) -> Indexes:
    """Return the indexes of this very generation that are there and whole."""
    by_side = {}
    for side in contents.description.sides:
        file = _file(path, contents, side)
        if file.is_file() and is_installed():
            try:
                index = _faiss().deserialize_index(np.fromfile(file, np.uint8))
            except (RuntimeError, OSError):
                continue  # a cache that cannot be read, or has just gone, costs time alone
            if index.ntotal == len(contents.matrices[side.name].rows):
                by_side[side.name] = index
    return Indexes(by_side)


def remove(path: Path) -> bool:
    """Remove all indexes of a store; return whether there were any."""
    were = (path / FOLDER).is_dir()
    shutil.rmtree(path / FOLDER, ignore_errors=True)
    return were


def _faiss() -> Any:
    """Return FAISS, whose names its own stubs do not all know."""
    return importlib.import_module("faiss")


def _search(index: Any, contents: Contents, probe: Probe, examined: int) -> Numbers:
    query = contents.description.layout(probe.side).combined_query(probe.vector)
    settings = _faiss().SearchParametersHNSW(efSearch=examined)
    _, rows = index.search(query[None, :], examined, params=settings)
    return np.sort(rows[0][rows[0] >= 0])


def _recall(index: Any, contents: Contents, side: Side) -> float:
    layout = contents.description.layout(side)
    other = next(one for one in side.pair if one != side.modality)
    asked = contents.matrices[layout.side(other).name].rows
    step = max(1, len(asked) // _JUDGED)
    rows = contents.matrices[side.name].rows
    shares = []
    for query in asked[::step]:
        vector = np.zeros_like(query)
        for space, weight in layout.weights.items():
            vector[layout.block(space)] = weight * query[layout.block(space)]
        vector[-1] = 1
        best = np.argsort(-(rows @ vector), kind="stable")[:_TOP]
        found = _search(index, contents, Probe(other, side, vector), _EXAMINED)
        shares.append(np.isin(best, found).mean())
    return float(np.mean(shares)) if shares else 1.0


def _file(path: Path, contents: Contents, side: Side) -> Path:
    name = side.name.replace("/", ".")
    return path / FOLDER / f"{name}.{contents.generation}.faiss"
