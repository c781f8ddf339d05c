"""Search answers what the run's own embeddings say, by an independent computation."""

from __future__ import annotations

from itertools import chain, combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from beholder.errors import BeholderError, StoreError, UnsupportedError
from beholder.model import Run, TrainingConfiguration, train
from beholder.model.ranking import ROUNDING
from beholder.retrieval import Filters, Query, Searcher, Store, index
from beholder.retrieval.records import gaze_record, parse_gaze
from beholder.study import Study

MODALITIES = ("gaze", "text", "personality")
SPACES = ("base", "content", "style")
Floats = NDArray[np.float64]


class Oracle:
    """Scores from the run and the study alone: no store, no layout, one item at a time."""

    def __init__(self, run: Run) -> None:
        self.run, self.study = run, run.study
        self.pairs = list(dict.fromkeys(task.pair for task in run.tasks))
        self.known: dict[tuple[Any, ...], NDArray[np.float32]] = {}
        self.answers = self.study.answers

    def pair(self, source: str, target: str) -> tuple[str, str] | None:
        return next((pair for pair in self.pairs if {source, target} <= set(pair)), None)

    def items(self, pair: tuple[str, str], modality: str, space: str) -> NDArray[np.float32]:
        """Return the embedding of every sample's item, (samples, d)."""
        key = (pair, modality, space)
        if key not in self.known:
            every = np.arange(len(self.study))
            self.known[key] = self.run.embed_samples(pair, modality, every, space)
        return self.known[key]

    def asked(self, query: Query, modality: str, pair: tuple[str, str], space: str) -> Floats:
        task = f"{pair[0][0]}2{pair[1][0]}"
        if space == "style" and query.seen_as is not None:
            code = self.study.participants.column("participant").to_pylist().index(query.seen_as)
            own = self.items(pair, modality, space)[self.study.participant_codes == code]
            own = own[:1] if modality == "personality" else own
            mean = own.astype(float).mean(axis=0)
            return np.asarray(mean / np.linalg.norm(mean))
        given: dict[str, Any] = {
            "gaze": {"gaze": [query.gaze], "images": [query.image]},
            "text": {"text": [query.text]},
            "personality": {"personality": [query.personality]},
        }[modality]
        return np.asarray(self.run.embed(**given, task=task, method=space)[0], dtype=float)

    def parts(self, query: Query, modality: str, target: str) -> dict[str, Floats]:
        """Return each part of every sample's score, (samples,)."""
        pair = self.pair(modality, target)
        assert pair is not None
        weights = self.run.weights(pair, "ours")
        if query.find == "participants":
            weights = {"style": 1.0}
        parts = {
            space: weights.get(space, 0.0)
            * (self.items(pair, target, space) @ self.asked(query, modality, pair, space))
            for space in SPACES
        }
        if modality != target and query.find not in ("participants", "images"):
            vectors = self.items(pair, target, "ours")  # cosines and popularity, divided by 1.5
            column = -3 if target == pair[0] else -4
            parts["popularity"] = 1.5 * vectors[:, column].astype(float)
        return parts

    def ranked(self, query: Query) -> list[tuple[Any, float]]:
        """Return what is found, by name or number, and its scores, the best one first."""
        targets = {
            "participants": MODALITIES,
            "images": ("gaze", "text"),
        }.get(query.find, (query.find,))
        keep = [number for number in range(len(self.study)) if self.passes(number, query.filters)]
        names = {number: self.name(number, query.find) for number in keep}
        weight = {m: query.weights.get(m, 1.0) for m in query.modalities}
        total: dict[Any, float] = dict.fromkeys(names.values(), 0.0)
        for modality in query.modalities:
            compared = [target for target in targets if self.pair(modality, target)]
            for target in compared:
                scores = sum(self.parts(query, modality, target).values())
                for name in total:
                    own = [number for number in keep if names[number] == name]
                    own = own[:1] if target == "personality" else own
                    mean = np.mean([scores[number] for number in own])
                    share = weight[modality] / sum(weight.values())
                    total[name] += share * float(mean) / len(compared)
        return sorted(total.items(), key=lambda pair: -pair[1])

    def name(self, number: int, find: str) -> Any:
        sample = self.study[number]
        if find in ("participants", "personality"):
            return sample.participant
        return sample.image if find == "images" else number

    def passes(self, number: int, filters: Filters) -> bool:
        sample = self.study[number]
        part = ("train", "validation", "test", None)[self.run.split.parts[number]]
        answers = self.answers[self.study.participant_codes[number]]
        instrument = self.study.instrument
        assert instrument is not None
        traits = dict(
            zip(instrument.traits, instrument.trait_scores(answers[None])[0], strict=True)
        )
        return (
            (not filters.participants or sample.participant in filters.participants)
            and (not filters.images or sample.image in filters.images)
            and (not filters.parts or part in filters.parts)
            and all(low <= traits[trait] <= high for trait, low, high in filters.traits)
        )


@pytest.fixture(scope="module")
def oracle(tiny_run: Run) -> Oracle:
    return Oracle(tiny_run)


@pytest.fixture(scope="module")
def searcher(any_tiny_store: Store) -> Searcher:
    return Searcher(any_tiny_store)


def asked(study: Study, modalities: tuple[str, ...], sample: int = 5, **more: Any) -> Query:
    """Return a query of what a sample holds."""
    given: dict[str, Any] = {}
    if "gaze" in modalities:
        given["gaze"] = study.gaze(sample)
        given["image"] = study.image_path(int(study.image_codes[sample]))
    if "text" in modalities:
        given["text"] = study.texts[sample]
    if "personality" in modalities:
        given["personality"] = tuple(map(int, study.answers[study.participant_codes[sample]]))
    return Query(**given, **more)


SUBSETS = list(chain.from_iterable(combinations(MODALITIES, n) for n in (1, 2, 3)))
FINDS = ("text", "gaze", "personality", "participants", "images")


def found_in(item: dict[str, Any], find: str) -> Any:
    key = {"participants": "participant", "personality": "participant", "images": "image"}
    return item[key.get(find, "sample")]


def check(searcher: Searcher, oracle: Oracle, query: Query) -> None:
    expected = oracle.ranked(query)
    result = searcher.search(query)
    assert result.candidates == len(expected)
    assert result.chance_rank == (len(expected) + 1) / 2
    scores = dict(expected)
    page = expected[query.offset : query.offset + query.top]
    assert len(result.answers) == len(page)
    for place, (answer, (_, score)) in enumerate(zip(result.answers, page, strict=True)):
        # Equal words score alike but for rounding, and may stand in either order.
        assert answer.score == pytest.approx(score, abs=2 * ROUNDING)
        own = scores[found_in(dict(answer.item), query.find)]
        assert answer.score == pytest.approx(own, abs=2 * ROUNDING)
        assert answer.rank == query.offset + place + 1
        assert sum(answer.parts.values()) == pytest.approx(answer.score, abs=1e-9)
        assert sum(answer.by_modality.values()) == pytest.approx(answer.score, abs=1e-9)
        assert set(answer.by_modality) == set(query.modalities)


@pytest.mark.parametrize("find", FINDS)
@pytest.mark.parametrize("modalities", SUBSETS, ids="+".join)
def test_every_subset_finds_what_the_oracle_finds(
    searcher: Searcher, oracle: Oracle, modalities: tuple[str, ...], find: str
) -> None:
    check(searcher, oracle, asked(oracle.study, modalities, find=find, top=500))


@st.composite
def queries(draw: st.DrawFn, study: Study) -> Query:
    people = study.participants.column("participant").to_pylist()
    images = study.images.column("image").to_pylist()
    find = draw(st.sampled_from(FINDS))
    modalities = draw(st.sampled_from(SUBSETS))
    filters = Filters(
        tuple(draw(st.lists(st.sampled_from(people), max_size=3))),
        tuple(draw(st.lists(st.sampled_from(images), max_size=3))),
        (),
        tuple(draw(st.lists(st.sampled_from(["train", "validation", "test"]), max_size=2))),
        draw(st.sampled_from([(), (("openness", 2.0, 4.0),)])),
    )
    return asked(
        study,
        modalities,
        draw(st.integers(0, len(study) - 1)),
        weights={one: draw(st.sampled_from([0.5, 1.0, 3.0])) for one in modalities[:2]},
        find=find,
        seen_as=None if find == "participants" else draw(st.sampled_from([None, *people])),
        filters=filters,
        top=draw(st.integers(1, 12)),
        offset=draw(st.sampled_from([0, 3, 1000])),
    )


@settings(max_examples=60)
@given(data=st.data())
def test_weights_filters_pages_and_eyes_are_the_oracles(
    searcher: Searcher, oracle: Oracle, data: st.DataObject
) -> None:
    check(searcher, oracle, data.draw(queries(oracle.study)))


@settings(max_examples=10)
@given(data=st.data())
def test_a_batch_answers_as_one_by_one(
    searcher: Searcher, oracle: Oracle, data: st.DataObject
) -> None:
    batch = data.draw(st.lists(queries(oracle.study), min_size=2, max_size=5))
    for result, query in zip(searcher.search_all(batch), batch, strict=True):
        alone = searcher.search(query)
        assert (result.candidates, len(result.answers)) == (alone.candidates, len(alone.answers))
        for one, other in zip(result.answers, alone.answers, strict=True):
            assert one.score == pytest.approx(other.score, abs=1e-6)


def test_ours_ranks_as_the_run_is_evaluated(searcher: Searcher, tiny_run: Run) -> None:
    every = np.arange(len(tiny_run.study))
    for source, target in (("gaze", "text"), ("text", "gaze"), ("text", "personality")):
        pair = tuple(sorted((source, target), key=MODALITIES.index))
        query = tiny_run.embed_samples(pair, source, every[:1], "ours")[0]
        scores = tiny_run.embed_samples(pair, target, every, "ours") @ query
        result = searcher.search(asked(tiny_run.study, (source,), 0, find=target, top=500))
        people = tiny_run.study.samples.column("participant").to_pylist()
        for one, other in zip(result.answers, result.answers[1:], strict=False):
            key = "sample" if target != "personality" else "participant"
            number, after = (
                answer.item[key] if key == "sample" else people.index(answer.item[key])
                for answer in (one, other)
            )
            assert scores[number] >= scores[after] - ROUNDING


def test_canonical_scores_as_the_run_is_evaluated(canonical_run: Run, place: str) -> None:
    study, every = canonical_run.study, np.arange(len(canonical_run.study))
    searcher = Searcher(index(canonical_run, place))
    for source, target in (("gaze", "text"), ("text", "gaze")):
        query = asked(study, (source,), 0, find=target, top=500)
        found = {one.number: one.score for one in searcher.search(query).answers}
        one, items = (
            canonical_run.embed_samples(("gaze", "text"), modality, samples)
            for modality, samples in ((source, every[:1]), (target, every))
        )
        # A run divides by 2.25, and takes off the query's own popularity, which moves all alike.
        expected = 2.25 * (items @ one[0])
        moved = np.array([found[number] for number in every]) - expected
        assert moved == pytest.approx(moved.mean(), abs=1e-5)


def test_an_image_of_the_store_is_as_good_as_its_file(
    searcher: Searcher, tiny_study: Study
) -> None:
    by_file = asked(tiny_study, ("gaze",), 7)
    by_name = Query(gaze=by_file.gaze, image=tiny_study[7].image)
    assert searcher.search(by_file).answers == searcher.search(by_name).answers
    with pytest.raises(StoreError, match="no image 'nowhere'"):
        searcher.search(Query(gaze=by_file.gaze, image="nowhere"))


def test_answers_hold_what_shows_them(searcher: Searcher, tiny_study: Study) -> None:
    answer = searcher.search(asked(tiny_study, ("text",), 3, find="gaze", top=1)).answers[0]
    sample = tiny_study[answer.item["sample"]]
    assert answer.item["participant"] == sample.participant
    assert answer.item["text"] == sample.text
    shown = parse_gaze(answer.item["gaze"], "the store")
    np.testing.assert_allclose(shown.x, sample.gaze.x, atol=1e-5)
    assert gaze_record(shown) == answer.item["gaze"]


def test_what_the_run_was_not_trained_for_is_named(
    tiny_study: Study, gaze_text: TrainingConfiguration, tmp_path: Path
) -> None:
    run = train(tiny_study, tmp_path / "run", gaze_text)
    searcher = Searcher(index(run, tmp_path / "store"))
    with pytest.raises(UnsupportedError, match="not trained for personality, only for g2t"):
        searcher.search(asked(tiny_study, ("personality", "text")))
    with pytest.raises(UnsupportedError, match="not trained for t2p"):
        searcher.search(asked(tiny_study, ("text",), find="personality"))
    with pytest.raises(UnsupportedError, match="no style space"):
        searcher.search(asked(tiny_study, ("text",), seen_as="p001"))
    for find in ("text", "gaze", "participants", "images"):  # without style, base must do
        result = searcher.search(asked(tiny_study, ("gaze", "text"), find=find))
        assert result.answers[0].parts["base"] == result.answers[0].score


def test_questions_that_cannot_be_asked(searcher: Searcher, tiny_study: Study) -> None:
    gaze = tiny_study.gaze(0)
    faults: dict[str, Any] = {
        "a query is a gaze": {},
        "with the image": {"gaze": gaze},
        "with the image that": {"text": "a", "image": "x"},
        "not of 'gaze'": {"text": "a", "weights": {"gaze": 1.0}},
        "above 0, not nan": {"text": "a", "weights": {"text": float("nan")}},
        "cannot find 'sound'": {"text": "a", "find": "sound"},
        "found by their style": {"text": "a", "find": "participants", "seen_as": "p001"},
        "no participant 'nobody'": {"text": "a", "seen_as": "nobody"},
        "has 10 items": {"personality": (1, 2)},
        "no whole number from 1 to 5": {"personality": (9,) * 10},
    }
    for sentence, given_ in faults.items():
        with pytest.raises(BeholderError, match=sentence):
            searcher.search(Query(**given_))


def test_a_style_without_weight_is_said(any_tiny_store: Store, searcher: Searcher) -> None:
    with any_tiny_store.read() as snapshot:
        layout = snapshot.description.between("text", "gaze")
    assert layout is not None
    result = searcher.search(Query(text="a", find="gaze", seen_as="p001"))
    assert bool(result.notes) == (layout.weights["style"] == 0)


def test_the_embedder_follows_a_store_that_is_replaced(
    tiny_run: Run, tiny_study: Study, gaze_text: TrainingConfiguration, place: str, tmp_path: Path
) -> None:
    searcher = Searcher(index(tiny_run, place))
    assert searcher.search(Query(personality=(3,) * 10)).answers
    index(train(tiny_study, tmp_path / "run", gaze_text), place, overwrite=True)
    assert searcher.search(Query(text="a")).answers
    with pytest.raises(UnsupportedError, match="not trained for personality"):
        searcher.search(Query(personality=(3,) * 10))
