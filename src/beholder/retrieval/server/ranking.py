"""A ranking as SQL: pgvector's inner products find who may be first, exact ones order them.

One statement returns how many candidates there are and the numbers of those that come as near
to the last place of the page as a float32 product errs; their vectors are then scored by
`beholder.retrieval.scoring` as in every store.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from psycopg import sql

from beholder.errors import StoreError
from beholder.retrieval.layout import Description, Side
from beholder.retrieval.scoring import SLACK, Compared, page
from beholder.retrieval.server import wire
from beholder.retrieval.server.connections import Connection
from beholder.retrieval.server.schema import table_of
from beholder.retrieval.store import Filters, Hits, Probe, Ranking

_NAMED: Mapping[str, tuple[str, str, str]] = {
    "participants": ("participants", "name", "participant"),
    "images": ("images", "name", "image"),
    "tasks": ("samples", "task", "task"),
    "parts": ("samples", "part", "split part"),
}
"""What a filter's names are of: a table, its column, and the word for it."""

_OWN = {
    "images": "samples.image IN (SELECT number FROM images WHERE name = ANY(%(images)s))",
    "tasks": "samples.task = ANY(%(tasks)s)",
    "parts": "samples.part = ANY(%(parts)s)",
}


@dataclass(frozen=True)
class _Matches:
    """The rows of a side that may answer: where they are and whose."""

    candidate: sql.SQL
    source: sql.Composed
    has_own_rows: bool  # whether no two rows belong to one candidate


def rank(connection: Connection, description: Description, ranking: Ranking, where: str) -> Hits:
    """Return a ranking's page, exactly."""
    fields = [_matches(probe.side, ranking.find, ranking.filters) for probe in ranking.probes]
    values = _values(ranking)
    candidates, near = 0, np.empty(0, np.int64)
    found = connection.execute(_near(ranking, fields), values).fetchall()
    if found:
        candidates = int(found[0][1])
        near = np.array([row[0] for row in found], np.int64)
    if ranking.offset >= candidates:
        return Hits(candidates, ())
    compared = [
        _rows(connection, description, probe, field, values | {"near": near.tolist()}, where)
        for probe, field in zip(ranking.probes, fields, strict=True)
    ]
    placed = [
        Compared(rows, np.arange(len(rows)), np.searchsorted(near, owner))
        for owner, rows in compared
    ]
    return page(ranking, description, near, placed, candidates)


def check_filters(connection: Connection, filters: Filters, where: str) -> None:
    """Raise StoreError for a participant, trait, image, task or part that is not there."""
    _check_names(connection, "participants", filters.participants, where)
    if filters.traits:
        found = connection.execute(
            "SELECT trait FROM participants, "
            "json_object_keys(traits::json) WITH ORDINALITY AS own (trait, place) "
            "GROUP BY trait ORDER BY min(number), min(place)"
        )
        known = [str(row[0]) for row in found]
        for trait, _, _ in filters.traits:
            if trait not in known:
                listed = ", ".join(known) or "none"
                raise StoreError(f"{where} knows no trait {trait!r}, only {listed}")
    for name in ("images", "tasks", "parts"):
        _check_names(connection, name, getattr(filters, name), where)


def _check_names(connection: Connection, name: str, wanted: Sequence[str], where: str) -> None:
    if not wanted:
        return
    table, column, kind = _NAMED[name]
    statement = sql.SQL(
        "SELECT one FROM unnest(%s::text[]) WITH ORDINALITY AS wanted (one, place) "
        "WHERE NOT EXISTS (SELECT 1 FROM {} WHERE {} = one) ORDER BY place LIMIT 1"
    ).format(sql.Identifier(table), sql.Identifier(column))
    missing = connection.execute(statement, (list(wanted),)).fetchone()
    if missing is not None:
        raise StoreError(f"{where} has no {kind} {missing[0]!r}")


def _values(ranking: Ranking) -> dict[str, Any]:
    """Return the values of a ranking's statements, by name."""
    filters = ranking.filters
    values: dict[str, Any] = {name: list(getattr(filters, name)) for name in _NAMED}
    for place, (trait, low, high) in enumerate(filters.traits):
        values |= {f"trait{place}": trait, f"low{place}": low, f"high{place}": high}
    for place, probe in enumerate(ranking.probes):
        values[f"vector{place}"] = wire.as_text(probe.vector)
    for place, weight in enumerate(ranking.weights.values()):
        values[f"weight{place}"] = weight
    return values | {"before": ranking.offset + ranking.top - 1, "slack": SLACK}


def _matches(side: Side, find: str, filters: Filters) -> _Matches:
    people = _people(filters)
    samples: list[sql.Composable] = [sql.SQL(_OWN[name]) for name in _OWN if getattr(filters, name)]
    source = sql.SQL("{} AS own").format(table_of(side))
    if side.modality == "personality":
        conditions = [sql.SQL("own.item IN ({})").format(people)] if people else []
        if samples:
            owners = sql.SQL("own.item IN (SELECT samples.participant FROM samples WHERE {})")
            conditions.append(owners.format(_all(samples)))
        return _Matches(sql.SQL("own.item"), _where(source, conditions), True)
    if people:
        samples.append(sql.SQL("samples.participant IN ({})").format(people))
    candidate = sql.SQL("own.item")
    if find == "participants":
        candidate = sql.SQL("samples.participant")
        samples.append(sql.SQL("samples.participant IS NOT NULL"))
    if find == "images":
        candidate = sql.SQL("samples.image")
    if samples or find == "images":
        source += sql.SQL(" JOIN samples ON samples.number = own.item")
    return _Matches(candidate, _where(source, samples), find not in ("participants", "images"))


def _people(filters: Filters) -> sql.Composable | None:
    conditions: list[sql.Composable] = []
    if filters.participants:
        conditions.append(sql.SQL("name = ANY(%(participants)s)"))
    for place in range(len(filters.traits)):
        score = f"(traits::json ->> %(trait{place})s)::float8"
        conditions.append(_sql(f"{score} BETWEEN %(low{place})s AND %(high{place})s"))
    if not conditions:
        return None
    return sql.SQL("SELECT number FROM participants WHERE {}").format(_all(conditions))


def _where(source: sql.Composed, conditions: Sequence[sql.Composable]) -> sql.Composed:
    return source + sql.SQL(" WHERE ") + _all(conditions) if conditions else source


def _all(conditions: Sequence[sql.Composable]) -> sql.Composed:
    return sql.SQL(" AND ").join(conditions)


def _near(ranking: Ranking, fields: Sequence[_Matches]) -> sql.Composed:
    """Return the statement that finds whoever may be on the page, and counts all."""
    steps = [_scored(place, field) for place, field in enumerate(fields)]
    terms, joined = [], sql.Composed([])
    for number, modality in enumerate(ranking.weights):
        own = [n for n, probe in enumerate(ranking.probes) if probe.modality == modality]
        parts = sql.SQL(" UNION ALL ").join(_sql(f"SELECT * FROM probe{n}") for n in own)
        mean = sql.SQL("SELECT number, avg(score) AS score FROM ({}) AS every GROUP BY number")
        steps.append(
            _sql(f"modality{number} AS (")
            + (mean.format(parts) if len(own) > 1 else parts)
            + sql.SQL(")")
        )
        terms.append(_sql(f"%(weight{number})s::float8 * modality{number}.score"))
        link = f" JOIN modality{number} USING (number)" if number else "modality0"
        joined += _sql(link)
    steps.append(
        sql.SQL("total AS MATERIALIZED (SELECT number, {} AS score FROM {})").format(
            sql.SQL(" + ").join(terms), joined
        )
    )
    return sql.SQL(
        "WITH {} SELECT number, (SELECT count(*) FROM total) FROM total WHERE score >= coalesce("
        "(SELECT score FROM total ORDER BY score DESC LIMIT 1 OFFSET %(before)s), '-infinity') "
        "- %(slack)s ORDER BY number"
    ).format(sql.SQL(", ").join(steps))


def _scored(place: int, field: _Matches) -> sql.Composed:
    """Return the step that scores every candidate by one probe."""
    product = _sql(f"-(own.vector <#> %(vector{place})s::vector)")
    if field.has_own_rows:
        form = sql.SQL("SELECT {} AS number, {} AS score FROM {}")
    else:
        form = sql.SQL("SELECT {} AS number, avg({}) AS score FROM {} GROUP BY 1")
    step = form.format(field.candidate, product, field.source)
    return _sql(f"probe{place} AS (") + step + sql.SQL(")")


def _rows(
    connection: Connection,
    description: Description,
    probe: Probe,
    field: _Matches,
    values: Mapping[str, Any],
    where: str,
) -> tuple[Any, Any]:
    """Return whose the rows of those near are (m,), and the rows (m, width), by item."""
    near = sql.SQL("SELECT * FROM (SELECT {} AS number, own.item, own.vector FROM {}) AS every ")
    statement = near.format(field.candidate, field.source) + sql.SQL(
        "WHERE number = ANY(%(near)s) ORDER BY item"
    )
    with connection.cursor(binary=True) as cursor:
        found = cursor.execute(statement, values).fetchall()
    width = description.layout(probe.side).width
    owners = np.array([row[0] for row in found], np.int64)
    return owners, wire.from_cells([row[2] for row in found], width, where)


def _sql(text: str) -> sql.SQL:
    """Return our own text as SQL: it holds numbers of places, and nothing from outside."""
    return sql.SQL(text)
