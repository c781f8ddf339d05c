"""Whoever leaves is gone from every byte, and the receipt says what was looked at."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_stores import DESCRIPTION, SIDES, made_addition, made_store

from beholder.errors import StoreError
from beholder.retrieval import EmbeddedStore, Query, Searcher, forget, forgetting, index
from beholder.retrieval.embedded.writer import EmbeddedWriter
from beholder.retrieval.records import Addition, ImageRecord, ParticipantRecord, SampleRecord

NAME = "Zoë-Quxley-7741"
SECRET = "my grandmother's blue lighthouse, " + "seen from the harbour wall " * 400
THUMBNAIL = b"\xff\xd8 only she saw this picture of the harbour \xff\xd9"


def with_her(path: Path) -> EmbeddedStore:
    """Return a store of some people, with one more who wrote what nobody else did."""
    generator = np.random.default_rng(0)
    store = made_store(path, made_addition(5, 4, 80, generator))
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


def everything(path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in path.rglob("*") if file.is_file())


def test_nothing_of_a_person_is_left(tmp_path: Path) -> None:
    store = with_her(tmp_path / "store")
    with store.read() as snapshot:
        rows = [row for side in SIDES for row in snapshot.vectors_of(side, NAME)]
        before = snapshot.counts()
    words = [NAME.encode(), SECRET[:40].encode(), b"harbour-of-quxley", THUMBNAIL]
    words += [row.tobytes() for row in rows]
    assert all(word in everything(store.path) for word in words)
    receipt = forget(store, NAME)
    assert not any(word in everything(store.path) for word in words)
    with EmbeddedStore.open(store.path).read() as snapshot:
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
    assert receipt.bytes_read == len(everything(store.path))
    assert receipt.of_others_too == 1  # what another person wrote as well
    assert receipt.too_short == 1  # sea
    assert receipt.looked_for == 4  # her name, her picture's, both ends of the long text
    with pytest.raises(StoreError, match=f"no participant '{NAME}'"):
        forget(store, NAME)


def test_others_are_found_as_before(tmp_path: Path) -> None:
    kept = made_store(tmp_path / "kept", made_addition(5, 4, 80, np.random.default_rng(0)))
    store = with_her(tmp_path / "store")
    forget(store, NAME)
    with store.read() as left, kept.read() as right:
        for side in SIDES:
            for person in range(5):
                own = (snapshot.vectors_of(side, f"person-{person}") for snapshot in (left, right))
                np.testing.assert_array_equal(*own)
        assert left.samples(range(80)) == right.samples(range(80))


@pytest.mark.parametrize("left", ["vectors", "text", "row"])
def test_a_removal_that_leaves_something_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: str
) -> None:
    store = with_her(tmp_path / "store")
    whole = EmbeddedWriter.remove_participant

    def careless(self: EmbeddedWriter, name: str) -> tuple[str, ...]:
        connection = self._connection
        kept = connection.execute("SELECT * FROM samples WHERE number = 1000").fetchone()
        vector = connection.execute("SELECT * FROM vectors WHERE item = 1000").fetchone()
        images = whole(self, name)
        if left == "row":
            values = (*kept[:1], None, 0, *kept[3:])
            connection.execute("INSERT INTO samples VALUES (?, ?, ?, ?, ?, ?, ?)", values)
        if left == "vectors":
            connection.execute("INSERT INTO vectors VALUES (?, ?, ?)", vector)
        if left == "text":
            connection.execute("INSERT INTO model VALUES ('a cache', ?)", (SECRET.encode(),))
        return images

    monkeypatch.setattr(EmbeddedWriter, "remove_participant", careless)
    with pytest.raises(StoreError, match=r"still holds|belongs to nobody"):
        forget(store, NAME)


def test_files_beside_the_store_are_read_too(tmp_path: Path) -> None:
    store = with_her(tmp_path / "store")
    (store.path / "notes").mkdir()
    (store.path / "notes" / "cache.bin").write_bytes(b"\x00" * 50 + NAME.encode() + b"\x00")
    with pytest.raises(StoreError, match=r"cache\.bin still holds words"):
        forget(store, NAME)


def test_a_reader_of_the_old_state_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from beholder.retrieval.embedded import database

    monkeypatch.setattr(database, "_PATIENCE_S", 0.05)
    store = with_her(tmp_path / "store")
    with store.read(), pytest.raises(StoreError, match="another process reads its old state"):
        forget(store, NAME)


def test_forgetting_in_a_store_of_a_run(tiny_store: EmbeddedStore, tiny_run, tmp_path) -> None:  # type: ignore[no-untyped-def]
    store = index(tiny_run, tmp_path / "store")
    searcher = Searcher(store)
    receipt = forget(store, "p003")
    assert receipt.samples == 16
    result = searcher.search(Query(text="a dog", find="gaze", top=1000))
    people = {answer.item["participant"] for answer in result.answers}
    assert result.candidates == 192 - 16
    assert len(people) == 11
    assert "p003" not in people
    assert receipt.kept == forgetting.KEPT
