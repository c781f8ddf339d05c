"""An index proposes, the vectors decide; without one the answer is exact."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_stores import DESCRIPTION, made_addition, made_rows, made_store

from beholder.errors import UnsupportedError
from beholder.retrieval import EmbeddedStore, Filters, forget
from beholder.retrieval.embedded import approximate
from beholder.retrieval.store import Probe, Ranking

pytest.importorskip("faiss")
SIDE = DESCRIPTION.sides[1]  # texts, asked with gazes


@pytest.fixture
def store(tmp_path: Path) -> EmbeddedStore:
    return made_store(tmp_path / "store", made_addition(5, 4, 3000, np.random.default_rng(0)))


def rankings(count: int) -> list[Ranking]:
    asked = np.random.default_rng(1).normal(size=(count, 13)).astype(np.float32)
    asked[:, -1] = 1
    # Weights as the run's: each space's block by its own.
    layout = DESCRIPTION.pairs[0]
    for space, weight in layout.weights.items():
        asked[:, layout.block(space)] *= weight
    return [Ranking("text", (Probe("gaze", SIDE, one),), {"gaze": 1.0}) for one in asked]


def test_an_index_finds_nearly_all_with_the_same_scores(store: EmbeddedStore) -> None:
    recalls = store.build_indexes(least_rows=1000)
    assert set(recalls) == {"gaze-text/gaze", "gaze-text/text", "text-personality/text"}
    assert min(recalls.values()) > 0.8
    asked = rankings(30)
    with EmbeddedStore.open(store.path).read() as snapshot:
        exactly = snapshot.rank(asked)
        found = snapshot.rank([replace(one, approximate=True) for one in asked])
    shares = []
    for one, other in zip(exactly, found, strict=True):
        assert one.candidates == other.candidates
        scores = {round(hit.score, 9) for hit in one.hits}
        shares.append(np.mean([round(hit.score, 9) in scores for hit in other.hits]))
    assert np.mean(shares) > 0.95


def test_what_an_index_cannot_do_is_done_exactly(store: EmbeddedStore) -> None:
    store.build_indexes(least_rows=1000)
    (asked,) = rankings(1)
    second = Probe("text", SIDE, made_rows(SIDE, 1, np.random.default_rng(2))[0])
    hard = [
        replace(asked, filters=Filters(parts=("test",))),
        replace(asked, find="images"),
        replace(asked, offset=5000),
        replace(asked, probes=(*asked.probes, second), weights={"gaze": 0.5, "text": 0.5}),
    ]
    with store.read() as snapshot:
        approximately = snapshot.rank([replace(one, approximate=True) for one in hard])
        assert approximately == snapshot.rank(hard)


def test_an_index_is_of_one_state(store: EmbeddedStore) -> None:
    store.build_indexes(least_rows=1000)
    folder = store.path / "index"
    kept = {file.name: file.read_bytes() for file in folder.iterdir()}
    asked = [replace(one, approximate=True) for one in rankings(5)]
    with store.write() as writer:
        writer.remove_samples(range(1500))
    assert not folder.exists()
    folder.mkdir()
    for name, data in kept.items():  # as if the writer had been killed after its commit
        (folder / name).write_bytes(data)
    with EmbeddedStore.open(store.path).read() as snapshot:
        exactly = snapshot.rank(rankings(5))
        assert snapshot.rank(asked) == exactly
        assert all(hit.number >= 1500 for one in exactly for hit in one.hits)


def test_a_spoilt_index_costs_nothing_but_time(store: EmbeddedStore) -> None:
    store.build_indexes(least_rows=1000)
    for file in (store.path / "index").iterdir():
        file.write_bytes(file.read_bytes()[:100])
    asked = rankings(3)
    with EmbeddedStore.open(store.path).read() as snapshot:
        assert snapshot.rank([replace(one, approximate=True) for one in asked]) == snapshot.rank(
            asked
        )


def test_whoever_leaves_is_in_no_index(store: EmbeddedStore) -> None:
    store.build_indexes(least_rows=1000)
    forget(store, "person-1")
    assert not (store.path / "index").exists()


def test_a_missing_library_is_named(store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(approximate, "is_installed", lambda: False)
    assert not store.wants_indexes()
    with pytest.raises(UnsupportedError, match=r"beholder\[approximate\]"):
        store.build_indexes()


def test_a_large_store_wants_one(store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not store.wants_indexes()
    monkeypatch.setattr("beholder.retrieval.embedded.store.LEAST_ROWS", 1000)
    assert store.wants_indexes()
