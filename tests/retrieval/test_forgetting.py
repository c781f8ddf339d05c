"""Whoever leaves is gone from every byte, and the receipt says what was looked at."""

from __future__ import annotations

import contextlib
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_stores import DESCRIPTION, SIDES, Places, made_addition, made_store

from beholder.errors import StoreError
from beholder.model import Run
from beholder.retrieval import (
    EmbeddedStore,
    Query,
    Searcher,
    Store,
    forget,
    forgetting,
    index,
    open_store,
)
from beholder.retrieval.embedded import database
from beholder.retrieval.records import Addition, ImageRecord, ParticipantRecord, SampleRecord
from beholder.retrieval.writing import TableWriter

NAME = "Zoë-Quxley-7741"
SECRET = "my grandmother's blue lighthouse, " + "seen from the harbour wall " * 400
THUMBNAIL = b"\xff\xd8 only she saw this picture of the harbour \xff\xd9"


def with_her(where: str | Path) -> Store:
    """Return a store of some people, with one more who wrote what nobody else did."""
    generator = np.random.default_rng(0)
    store = made_store(where, made_addition(5, 4, 80, generator))
    number = 1000
    samples = (
        SampleRecord(number, NAME, "harbour-of-quxley.png", text=SECRET),
        SampleRecord(number + 1, NAME, "image-0.png", text="the words of sample 3"),
        SampleRecord(number + 2, NAME, "image-1.png", text="sea"),
    )
    grid = np.full((2, 2, 3), 0.7071, np.float32)
    vectors = {
        side: (
            np.array([9]) if side.modality == "personality" else np.arange(number, number + 3),
            generator.random((1 if side.modality == "personality" else 3, width)).astype("f4"),
        )
        for side in SIDES
        for width in [DESCRIPTION.layout(side).width]
    }
    with store.write() as writer:
        writer.add(
            Addition(
                (ParticipantRecord(9, NAME, (1, 2), {"calm": 1.0, "open": 2.0}),),
                (ImageRecord(9, "harbour-of-quxley.png", 4, 3, THUMBNAIL, grid),),
                samples,
                vectors,
            )
        )
    return store


def everything(store: Store) -> bytes:
    """Return every byte that a store has on the disk, a server's logs apart."""
    if isinstance(store, EmbeddedStore):
        files = [file for file in store.path.rglob("*") if file.is_file()]
    else:
        files = files_of_the_database(store)
    held = []
    for file in files:
        with contextlib.suppress(FileNotFoundError):  # a server replaces its caches meanwhile
            held.append(file.read_bytes())
    return b"".join(held)


def files_of_the_database(store: Any) -> list[Path]:
    with store.read() as snapshot:
        connection = snapshot.connection
        ((folder, database),) = connection.execute(
            "SELECT current_setting('data_directory'), oid::text FROM pg_database "
            "WHERE datname = current_database()"
        )
    with store._connections.lent() as connection:
        connection.execute("CHECKPOINT")  # which also ends the files that were let go of
    if not os.access(Path(folder) / "base" / database, os.R_OK):
        pytest.skip("the server's files cannot be read here")
    return [file for file in (Path(folder) / "base" / database).iterdir() if file.is_file()]


def test_nothing_of_a_person_is_left(place: str) -> None:
    store = with_her(place)
    with store.read() as snapshot:
        rows = [row for side in SIDES for row in snapshot.vectors_of(side, NAME)]
        before = snapshot.counts()
    words = [NAME.encode(), SECRET[:40].encode(), b"harbour-of-quxley", THUMBNAIL]
    words += [row.tobytes() for row in rows]
    store.build_indexes(least_rows=10)
    if not isinstance(store, EmbeddedStore):
        with store._connections.lent() as connection:
            connection.execute("ANALYZE")  # as a server does by itself, at any moment
    # A server keeps long texts compressed, where no word of them can be looked for.
    plain = words if isinstance(store, EmbeddedStore) else [*words[:1], *words[2:]]
    assert all(word in everything(store) for word in plain)
    receipt = forget(store, NAME)
    assert not any(word in everything(store) for word in words)
    with open_store(place).read() as snapshot:
        assert snapshot.counts() == {
            "samples": before["samples"] - 3,
            "participants": before["participants"] - 1,
            "images": before["images"] - 1,
        }
        with pytest.raises(StoreError, match="no participant"):
            snapshot.participant(NAME)
    assert (receipt.samples, receipt.vectors, receipt.had_survey) == (3, 10, True)
    assert receipt.images == ("harbour-of-quxley.png",)
    assert receipt.searches == 20
    assert receipt.answers > 0
    if isinstance(store, EmbeddedStore):
        assert receipt.bytes_read == len(everything(store))
    else:
        assert receipt.files == 9  # tables: facts, model, three of records, four of vectors
        assert receipt.bytes_read > 10_000
        assert "write-ahead log" in receipt.kept[-1]
    assert receipt.of_others_too == 1  # what another person wrote as well
    assert receipt.too_short == 1  # sea
    assert receipt.looked_for == 4  # her name, her picture's, both ends of the long text
    with pytest.raises(StoreError, match=f"no participant '{NAME}'"):
        forget(store, NAME)


def test_others_are_found_as_before(places: Places) -> None:
    kept = made_store(places(), made_addition(5, 4, 80, np.random.default_rng(0)))
    store = with_her(places())
    forget(store, NAME)
    with store.read() as left, kept.read() as right:
        for side in SIDES:
            for person in range(5):
                own = (snapshot.vectors_of(side, f"person-{person}") for snapshot in (left, right))
                np.testing.assert_array_equal(*own)
        assert left.samples(range(80)) == right.samples(range(80))


@pytest.mark.parametrize("left", ["vectors", "text", "row"])
def test_a_removal_that_leaves_something_is_found_out(
    place: str, monkeypatch: pytest.MonkeyPatch, left: str
) -> None:
    store = with_her(place)
    whole = TableWriter.remove_participant

    def careless(self: TableWriter, name: str) -> tuple[str, ...]:
        images = whole(self, name)
        if left != "text":
            self.add(Addition(samples=(SampleRecord(1000, None, "image-0.png"),)))
        if left == "vectors":
            self._put_vectors(SIDES[0], np.array([1000]), np.ones((1, 13), np.float32))
        if left == "text":
            self._repeat("INSERT INTO model VALUES (?, ?)", [("a cache", SECRET.encode())])
        return images

    monkeypatch.setattr(TableWriter, "remove_participant", careless)
    with pytest.raises(StoreError, match="still holds"):
        forget(store, NAME)


def test_files_beside_the_store_are_read_too(tmp_path: Path) -> None:
    store = with_her(tmp_path / "store")
    assert isinstance(store, EmbeddedStore)
    (store.path / "notes").mkdir()
    (store.path / "notes" / "cache.bin").write_bytes(b"\x00" * 50 + NAME.encode() + b"\x00")
    with pytest.raises(StoreError, match=r"cache\.bin still holds words"):
        forget(store, NAME)


def test_a_reader_of_the_old_state_is_said(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_PATIENCE_S", 0.05)
    monkeypatch.setattr("beholder.retrieval.server.schema.PATIENCE_MS", 50)
    store = with_her(place)
    with store.read(), pytest.raises(StoreError, match="another process reads"):
        forget(store, NAME)
    store.compact()
    if not isinstance(store, EmbeddedStore):
        assert NAME.encode() not in everything(store)


def test_forgetting_in_a_store_of_a_run(tiny_run: Run, place: str) -> None:
    store = index(tiny_run, place)
    searcher = Searcher(store)
    receipt = forget(store, "p003")
    assert receipt.samples == 16
    result = searcher.search(Query(text="a dog", find="gaze", top=1000))
    people = {answer.item["participant"] for answer in result.answers}
    assert result.candidates == 192 - 16
    assert len(people) == 11
    assert "p003" not in people
    assert receipt.kept == (forgetting.TRAINED, forgetting.STUDY, *store.remains)


@pytest.mark.parametrize(
    ("parts", "model", "files"),
    [
        (("train", "test"), forgetting.TRAINED, forgetting.STUDY),
        (("validation",), forgetting.TRAINED, forgetting.STUDY),
        ((None, "test"), forgetting.TRAINED, forgetting.STUDY),
        ((), forgetting.TRAINED, forgetting.STUDY),
        (("test",), forgetting.UNTRAINED, forgetting.STUDY),
        (("enrolled",), forgetting.UNTRAINED, forgetting.BROUGHT),
    ],
)
def test_the_receipt_says_what_is_out_of_reach(
    tmp_path: Path, parts: tuple[str | None, ...], model: str, files: str
) -> None:
    made = made_addition(3, 2, 20, np.random.default_rng(0))
    others = tuple(one for one in made.samples if one.participant != "person-1")
    like = next(one for one in made.samples if one.participant == "person-1")
    own = tuple(replace(like, number=100 + n, part=part) for n, part in enumerate(parts))
    kept = [one.number for one in others]
    vectors = {
        side: (numbers, rows)
        if side.modality == "personality"
        else (numbers[np.isin(numbers, kept)], rows[np.isin(numbers, kept)])
        for side, (numbers, rows) in made.vectors.items()
    }
    addition = replace(made, samples=(*others, *own), vectors=vectors)
    receipt = forget(made_store(tmp_path / "store", addition), "person-1")
    assert receipt.kept == (model, files)
