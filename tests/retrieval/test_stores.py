"""A store of either kind is before or after each writing, whatever happens meanwhile."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_stores import DESCRIPTION, SIDES, Places, made_store
from rounds import SAMPLES, killed, of_round, rounds_in

from beholder.errors import StoreError
from beholder.retrieval import Store, create_store, open_store
from beholder.retrieval.layout import PairLayout
from beholder.retrieval.records import Addition, ParticipantRecord, SampleRecord

KILLS = 20


@pytest.fixture
def store(place: str) -> Store:
    return made_store(place, of_round(0))


def test_a_killed_writer_leaves_the_state_before_or_after(store: Store) -> None:
    generator = np.random.default_rng(0)
    done = 0
    for _ in range(KILLS):

        def write(number: int, start: int = done) -> None:
            with store.write() as writer:
                writer.remove_samples(range(0, SAMPLES, 2))
                writer.add(of_round(start + number + 1))

        works = int(generator.integers(0, 3))
        came_through = killed(write, generator.uniform(0, 0.1), works)
        with store.read() as snapshot:
            (found,) = rounds_in(snapshot)
            assert snapshot.counts()["samples"] == SAMPLES
        assert done + came_through <= found <= done + came_through + 1
        done = found
    assert done > 0
    with store.write() as writer:  # the dead hold nothing
        writer.remove_participant("person-1")
    with store.read() as snapshot:
        assert snapshot.counts() == {"samples": SAMPLES // 2, "participants": 1, "images": 2}


def test_a_killed_removal_is_whole_or_absent(places: Places) -> None:
    generator = np.random.default_rng(1)
    for _ in range(KILLS):
        place = places()
        made = made_store(place, of_round(0))

        def remove(number: int, made: Store = made) -> None:
            if number == 0:
                with made.write() as writer:
                    writer.remove_participant("person-1")
                made.compact()
            else:
                time.sleep(1)

        killed(remove, generator.uniform(0, 0.06))
        with open_store(place).read() as snapshot:
            people, samples = (snapshot.counts()[name] for name in ("participants", "samples"))
            assert (people, samples) in {(2, SAMPLES), (1, SAMPLES // 2)}
            assert rounds_in(snapshot) == {0}


def test_a_killed_creation_is_no_store_or_a_whole_one(place: str) -> None:
    generator = np.random.default_rng(2)
    whole = 0
    for kill in range(KILLS):

        def create(number: int, kill: int = kill) -> None:
            if number == 0:
                with create_store(place, overwrite=True) as writer:
                    writer.clear(DESCRIPTION, {"a": b"1"})
                    writer.add(of_round(kill))
            else:
                time.sleep(1)

        killed(create, generator.uniform(0, 0.08))
        if whole:
            open_store(place)
        try:
            opened = open_store(place)
        except StoreError as error:
            assert "is no store" in str(error)
            continue
        with opened.read() as snapshot:
            assert len(rounds_in(snapshot)) == 1
            assert snapshot.counts()["samples"] == SAMPLES
        whole += 1
    with create_store(place, overwrite=True) as writer:
        writer.clear(DESCRIPTION, {})
        writer.add(of_round(1))
    with open_store(place).read() as snapshot:
        assert rounds_in(snapshot) == {1}


def test_readers_see_one_state_while_another_is_written(store: Store) -> None:
    faults: list[BaseException] = []
    seen: set[int] = set()
    end = threading.Event()

    def read() -> None:
        try:
            while not end.is_set():
                with store.read() as snapshot:
                    (number,) = rounds_in(snapshot)
                    time.sleep(0.002)
                    assert rounds_in(snapshot) == {number}
                seen.add(number)
        except BaseException as error:
            faults.append(error)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(1, 11):
        with store.write() as writer:
            writer.add(of_round(number))
    while 10 not in seen and not faults:
        time.sleep(0.01)
    end.set()
    for reader in readers:
        reader.join()
    assert not faults
    assert len(seen) > 1


def test_a_reader_that_began_before_keeps_its_state(store: Store) -> None:
    with store.read() as before:
        with store.write() as writer:
            writer.add(of_round(1))
        with store.read() as after:
            assert rounds_in(after) == {1}
            assert after.generation == before.generation + 1
        assert rounds_in(before) == {0}


def test_a_second_writer_is_told(store: Store, place: str) -> None:
    with store.write():
        with pytest.raises(StoreError, match="another process is writing"), store.write():
            pytest.fail("the block must not start")
        with (
            pytest.raises(StoreError, match="another process is writing"),
            create_store(place, overwrite=True),
        ):
            pytest.fail("the block must not start")
    with store.write():
        pass


def test_what_a_failed_writing_did_is_undone(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.write() as writer:
        writer.add(of_round(1))
        writer.remove_participant("person-1")
        raise ZeroDivisionError
    with store.read() as snapshot:
        assert rounds_in(snapshot) == {0}
        assert snapshot.counts()["participants"] == 2


def test_a_failed_creation_leaves_nothing(place: str) -> None:
    with pytest.raises(ZeroDivisionError), create_store(place):
        raise ZeroDivisionError
    with pytest.raises(StoreError, match="is no store"):
        open_store(place)
    assert not Path(place).exists()
    made_store(place, of_round(0))
    with pytest.raises(ZeroDivisionError), create_store(place, overwrite=True) as writer:
        writer.clear(DESCRIPTION, {})
        raise ZeroDivisionError
    with open_store(place).read() as snapshot:
        assert rounds_in(snapshot) == {0}
    with pytest.raises(FileExistsError), create_store(place):
        pytest.fail("the block must not start")


def test_replaced_items_lose_their_old_vectors(store: Store) -> None:
    with store.write() as writer:
        writer.add(Addition(samples=(SampleRecord(0, "person-0", "image-1.png", text="new"),)))
        assert writer.next_number("samples") == SAMPLES
        assert writer.remove_samples([299, 299, 5000]) == 1
        assert writer.next_number("samples") == SAMPLES  # a number is never given twice
    store.compact()
    with store.write() as writer:
        assert [writer.next_number(kind) for kind in ("samples", "participants", "images")] == [
            SAMPLES,
            2,
            2,
        ]
    with store.read() as snapshot:
        assert len(snapshot.vectors_of(SIDES[0], "person-0")) == SAMPLES // 2 - 1
        assert snapshot.samples([0])[0].image == "image-1.png"
        assert snapshot.samples([299]) == {}


def test_additions_that_do_not_fit_are_refused(store: Store) -> None:
    side = SIDES[0]
    width = DESCRIPTION.layout(side).width
    faults = {
        "no participant 'nobody'": Addition(samples=(SampleRecord(0, "nobody", "image-0.png"),)),
        "no image 'nothing'": Addition(samples=(SampleRecord(0, None, "nothing"),)),
        "nobody with number 9999": Addition(
            vectors={side: (np.array([9999]), np.zeros((1, width), np.float32))}
        ),
        r"of shape \(1, 13\), not \(1, 2\)": Addition(
            vectors={side: (np.array([0]), np.zeros((1, 2), np.float32))}
        ),
        "are numbers": Addition(
            vectors={side: (np.array([0]), np.full((1, width), np.nan, np.float32))}
        ),
    }
    for sentence, addition in faults.items():
        with pytest.raises(StoreError, match=sentence), store.write() as writer:
            writer.add(addition)
    with store.read() as snapshot:
        assert rounds_in(snapshot) == {0}


def test_names_are_of_one_item(store: Store) -> None:
    with (
        pytest.raises(StoreError, match="has one of participants called 'person-0' already"),
        store.write() as writer,
    ):
        writer.add(Addition((ParticipantRecord(5, "person-0"),)))
    with store.write() as writer:
        writer.add(Addition((ParticipantRecord(0, "renamed"),)))
    with store.read() as snapshot:
        assert snapshot.participants([0])[0].name == "renamed"
        assert {one.participant for one in snapshot.samples(range(4)).values()} == {
            "renamed",
            "person-1",
        }


def test_a_vector_given_twice_is_the_last_one(store: Store) -> None:
    side = SIDES[0]
    rows = np.stack([np.full(13, value, np.float32) for value in (7, 8)])
    with store.write() as writer:
        writer.add(Addition(vectors={side: (np.array([4, 4]), rows)}))
    with store.read() as snapshot:
        numbers, held = snapshot.vectors(side)
        assert len(numbers) == SAMPLES
        np.testing.assert_array_equal(held[4], rows[1])


def test_a_store_is_replaced_as_a_whole_while_it_is_read(store: Store, place: str) -> None:
    """Another run has other spaces: readers of the old state see none of it."""
    pair = PairLayout(("text", "personality"), {"style": 1.0}, {"style": 5})
    description = replace(DESCRIPTION, pairs=(pair,))
    with store.read() as before:
        with create_store(place, overwrite=True) as writer:
            writer.clear(description, {"b": b"2"})
            writer.add(replace(of_round(1), samples=(), vectors={}))
        assert rounds_in(before) == {0}
        assert before.description == DESCRIPTION
        assert before.model() == {"configuration.toml": b"nothing"}
    with store.read() as after:
        assert after.description == description
        assert after.counts() == {"samples": 0, "participants": 2, "images": 2}
        assert len(after.vectors(pair.side("text"))[0]) == 0
