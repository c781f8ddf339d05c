"""An index proposes, the vectors decide; without one the answer is exact."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_stores import DESCRIPTION, made_addition, made_rows, made_store

from beholder.errors import StoreError, UnsupportedError
from beholder.progress import silent
from beholder.retrieval import EmbeddedStore, Filters, Store, forget, open_store
from beholder.retrieval.embedded import approximate
from beholder.retrieval.layout import PairLayout
from beholder.retrieval.proposals import questions, recall
from beholder.retrieval.records import Addition, ImageRecord, SampleRecord
from beholder.retrieval.store import Hit, Hits, Probe, Ranking, Snapshot

pytest.importorskip("faiss")
ROWS = 1000
SIDE = DESCRIPTION.sides[1]  # texts, asked with gazes


@pytest.fixture
def store(place: str) -> Store:
    return made_store(place, made_addition(5, 4, ROWS, np.random.default_rng(0)))


@pytest.fixture
def folder(tmp_path: Path) -> EmbeddedStore:
    store = made_store(tmp_path / "store", made_addition(5, 4, ROWS, np.random.default_rng(0)))
    assert isinstance(store, EmbeddedStore)
    return store


def rankings(count: int) -> list[Ranking]:
    asked = np.random.default_rng(1).normal(size=(count, 13)).astype(np.float32)
    asked[:, -1] = 1
    # Weights as the run's: each space's block by its own.
    layout = DESCRIPTION.pairs[0]
    for space, weight in layout.weights.items():
        asked[:, layout.block(space)] *= weight
    return [Ranking("text", (Probe("gaze", SIDE, one),), {"gaze": 1.0}) for one in asked]


def test_an_index_finds_nearly_all_with_the_same_scores(store: Store, place: str) -> None:
    recalls = store.build_indexes(least_rows=ROWS // 2)
    assert set(recalls) == {"gaze-text/gaze", "gaze-text/text", "text-personality/text"}
    assert min(recalls.values()) > 0.8
    asked = rankings(30)
    with open_store(place).read() as snapshot:
        assert snapshot.recalls() == recalls
        exactly = snapshot.rank(asked)
        found = [snapshot.rank([replace(one, approximate=True)])[0] for one in asked]
        assert all(one.is_approximate for one in found)
    shares = []
    for one, other in zip(exactly, found, strict=True):
        assert one.candidates == other.candidates
        scores = {round(hit.score, 9) for hit in one.hits}
        shares.append(np.mean([round(hit.score, 9) in scores for hit in other.hits]))
    assert np.mean(shares) > 0.95


ELSEWHERE = replace(
    DESCRIPTION, pairs=(PairLayout(("gaze", "text"), {"base": 1.0}, {"base": 24}),), tasks=("g2t",)
)


@pytest.fixture
def from_elsewhere(tmp_path: Path) -> EmbeddedStore:
    """Texts, and gazes that lie elsewhere than they do, as those of another modality do."""
    rows, generator, (layout,) = 3000, np.random.default_rng(0), ELSEWHERE.pairs
    texts, gazes = generator.normal(size=(2, rows, layout.width)).astype(np.float32)
    texts[:, :12] *= 3  # where texts differ most from one another
    gazes[:, :12] = 0  # no gaze does
    for block in (texts, gazes):
        block[:, -1] = 0
        block /= np.linalg.norm(block, axis=1, keepdims=True)
    image = ImageRecord(0, "image", 4, 3, b"", np.zeros((1, 1, 1), np.float32))
    samples = tuple(SampleRecord(n, None, "image", text="words") for n in range(rows))
    numbers = np.arange(rows)
    vectors = {layout.side("gaze"): (numbers, gazes), layout.side("text"): (numbers, texts)}
    with EmbeddedStore.create(tmp_path / "store") as writer:
        writer.clear(ELSEWHERE, {"configuration.toml": b"nothing"})
        writer.add(Addition(images=(image,), samples=samples, vectors=vectors))
    return EmbeddedStore.open(tmp_path / "store")


def test_an_index_that_would_not_pay_is_not_kept(from_elsewhere: EmbeddedStore) -> None:
    recalls = from_elsewhere.build_indexes(least_rows=1)
    assert "gaze-text/text" not in recalls
    with from_elsewhere.read() as snapshot:
        assert snapshot.recalls() == recalls
        asked = about_texts(snapshot, slice(0, 5))
        found = snapshot.rank([replace(one, approximate=True) for one in asked])
        assert found == snapshot.rank(asked)
        assert not any(one.is_approximate for one in found)


def test_an_index_examines_what_questions_from_elsewhere_need(
    from_elsewhere: EmbeddedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(approximate, "_ROWS_AN_EXAMINED", 3)  # as if a pass took longer
    recalls = from_elsewhere.build_indexes(least_rows=1)
    assert recalls["gaze-text/text"] > 0.98
    with from_elsewhere.read() as snapshot:
        asked = about_texts(snapshot, slice(7, None, 100))
        exactly = snapshot.rank(asked)
        found = [snapshot.rank([replace(one, approximate=True)])[0] for one in asked]
        assert all(one.is_approximate for one in found)
        assert recall(exactly, found) > 0.97  # 200 rows examined would give 0.95


def about_texts(snapshot: Snapshot, rows: slice) -> list[Ranking]:
    """Return the searches for texts by some of the stored gazes."""
    side = ELSEWHERE.pairs[0].side("text")
    asked = questions(ELSEWHERE, side, snapshot.vectors(side.other)[1][rows])
    return [replace(one, approximate=False) for one in asked]


def test_many_that_come_together_share_a_pass(folder: EmbeddedStore) -> None:
    folder.build_indexes(least_rows=ROWS // 2)
    asked = [replace(one, approximate=True) for one in rankings(20)]
    with folder.read() as snapshot:
        assert not any(one.is_approximate for one in snapshot.rank(asked))
        assert all(one.is_approximate for one in snapshot.rank(asked[:1]))


def test_ties_with_the_last_answer_are_as_good() -> None:
    def hits(*scores: float) -> Hits:
        return Hits(9, tuple(Hit(number, score, {}) for number, score in enumerate(scores)))

    assert recall([hits(3.0, 2.0, 1.0)], [hits(3.0, 1.0, 1.0)]) == 1.0
    assert recall([hits(3.0, 2.0, 1.0)], [hits(3.0, 0.9, 0.8)]) == pytest.approx(1 / 3)
    assert recall([hits()], [hits()]) == 1.0


def test_an_index_of_an_older_form_is_not_used(folder: EmbeddedStore) -> None:
    folder.build_indexes(least_rows=ROWS // 2)
    (facts,) = (folder.path / "index").glob("*.json")
    facts.write_text('{"gaze-text/text": 0.9}')
    with EmbeddedStore.open(folder.path).read() as snapshot:
        assert snapshot.recalls() == {}


def test_what_an_index_cannot_do_is_done_exactly(store: Store) -> None:
    store.build_indexes(least_rows=ROWS // 2)
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


def test_a_file_of_another_state_is_not_used(folder: EmbeddedStore) -> None:
    store = folder
    store.build_indexes(least_rows=ROWS // 2)
    files = store.path / "index"
    kept = {file.name: file.read_bytes() for file in files.iterdir()}
    asked = [replace(one, approximate=True) for one in rankings(5)]
    with store.write() as writer:
        writer.remove_samples(range(ROWS // 2))
    assert not files.exists()
    files.mkdir()
    for name, data in kept.items():  # as if somebody put them back
        (files / name).write_bytes(data)
    with EmbeddedStore.open(store.path).read() as snapshot:
        exactly = snapshot.rank(rankings(5))
        assert snapshot.rank(asked) == exactly
        assert all(hit.number >= ROWS // 2 for one in exactly for hit in one.hits)


def test_a_spoilt_index_costs_nothing_but_time(folder: EmbeddedStore) -> None:
    store = folder
    store.build_indexes(least_rows=ROWS // 2)
    for file in (store.path / "index").iterdir():
        file.write_bytes(file.read_bytes()[:100])
    asked = rankings(3)
    with EmbeddedStore.open(store.path).read() as snapshot:
        assert snapshot.rank([replace(one, approximate=True) for one in asked]) == snapshot.rank(
            asked
        )


def test_an_index_is_of_one_state(store: Store) -> None:
    store.build_indexes(least_rows=ROWS // 2)
    with store.read() as before:
        recalls, exactly = before.recalls(), before.rank(rankings(5))
        with store.write() as writer:
            writer.remove_samples(range(ROWS // 2))
        assert before.recalls() == recalls
        quickly = before.rank([replace(one, approximate=True) for one in rankings(5)])
        assert [one.candidates for one in quickly] == [one.candidates for one in exactly]
    with store.read() as after:
        assert after.recalls() == {}
        asked = rankings(5)
        assert after.rank([replace(one, approximate=True) for one in asked]) == after.rank(asked)


def test_a_failed_writing_leaves_answers(store: Store) -> None:
    store.build_indexes(least_rows=ROWS // 2)
    with pytest.raises(ZeroDivisionError), store.write() as writer:
        writer.remove_samples(range(ROWS // 2))
        raise ZeroDivisionError
    with store.read() as snapshot:
        assert snapshot.recalls()
        (hits,) = snapshot.rank([replace(rankings(1)[0], approximate=True)])
        assert len(hits.hits) == 10


def test_an_index_is_gone_before_a_writing_takes_effect(
    folder: EmbeddedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer that is killed at its commit leaves no index of who has left."""
    folder.build_indexes(least_rows=ROWS // 2)
    whole = approximate.remove

    def remove(path: Path) -> bool:
        whole(path)
        raise KeyboardInterrupt

    monkeypatch.setattr(approximate, "remove", remove)
    with pytest.raises(KeyboardInterrupt), folder.write() as writer:
        writer.remove_participant("person-1")
    assert not (folder.path / "index").exists()
    with folder.read() as snapshot:
        assert snapshot.participant("person-1")


def test_an_index_is_built_of_the_present_state_alone(
    folder: EmbeddedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody can write between the reading of the vectors and the index of them."""
    whole = approximate.build

    def build(*arguments: Any) -> dict[str, float]:
        with pytest.raises(StoreError, match="another process is writing"), folder.write():
            pytest.fail("the block must not start")
        return whole(*arguments)

    monkeypatch.setattr(approximate, "build", build)
    assert folder.build_indexes(least_rows=ROWS // 2)


def test_whoever_leaves_is_in_no_index(store: Store) -> None:
    store.build_indexes(least_rows=ROWS // 2)
    with store.read() as snapshot:
        numbers = {sample.number for sample in snapshot.samples_of("person-1")}
    forget(store, "person-1")
    with store.read() as snapshot:
        assert snapshot.recalls() == {}
    store.build_indexes(least_rows=ROWS // 2)
    with store.read() as snapshot:
        found = [snapshot.rank([replace(one, approximate=True)])[0] for one in rankings(20)]
        assert not numbers & {hit.number for one in found for hit in one.hits}


def test_an_index_is_built_again_for_those_who_stay(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{type(store).__module__}.LEAST_ROWS", ROWS // 2)
    monkeypatch.setattr(type(store).build_indexes, "__defaults__", (silent, ROWS // 2))
    forget(store, "person-1")
    with store.read() as snapshot:
        assert set(snapshot.recalls()) == {
            "gaze-text/gaze",
            "gaze-text/text",
            "text-personality/text",
        }


def test_a_missing_library_is_named(folder: EmbeddedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store = folder
    monkeypatch.setattr(approximate, "is_installed", lambda: False)
    assert not store.wants_indexes()
    with pytest.raises(UnsupportedError, match=r"beholder\[approximate\]"):
        store.build_indexes()


def test_a_large_store_wants_one(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not store.wants_indexes()
    monkeypatch.setattr(f"{type(store).__module__}.LEAST_ROWS", ROWS // 2)
    assert store.wants_indexes()
