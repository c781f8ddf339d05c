"""Bags of terms and their tf-idf weights; the vocabulary comes from training items alone."""

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np
from scipy.sparse import csr_array

from beholder.features.encoder import Statistics

Bag = Mapping[str, float]


def fit_vocabulary(bags: Iterable[Bag], minimum_items: int, most: int) -> Statistics:
    """Return the terms found in at least ``minimum_items`` bags, the ``most`` commonest, with idf.

    idf is log((1 + n) / (1 + items with the term)) + 1, as scikit-learn smooths it.
    """
    items: Counter[str] = Counter()
    count = 0
    for bag in bags:
        items.update(bag.keys())
        count += 1
    kept = sorted(
        (term for term, number in items.items() if number >= minimum_items),
        key=lambda term: (-items[term], term),
    )[:most]
    idf = np.array([np.log((1 + count) / (1 + items[term])) + 1 for term in kept])
    return Statistics({"idf": idf.astype(np.float32)}, tuple(kept))


def weigh(bags: Iterable[Bag], statistics: Statistics) -> csr_array:
    """Return tf-idf rows of length 1 with tf = log(1 + weight), shape (n, vocabulary).

    Terms outside the vocabulary are left out; a bag without a known term is a row of zeros.
    """
    place = {term: number for number, term in enumerate(statistics.vocabulary)}
    # Compact arrays, for a hundred thousand texts have tens of millions of pieces.
    columns, values, offsets = array("i"), array("f"), array("q", [0])
    for bag in bags:
        for term, weight in bag.items():
            if (column := place.get(term)) is not None:
                columns.append(column)
                values.append(weight)
        offsets.append(len(columns))
    count = len(offsets) - 1
    index = np.array(columns, dtype=np.int32)
    data = np.log1p(np.array(values, dtype=np.float32)) * statistics.arrays["idf"][index]
    rows = np.repeat(np.arange(count), np.diff(offsets))
    length = np.sqrt(np.bincount(rows, weights=data**2, minlength=count))
    data = data / length[rows]
    return csr_array((data.astype(np.float32), index, np.array(offsets)), shape=(count, len(place)))
