"""What a store on a server still holds of somebody: its texts, and every byte of its tables."""

from collections.abc import Collection

from psycopg import sql

from beholder.errors import StoreError
from beholder.retrieval.server.address import Address
from beholder.retrieval.server.connections import Connection
from beholder.retrieval.server.schema import tables


def texts(connection: Connection, address: Address) -> bytes:
    """Return every text that a store holds now, its model's among them."""
    found: list[bytes] = []
    for name in tables(connection, address.schema):
        columns = connection.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = "
            "(quote_ident(%s) || '.' || quote_ident(%s))::regclass "
            "AND attnum > 0 AND NOT attisdropped AND atttypid = 'text'::regtype",
            (address.schema, name),
        ).fetchall()
        if columns:
            listed = sql.SQL(", ").join(sql.Identifier(column) for (column,) in columns)
            rows = connection.execute(
                sql.SQL("SELECT {} FROM {}").format(listed, sql.Identifier(name))
            )
            found += [cell.encode() for row in rows for cell in row if cell is not None]
    model = connection.execute("SELECT data FROM model WHERE name LIKE '%.json'")
    found += [row[0] for row in model]
    return b"\n".join(found)


def look_for(
    connection: Connection, address: Address, pieces: Collection[bytes]
) -> tuple[int, int]:
    """Look for pieces in every row of every table; return how many tables and bytes were read.

    Raises StoreError naming the table that holds one.
    """
    names, size = tables(connection, address.schema), 0
    for name in names:
        statement = sql.SQL("COPY {} TO STDOUT (FORMAT BINARY)").format(sql.Identifier(name))
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            for row in copy:  # a message a row
                size += len(row)
                held = bytes(row)
                if any(piece in held for piece in pieces):
                    raise StoreError(
                        f"the table {name} of {address.shown} still holds words of the person "
                        "who was to be removed"
                    )
    return len(names), size
