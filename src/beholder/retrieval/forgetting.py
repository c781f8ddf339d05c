"""Removing a person from a store, and the proof that nothing of them is left."""

from dataclasses import asdict, dataclass
from typing import Any

from beholder.errors import StoreError
from beholder.retrieval.enrolment import ENROLLED
from beholder.retrieval.layout import Side, Vectors
from beholder.retrieval.store import Probe, Ranking, Snapshot, Store

_MOST_QUERIES = 50
"""How many of a person's vectors of a side are searched with."""

_SHORTEST, _LONGEST = 8, 48
"""Bytes that are looked for in files: fewer occur by chance, more may lie on two pages."""

TRAINED = (
    "The run's model was trained with this person's samples and is kept, its vocabulary "
    "included: train again without them to change that."
)
UNTRAINED = "The run's model, which is kept, was not trained with this person's samples."
STUDY = (
    "The study and the run are no part of the store: remove the person there before you index "
    "again."
)
BROUGHT = "The files that the person was enrolled with are no part of the store."


@dataclass(frozen=True)
class Receipt:
    """What was removed, and how it was made sure that nothing is left.

    ``searches`` were asked with the person's own vectors and found nothing of theirs.
    ``looked_for`` pieces (the id, the texts, the names of images that went) are in none of
    the ``files``, which are tables on a server; ``of_others_too`` were not looked for, as
    others or the model's vocabulary have the same words, nor were ``too_short`` ones.
    ``kept`` says what is out of the store's reach.
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
    kept: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the receipt as what JSON can hold."""
        return asdict(self)


def forget(store: Store, name: str) -> Receipt:
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
        searches, answers = _search(after, store.where, person.number, numbers, own)
    words = [name, *images, *(sample.text for sample in samples if sample.text)]
    pieces = {piece for word in words for piece in _pieces(word.encode())}
    short = {piece for piece in pieces if len(piece) < _SHORTEST}
    held = store.texts()
    shared = {piece for piece in pieces - short if piece in held}
    wanted = pieces - short - shared
    files, size = store.look_for(wanted)
    return Receipt(
        store.where,
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
        (*_kept({sample.part for sample in samples}), *store.remains),
    )


def _kept(parts: set[str | None]) -> tuple[str, str]:
    """Say what is out of a store's reach of a person whose samples are of these parts."""
    model = UNTRAINED if parts and parts <= {"test", ENROLLED} else TRAINED
    return model, BROUGHT if parts == {ENROLLED} else STUDY


def _search(
    snapshot: Snapshot, where: str, person: int, numbers: set[int], own: dict[Side, Vectors]
) -> tuple[int, int]:
    """Ask with a person's own vectors; return how many searches and answers there were."""
    if snapshot.participants([person]) or snapshot.samples(numbers):
        raise StoreError(f"{where} still holds rows of the person who was to be removed")
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
            raise StoreError(f"{where} still finds the person who was to be removed")
    return len(rankings), answers


def _pieces(word: bytes) -> set[bytes]:
    """Return the beginning and the end of a word: a page's end hides one of them at most."""
    return {word[:_LONGEST], word[-_LONGEST:]}
