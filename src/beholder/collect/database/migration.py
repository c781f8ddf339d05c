"""Running the numbered migrations that come with this version."""

from importlib import resources

from alembic import command
from alembic.config import Config
from alembic.script.revision import ResolutionError
from alembic.util import CommandError
from sqlalchemy import Connection, text

from beholder.errors import ConfigurationError

_LOCK = 0x6265686F  # an advisory lock's number; any constant that others do not use


def configuration(connection: Connection) -> Config:
    """Return Alembic's configuration for a connection that is in a transaction."""
    config = Config()
    folder = resources.files("beholder.collect").joinpath("database", "migrations")
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def upgrade(connection: Connection) -> None:
    """Run what is not run yet, inside the connection's transaction."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _LOCK})
    try:
        command.upgrade(configuration(connection), "head")
    except (CommandError, ResolutionError) as error:
        raise ConfigurationError(
            "the database was made by a newer Beholder or by something else: this version "
            f"knows no such revision ({error})"
        ) from error
