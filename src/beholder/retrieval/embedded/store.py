"""A store in one folder, without a server."""

import contextlib
import shutil
import sqlite3
import threading
from collections.abc import Collection, Iterator, Sequence
from errno import EEXIST
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from beholder.errors import StoreError
from beholder.progress import Progress, silent
from beholder.retrieval.embedded import approximate, database, exact, traces
from beholder.retrieval.embedded.approximate import Indexes
from beholder.retrieval.embedded.contents import Contents, generation_of, load
from beholder.retrieval.embedded.writer import EmbeddedWriter
from beholder.retrieval.layout import Description, Side, Vectors
from beholder.retrieval.proposals import LEAST_ROWS
from beholder.retrieval.store import Catalogue, Hits, Ranking
from beholder.retrieval.tables import PARTICIPANT, Records, participant_of


class EmbeddedStore:
    """A store in one folder: open it once, read it from many threads."""

    remains: tuple[str, ...] = ()

    def __init__(self, path: Path) -> None:
        self.path = path
        self.where = str(path)
        self._contents: tuple[Contents, Indexes] | None = None
        self._loading = threading.Lock()

    @classmethod
    def open(cls, path: str | Path) -> "EmbeddedStore":
        """Open a store, or raise StoreError saying what is wrong with the folder."""
        store = cls(Path(path))
        with store.read():
            return store

    @classmethod
    @contextlib.contextmanager
    def create(cls, path: str | Path, *, overwrite: bool = False) -> Iterator[EmbeddedWriter]:
        """Give the writer of a new store, or of one to be replaced as a whole.

        Until the block ends there is no store here, or the old one. Raises FileExistsError
        if one is here and must not be overwritten, StoreError if something else is.
        """
        path = Path(path)
        with database.reported(path):
            database.is_unwritten(path)  # says so if something else is here
        had_folder = path.exists()
        path.mkdir(parents=True, exist_ok=True)
        with database.locked(path), database.reported(path):
            unwritten = database.is_unwritten(path)
            if not unwritten and not overwrite:
                raise FileExistsError(EEXIST, "it exists already", str(path))
            new = unwritten or database.is_older(path)
            try:
                database.begin(path)
                with cls(path)._transaction(new=new) as writer:
                    yield writer
            except BaseException:
                if unwritten and not had_folder:
                    shutil.rmtree(path, ignore_errors=True)
                raise

    @contextlib.contextmanager
    def read(self) -> Iterator["EmbeddedSnapshot"]:
        """Give the present state, which stays as it is while it is held."""
        with database.reported(self.path):
            connection = database.open_to_read(self.path)
            try:
                connection.execute("BEGIN")
                yield EmbeddedSnapshot(self, connection, *self._contents_of(connection))
            finally:
                connection.close()

    @contextlib.contextmanager
    def write(self) -> Iterator[EmbeddedWriter]:
        """Give the only writer; StoreError if another one is at work."""
        with database.reported(self.path):
            database.open_to_read(self.path).close()  # says so if this is no store
            with database.locked(self.path), self._transaction() as writer:
                yield writer

    def compact(self) -> None:
        """Rewrite the file, so that nothing of what was removed is left in it.

        Raises StoreError if a reader holds an old state for too long.
        """
        with (
            database.reported(self.path),
            database.locked(self.path),
            contextlib.closing(database.open_to_write(self.path)) as connection,
        ):
            approximate.remove(self.path)
            connection.execute("VACUUM")
            busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise StoreError(
                f"{self.path} still holds what was removed, as another process reads its old "
                "state: end that process; the next writing to the store completes the removal"
            )

    def wants_indexes(self) -> bool:
        """Tell whether some side is so large that an index pays, and one can be built."""
        with self.read() as snapshot:
            rows = [len(matrix.rows) for matrix in snapshot._contents.matrices.values()]
        return approximate.is_installed() and max(rows, default=0) >= LEAST_ROWS

    def build_indexes(
        self, progress: Progress = silent, least_rows: int = LEAST_ROWS
    ) -> dict[str, float]:
        """Build an approximate index of every side of so many rows; return their recalls.

        Raises UnsupportedError where FAISS is missing.
        """
        with database.locked(self.path), self.read() as snapshot:
            recalls = approximate.build(snapshot._contents, self.path, progress, least_rows)
        self._contents = None
        return recalls

    def texts(self) -> bytes:
        """Return every text that the store holds now, its model's among them."""
        with database.reported(self.path):
            return traces.texts(self.path)

    def look_for(self, pieces: Collection[bytes]) -> tuple[int, int]:
        """Look for pieces in every file; return how many files and bytes were read.

        Raises StoreError naming the file that holds one.
        """
        return traces.look_for(self.path, pieces)

    @contextlib.contextmanager
    def _transaction(self, *, new: bool = False) -> Iterator[EmbeddedWriter]:
        with contextlib.closing(database.open_to_write(self.path)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                if new:
                    database.create_tables(connection)
                yield EmbeddedWriter(connection, str(self.path))
                connection.execute("UPDATE facts SET value = value + 1 WHERE name = 'generation'")
                # They are of the state before: a kill from here on leaves none, not stale ones.
                approximate.remove(self.path)
                connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):  # what ended it is the news
                    connection.execute("ROLLBACK")
                raise

    def _contents_of(self, connection: sqlite3.Connection) -> tuple[Contents, Indexes]:
        generation = generation_of(connection, str(self.path))
        held = self._contents
        if held is not None and held[0].generation == generation:
            return held
        with self._loading:
            held = self._contents
            if held is None or held[0].generation != generation:
                contents = load(connection, str(self.path))
                held = contents, approximate.load(contents, self.path)
                self._contents = held
            return held


class EmbeddedSnapshot(Records):
    """One state of an embedded store."""

    def __init__(
        self,
        store: EmbeddedStore,
        connection: sqlite3.Connection,
        contents: Contents,
        indexes: Indexes,
    ) -> None:
        super().__init__(connection.execute, store.where)
        self._contents = contents
        self._indexes = indexes

    @property
    def generation(self) -> int:
        """A number that every writing raises."""
        return self._contents.generation

    @property
    def description(self) -> Description:
        """What the vectors mean."""
        return self._contents.description

    def counts(self) -> dict[str, int]:
        """Return how many samples, participants and images there are."""
        return {
            "samples": len(self._contents.samples),
            "participants": len(self._contents.people),
            "images": len(self._contents.images),
        }

    def recalls(self) -> dict[str, float]:
        """Return the share of the first ten that each index finds, by the names of sides."""
        return {name: index.recall for name, index in self._indexes.by_side.items()}

    def rank(self, rankings: Sequence[Ranking]) -> list[Hits]:
        """Return the asked page of each ranking, exactly unless it may be approximate."""
        found = self._indexes.rank(self._contents, rankings)
        rest = [place for place in range(len(rankings)) if place not in found]
        exactly = exact.rank(self._contents, [rankings[place] for place in rest], self._where)
        found |= dict(zip(rest, exactly, strict=True))
        return [found[place] for place in range(len(rankings))]

    def catalogue(self) -> Catalogue:
        """Return what there is, in memory."""
        contents = self._contents
        people = self._ask(f"{PARTICIPANT} ORDER BY number", ())
        images = zip(contents.images.tolist(), contents.image_names, strict=True)
        return Catalogue(
            tuple(participant_of(row) for row in people),
            dict(images),
            contents.samples,
            np.append(contents.people, -1)[contents.person],
            contents.images[contents.image],
            contents.tasks,
            contents.parts,
        )

    def vectors(self, side: Side) -> tuple[NDArray[np.int64], Vectors]:
        """Return all rows (n, width) of a side and whose they are, by ascending number (n,)."""
        contents, matrix = self._contents, self._contents.matrices[side.name]
        owners = contents.people if side.modality == "personality" else contents.samples
        return owners[matrix.place], matrix.rows

    def rows(self, side: Side, numbers: Sequence[int]) -> Vectors:
        """Return the rows (n, width) of these items of a side, by ascending number."""
        owners, rows = self.vectors(side)
        found: Vectors = rows[np.isin(owners, list(numbers))]
        return found

    def vectors_of(self, side: Side, participant: str) -> Vectors:
        """Return the rows (n, width) of a person's samples, or of their survey."""
        contents = self._contents
        matrix = contents.matrices[side.name]
        own = contents.people_names == participant
        if side.modality != "personality":
            own = np.append(own, False)[contents.person]
        rows: Vectors = matrix.rows[own[matrix.place]]
        return rows
