"""Approximate indexes on a server: pgvector's hierarchical navigable small worlds.

Malkov and Yashunin, IEEE TPAMI 2018. Each is a table of its own that holds the combined
vectors of one side in one state of the store. A fact tells the readers of that state about it;
the next writing takes the fact and the rows away.
"""

import contextlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
from psycopg import sql

from beholder.progress import Progress
from beholder.retrieval.layout import Description, Side
from beholder.retrieval.proposals import (
    LEAST_EXAMINED,
    chosen,
    is_for_index,
    judged,
    proposed,
    questions,
)
from beholder.retrieval.scoring import Compared, page
from beholder.retrieval.server import ranking as exact
from beholder.retrieval.server import schema, vectors, wire
from beholder.retrieval.server.connections import Connection
from beholder.retrieval.store import Hits, Ranking

_MOST_EXAMINED = 1000  # pgvector's own limit
_ROWS_AN_EXAMINED = 128  # that a scan reads, at least, while a graph examines one item
_MOST_WIDTH = 2000  # pgvector's own limit
_BYTES_A_ROW = 1000  # of the graph, besides the vector


@dataclass(frozen=True)
class Index:
    """An index of one side in this state: its table, its rows, how many of them it examines
    for a query, and its recall then.
    """

    table: str
    rows: int
    examined: int
    recall: float

    @property
    def most_examined(self) -> int:
        """How many rows it may examine: beyond, a scan is sooner."""
        return min(_MOST_EXAMINED, max(LEAST_EXAMINED, self.rows // _ROWS_AN_EXAMINED))


def indexes(facts: Mapping[str, str]) -> dict[str, Index]:
    """Return the indexes that a state has, by the names of sides."""
    found = {}
    for name, value in facts.items():
        if name.startswith(schema.NEAR):
            with contextlib.suppress(TypeError):  # of an older form
                found[name.removeprefix(schema.NEAR)] = Index(**json.loads(value))
    return found


def fits(description: Description, side: Side) -> bool:
    """Tell whether an index can hold a side's vectors."""
    return description.layout(side).width + 1 <= _MOST_WIDTH


def rank(
    connection: Connection,
    description: Description,
    ranking: Ranking,
    held: Mapping[str, Index],
    where: str,
) -> Hits | None:
    """Return a ranking's page, or None where only an exact ranking will do."""
    if not is_for_index(ranking) or ranking.probes[0].side.name not in held:
        return None
    (probe,) = ranking.probes
    index, layout = held[probe.side.name], description.layout(probe.side)
    wanted = proposed(ranking)
    examined = max(index.examined, wanted)
    if examined > index.most_examined:
        return None
    if examined != LEAST_EXAMINED:  # which connections begin with
        connection.execute("SELECT set_config('hnsw.ef_search', %s, true)", (str(examined),))
    statement = sql.SQL(
        "SELECT own.item, own.vector FROM "
        "(SELECT item FROM {} ORDER BY combined <#> %s::vector LIMIT %s) AS near "
        "JOIN {} AS own ON own.item = near.item ORDER BY own.item"
    ).format(sql.Identifier(index.table), schema.table_of(probe.side))
    asked = wire.as_text(layout.combined_query(probe.vector))
    with connection.cursor(binary=True) as cursor:
        found = cursor.execute(statement, (asked, wanted)).fetchall()
    if len(found) < ranking.offset + ranking.top:
        return None
    rows = wire.from_cells([row[1] for row in found], layout.width, where)
    every = np.arange(len(found))
    numbers = np.array([row[0] for row in found], np.int64)
    return page(ranking, description, numbers, [Compared(rows, every, every)], index.rows)


def build(
    connection: Connection,
    description: Description,
    sides: list[Side],
    progress: Progress,
    where: str,
) -> dict[str, Index]:
    """Make a table with an index for each side, within the caller's transaction."""
    built = {}
    for side in progress(sides, "building indexes", len(sides)):
        layout = description.layout(side)
        items, rows = vectors.read(connection, side, layout.width, where)
        combined = layout.combined(rows)
        name = f"{schema.NEAR}{side.name} {secrets.token_hex(4)}"
        table = sql.Identifier(name)
        connection.execute(
            sql.SQL("CREATE TABLE {} (item bigint, combined vector({}))").format(
                table, sql.Literal(combined.shape[1])
            )
        )
        wire.copy_in(connection, table, items, combined)
        _make_graph(connection, table, combined.nbytes + _BYTES_A_ROW * len(items))
        index = _measured(connection, description, side, Index(name, len(items), 0, 1.0), where)
        if index is not None:
            built[side.name] = index
    return built


def remember(connection: Connection, built: Mapping[str, Index]) -> None:
    """Tell readers about the indexes of the present state."""
    for side, index in built.items():
        connection.execute(
            "INSERT INTO facts VALUES (%s, %s)",
            (f"{schema.NEAR}{side}", json.dumps(asdict(index))),
        )


def drop(connection: Connection, address_schema: str, but: set[str]) -> None:
    """Remove the tables of all indexes but those, and the facts about them."""
    for name in schema.near_tables(connection, address_schema):
        if name not in but:
            connection.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(name)))
    connection.execute("DELETE FROM facts WHERE starts_with(name, %s)", (schema.NEAR,))


def _make_graph(connection: Connection, table: sql.Identifier, size: int) -> None:
    """Build the graph in one process's memory: others would share what containers lack."""
    megabytes = max(64, int(1.2 * size) >> 20)
    connection.execute("SELECT set_config('max_parallel_maintenance_workers', '0', true)")
    connection.execute("SELECT set_config('maintenance_work_mem', %s, true)", (f"{megabytes}MB",))
    connection.execute(
        sql.SQL(
            "CREATE INDEX ON {} USING hnsw (combined vector_ip_ops)"  # as it comes
        ).format(table)
    )
    connection.execute(sql.SQL("ANALYZE {}").format(table))


def _measured(
    connection: Connection, description: Description, side: Side, index: Index, where: str
) -> Index | None:
    """Return an index with how much it examines, or None where it would not pay."""

    def exactly(asked: Sequence[Ranking]) -> list[Hits]:
        return [exact.rank(connection, description, one, where) for one in asked]

    def ask(examined: int, asked: Sequence[Ranking]) -> list[Hits]:
        held = {side.name: replace(index, examined=examined)}
        found = [rank(connection, description, one, held, where) for one in asked]
        return [hits or exactly([one])[0] for hits, one in zip(found, asked, strict=True)]

    width = description.layout(side).width
    _, rows = vectors.read(connection, side.other, width, where)
    asked = questions(description, side, rows[judged(len(rows))])
    found = chosen(ask, exactly, asked, index.most_examined)
    return None if found is None else replace(index, examined=found[0], recall=found[1])
