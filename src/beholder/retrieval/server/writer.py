"""Changes a store on a server within one transaction."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from psycopg import sql

from beholder.retrieval.layout import Description, Side, Vectors
from beholder.retrieval.server import schema, wire
from beholder.retrieval.server.address import Address
from beholder.retrieval.server.connections import Connection
from beholder.retrieval.tables import Row
from beholder.retrieval.writing import TableWriter


def asked(connection: Connection, statement: str, values: Sequence[Any] = ()) -> list[Row]:
    """Execute a statement whose values' places are question marks."""
    cursor = connection.execute(statement.replace("?", "%s").encode(), values)
    return cursor.fetchall() if cursor.description else []


class ServerWriter(TableWriter):
    """Changes a store; nothing of it shows before the writing ends."""

    def __init__(self, connection: Connection, address: Address) -> None:
        super().__init__(address.shown)
        self._connection = connection
        self._schema = address.schema

    def next_number(self, table: str) -> int:
        """Return a number that no item of ``samples``, ``participants`` or ``images`` had."""
        found = self._ask("SELECT value FROM facts WHERE name = ?", (f"next of {table}",))
        return int(found[0][0]) if found else 0

    def finish(self) -> None:
        """Count the state, and let no index of the one before be used or keep its vectors."""
        self._ask("UPDATE facts SET value = (value::bigint + 1)::text WHERE name = 'generation'")
        for name in schema.near_tables(self._connection, self._schema):
            self._delete_all(name)
        self._ask(f"DELETE FROM facts WHERE name LIKE '{schema.NEAR}%%'")

    def _ask(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        return asked(self._connection, statement, values)

    def _repeat(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        self._connection.prepare_threshold = 0  # parse it once, not once a row
        try:
            with self._connection.cursor() as cursor:
                cursor.executemany(statement.replace("?", "%s").encode(), rows)
        finally:
            self._connection.prepare_threshold = None

    def _put(self, table: str, rows: Sequence[Any]) -> None:
        super()._put(table, rows)
        if rows:
            used = max(row["number"] for row in rows) + 1
            self.set_fact(f"next of {table}", str(max(used, self.next_number(table))))

    def _empty_vectors(self, description: Description) -> None:
        for name in schema.vector_tables(self._connection, self._schema):
            self._delete_all(name)
        schema.create_vector_tables(self._connection, description.sides)

    def _delete_all(self, table: str) -> None:
        self._connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))

    def _drop(self, side: Side, items: Sequence[int]) -> None:
        statement = sql.SQL("DELETE FROM {} WHERE item = ANY(%s)").format(schema.table_of(side))
        self._connection.execute(statement, (list(items),))

    def _put_vectors(self, side: Side, numbers: Any, rows: Vectors) -> None:
        last = {int(number): place for place, number in enumerate(numbers)}
        self._drop(side, list(last))
        kept = np.fromiter(last.values(), np.int64)
        wire.copy_in(self._connection, schema.table_of(side), numbers[kept], rows[kept])
