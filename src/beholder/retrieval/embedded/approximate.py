"""Approximate indexes beside a store's file: hierarchical navigable small worlds.

Malkov and Yashunin, IEEE TPAMI 2018, as in FAISS. Their files are a cache of one generation: a
writing removes them before it takes effect, and a store without them answers exactly.
"""

import importlib
import importlib.util
import json
import shutil
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
from beholder.retrieval.proposals import LEAST_ROWS, examined, judged, questions, recall
from beholder.retrieval.scoring import Numbers
from beholder.retrieval.store import Hits, Probe, Ranking

FOLDER = "index"

_NEIGHBOURS, _EFFORT = 32, 80  # of the graph, and how hard it is made
_MOST_EXAMINED = 2000


@dataclass(frozen=True)
class Indexes:
    """The indexes of one generation, and the recall of each, by side."""

    by_side: dict[str, Any]
    recalls: dict[str, float]

    def rank(self, contents: Contents, ranking: Ranking) -> Hits | None:
        """Return a ranking's page, or None where only an exact ranking will do."""
        wanted = examined(ranking, _MOST_EXAMINED)
        if wanted is None or ranking.probes[0].side.name not in self.by_side:
            return None
        (probe,) = ranking.probes
        found = _search(self.by_side[probe.side.name], contents, probe, wanted)
        if len(found) < ranking.offset + ranking.top:
            return None
        return replace(exact.rank_near(contents, ranking, found), is_approximate=True)


def is_installed() -> bool:
    """Tell whether FAISS is there."""
    return importlib.util.find_spec("faiss") is not None


def build(
    contents: Contents, path: Path, progress: Progress = silent, least_rows: int = LEAST_ROWS
) -> dict[str, float]:
    """Write an index of every side of at least so many rows; return each one's recall.

    It is the share of the exact first ten that are found too, asked with rows of the pair's
    other side. Raises UnsupportedError where FAISS is missing.
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
    if recalls:
        atomic.write_text(_recalls_file(path, contents), json.dumps(recalls))
    return recalls


def load(contents: Contents, path: Path) -> Indexes:
    """Return the indexes of this very generation that are there and whole."""
    by_side = {}
    recalls = _recalls(_recalls_file(path, contents))
    for side in contents.description.sides:
        file = _file(path, contents, side)
        if side.name in recalls and file.is_file() and is_installed():
            try:
                index = _faiss().deserialize_index(np.fromfile(file, np.uint8))
            except (RuntimeError, OSError):
                continue  # a cache that cannot be read, or has just gone, costs time alone
            if index.ntotal == len(contents.matrices[side.name].rows):
                by_side[side.name] = index
    return Indexes(by_side, {name: recalls[name] for name in by_side})


def remove(path: Path) -> bool:
    """Remove all indexes of a store; return whether there were any."""
    were = (path / FOLDER).is_dir()
    if were:
        shutil.rmtree(path / FOLDER)
    return were


def _faiss() -> Any:
    """Return FAISS, whose names its own stubs do not all know."""
    return importlib.import_module("faiss")


def _search(index: Any, contents: Contents, probe: Probe, wanted: int) -> Numbers:
    query = contents.description.layout(probe.side).combined_query(probe.vector)
    settings = _faiss().SearchParametersHNSW(efSearch=wanted)
    _, rows = index.search(query[None, :], wanted, params=settings)
    return np.sort(rows[0][rows[0] >= 0])


def _recall(index: Any, contents: Contents, side: Side) -> float:
    other = next(one for one in side.pair if one != side.modality)
    rows = contents.matrices[Side(side.pair, other).name].rows
    asked = questions(contents.description, side, rows[judged(len(rows))])
    indexes = Indexes({side.name: index}, {})
    exactly = exact.rank(contents, asked, "")
    found = [indexes.rank(contents, one) or sure for one, sure in zip(asked, exactly, strict=True)]
    return recall(exactly, found)


def _recalls(file: Path) -> dict[str, float]:
    try:
        return dict(json.loads(file.read_text()))
    except (OSError, ValueError):
        return {}  # it has just gone, or was never made


def _recalls_file(path: Path, contents: Contents) -> Path:
    return path / FOLDER / f"recalls.{contents.generation}.json"


def _file(path: Path, contents: Contents, side: Side) -> Path:
    name = side.name.replace("/", ".")
    return path / FOLDER / f"{name}.{contents.generation}.faiss"
