"""Maps as they are sent: made once for each state of the store, compressed, in the background."""

import gzip
import json
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from beholder.errors import StoreError
from beholder.retrieval.current import Current
from beholder.retrieval.projection import Projection, project
from beholder.retrieval.service.caching import etag_of
from beholder.retrieval.service.names import Names
from beholder.retrieval.service.refusals import RefusedError
from beholder.retrieval.store import Snapshot, Store

_LARGEST = 65_535
_LEVEL = 5  # of compression; more costs seconds and saves little


@dataclass(frozen=True)
class MadeMap:
    """A map as JSON, compressed, and what tells it from any other."""

    compressed: bytes
    etag: str

    def plain(self) -> bytes:
        """Return the JSON for those who cannot decompress."""
        return gzip.decompress(self.compressed)


class Maps:
    """The maps of the store's present state; those of earlier states are dropped."""

    def __init__(self, store: Store, names: Current[Names]) -> None:
        self._store, self._names = store, names
        self._pool = ThreadPoolExecutor(1, "map")
        self._lock = threading.Lock()
        self._generation = -1
        self._made: dict[tuple[str, str], Future[MadeMap]] = {}

    def of(self, generation: int, space: str, modality: str) -> "Future[MadeMap]":
        """Return the map of a state, which is made in the background when first asked for."""
        with self._lock:
            if generation != self._generation:
                self._made.clear()
                self._generation = generation
            held = self._made.get((space, modality))
            if held is None or (held.done() and held.exception() is not None):
                held = self._pool.submit(self._make, space, modality)
                self._made[space, modality] = held
            return held

    def stop(self) -> None:
        """End when the map that is being made is made."""
        self._pool.shutdown(cancel_futures=True)

    def _make(self, space: str, modality: str) -> MadeMap:
        with self._store.read() as snapshot:
            try:
                made = project(snapshot, space, modality)
            except StoreError as error:  # there is too little to be shown
                raise RefusedError("unsupported", str(error)) from error
            page = map_json(made, snapshot, self._names.of(snapshot))
        text = json.dumps(page, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        compressed = gzip.compress(text.encode(), _LEVEL, mtime=0)
        return MadeMap(compressed, etag_of(compressed))


def map_json(made: Projection, snapshot: Snapshot, names: Names) -> dict[str, Any]:
    """Return a projection in columns of small whole numbers."""
    catalogue = names.catalogue
    place = np.searchsorted(catalogue.samples, made.samples)
    part_of = {part: number for number, part in enumerate(names.parts)}
    points, people = (np.rint(one * _LARGEST).astype(int) for one in (made.points, made.people))
    error = np.nan_to_num(made.error, nan=-1.0)
    levels = np.where(error < 0, -1, np.rint(error * 255)).astype(int).tolist()
    return {
        "space": made.space,
        "modality": made.modality,
        "explained": [float(share) for share in made.explained],
        "generation": snapshot.generation,
        "samples": made.samples.tolist(),
        "x": points[:, 0].tolist(),
        "y": points[:, 1].tolist(),
        "participant": catalogue.participant[place].tolist(),
        "image": catalogue.image[place].tolist(),
        "part": [part_of.get(part, -1) for part in catalogue.parts[place].tolist()],
        "parts": list(names.parts),
        "error": [None if level < 0 else level for level in levels],
        "participants": [
            {"number": number, "name": person.name, "x": x, "y": y}
            | {"traits": None if person.traits is None else dict(person.traits)}
            for number, (x, y) in zip(made.participants.tolist(), people.tolist(), strict=True)
            for person in (names.person_by_number[number],)
        ],
        "images": {str(number): name for number, name in catalogue.images.items()},
    }
