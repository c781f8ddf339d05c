"""What a run was fitted on, read back from the store: a store does without the run."""

import numpy as np

from beholder.errors import StoreError
from beholder.model.combination import combine
from beholder.model.combining import TAUGHT
from beholder.model.configuration import COMBINED
from beholder.model.popularity import MOST_KNOWN
from beholder.retrieval.layout import PairLayout, Vectors
from beholder.retrieval.store import Snapshot


def known_items(snapshot: Snapshot, layout: PairLayout, modality: str) -> Vectors | None:
    """Return what an item of a modality is popular with, shape (m, d), or None if with nothing.

    They are the combination's embeddings, of the pair's other modality, of the samples that
    taught the run, those that a run keeps for this. The methods of one space take no popularity
    off. Samples that left the store are missed; StoreError if none is left.
    """
    if snapshot.description.method not in COMBINED:
        return None
    catalogue = snapshot.catalogue()
    taught = np.array([part in TAUGHT for part in catalogue.parts], dtype=bool)
    rows = {}
    for one in layout.pair:
        numbers, vectors = snapshot.vectors(layout.side(one))
        owners = catalogue.participant if one == "personality" else catalogue.samples
        taught &= np.isin(owners, numbers)
        rows[one] = owners, numbers, vectors
    places = np.flatnonzero(taught)
    if not len(places):
        raise StoreError(
            f"the store holds none of the samples that the run {snapshot.description.run} was "
            "fitted on: how popular a new item is cannot be known"
        )
    places = places[:: -(-len(places) // MOST_KNOWN)]
    owners, numbers, vectors = rows[next(one for one in layout.pair if one != modality)]
    chosen = vectors[np.searchsorted(numbers, owners[places])]
    return combine(
        {space: chosen[:, layout.block(space)] for space in layout.weights}, layout.weights
    )
