"""Exact ranking in memory: fast inner products find who may be first, exact ones order them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from beholder.retrieval.embedded.contents import Contents, Flags, Matrix
from beholder.retrieval.scoring import SLACK, Compared, Floats, Numbers, page
from beholder.retrieval.store import Filters, Hits, Probe, Ranking

_SCORES_AT_ONCE = 1 << 24  # 64 MiB of float32
_GROUP = 64  # products that are compared by their maximum
_FEW, _MANY = 5, 16  # queries between which a product of matrices is slow


@dataclass(frozen=True)
class _Field:
    """Who may answer: the rows of a side that match, and the candidate that each belongs to."""

    matrix: Matrix
    rows: Numbers  # (m,) ascending
    candidate: Numbers  # (m,) the place of each row's candidate
    has_own_rows: bool  # whether no two rows belong to one candidate

    def products(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the inner products of queries (q, width) with the rows, shape (q, m)."""
        every = self.matrix.rows
        if len(self.rows) == len(every):
            return _products(vectors, every)
        if 2 * len(self.rows) > len(every):  # cheaper than a copy of the rows
            return _products(vectors, every)[:, self.rows]
        return _products(vectors, every[self.rows])

    def means(self, products: NDArray[np.float32], count: int) -> tuple[Floats, Flags]:
        """Return every candidate's mean product, and which have one, each (count,)."""
        if self.has_own_rows:
            values, present = np.zeros(count), np.zeros(count, bool)
            values[self.candidate], present[self.candidate] = products, True
            return values, present
        rows = np.bincount(self.candidate, minlength=count)
        sums = np.bincount(self.candidate, products, minlength=count)
        return sums / np.maximum(rows, 1), rows > 0


def rank(contents: Contents, rankings: Sequence[Ranking], where: str) -> list[Hits]:
    """Return the page of each ranking; those that differ only in their vectors go together."""
    together: dict[tuple[object, ...], list[int]] = {}
    for place, ranking in enumerate(rankings):
        sides = tuple((probe.modality, probe.side) for probe in ranking.probes)
        together.setdefault((ranking.find, ranking.filters, sides), []).append(place)
    found: dict[int, Hits] = {}
    for places in together.values():
        first = rankings[places[0]]
        fields = _fields(contents, first.find, first.filters, first.probes, where)
        most = max((len(field.rows) for field in fields), default=0)
        step = max(1, _SCORES_AT_ONCE // max(1, most))
        for start in range(0, len(places), step):
            block = places[start : start + step]
            batch = [rankings[place] for place in block]
            found |= dict(zip(block, _rank_batch(contents, batch, fields), strict=True))
    return [found[place] for place in range(len(rankings))]


def _fields(
    contents: Contents, find: str, filters: Filters, probes: Sequence[Probe], where: str
) -> list[_Field]:
    samples, people = contents.chosen(filters, where)
    fields = []
    for probe in probes:
        matrix = contents.matrices[probe.side.name]
        is_survey = probe.side.modality == "personality"
        matches = (people if is_survey else samples)[matrix.place]
        candidate = matrix.place
        if not is_survey and find in ("participants", "images"):
            owner = contents.person if find == "participants" else contents.image
            candidate = owner[matrix.place]
        rows = np.flatnonzero(matches & (candidate >= 0))
        has_own_rows = is_survey or find not in ("participants", "images")
        fields.append(_Field(matrix, rows, candidate[rows], has_own_rows))
    return fields


def _numbers_of(contents: Contents, find: str) -> Numbers:
    """Return the numbers of all that could be candidates, by their places."""
    if find in ("participants", "personality"):
        return contents.people
    return contents.images if find == "images" else contents.samples


def _rank_batch(contents: Contents, batch: list[Ranking], fields: list[_Field]) -> list[Hits]:
    numbers = _numbers_of(contents, batch[0].find)
    products = [
        field.products(np.stack([ranking.probes[place].vector for ranking in batch]))
        for place, field in enumerate(fields)
    ]
    return [
        _rank_one(contents, ranking, fields, [own[query] for own in products], numbers)
        for query, ranking in enumerate(batch)
    ]


def _rank_one(
    contents: Contents,
    ranking: Ranking,
    fields: list[_Field],
    products: list[NDArray[np.float32]],
    numbers: Numbers,
) -> Hits:
    if len(fields) == 1 and fields[0].has_own_rows:
        return _rank_rows(contents, ranking, fields[0], products[0], numbers)
    total = np.zeros(len(numbers))
    candidates = np.ones(len(numbers), bool)
    for modality, weight in ranking.weights.items():
        own = [place for place, probe in enumerate(ranking.probes) if probe.modality == modality]
        sums, known = np.zeros(len(numbers)), np.zeros(len(numbers), np.int64)
        for place in own:
            values, present = fields[place].means(products[place], len(numbers))
            sums, known = sums + values, known + present
        candidates &= known > 0
        total += weight * sums / np.maximum(known, 1)
    places = np.flatnonzero(candidates)
    last = ranking.offset + ranking.top
    near = places
    if last < len(places):
        least = np.partition(total[places], len(places) - last)[len(places) - last]
        near = places[total[places] >= least - SLACK]
    return _page(contents, ranking, fields, near, numbers, len(places))


def _rank_rows(
    contents: Contents,
    ranking: Ranking,
    field: _Field,
    products: NDArray[np.float32],
    numbers: Numbers,
) -> Hits:
    """Return the page of a ranking of one probe whose every row is a candidate's only one."""
    first = len(products) - ranking.offset - ranking.top
    if first > 0:
        near = np.flatnonzero(products >= _bound(products, len(products) - first) - SLACK)
    else:
        near = np.arange(len(products))
    compared = Compared(field.matrix.rows, field.rows[near], np.arange(len(near)))
    near_numbers = numbers[field.candidate[near]]
    return page(ranking, contents.description, near_numbers, [compared], len(products))


def _products(vectors: NDArray[np.float32], rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the inner products (q, m) of vectors (q, width) and rows (m, width).

    PyTorch's take three quarters of the processor time of NumPy's, whose threads spin. A few
    queries more than five take up to twice as long as sixteen, so they are made as many.
    """
    count = len(vectors)
    if _FEW < count < _MANY:
        vectors = np.concatenate(
            [vectors, np.zeros_like(vectors, shape=(_MANY - count, vectors.shape[1]))]
        )
    products: NDArray[np.float32] = (torch.from_numpy(vectors) @ torch.from_numpy(rows).T).numpy()
    return products[:count]


def _bound(products: NDArray[np.float32], count: int) -> float:
    """Return what the highest ``count`` products reach at least.

    Where they are few among many it is the same of the maxima of groups, found in a fraction
    of the time: each of the highest groups holds a product that reaches it.
    """
    groups = len(products) // _GROUP
    if groups >= 4 * count:
        products = products[: groups * _GROUP].reshape(_GROUP, groups).max(axis=0)
    last = len(products) - count
    return float(np.partition(products, last)[last])


def rank_near(contents: Contents, ranking: Ranking, rows: Numbers) -> Hits:
    """Return the page of a ranking of one probe among these rows of its side."""
    (probe,) = ranking.probes
    matrix = contents.matrices[probe.side.name]
    compared = Compared(matrix.rows, rows, np.arange(len(rows)))
    numbers = _numbers_of(contents, ranking.find)[matrix.place[rows]]
    return page(ranking, contents.description, numbers, [compared], len(matrix.rows))


def _page(
    contents: Contents,
    ranking: Ranking,
    fields: list[_Field],
    near: Numbers,
    numbers: Numbers,
    candidates: int,
) -> Hits:
    """Return the page among the candidates ``near``, which hold all that may be on it."""
    row_of = np.full(len(numbers), -1)
    row_of[near] = np.arange(len(near))
    compared = []
    for field in fields:
        kept = row_of[field.candidate] >= 0
        rows, candidate = field.rows[kept], row_of[field.candidate[kept]]
        compared.append(Compared(field.matrix.rows, rows, candidate))
    return page(ranking, contents.description, numbers[near], compared, candidates)
