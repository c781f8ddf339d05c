"""A store in a schema of a PostgreSQL database."""

import contextlib
from collections.abc import Collection, Iterator
from errno import EEXIST

from psycopg import errors, sql

from beholder.progress import Progress, silent
from beholder.retrieval.proposals import LEAST_ROWS
from beholder.retrieval.server import approximate, schema, traces
from beholder.retrieval.server.address import Address, parse_address
from beholder.retrieval.server.connections import Connection, Connections, reported
from beholder.retrieval.server.snapshot import ServerSnapshot
from beholder.retrieval.server.writer import ServerWriter

# A reader first holds the table of facts, so that nobody changes tables under it, and then
# sees one state: the snapshot begins with the first row that is read.
_BEGIN_TO_READ = (
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; "
    "LOCK TABLE {facts} IN ACCESS SHARE MODE; "
    "SELECT name, value FROM {facts}"
)

_FOREIGN = (errors.UndefinedColumn, ValueError, KeyError)  # a table of facts, but not ours

_REMAINS = (
    "The server's write-ahead log, its standbys and its backups may still hold what was removed, "
    "until whoever runs the server lets go of them.",
)


class ServerStore:
    """A store on a server: open it once, read it from many threads."""

    remains: tuple[str, ...] = _REMAINS

    def __init__(self, address: Address) -> None:
        self._address = address
        self._connections = Connections(address)
        self._begin = sql.SQL(_BEGIN_TO_READ).format(facts=sql.Identifier(address.schema, "facts"))
        self.where = address.shown

    @classmethod
    def open(cls, url: str) -> "ServerStore":
        """Open a store, or raise StoreError saying why that cannot be.

        ``url`` is such as ``postgresql://user@host/database?schema=name``.
        """
        store = cls(parse_address(url))
        with store.read():
            return store

    @classmethod
    @contextlib.contextmanager
    def create(cls, url: str, *, overwrite: bool = False) -> Iterator[ServerWriter]:
        """Give the writer of a new store, or of one to be replaced as a whole.

        Until the block ends there is no store here, or the old one. Raises FileExistsError
        if one is here and must not be overwritten, StoreError if something else is.
        """
        store = cls(parse_address(url))
        with store._writing() as connection:
            version = schema.version(connection, store._address)
            if version is not None and not overwrite:
                raise FileExistsError(EEXIST, "it exists already", store.where)
            if version is None or schema.is_older(version, store._address):
                schema.create_tables(connection, store._address)
            writer = ServerWriter(connection, store._address)
            yield writer
            writer.finish()

    @contextlib.contextmanager
    def read(self) -> Iterator[ServerSnapshot]:
        """Give the present state, which stays as it is while it is held."""
        with reported(self.where), self._connections.lent() as connection:
            try:
                cursor = connection.execute(self._begin)
                while cursor.nextset():
                    pass
                facts = {str(name): str(value) for name, value in cursor}
                is_readable = facts["schema_version"] == str(schema.SCHEMA_VERSION)
            except (errors.UndefinedTable, errors.InvalidSchemaName, *_FOREIGN):
                is_readable = False
            if not is_readable:
                connection.execute("ROLLBACK")
                schema.check(connection, self._address)
            yield ServerSnapshot(connection, facts, self.where)

    @contextlib.contextmanager
    def write(self) -> Iterator[ServerWriter]:
        """Give the only writer; StoreError if another one is at work."""
        with self._writing() as connection:
            schema.check(connection, self._address)
            writer = ServerWriter(connection, self._address)
            yield writer
            writer.finish()

    def compact(self) -> None:
        """Write every table anew from what is in it, so that nothing that was removed is left.

        Raises StoreError if a reader holds an old state for too long.
        """
        with self._writing() as connection:
            schema.check(connection, self._address)
            schema.keep_readers_out(connection, self._address)
            approximate.drop(connection, self._address.schema, set())
            names = [*schema.RECORDS, *schema.vector_tables(connection, self._address.schema)]
            own = [sql.Identifier(name) for name in ("facts", *names)]
            kept = [sql.Identifier(f"kept {place}") for place in range(len(own))]
            for table, copy in zip(own, kept, strict=True):
                connection.execute(
                    sql.SQL("CREATE TEMPORARY TABLE {} ON COMMIT DROP AS TABLE {}").format(
                        copy, table
                    )
                )
            # Unlike a deletion, this lets go of the files, with all that they held.
            connection.execute(sql.SQL("TRUNCATE {}").format(sql.SQL(", ").join(own)))
            for table, copy in zip(own, kept, strict=True):
                connection.execute(sql.SQL("INSERT INTO {} TABLE {}").format(table, copy))

    def wants_indexes(self) -> bool:
        """Tell whether some side is so large that an index pays."""
        with self.read() as snapshot:
            return bool(snapshot.large_sides(LEAST_ROWS))

    def build_indexes(
        self, progress: Progress = silent, least_rows: int = LEAST_ROWS
    ) -> dict[str, float]:
        """Build an approximate index of every side of so many rows; return their recalls."""
        with self._writing() as connection:
            schema.check(connection, self._address)
            facts = dict(connection.execute("SELECT name, value FROM facts"))
            snapshot = ServerSnapshot(connection, facts, self.where)
            sides = snapshot.large_sides(least_rows)
            built = approximate.build(connection, snapshot.description, sides, progress, self.where)
            schema.keep_readers_out(connection, self._address)
            approximate.drop(
                connection, self._address.schema, {index.table for index in built.values()}
            )
            approximate.remember(connection, built)
            return {side: index.recall for side, index in built.items()}

    def texts(self) -> bytes:
        """Return every text that the store holds now, its model's among them."""
        with self.read() as snapshot:
            return traces.texts(snapshot.connection, self._address)

    def look_for(self, pieces: Collection[bytes]) -> tuple[int, int]:
        """Look for pieces in every row of every table; return how many tables and bytes.

        Raises StoreError naming the table that holds one.
        """
        with self.read() as snapshot:
            return traces.look_for(snapshot.connection, self._address, pieces)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[Connection]:
        """Give a connection within the only writer's transaction."""
        with reported(self.where), self._connections.lent() as connection:
            connection.execute("BEGIN")
            schema.take_turn(connection, self._address)
            yield connection
            connection.execute("COMMIT")
