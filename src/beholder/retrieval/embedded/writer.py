"""Changes an embedded store within one transaction."""

import sqlite3
from collections.abc import Sequence
from typing import Any

from beholder.retrieval.layout import Description, Side, Vectors
from beholder.retrieval.tables import Row
from beholder.retrieval.writing import TableWriter


class EmbeddedWriter(TableWriter):
    """Changes a store; nothing of it shows before the writing ends."""

    def __init__(self, connection: sqlite3.Connection, where: str) -> None:
        super().__init__(where)
        self._connection = connection

    def next_number(self, table: str) -> int:
        """Return a number that no item of ``samples``, ``participants`` or ``images`` had."""
        found = self._ask("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,))
        return int(found[0][0]) + 1 if found else 0

    def _ask(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        return self._connection.execute(statement, values).fetchall()

    def _repeat(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        self._connection.executemany(statement, rows)

    def _empty_vectors(self, description: Description) -> None:
        self._ask("DELETE FROM vectors")

    def _drop(self, side: Side, items: Sequence[int]) -> None:
        # By the whole key: by the item alone it would read every vector for each.
        self._connection.executemany(
            "DELETE FROM vectors WHERE side = ? AND item = ?",
            [(side.name, item) for item in items],
        )

    def _put_vectors(self, side: Side, numbers: Any, rows: Vectors) -> None:
        self._connection.executemany(
            "INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)",
            (
                (side.name, number, row.tobytes())
                for number, row in zip(numbers.tolist(), rows.astype("<f4"), strict=True)
            ),
        )
