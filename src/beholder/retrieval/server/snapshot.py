"""One state of a store on a server, to read."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from beholder.retrieval.layout import Description, Side, Vectors, parse_description
from beholder.retrieval.server import approximate, ranking, vectors
from beholder.retrieval.server.connections import Connection
from beholder.retrieval.server.writer import asked
from beholder.retrieval.store import Catalogue, Hits, Ranking
from beholder.retrieval.tables import PARTICIPANT, Records, Row, participant_of


class ServerSnapshot(Records):
    """One state of a store on a server, as its transaction sees it."""

    def __init__(self, connection: Connection, facts: Mapping[str, str], where: str) -> None:
        super().__init__(self._asked, where)
        self.connection = connection
        self.generation = int(facts["generation"])
        self.description: Description = parse_description(facts.get("description", ""), where)
        self._indexes = approximate.indexes(facts)

    def counts(self) -> dict[str, int]:
        """Return how many samples, participants and images there are."""
        ((samples, people, images),) = self._ask(
            "SELECT (SELECT count(*) FROM samples), (SELECT count(*) FROM participants), "
            "(SELECT count(*) FROM images)",
            (),
        )
        return {"samples": samples, "participants": people, "images": images}

    def recalls(self) -> dict[str, float]:
        """Return the share of the first ten that each index finds, by the names of sides."""
        return {name: index.recall for name, index in self._indexes.items()}

    def rank(self, rankings: Sequence[Ranking]) -> list[Hits]:
        """Return the asked page of each ranking, exactly unless it may be approximate."""
        for filters in dict.fromkeys(one.filters for one in rankings):
            ranking.check_filters(self.connection, filters, self._where)
        return [self._rank(one) for one in rankings]

    def catalogue(self) -> Catalogue:
        """Return what there is, in memory."""
        people = self._ask(f"{PARTICIPANT} ORDER BY number", ())
        images = self._ask("SELECT number, name FROM images ORDER BY number", ())
        samples = list(
            self._ask(
                "SELECT number, coalesce(participant, -1), image, task, part FROM samples "
                "ORDER BY number",
                (),
            )
        )
        number, owner, image, task, part = zip(*samples, strict=True) if samples else ((),) * 5
        return Catalogue(
            tuple(participant_of(row) for row in people),
            {row[0]: row[1] for row in images},
            np.array(number, np.int64),
            np.array(owner, np.int64),
            np.array(image, np.int64),
            np.array(task, object),
            np.array(part, object),
        )

    def vectors(self, side: Side) -> tuple[NDArray[np.int64], Vectors]:
        """Return all rows (n, width) of a side and whose they are, by ascending number (n,)."""
        width = self.description.layout(side).width
        return vectors.read(self.connection, side, width, self._where)

    def rows(self, side: Side, numbers: Sequence[int]) -> Vectors:
        """Return the rows (n, width) of these items of a side, by ascending number."""
        width = self.description.layout(side).width
        return vectors.read(self.connection, side, width, self._where, numbers=numbers)[1]

    def vectors_of(self, side: Side, participant: str) -> Vectors:
        """Return the rows (n, width) of a person's samples, or of their survey."""
        width = self.description.layout(side).width
        return vectors.read(self.connection, side, width, self._where, participant=participant)[1]

    def large_sides(self, least_rows: int) -> list[Side]:
        """Return the sides of at least so many rows whose vectors an index can hold."""
        return [
            side
            for side in self.description.sides
            if approximate.fits(self.description, side)
            and vectors.count(self.connection, side) >= least_rows
        ]

    def _rank(self, one: Ranking) -> Hits:
        if one.approximate:
            hits = approximate.rank(
                self.connection, self.description, one, self._indexes, self._where
            )
            if hits is not None:
                return replace(hits, is_approximate=True)
        return ranking.rank(self.connection, self.description, one, self._where)

    def _asked(self, statement: str, values: Sequence[object]) -> list[Row]:
        return asked(self.connection, statement, values)
