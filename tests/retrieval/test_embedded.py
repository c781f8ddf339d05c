"""A store is before or after each writing, whatever happens meanwhile."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from made_stores import DESCRIPTION, SIDES, made_addition, made_store

from beholder.errors import StoreError
from beholder.retrieval import EmbeddedStore, Snapshot
from beholder.retrieval.embedded.database import FILE
from beholder.retrieval.records import Addition, SampleRecord

SAMPLES = 300
KILLS = 30


def of_round(number: int, count: int = SAMPLES) -> Addition:
    """Return items that all say of which round they are."""
    base = made_addition(2, 2, 0, np.random.default_rng(0))
    samples = tuple(
        SampleRecord(one, f"person-{one % 2}", "image-0.png", text=f"round {number}")
        for one in range(count)
    )
    side = SIDES[0]
    rows = np.full((count, DESCRIPTION.layout(side).width), number, np.float32)
    return Addition(base.participants, base.images, samples, {side: (np.arange(count), rows)})


def rounds_in(snapshot: Snapshot) -> set[int]:
    """Return every round of which the store holds a text or a vector."""
    count = snapshot.counts()["samples"]
    texts = {sample.text for sample in snapshot.samples(range(count + 1)).values()}
    rows = np.concatenate([snapshot.vectors_of(SIDES[0], f"person-{n}") for n in range(2)])
    assert len(rows) == count
    return {int(str(text).split()[1]) for text in texts} | {int(one) for one in np.unique(rows)}


@pytest.fixture
def store(tmp_path: Path) -> EmbeddedStore:
    return made_store(tmp_path / "store", of_round(0))


def killed(work: Callable[[int], None], after_s: float) -> int:
    """Run work(0), work(1), … in a process that is killed; return how often it came through."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:  # the child
        try:
            for number in range(1000):
                work(number)
                os.write(writing, b".")
        finally:
            os._exit(1)
    os.close(writing)
    time.sleep(after_s)
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    with os.fdopen(reading, "rb") as pipe:
        return len(pipe.read())


def test_a_killed_writer_leaves_the_state_before_or_after(store: EmbeddedStore) -> None:
    generator = np.random.default_rng(0)
    done = 0
    for _ in range(KILLS):

        def write(number: int, start: int = done) -> None:
            with store.write() as writer:
                writer.remove_samples(range(0, SAMPLES, 2))
                writer.add(of_round(start + number + 1))

        came_through = killed(write, generator.uniform(0.002, 0.12))
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


def test_a_killed_removal_is_whole_or_absent(tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    for kill in range(KILLS):
        path = tmp_path / str(kill)
        made = made_store(path, of_round(0))

        def remove(number: int, made: EmbeddedStore = made) -> None:
            if number == 0:
                with made.write() as writer:
                    writer.remove_participant("person-1")
                made.compact()
            else:
                time.sleep(1)

        killed(remove, generator.uniform(0, 0.04))
        with EmbeddedStore.open(path).read() as snapshot:
            people, samples = (snapshot.counts()[name] for name in ("participants", "samples"))
            assert (people, samples) in {(2, SAMPLES), (1, SAMPLES // 2)}
            assert rounds_in(snapshot) == {0}
        shutil.rmtree(path)


def test_a_killed_creation_is_no_store_or_a_whole_one(tmp_path: Path) -> None:
    generator = np.random.default_rng(2)
    path = tmp_path / "store"
    whole = 0
    for kill in range(KILLS):

        def create(number: int, kill: int = kill) -> None:
            if number == 0:
                with EmbeddedStore.create(path, overwrite=True) as writer:
                    writer.clear(DESCRIPTION, {"a": b"1"})
                    writer.add(of_round(kill))
            else:
                time.sleep(1)

        killed(create, generator.uniform(0, 0.05))
        if whole:
            EmbeddedStore.open(path)
        try:
            opened = EmbeddedStore.open(path)
        except StoreError as error:
            assert "is no store" in str(error)
            continue
        with opened.read() as snapshot:
            assert len(rounds_in(snapshot)) == 1
            assert snapshot.counts()["samples"] == SAMPLES
        whole += 1
    with EmbeddedStore.create(path, overwrite=True) as writer:
        writer.clear(DESCRIPTION, {})
        writer.add(of_round(1))
    with EmbeddedStore.open(path).read() as snapshot:
        assert rounds_in(snapshot) == {1}


def test_readers_see_one_state_while_another_is_written(store: EmbeddedStore) -> None:
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


def test_a_reader_that_began_before_keeps_its_state(store: EmbeddedStore) -> None:
    with store.read() as before:
        with store.write() as writer:
            writer.add(of_round(1))
        with store.read() as after:
            assert rounds_in(after) == {1}
            assert after.generation == before.generation + 1
        assert rounds_in(before) == {0}


def test_a_second_writer_is_told(store: EmbeddedStore) -> None:
    with store.write():
        with pytest.raises(StoreError, match="another process is writing"), store.write():
            pytest.fail("the block must not start")
        with (
            pytest.raises(StoreError, match="another process is writing"),
            EmbeddedStore.create(store.path, overwrite=True),
        ):
            pytest.fail("the block must not start")
    with store.write():
        pass


def test_what_a_failed_writing_did_is_undone(store: EmbeddedStore) -> None:
    with pytest.raises(ZeroDivisionError), store.write() as writer:
        writer.add(of_round(1))
        writer.remove_participant("person-1")
        raise ZeroDivisionError
    with store.read() as snapshot:
        assert rounds_in(snapshot) == {0}
        assert snapshot.counts()["participants"] == 2


def test_a_failed_creation_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "store"
    with pytest.raises(ZeroDivisionError), EmbeddedStore.create(path):
        raise ZeroDivisionError
    assert not path.exists()
    made_store(path, of_round(0))
    with pytest.raises(ZeroDivisionError), EmbeddedStore.create(path, overwrite=True) as writer:
        writer.clear(DESCRIPTION, {})
        raise ZeroDivisionError
    with EmbeddedStore.open(path).read() as snapshot:
        assert rounds_in(snapshot) == {0}
    with pytest.raises(FileExistsError), EmbeddedStore.create(path):
        pytest.fail("the block must not start")


FULL = """
import sys
sys.path[:0] = {paths!r}
from pathlib import Path
from test_embedded import of_round, rounds_in
from made_stores import made_store
store = made_store(Path({path!r}), of_round(0))
for number in range(1, 50):
    try:
        with store.write() as writer:
            writer.add(of_round(number, 20000))
    except OSError as error:
        assert error.errno == 28 and error.filename == {path!r}, error
        break
else:
    sys.exit("the disk was never full")
with store.read() as snapshot:
    assert rounds_in(snapshot) == {{0}} and snapshot.counts()["samples"] == 300
with store.write() as writer:
    writer.remove_samples(range(200))
with store.read() as snapshot:
    assert snapshot.counts()["samples"] == 100
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[list[str]]:
    """The words of a command that runs another one with a disk of 600 kB at tmp_path/disk."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = f'mount -t tmpfs -o size=600k tmpfs {disk} && exec "$@"'
    words = ["unshare", "-rm", "sh", "-c", mount, "sh"]
    if not shutil.which("unshare") or subprocess.run([*words, "true"]).returncode:
        pytest.skip("no disk can be made here that fills up")
    yield words


def test_a_full_disk_leaves_the_state_before(tmp_path: Path, small_disk: list[str]) -> None:
    path = str(tmp_path / "disk" / "store")
    script = FULL.format(path=path, paths=[str(Path(__file__).parent), *sys.path])
    done = subprocess.run(
        [*small_disk, sys.executable, "-c", script], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_what_is_no_store_is_one_sentence(tmp_path: Path, store: EmbeddedStore) -> None:
    def refusal(path: Path) -> str:
        with pytest.raises(StoreError) as caught:
            EmbeddedStore.open(path)
        return str(caught.value)

    assert "has no store.sqlite" in refusal(tmp_path / "absent")
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / FILE).write_text("this is a letter and no database" * 100)
    assert "of another kind" in refusal(foreign)
    (foreign / FILE).unlink()
    with sqlite3.connect(foreign / FILE) as other:
        other.execute("CREATE TABLE bookmarks (url TEXT)")
    other.close()
    assert "belongs to another program" in refusal(foreign)
    with (
        pytest.raises(StoreError, match="another program"),
        EmbeddedStore.create(foreign, overwrite=True),
    ):
        pytest.fail("the block must not start")
    (foreign / "thesis.tex").write_text("")
    with pytest.raises(StoreError, match=r"holds thesis\.tex"), EmbeddedStore.create(foreign):
        pytest.fail("the block must not start")
    with pytest.raises(StoreError, match="no folder"), EmbeddedStore.create(foreign / FILE):
        pytest.fail("the block must not start")
    assert (foreign / "thesis.tex").exists()


def test_an_older_schema_is_one_sentence(store: EmbeddedStore) -> None:
    with sqlite3.connect(store.path / FILE) as connection:
        connection.execute("PRAGMA user_version = 0")
    connection.close()
    for opened in (store.read, store.write):
        with pytest.raises(StoreError, match="schema version 0, and this"), opened():
            pytest.fail("the block must not start")


@pytest.mark.parametrize("kept", [0.2, 0.5, 0.99])
def test_a_truncated_file_is_one_sentence(store: EmbeddedStore, kept: float) -> None:
    file = store.path / FILE
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(StoreError, match=r"is damaged.*index the run again"):
        EmbeddedStore.open(store.path)


def test_scribbles_in_the_file_never_crash(store: EmbeddedStore) -> None:
    """Whatever is overwritten, opening and ranking end in an answer or one sentence."""
    file = store.path / FILE
    data = file.read_bytes()
    generator = np.random.default_rng(3)
    for _ in range(30):
        spoilt = bytearray(data)
        start = int(generator.integers(0, len(data) - 600))
        spoilt[start : start + 500] = generator.bytes(500)
        file.write_bytes(bytes(spoilt))
        try:
            with EmbeddedStore.open(store.path).read() as snapshot:
                snapshot.samples(range(SAMPLES))
        except StoreError as error:
            assert str(store.path) in str(error)


def test_replaced_items_lose_their_old_vectors(store: EmbeddedStore) -> None:
    with store.write() as writer:
        writer.add(Addition(samples=(SampleRecord(0, "person-0", "image-1.png", text="new"),)))
        assert writer.next_number("samples") == SAMPLES
        assert writer.remove_samples([299, 299, 5000]) == 1
        assert writer.next_number("samples") == SAMPLES  # a number is never given twice
    with store.read() as snapshot:
        assert len(snapshot.vectors_of(SIDES[0], "person-0")) == SAMPLES // 2 - 1
        assert snapshot.samples([0])[0].image == "image-1.png"
        assert snapshot.samples([299]) == {}


def test_additions_that_do_not_fit_are_refused(store: EmbeddedStore) -> None:
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
