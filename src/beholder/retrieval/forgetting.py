"""Removing a person from a store, and the proof that nothing of them is left."""

import mmap
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from beholder.errors import StoreError
from beholder.retrieval.embedded import EmbeddedStore
from beholder.retrieval.embedded.database import open_to_read
from beholder.retrieval.layout import Side, Vectors
from beholder.retrieval.store import Probe, Ranking, Snapshot

_MOST_QUERIES = 50
"""How many of a person's vectors of a side are searched with."""

_SHORTEST, _LONGEST = 8, 48
"""Bytes that are looked for in files: fewer occur by chance, more may lie on two pages."""

KEPT = (
    "The run's model was trained with this person's samples and is kept, its vocabulary "
    "included: train again without them to change that.",
    "The study and the run are no part of the store: remove the person there before you index "
    "again.",
)


@dataclass(frozen=True)
class Receipt:
    """What was removed, and how it was made sure that nothing is left.

    ``searches`` were asked with the person's own vectors and found nothing of theirs.
    ``looked_for`` pieces (the id, the texts, the names of images that went) are in none of
    the ``files``; ``of_others_too`` were not looked for, as others or the model's vocabulary
    have the same words, nor were ``too_short`` ones.
    """

    store: str
    participant: str
    samples: int
    vectors: int
    had_survey: bool
    images: tuple[str, ...]
    searches: int
    answers: int
    files: int
    bytes_read: int
    looked_for: int
    of_others_too: int
    too_short: int
    kept: tuple[str, ...] = KEPT

    def as_json(self) -> dict[str, Any]:
        """Return the receipt as what JSON can hold."""
        return asdict(self)


def forget(store: EmbeddedStore, name: str) -> Receipt:
    """Remove a person from a store, prove it, and return the receipt.

    Raises StoreError if nobody is called so, or if anything of them were found afterwards.
    """
    with store.read() as before:
        person = before.participant(name)
        samples = before.samples_of(name)
        own = {side: before.vectors_of(side, name) for side in before.description.sides}
    with store.write() as writer:
        images = writer.remove_participant(name)
    store.compact()
    if store.wants_indexes():
        store.build_indexes()
    numbers = {sample.number for sample in samples}
    with store.read() as after:
        searches, answers = _search(after, store.path, person.number, numbers, own)
    words = [name, *images, *(sample.text for sample in samples if sample.text)]
    pieces = {piece for word in words for piece in _pieces(word.encode())}
    short = {piece for piece in pieces if len(piece) < _SHORTEST}
    held = _held(store.path)
    shared = {piece for piece in pieces - short if piece in held}
    wanted = pieces - short - shared
    files, size = _scan(store.path, wanted)
    return Receipt(
        str(store.path),
        name,
        len(samples),
        sum(map(len, own.values())),
        person.answers is not None,
        images,
        searches,
        answers,
        files,
        size,
        len(wanted),
        len(shared),
        len(short),
    )


def _search(
    snapshot: Snapshot, path: Path, person: int, numbers: set[int], own: dict[Side, Vectors]
) -> tuple[int, int]:
    """Ask with a person's own vectors; return how many searches and answers there were."""
    if snapshot.participants([person]) or snapshot.samples(numbers):
        raise StoreError(f"{path} still holds rows of the person who was to be removed")
    rankings = [
        Ranking(find, (Probe(side.modality, side, row),), {side.modality: 1.0})
        for side, rows in own.items()
        for row in rows[:_MOST_QUERIES]
        for find in (side.modality, "participants")
    ]
    answers = 0
    for ranking, hits in zip(rankings, snapshot.rank(rankings), strict=True):
        of_people = ranking.find in ("participants", "personality")
        removed = {person} if of_people else numbers
        answers += len(hits.hits)
        if any(hit.number in removed for hit in hits.hits):
            raise StoreError(f"{path} still finds the person who was to be removed")
    return len(rankings), answers


def _pieces(word: bytes) -> set[bytes]:
    """Return the beginning and the end of a word: a page's end hides one of them at most."""
    return {word[:_LONGEST], word[-_LONGEST:]}


def _held(path: Path) -> bytes:
    """Return every text that a store holds now, its model's among them."""
    texts: list[bytes] = []
    with closing(open_to_read(path)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        for (table,) in tables.fetchall():
            for row in connection.execute(f'SELECT * FROM "{table}"'):
                texts += [cell.encode() for cell in row if isinstance(cell, str)]
        model = connection.execute("SELECT data FROM model WHERE name LIKE '%.json'")
        texts += [row[0] for row in model]
    return b"\n".join(texts)


def _scan(path: Path, pieces: set[bytes]) -> tuple[int, int]:
    """Look for pieces in every file of a folder; return how many files and bytes were read."""
    files, size = 0, 0
    for file in sorted(entry for entry in path.rglob("*") if entry.is_file()):
        files += 1
        length = file.stat().st_size
        size += length
        if not length:
            continue
        with (
            file.open("rb") as opened,
            mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as data,
        ):
            for piece in pieces:
                if data.find(piece) >= 0:
                    raise StoreError(
                        f"{file} still holds words of the person who was to be removed"
                    )
    return files, size
