"""A side's vectors as arrays."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from psycopg import sql

from beholder.retrieval.layout import Side, Vectors
from beholder.retrieval.server import wire
from beholder.retrieval.server.connections import Connection
from beholder.retrieval.server.schema import table_of


def count(connection: Connection, side: Side) -> int:
    """Return how many vectors a side has."""
    statement = sql.SQL("SELECT count(*) FROM {}").format(table_of(side))
    ((rows,),) = connection.execute(statement)
    return int(rows)


def read(
    connection: Connection,
    side: Side,
    width: int,
    where: str,
    *,
    participant: str | None = None,
    numbers: Sequence[int] | None = None,
) -> tuple[NDArray[np.int64], Vectors]:
    """Return the rows (n, width) of a side, of a person or of some items, and whose, (n,)."""
    source = sql.SQL("SELECT item, vector FROM {} AS own").format(table_of(side))
    if participant is not None:
        samples = "" if side.modality == "personality" else "JOIN samples s ON s.number = item "
        owner = "item" if side.modality == "personality" else "s.participant"
        source += sql.SQL(
            f" {samples}JOIN participants p ON p.number = {owner} WHERE p.name = %(name)s"
        )
    if numbers is not None:
        source += sql.SQL(" WHERE item = ANY(%(numbers)s)")
    asked = {"name": participant, "numbers": None if numbers is None else list(numbers)}
    with connection.cursor(binary=True) as cursor:
        cursor.execute(source + sql.SQL(" ORDER BY item"), asked)
        found = cursor.fetchall()
    items = np.array([row[0] for row in found], np.int64)
    return items, wire.from_cells([row[1] for row in found], width, where)
