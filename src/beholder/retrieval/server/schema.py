"""The tables of a store on a server, and what may be there instead of them.

No writing changes a table's form while others read: readers keep the rows that they began
with. Only `beholder.retrieval.server.store.ServerStore.compact` and building an index do so,
and they wait for readers, each of whom holds the table of facts.
"""

from psycopg import errors, sql

from beholder.errors import StoreError
from beholder.retrieval.layout import Side
from beholder.retrieval.server.address import Address
from beholder.retrieval.server.connections import Connection, prepare
from beholder.retrieval.tables import first_generation

SCHEMA_VERSION = 2
PATIENCE_MS = 30_000  # how long a statement waits for others' locks
_WRITER_PATIENCE_MS = 1_000  # a writer that was killed is let go of within it
_APPLICATION = "beholder"
_EXTENSION = "vector"  # pgvector's name in a database

RECORDS = ("model", "participants", "images", "samples")
_VECTORS, NEAR = "vectors ", "near "

_TABLES = (
    "CREATE TABLE facts (name text PRIMARY KEY, value text NOT NULL)",
    "CREATE TABLE model (name text PRIMARY KEY, data bytea NOT NULL)",
    """CREATE TABLE participants (
        number bigint PRIMARY KEY,
        name text NOT NULL UNIQUE,
        answers text, traits text)""",
    """CREATE TABLE images (
        number bigint PRIMARY KEY,
        name text NOT NULL UNIQUE,
        width integer NOT NULL, height integer NOT NULL,
        thumbnail bytea NOT NULL, cells integer NOT NULL, grid bytea NOT NULL)""",
    """CREATE TABLE samples (
        number bigint PRIMARY KEY,
        participant bigint REFERENCES participants,
        image bigint NOT NULL REFERENCES images,
        task text, part text, text text, gaze text)""",
    "CREATE INDEX samples_of_participant ON samples (participant)",
    "CREATE INDEX samples_of_image ON samples (image)",
    # The planner's statistics hold values, and would keep those of people who have left.
    "ALTER TABLE participants ALTER name SET STATISTICS 0, ALTER answers SET STATISTICS 0, "
    "ALTER traits SET STATISTICS 0",
    "ALTER TABLE images ALTER name SET STATISTICS 0, ALTER thumbnail SET STATISTICS 0, "
    "ALTER grid SET STATISTICS 0",
    "ALTER TABLE samples ALTER text SET STATISTICS 0, ALTER gaze SET STATISTICS 0",
)
_VECTORS_TABLE = (
    "CREATE TABLE IF NOT EXISTS {} (item bigint PRIMARY KEY REFERENCES {}, vector vector NOT NULL)"
)


def table_of(side: Side) -> sql.Identifier:
    """Return the name of the table of a side's vectors."""
    return sql.Identifier(f"{_VECTORS}{side.name}")


def owner_of(side: Side) -> str:
    """Return the table of those whose vectors a side holds."""
    return "participants" if side.modality == "personality" else "samples"


def tables(connection: Connection, schema: str) -> list[str]:
    """Return the names of all tables and views of a schema."""
    found = connection.execute(
        "SELECT relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace "
        "WHERE nspname = %s AND relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY relname",
        (schema,),
    )
    return [str(name) for (name,) in found]


def vector_tables(connection: Connection, schema: str) -> list[str]:
    """Return the names of the tables of vectors."""
    return [name for name in tables(connection, schema) if name.startswith(_VECTORS)]


def near_tables(connection: Connection, schema: str) -> list[str]:
    """Return the names of the tables that hold an approximate index each."""
    return [name for name in tables(connection, schema) if name.startswith(NEAR)]


def take_turn(connection: Connection, address: Address) -> None:
    """Be the only writer until the transaction ends; StoreError if another one is at work."""
    _wait_at_most(connection, _WRITER_PATIENCE_MS)
    try:
        key = f"{_APPLICATION} {address.schema}"
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (key,))
    except errors.LockNotAvailable as error:
        raise StoreError(f"another process is writing {address.shown}") from error
    _wait_at_most(connection, PATIENCE_MS)


def keep_readers_out(connection: Connection, address: Address) -> None:
    """Wait until nobody reads the store, and let nobody begin until the transaction ends."""
    try:
        connection.execute("LOCK TABLE facts IN ACCESS EXCLUSIVE MODE")
    except errors.LockNotAvailable as error:
        raise StoreError(
            f"another process reads an old state of {address.shown}, so that what was removed "
            "from it is still on the server: end that process and try again"
        ) from error


def _wait_at_most(connection: Connection, milliseconds: int) -> None:
    connection.execute("SELECT set_config('lock_timeout', %s, true)", (str(milliseconds),))


def version(connection: Connection, address: Address) -> int | None:
    """Return the version of the store's schema, or None where there is nothing at all.

    Raises StoreError where something else than a store is.
    """
    names = tables(connection, address.schema)
    if not names:
        return None
    marks: dict[str, str] = {}
    if "facts" in names:
        try:
            with connection.transaction():
                marks = dict(connection.execute("SELECT name::text, value::text FROM facts"))
        except (errors.UndefinedColumn, errors.CannotCoerce):
            marks = {}
    if marks.get("application") != _APPLICATION:
        raise StoreError(
            f"{address.shown} is no store: its schema holds the table {names[0]} of another program"
        )
    return int(marks["schema_version"])


def is_older(found: int, address: Address) -> bool:
    """Tell whether a version is before ours; StoreError if it must not be replaced."""
    if found > SCHEMA_VERSION:
        raise StoreError(
            f"{address.shown} has schema version {found} of a newer Beholder, which replaces it"
        )
    return found < SCHEMA_VERSION


def check(connection: Connection, address: Address) -> None:
    """Raise StoreError, saying what is wrong, unless there is a store that can be read."""
    found = version(connection, address)
    if found is None:
        raise StoreError(f"{address.shown} is no store: there is no table in its schema")
    if found != SCHEMA_VERSION:
        raise StoreError(
            f"{address.shown} has schema version {found}, and this Beholder reads version "
            f"{SCHEMA_VERSION}: index the run again into a new schema, or with --overwrite"
        )


def create_tables(connection: Connection, address: Address) -> None:
    """Make the schema and its tables, in place of those of an older one of ours."""
    _provide_vectors(connection, address)
    for name in tables(connection, address.schema):
        if name in (*RECORDS, "facts") or name.startswith((_VECTORS, NEAR)):
            connection.execute(sql.SQL("DROP TABLE {} CASCADE").format(sql.Identifier(name)))
    if not connection.execute(
        "SELECT 1 FROM pg_namespace WHERE nspname = %s", (address.schema,)
    ).fetchone():
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(address.schema)))
    for statement in _TABLES:
        connection.execute(statement)
    facts = {
        "application": _APPLICATION,
        "schema_version": str(SCHEMA_VERSION),
        "generation": first_generation(),
    }
    for fact in facts.items():
        connection.execute("INSERT INTO facts VALUES (%s, %s)", fact)


def create_vector_tables(connection: Connection, sides: tuple[Side, ...]) -> None:
    """Make a table for the vectors of each side that has none yet."""
    for side in sides:
        connection.execute(
            sql.SQL(_VECTORS_TABLE).format(table_of(side), sql.Identifier(owner_of(side)))
        )
        connection.execute(
            sql.SQL("ALTER TABLE {} ALTER vector SET STATISTICS 0").format(table_of(side))
        )


def _has_vectors(connection: Connection) -> bool:
    asked = "SELECT 1 FROM pg_extension WHERE extname = %s"
    return connection.execute(asked, (_EXTENSION,)).fetchone() is not None


def _provide_vectors(connection: Connection, address: Address) -> None:
    """Put pgvector into the database, if it is not there."""
    if _has_vectors(connection):
        return
    try:
        with connection.transaction():
            connection.execute(
                sql.SQL("CREATE EXTENSION {} SCHEMA public").format(sql.Identifier(_EXTENSION))
            )
    except (
        errors.FeatureNotSupported,
        errors.UndefinedFile,
        errors.InsufficientPrivilege,
    ) as fault:
        raise StoreError(
            f"{address.shown} cannot hold a store: {_without_vectors(connection)}"
        ) from fault
    prepare(connection, address)


def _without_vectors(connection: Connection) -> str:
    """Say how a database gets pgvector."""
    row = connection.execute(
        "SELECT 1 FROM pg_available_extensions WHERE name = %s", (_EXTENSION,)
    ).fetchone()
    if row is None:
        major = connection.info.server_version // 10_000
        return (
            "its server has no pgvector, so install its package there, such as "
            f"postgresql-{major}-pgvector"
        )
    return "its database lacks pgvector, so let its owner execute CREATE EXTENSION vector in it"
