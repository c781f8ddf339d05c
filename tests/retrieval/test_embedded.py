"""What can be wrong with the folder of a store is one sentence, and harms nothing."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from made_stores import DESCRIPTION, made_store
from rounds import SAMPLES, of_round, rounds_in

from beholder.errors import StoreError
from beholder.retrieval import EmbeddedStore, create_store
from beholder.retrieval.embedded.database import FILE


@pytest.fixture
def store(tmp_path: Path) -> EmbeddedStore:
    return made_store(tmp_path / "store", of_round(0))


FULL = """
import sys
sys.path[:0] = {paths!r}
from pathlib import Path
from rounds import of_round, rounds_in
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


def of_version(store: EmbeddedStore, version: int) -> None:
    with sqlite3.connect(store.path / FILE) as connection:
        connection.execute(f"PRAGMA user_version = {version}")
        connection.execute("CREATE TABLE notes (sample INTEGER REFERENCES samples)")
        connection.execute("INSERT INTO notes VALUES (1)")
    connection.close()


def test_an_older_schema_is_one_sentence_and_can_be_replaced(store: EmbeddedStore) -> None:
    of_version(store, 0)
    for opened in (store.read, store.write):
        with pytest.raises(StoreError, match="schema version 0, and this"), opened():
            pytest.fail("the block must not start")
    with pytest.raises(FileExistsError), create_store(store.path):
        pytest.fail("the block must not start")
    with pytest.raises(ZeroDivisionError), create_store(store.path, overwrite=True):
        raise ZeroDivisionError
    with pytest.raises(StoreError, match="schema version 0, and this"), store.read():
        pytest.fail("the block must not start")
    with create_store(store.path, overwrite=True) as writer:
        writer.clear(DESCRIPTION, {})
        writer.add(of_round(5))
    with store.read() as snapshot:
        assert rounds_in(snapshot) == {5}


def test_a_newer_schema_is_left_alone(store: EmbeddedStore) -> None:
    of_version(store, 9)
    with (
        pytest.raises(StoreError, match="version 9 of a newer Beholder"),
        create_store(store.path, overwrite=True),
    ):
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
