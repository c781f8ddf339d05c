"""Exact ranking in memory: fast inner products find who may be first, exact ones order them.

A float32 product errs by less than `SLACK`; whoever comes that near to the last place of a
page is scored again in float64. So answers depend on nothing but the vectors: not on the
batch, the page or the order in which the processor adds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from beholder.retrieval.embedded.contents import Contents, Flags, Matrix, Numbers
from beholder.retrieval.store import ROUNDING, Filters, Hit, Hits, Probe, Ranking

SLACK = 1e-4
"""More than a float32 product of vectors of length one errs by."""

_SCORES_AT_ONCE = 1 << 24  # 64 MiB of float32
_ROWS_AT_ONCE = 1 << 14  # rows that are scored again, in float64, at once

Floats = NDArray[np.float64]


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
            return vectors @ every.T
        if 2 * len(self.rows) > len(every):  # cheaper than a copy of the rows
            return (vectors @ every.T)[:, self.rows]
        return vectors @ every[self.rows].T

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


def rank_near(contents: Contents, ranking: Ranking, rows: Numbers) -> Hits:
    """Return the page of a ranking of one probe among these rows of its side."""
    (probe,) = ranking.probes
    matrix = contents.matrices[probe.side.name]
    field = _Field(matrix, rows, matrix.place[rows], has_own_rows=True)
    numbers = _numbers_of(contents, ranking.find)
    return _page(contents, ranking, [field], field.candidate, numbers, len(matrix.rows))


def _page(
    contents: Contents,
    ranking: Ranking,
    fields: list[_Field],
    near: Numbers,
    numbers: Numbers,
    candidates: int,
) -> Hits:
    """Return the page among the candidates ``near``, which hold all that may be on it."""
    last = ranking.offset + ranking.top
    scores, parts = _exactly(contents, ranking, fields, near, len(numbers))
    order = np.lexsort((numbers[near], -np.round(scores, ROUNDING)))
    page = order[ranking.offset : last]
    hits = tuple(
        Hit(
            int(numbers[near[row]]),
            float(scores[row]),
            {
                modality: {name: float(values[row]) for name, values in own.items()}
                for modality, own in parts.items()
            },
        )
        for row in page
    )
    return Hits(candidates, hits)


def _exactly(
    contents: Contents, ranking: Ranking, fields: list[_Field], near: Numbers, count: int
) -> tuple[Floats, dict[str, dict[str, Floats]]]:
    """Return the scores (n,) of the candidates ``near``, and their parts by modality."""
    row_of = np.full(count, -1)
    row_of[near] = np.arange(len(near))
    parts: dict[str, dict[str, Floats]] = {}
    for modality, weight in ranking.weights.items():
        own: dict[str, Floats] = {}
        known = np.zeros(len(near), np.int64)
        for probe, field in zip(ranking.probes, fields, strict=True):
            if probe.modality != modality:
                continue
            kept = row_of[field.candidate] >= 0
            rows, candidate = field.rows[kept], row_of[field.candidate[kept]]
            layout = contents.description.layout(probe.side)
            blocks = _blocks(field.matrix.rows, rows, probe.vector, layout.starts)
            size = np.bincount(candidate, minlength=len(near))
            known += size > 0
            for name, values in zip(layout.parts, blocks.T, strict=True):
                mean = np.bincount(candidate, values, minlength=len(near)) / np.maximum(size, 1)
                own[name] = own.get(name, 0) + mean
        parts[modality] = {
            name: weight * values / np.maximum(known, 1) for name, values in own.items()
        }
    scores = np.zeros(len(near))
    for own in parts.values():
        for values in own.values():
            scores += values
    return scores, parts


def _blocks(
    matrix: NDArray[np.float32], rows: Numbers, vector: NDArray[np.float32], starts: Numbers
) -> Floats:
    """Return the inner products of some rows with a vector, block by block, (rows, blocks)."""
    result = np.empty((len(rows), len(starts)))
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        chunk = slice(start, start + _ROWS_AT_ONCE)
        products = matrix[rows[chunk]].astype(np.float64) * vector
        result[chunk] = np.add.reduceat(products, starts, axis=1)
    return result
