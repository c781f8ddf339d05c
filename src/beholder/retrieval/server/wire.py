"""Vectors on their way to a server and back, in PostgreSQL's and pgvector's binary forms."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from psycopg import sql

from beholder.errors import StoreError
from beholder.retrieval.layout import Vectors
from beholder.retrieval.server.connections import Connection

_HEAD, _TAIL = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
_ROWS_AT_ONCE = 4096


def as_text(vector: Vectors) -> str:
    """Return a vector (width,) as a value of a statement; every bit of it arrives."""
    return f"[{','.join(map(repr, vector.tolist()))}]"


def from_cells(cells: Sequence[bytes], width: int, where: str) -> Vectors:
    """Return the vectors (n, width) of a binary answer's cells; StoreError if they differ."""
    if any(len(cell) != 4 + 4 * width for cell in cells):
        raise StoreError(f"{where} is damaged: it holds vectors that are not {width} long")
    form = np.dtype([("head", ">i2", 2), ("values", ">f4", (width,))])
    return np.frombuffer(b"".join(cells), form)["values"].astype("<f4")


def copy_in(
    connection: Connection, table: sql.Identifier, items: NDArray[np.int64], rows: Vectors
) -> None:
    """Put vectors (n, width) of items (n,) into a table of the two columns."""
    width = rows.shape[1]
    form = np.dtype(
        [
            ("cells", ">i2"),
            ("item_size", ">i4"),
            ("item", ">i8"),
            ("vector_size", ">i4"),
            ("width", ">i2"),
            ("unused", ">i2"),
            ("values", ">f4", (width,)),
        ]
    )
    statement = sql.SQL("COPY {} FROM STDIN (FORMAT BINARY)").format(table)
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(_HEAD)
        for start in range(0, len(items), _ROWS_AT_ONCE):
            some = slice(start, start + _ROWS_AT_ONCE)
            block = np.zeros(len(items[some]), form)
            block["cells"], block["item_size"], block["item"] = 2, 8, items[some]
            block["vector_size"], block["width"] = 4 + 4 * width, width
            block["values"] = rows[some]
            copy.write(block.tobytes())
        copy.write(_TAIL)
