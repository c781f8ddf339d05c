"""People who are enrolled are stored as an indexing would have stored them, and can be undone."""

from __future__ import annotations

import io
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from made_stores import Places
from PIL import Image
from rounds import killed

from beholder.errors import (
    BeholderError,
    ConfigurationError,
    StoreError,
    StudyError,
    UnsupportedError,
)
from beholder.model import Run, TrainingConfiguration, train
from beholder.retrieval import EmbeddedStore, Filters, Query, Searcher, Store, forget, index
from beholder.retrieval.enrolment import FIRST_BROUGHT, enrol, withdraw_enrolled
from beholder.retrieval.fitted import known_items
from beholder.retrieval.newcomers import NewSample
from beholder.retrieval.records import Addition, ImageRecord
from beholder.retrieval.store import Snapshot
from beholder.study import Points, Study
from made_study import QUICK

SURVEY = (4, 4, 1, 2, 3, 4, 2, 1, 5, 3)


@pytest.fixture
def store(tiny_store: EmbeddedStore, tmp_path: Path) -> EmbeddedStore:
    """A store of the tiny run in a folder, to be written."""
    shutil.copytree(tiny_store.path, tmp_path / "store")
    return EmbeddedStore.open(tmp_path / "store")


@pytest.fixture(scope="session")
def any_store(tiny_run: Run, places: Places) -> Store:
    """A store of the tiny run of either kind, to be written and left as it was."""
    return index(tiny_run, places())


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four images that no study has."""
    folder = tmp_path_factory.mktemp("photos")
    generator = np.random.default_rng(3)
    for number in range(4):
        pixels = generator.integers(0, 256, (6, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((160, 120)).save(folder / f"new-{number}.png")
    return folder


def samples_of(study: Study, name: str) -> list[NewSample]:
    return [
        NewSample(one.image, one.text, one.gaze, one.task)
        for one in study
        if one.participant == name
    ]


def rows_of(snapshot: Snapshot, name: str) -> dict[str, np.ndarray]:
    return {side.name: snapshot.vectors_of(side, name) for side in snapshot.description.sides}


def all_of(store: Store) -> dict[str, Any]:
    """Return everything that a snapshot shows, in values that can be compared."""
    with store.read() as snapshot:
        listed = snapshot.catalogue()
        shown = {
            "counts": snapshot.counts(),
            "description": snapshot.description,
            "people": listed.participants,
            "images": {
                number: vars(one) | {"grid": one.grid.tobytes()}
                for number, one in sorted(snapshot.images(listed.images).items())
            },
            "samples": dict(sorted(snapshot.samples(listed.samples).items())),
            "columns": [
                column.tolist()
                for column in (listed.participant, listed.image, listed.tasks, listed.parts)
            ],
            "model": snapshot.model(),
        }
        for side in snapshot.description.sides:
            numbers, rows = snapshot.vectors(side)
            shown[side.name] = numbers.tobytes(), rows.tobytes()
        return shown


def a_gaze(x: float, y: float) -> Points:
    return Points(np.array([x, y]), np.array([y, x]))


def test_it_is_stored_as_if_it_had_been_indexed(any_store: Store, tiny_run: Run) -> None:
    study, store = tiny_run.study, any_store
    answers = study.answers[study.participants.column("participant").to_pylist().index("p003")]
    own = samples_of(study, "p003")
    enrol(store, own, name="she", answers=tuple(map(int, answers)))
    with store.read() as snapshot:
        indexed, enrolled = rows_of(snapshot, "p003"), rows_of(snapshot, "she")
        assert len(indexed) == 6
        for side, rows in indexed.items():
            assert len(rows) == (1 if side.endswith("personality") else 16)
            assert (rows[:, -1] != 0).all()  # popularity, which is what enrolment must find
            np.testing.assert_allclose(enrolled[side], rows, atol=2e-6)
        then, now = snapshot.samples_of("p003"), snapshot.samples_of("she")
        for one, other in zip(then, now, strict=True):
            expected = replace(one, number=other.number, participant="she", part="enrolled")
            assert other == expected
        person, new = snapshot.participant("p003"), snapshot.participant("she")
        assert (new.answers, new.traits) == (person.answers, person.traits)
        assert snapshot.counts() == {"samples": 208, "participants": 13, "images": 16}
    withdraw_enrolled(store, "she")


def test_what_items_are_popular_with_is_what_the_run_keeps(
    any_tiny_store: Store, tiny_run: Run
) -> None:
    with any_tiny_store.read() as snapshot:
        for layout in snapshot.description.pairs:
            first, second = layout.pair
            for modality, other in ((first, second), (second, first)):
                found = known_items(snapshot, layout, modality)
                kept = tiny_run.known(layout.pair, other, "ours")
                np.testing.assert_allclose(found, kept, atol=2e-6)


def test_many_samples_are_thinned_as_in_training(
    tiny_store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tiny_store.read() as snapshot:
        layout = snapshot.description.pairs[0]
        every = known_items(snapshot, layout, "gaze")
        monkeypatch.setattr("beholder.retrieval.fitted.MOST_KNOWN", len(every) // 2)
        some = known_items(snapshot, layout, "gaze")
        step = -(-len(every) // (len(every) // 2))
        np.testing.assert_array_equal(some, every[::step])


def test_nobody_else_changes_and_undoing_leaves_the_store_as_it_was(
    any_store: Store, photos: Path, tiny_run: Run
) -> None:
    store = any_store
    before = all_of(store)
    name = tiny_run.study[0].image
    samples = [
        NewSample("new-0.png", "a boat", a_gaze(0.2, 0.3), file=photos / "new-0.png"),
        NewSample(name, "the sea"),
        NewSample("new-1.png", None, a_gaze(0.5, 0.6), "look", photos / "new-1.png"),
    ]
    enrol(store, samples, name="she", answers=SURVEY)
    after = all_of(store)
    assert after["people"][:-1] == before["people"]
    assert {n: after["samples"][n] for n in before["samples"]} == before["samples"]
    assert {n: after["images"][n] for n in before["images"]} == before["images"]
    with store.read() as snapshot:
        for side in snapshot.description.sides:
            rows = snapshot.vectors(side)[1]
            assert rows.tobytes().startswith(before[side.name][1])
        image = snapshot.image("new-0.png")
        assert (image.width, image.height, image.grid.shape) == (160, 120, (16, 16, 22))
        assert Image.open(io.BytesIO(image.thumbnail)).size == (160, 120)
        assert snapshot.samples_on("new-1.png")[0].task == "look"
    withdrawal = withdraw_enrolled(store, "she")
    assert withdrawal.as_json() == {
        "participant": "she",
        "samples": 3,
        "had_survey": True,
        "images": ["new-0.png", "new-1.png"],
    }
    assert all_of(store) == before


def test_undoing_takes_no_image_of_the_study_that_nobody_saw(store: EmbeddedStore) -> None:
    with store.write() as writer:
        grid = np.zeros((16, 16, 22), np.float32)
        image = ImageRecord(writer.next_number("images"), "last.png", 4, 3, b"", grid)
        writer.add(Addition(images=(image,)))
    before = all_of(store)
    enrol(store, [NewSample("last.png", "a boat", a_gaze(0.1, 0.2))], name="she")
    assert withdraw_enrolled(store, "she").images == ()
    assert all_of(store) == before


def test_an_image_that_two_brought_stays_with_the_second(
    store: EmbeddedStore, photos: Path
) -> None:
    before = all_of(store)
    brought = NewSample("new-0.png", "a boat", file=photos / "new-0.png")
    enrol(store, [brought], name="she")
    enrol(store, [replace(brought, file=None)], name="he")
    assert withdraw_enrolled(store, "she").images == ()
    with store.read() as snapshot:
        assert snapshot.image("new-0.png").number >= FIRST_BROUGHT
    assert withdraw_enrolled(store, "he").images == ("new-0.png",)
    assert all_of(store) == before


@settings(max_examples=6)
@given(data=st.data())
def test_any_people_come_and_go_without_a_trace(
    any_store: Store, photos: Path, tiny_run: Run, data: st.DataObject
) -> None:
    before = all_of(any_store)
    drawn = people(photos, tiny_run, data)
    order = data.draw(st.permutations(list(drawn)))  # all drawn before the store is touched
    for name, (samples, answers) in drawn.items():
        enrol(any_store, samples, name=name, answers=answers)
    for name in order:
        withdraw_enrolled(any_store, name)
    assert all_of(any_store) == before


def people(
    photos: Path, run: Run, data: st.DataObject
) -> dict[str, tuple[list[NewSample], tuple[int, ...] | None]]:
    """Draw people with samples of a few common images, old and new."""
    images = run.study.images.column("image").to_pylist()[:4]
    images += [file.name for file in photos.iterdir()]
    drawn = {}
    for name in data.draw(st.lists(st.sampled_from("abcd"), unique=True, min_size=1)):
        chosen = data.draw(st.lists(st.sampled_from(images), unique=True, min_size=1, max_size=5))
        samples = []
        for image in chosen:
            text = data.draw(st.sampled_from(["a boat", None, "two dogs by a tree"]))
            x = data.draw(st.floats(0, 1))
            gaze = a_gaze(x, 0.5) if text is None or data.draw(st.booleans()) else None
            samples.append(NewSample(image, text, gaze, file=photos / image))
        drawn[name] = samples, data.draw(st.sampled_from([None, SURVEY]))
    return drawn


def test_the_order_of_samples_changes_nothing(
    store: EmbeddedStore, tiny_run: Run, tmp_path: Path
) -> None:
    own = samples_of(tiny_run.study, "p005")
    generator = np.random.default_rng(0)
    one = enrol(store, own, name="she").as_json()
    with store.read() as snapshot:
        rows = rows_of(snapshot, "she")
    withdraw_enrolled(store, "she")
    order = generator.permutation(len(own))
    other = enrol(store, [own[place] for place in order], name="she").as_json()
    with store.read() as snapshot:
        for side, shuffled in rows_of(snapshot, "she").items():
            np.testing.assert_allclose(shuffled, rows[side][order[: len(shuffled)]], atol=2e-6)
    assert flat(one) == pytest.approx(flat(other), abs=1e-4, nan_ok=True)


def flat(value: Any, name: str = "") -> dict[str, Any]:
    if isinstance(value, dict):
        value = list(value.items())
    elif isinstance(value, list):
        value = list(enumerate(value))
    else:
        return {name: float("nan") if value is None else value}
    return {k: v for key, one in value for k, v in flat(one, f"{name}.{key}").items()}


def test_more_samples_one_by_one_are_the_same_as_all_at_once(
    store: EmbeddedStore, tiny_run: Run
) -> None:
    own = samples_of(tiny_run.study, "p005")[:5]
    at_once = enrol(store, own, name="she", answers=SURVEY)
    with store.read() as snapshot:
        rows, person = rows_of(snapshot, "she"), snapshot.participant("she")
    withdraw_enrolled(store, "she")
    enrol(store, own[:2], name="she")
    enrol(store, own[2:4], name="she", answers=SURVEY, add=True)
    last = enrol(store, own[4:], name="she", add=True)
    assert flat(last.as_json()) == pytest.approx(flat(at_once.as_json()), abs=1e-4, nan_ok=True)
    with store.read() as snapshot:
        now = snapshot.participant("she")
        assert (now.answers, now.traits) == (person.answers, person.traits)
        for side, one_by_one in rows_of(snapshot, "she").items():
            np.testing.assert_allclose(one_by_one, rows[side], atol=2e-6)


def test_they_search_and_are_found(store: EmbeddedStore, tiny_run: Run) -> None:
    enrol(store, samples_of(tiny_run.study, "p005"), name="she", answers=SURVEY)
    searcher = Searcher(store)
    query = Query(text="a dog", find="gaze", top=5)
    seen, plain = searcher.search(replace(query, seen_as="she")), searcher.search(query)
    assert seen.answers[0].parts["style"] != plain.answers[0].parts["style"]
    only = Filters(parts=("enrolled",))
    found = searcher.search(replace(query, filters=only, top=100))
    assert {one.item["participant"] for one in found.answers} == {"she"}
    assert found.candidates == 16
    survey = searcher.search(Query(text="a dog", find="personality", top=100))
    assert "she" in {one.item["participant"] for one in survey.answers}


def test_an_enrolled_person_can_be_forgotten(store: EmbeddedStore, photos: Path) -> None:
    before = all_of(store)
    sample = NewSample("new-0.png", "an uncommon remark", file=photos / "new-0.png")
    enrol(store, [sample], name="somebody-new")
    assert forget(store, "somebody-new").images == ("new-0.png",)
    assert all_of(store) == before


REFUSED = {
    "she is enrolled already: `--add` gives": ("she", {}),
    "p001 is a participant of the study tiny": ("p001", {}),
    "p001 is of the study tiny and was not enrolled": ("p001", {"add": True}),
    "no participant 'nobody'": ("nobody", {"add": True}),
    "is a word or a few, not ' she'": (" she", {}),
    "is a word or a few, not ''": ("", {}),
    "10 items, but the answers have shape": ("he", {"answers": (1, 2)}),
    "answer 9 to item 1": ("he", {"answers": (9, *SURVEY[1:])}),
}


@pytest.mark.parametrize(("sentence", "asked"), REFUSED.items())
def test_a_mistake_is_one_sentence_and_writes_nothing(
    store: EmbeddedStore, sentence: str, asked: tuple[str, dict[str, Any]], photos: Path
) -> None:
    sample = NewSample("new-0.png", "a boat", file=photos / "new-0.png")
    enrol(store, [sample], name="she")
    before = all_of(store)
    name, others = asked
    with pytest.raises(BeholderError, match=sentence.replace("(", r"\(")):
        enrol(
            store,
            [replace(sample, image="new-1.png", file=photos / "new-1.png")],
            name=name,
            **others,
        )
    assert all_of(store) == before


def test_a_bad_sample_is_named(store: EmbeddedStore, photos: Path, tiny_run: Run) -> None:
    before = all_of(store)
    image = tiny_run.study[0].image
    good = NewSample("new-0.png", "a boat", file=photos / "new-0.png", where="a.csv, row 2")
    bad = {
        "row 3 has neither text nor gaze": replace(good, image="b", text=None),
        "row 3, column image: found 'new-0.png' again": good,
        r"found 'none.png', expected an image of the store, or a file \(there is no .*none.png\)": (
            replace(good, image="none.png", file=photos / "none.png")
        ),
        "expected an image of the store, or a file$": replace(good, image="none.png", file=None),
        f"new-1.png is another image than the store's {image!r}": (
            replace(good, image=image, file=photos / "new-1.png")
        ),
        "cannot be decoded": replace(good, image="test", file=Path(__file__)),
    }
    for sentence, sample in bad.items():
        with pytest.raises(StudyError, match=sentence):
            enrol(store, [good, replace(sample, where="a.csv, row 3")], name="she")
    with pytest.raises(ConfigurationError, match="at least one sample"):
        enrol(store, [], name="she")
    assert all_of(store) == before


def test_the_stores_own_image_in_another_size_is_the_same(
    store: EmbeddedStore, tiny_study: Study, tmp_path: Path
) -> None:
    name = tiny_study.images.column("image")[0].as_py()
    Image.open(tiny_study.image_path(0)).resize((160, 120)).save(tmp_path / "large.png")
    enrol(store, [NewSample(name, "a boat", file=tmp_path / "large.png")], name="she")
    with store.read() as snapshot:
        assert snapshot.image(name).width == 80


def test_only_who_was_enrolled_is_undone(store: EmbeddedStore) -> None:
    before = all_of(store)
    with pytest.raises(StoreError, match="p001 is of the study tiny and was not enrolled"):
        withdraw_enrolled(store, "p001")
    with pytest.raises(StoreError, match="no participant 'nobody'"):
        withdraw_enrolled(store, "nobody")
    assert all_of(store) == before


def test_a_run_of_one_pair_says_what_it_cannot_place(tiny_study: Study, tmp_path: Path) -> None:
    configuration = TrainingConfiguration("style", "g2p,p2g", hyperparameters=QUICK)
    run = train(tiny_study, tmp_path / "run", configuration)
    store = index(run, tmp_path / "store")
    image = tiny_study[0].image
    with pytest.raises(UnsupportedError, match="was not trained for text, only for g2p, p2g"):
        enrol(store, [NewSample(image, "a boat")], name="she")
    placement = enrol(store, [NewSample(image, "a boat")], name="she", answers=SURVEY)
    assert (placement.certainty, placement.has_survey) == ((), True)
    placement = enrol(store, [NewSample(image, None, a_gaze(0.2, 0.4))], name="he")
    assert [one.modality for one in placement.certainty] == ["gaze"]
    with store.read() as snapshot:  # a method of one space takes no popularity off
        assert snapshot.vectors_of(snapshot.description.sides[0], "he")[0, -1] == 0


def test_a_store_without_what_taught_the_run_says_so(store: EmbeddedStore) -> None:
    with store.write() as writer, store.read() as snapshot:
        listed = snapshot.catalogue()
        taught = [part in ("train", "validation") for part in listed.parts]
        writer.remove_samples(listed.samples[taught])
        image = next(iter(listed.images.values()))
    with pytest.raises(StoreError, match="none of the samples that the run ours was fitted on"):
        enrol(store, [NewSample(image, "a boat")], name="she")


def test_a_second_writer_is_told_so(store: EmbeddedStore, tiny_run: Run) -> None:
    with store.write(), pytest.raises(StoreError, match="another"):
        enrol(store, [NewSample(tiny_run.study[0].image, "a boat")], name="she")


def test_a_killed_enrolment_or_undoing_leaves_the_state_before_or_after(
    any_store: Store, photos: Path, tiny_run: Run
) -> None:
    store, names = any_store, [file.name for file in photos.iterdir()]
    own = samples_of(tiny_run.study, "p005")
    own += [NewSample(name, "a boat", a_gaze(0.1, 0.7), file=photos / name) for name in names]
    before = all_of(store)
    started = time.monotonic()
    enrol(store, own, name="she", answers=SURVEY)
    after = all_of(store)
    withdraw_enrolled(store, "she")
    both_s = time.monotonic() - started
    generator = np.random.default_rng(0)
    is_there, states = False, [False]

    def change(number: int) -> None:
        torch.set_num_threads(1)  # a forked process has no other threads to wait for
        if is_there ^ (number % 2 == 1):
            withdraw_enrolled(store, "she")
        else:
            enrol(store, own, name="she", answers=SURVEY)

    while len(states) < 10 or (True not in states and len(states) < 50):
        killed(change, generator.uniform(0, 0.75 * both_s), int(generator.integers(0, 2)))
        held = all_of(store)
        is_there = held["counts"]["participants"] == 13
        states.append(is_there)
        assert unnumbered(held) == unnumbered(after if is_there else before)
    assert True in states
    if is_there:
        withdraw_enrolled(store, "she")


def unnumbered(shown: dict[str, Any]) -> dict[str, Any]:
    """Return what is shown but for numbers, which are never given twice."""
    kept: dict[str, Any] = {"counts": shown["counts"]}
    kept["people"] = [(one.name, one.answers) for one in shown["people"]]
    kept["images"] = [{**one, "number": 0} for one in shown["images"].values()]
    kept["samples"] = [replace(one, number=0) for one in shown["samples"].values()]
    kept |= {name: value[1] for name, value in shown.items() if "/" in name}
    return kept
