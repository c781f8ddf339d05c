"""Approximate indexes on a server: pgvector's hierarchical navigable small worlds.

Malkov and Yashunin, IEEE TPAMI 2018. Each is a table of its own that holds the combined
vectors of one side in one state of the store. A fact tells the readers of that state about it;
the next writing takes the fact and the rows away.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
from psycopg import sql

from beholder.progress import Progress
from beholder.retrieval.layout import Description, Side
from beholder.retrieval.proposals import LEAST_EXAMINED, examined, judged, questions, recall
from beholder.retrieval.scoring import Compared, page
from beholder.retrieval.server import ranking as exact
from beholder.retrieval.server import schema, vectors, wire
from beholder.retrieval.server.connections import Connection
from beholder.retrieval.store import Hits, Ranking

_MOST_EXAMINED = 1000  # pgvector's own limit
_MOST_WIDTH = 2000  # pgvector's own limit
_BYTES_A_ROW = 1000  # of the graph, besides the vector


@dataclass(frozen=True)
class Index:
    """An index of one side in this state: its table, how many rows it has, its recall."""

    table: str
    rows: int
    recall: float


def indexes(facts: Mapping[str, str]) -> dict[str, Index]:
    """Return the indexes that a state has, by the names of sides."""
    return {
        name.removeprefix(schema.NEAR): Index(**json.loads(value))
        for name, value in facts.items()
        if name.startswith(schema.NEAR)
    }


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
    wanted = examined(ranking, _MOST_EXAMINED)
    if wanted is None or ranking.probes[0].side.name not in held:
        return None
    (probe,) = ranking.probes
    index, layout = held[probe.side.name], description.layout(probe.side)
    if wanted != LEAST_EXAMINED:  # which connections begin with
        connection.execute("SELECT set_config('hnsw.ef_search', %s, true)", (str(wanted),))
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
        index = Index(name, len(items), 1.0)
        built[side.name] = Index(
            name, len(items), _recall(connection, description, side, index, where)
        )
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


def _recall(
    connection: Connection, description: Description, side: Side, index: Index, where: str
) -> float:
    """Return the share of the first ten that the index finds, asked from the other side."""
    other = next(one for one in side.pair if one != side.modality)
    width = description.layout(side).width
    _, rows = vectors.read(connection, Side(side.pair, other), width, where)
    asked = questions(description, side, rows[judged(len(rows))])
    exactly = [exact.rank(connection, description, one, where) for one in asked]
    held = {side.name: index}
    found = [
        rank(connection, description, one, held, where) or sure
        for one, sure in zip(asked, exactly, strict=True)
    ]
    return recall(exactly, found)
