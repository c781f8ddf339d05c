"""Contributions are what real searches give without each piece, and the run without the store."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import chain, combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from beholder.cli import beholder
from beholder.errors import ConfigurationError, StoreError
from beholder.features import ModalityEncoder, Surveys
from beholder.model import Run
from beholder.model.towers import embed
from beholder.retrieval import Contribution, Filters, Query, Searcher, Store, explain, index
from beholder.retrieval.embedded import EmbeddedStore
from beholder.retrieval.records import Addition, SampleRecord, parse_gaze
from beholder.study import Areas, DenseMap, Points, Study

MODALITIES = ("gaze", "text", "personality")
SUBSETS = list(chain.from_iterable(combinations(MODALITIES, n) for n in (1, 2, 3)))
FINDS = ("text", "gaze", "personality", "participants", "images")
SENTENCE = "a big dog runs past two dogs"
GAZE = Points(
    np.array([0.2, 0.6, 0.7, 0.1]),
    np.array([0.3, 0.5, 0.5, 0.9]),
    np.array([0.0, 0.4, 0.9, 1.5]),
    np.array([0.3, 0.2, 0.5, 0.1]),
)
SURVEY = (4, 4, 1, 2, 3, 4, 2, 1, 5, 3)


@pytest.fixture(scope="module")
def searcher(tiny_store: EmbeddedStore) -> Searcher:
    return Searcher(tiny_store)


def asked(study: Study, modalities: tuple[str, ...], **more: Any) -> Query:
    given: dict[str, Any] = {}
    if "gaze" in modalities:
        given |= {"gaze": GAZE, "image": study[7].image}
    if "text" in modalities:
        given["text"] = SENTENCE
    if "personality" in modalities:
        given["personality"] = SURVEY
    return Query(**given, **more)


def scores(searcher: Searcher, query: Query) -> dict[int, float]:
    """Return the score of every candidate."""
    result = searcher.search(replace(query, top=1000, offset=0))
    return {answer.number: answer.score for answer in result.answers}


def one_point_less(gaze: Points, place: int) -> Points:
    x, y, time, duration = (np.delete(values, place) for values in vars(gaze).values())
    return Points(x, y, time, duration)


def lessened(query: Query) -> dict[str, list[Query]]:
    """Return the query without each word and each point."""
    found: dict[str, list[Query]] = {}
    if query.gaze is not None:
        assert isinstance(query.gaze, Points)
        found["gaze"] = [
            replace(query, gaze=one_point_less(query.gaze, place))
            for place in range(len(query.gaze))
        ]
    if query.text is not None:
        words = query.text.split()
        found["text"] = [
            replace(query, text=" ".join(words[:place] + words[place + 1 :]))
            for place in range(len(words))
        ]
    return found


def check(searcher: Searcher, query: Query, rank: int) -> None:
    """Compare with a search for every piece left out."""
    answer = searcher.search(replace(query, top=1, offset=rank)).answers[0]
    explained = explain(searcher, query, answer.number)
    assert explained.score == pytest.approx(answer.score, abs=1e-12)
    assert explained.parts == pytest.approx(dict(answer.parts), abs=1e-12)
    assert list(explained.query) == list(query.modalities)
    for modality, queries in lessened(query).items():
        expected = [answer.score - scores(searcher, one)[answer.number] for one in queries]
        values = [one.value for one in explained.query[modality]]
        assert values == pytest.approx(expected, abs=2e-6)
    assert set(explained.answer) == ({query.find} & {"text", "gaze"})


@pytest.mark.parametrize("find", FINDS)
@pytest.mark.parametrize("modalities", SUBSETS, ids="+".join)
def test_values_are_those_of_real_searches(
    searcher: Searcher, tiny_study: Study, modalities: tuple[str, ...], find: str
) -> None:
    check(searcher, asked(tiny_study, modalities, find=find), rank=4)


@pytest.mark.parametrize("find", ["text", "gaze", "images"])
def test_so_are_those_of_manner_and_canonical(
    canonical_run: Run, tiny_study: Study, find: str, tmp_path: Path
) -> None:
    searcher = Searcher(index(canonical_run, tmp_path / "store"))
    query = asked(tiny_study, ("gaze", "text"), find=find)
    check(searcher, query, rank=4)
    answer = searcher.search(replace(query, top=1)).answers[0]
    across = {"manner", "popularity"} if find != "images" else set()
    assert {part for part, value in answer.parts.items() if value} - across == {
        *("base", "content", "style", "canonical"),
    }


@pytest.mark.parametrize("find", FINDS)
def test_so_are_those_of_either_kind_of_store(
    any_tiny_store: Store, tiny_study: Study, find: str
) -> None:
    filters = Filters(parts=("train", "test"), traits=(("openness", 1.0, 5.0),))
    query = asked(tiny_study, MODALITIES, find=find, filters=filters)
    check(Searcher(any_tiny_store), query, rank=3)


@settings(max_examples=15)
@given(data=st.data())
def test_so_are_they_with_weights_eyes_and_filters(
    searcher: Searcher, tiny_study: Study, data: st.DataObject
) -> None:
    people = tiny_study.participants.column("participant").to_pylist()
    find = data.draw(st.sampled_from(FINDS))
    modalities = data.draw(st.sampled_from(SUBSETS))
    filters = Filters(
        tuple(data.draw(st.lists(st.sampled_from(people), min_size=3, max_size=6))),
        parts=tuple(data.draw(st.lists(st.sampled_from(["train", "test"]), max_size=2))),
        traits=data.draw(st.sampled_from([(), (("openness", 1.0, 5.0),)])),
    )
    query = asked(
        tiny_study,
        modalities,
        weights={one: data.draw(st.sampled_from([0.5, 3.0])) for one in modalities[:2]},
        find=find,
        seen_as=None if find == "participants" else data.draw(st.sampled_from([None, *people])),
        filters=filters,
        offset=7,
        approximate=True,
    )
    check(searcher, query, rank=0)


def cosines(run: Run, one: dict[str, Any], others: dict[str, Any]) -> list[float]:
    """Return one item's weighted cosines with others by the run alone: no store, no layout."""
    total: Any = 0.0
    for space, weight in run.weights(("gaze", "text"), "ours").items():
        item, every = (
            run.embed(**what, task="g2t", method=space).astype(float) for what in (one, others)
        )
        total = total + weight * (every @ item[0])
    return [float(value) for value in total]


def test_an_answers_own_words_and_points(
    searcher: Searcher, tiny_run: Run, tiny_study: Study
) -> None:
    place = 11
    image = tiny_study.image_path(int(tiny_study.image_codes[place]))
    with searcher.store.read() as snapshot:
        sample = snapshot.samples([place])[place]
    assert sample.text is not None
    gaze = parse_gaze(sample.gaze or {}, "the store")
    assert isinstance(gaze, Points)
    gazes = [gaze, *(one_point_less(gaze, point) for point in range(len(gaze)))]
    whole, *less = cosines(
        tiny_run, {"text": [SENTENCE]}, {"gaze": gazes, "images": [image] * len(gazes)}
    )
    own = explain(searcher, Query(text=SENTENCE, find="gaze"), place).answer["gaze"]
    assert len(own) > 1
    assert [one.value for one in own] == pytest.approx([whole - one for one in less], abs=2e-6)
    assert [(one.start, one.end, one.label) for one in own] == [
        (point, point + 1, "") for point in range(len(gaze))
    ]
    query = Query(gaze=GAZE, image=image, text="a cat", weights={"gaze": 3.0}, find="text")
    own = explain(searcher, query, place).answer["text"]
    assert "".join(one.label for one in own) == sample.text.replace(" ", "")
    texts = [sample.text]
    for one in own:
        assert sample.text[one.start : one.end] == one.label
        rest = sample.text[: one.start] + sample.text[one.end :]
        texts.append(rest.replace("  ", " ").strip())
    by_gaze = cosines(tiny_run, {"gaze": [GAZE], "images": [image]}, {"text": texts})
    by_text = cosines(tiny_run, {"text": ["a cat"]}, {"text": texts})
    mixed = [0.75 * one + 0.25 * other for one, other in zip(by_gaze, by_text, strict=True)]
    expected = [mixed[0] - one for one in mixed[1:]]
    assert [one.value for one in own] == pytest.approx(expected, abs=2e-6)


def test_a_survey_item_is_set_against_what_people_answer_on_average(
    searcher: Searcher, tiny_run: Run, tiny_study: Study
) -> None:
    assert tiny_study.instrument is not None
    learnt = np.unique(tiny_study.participant_codes[tiny_run.split.parts == 0])
    typical = tiny_study.answers[learnt].mean(axis=0)
    rows = np.tile(np.array(SURVEY, float), (11, 1))
    for item in range(10):
        rows[item, item] = typical[item]
    encoder = ModalityEncoder.load(tiny_run.folder.encoders, "personality")
    features = encoder.encode(Surveys(rows, tiny_study.instrument))
    pair = ("text", "personality")
    expected = np.zeros(10)
    for space, weight in tiny_run.weights(pair, "ours").items():
        network = tiny_run.network(pair)
        towers = tiny_run.folder.towers(network, space, tiny_run.configuration)
        found = tiny_run.embed_samples(pair, "text", np.array([20]), space)[0]
        cosines = embed(towers["personality"], features).astype(float) @ found
        expected += weight * (cosines[-1] - cosines[:-1])
    explained = explain(searcher, Query(personality=SURVEY, find="text"), 20)
    own = explained.query["personality"]
    assert [one.value for one in own] == pytest.approx(expected.tolist(), abs=2e-6)
    assert [(one.start, one.end, one.label) for one in own] == [
        (item, item + 1, str(item + 1)) for item in range(10)
    ]
    assert np.abs(expected).max() > 1e-3


def test_the_last_word_and_the_last_point_can_be_left_out(
    searcher: Searcher, tiny_study: Study
) -> None:
    image = tiny_study[0].image
    nowhere = Points(np.zeros(0), np.zeros(0))
    for query, empty in (
        (Query(text="dog", find="gaze"), Query(text="", find="gaze")),
        (
            Query(gaze=Points(np.array([0.5]), np.array([0.4])), image=image),
            Query(gaze=nowhere, image=image),
        ),
    ):
        (modality,) = query.modalities
        (only,) = explain(searcher, query, 9).query[modality]
        expected = scores(searcher, query)[9] - scores(searcher, empty)[9]
        assert only.value == pytest.approx(expected, abs=2e-6)
    assert explain(searcher, Query(text="  ", find="gaze"), 9).query == {"text": ()}


def test_areas_and_maps(searcher: Searcher, tiny_study: Study) -> None:
    image = tiny_study[0].image
    boxes = np.array([[0, 0, 0.5, 0.5], [0.5, 0.5, 0.4, 0.4], [0, 0, 0.5, 0.5], [0, 0.5, 0.4, 0.4]])
    gaze = Areas(5, np.array([0, 1, 3, 3]), ("dog", "cat", "dog", "dog"), boxes)
    query = Query(gaze=gaze, image=image)
    own = explain(searcher, query, 3).query["gaze"]
    assert [(one.start, one.end, one.label) for one in own] == [
        (0, 1, "dog"),
        (1, 2, "cat"),
        (3, 4, "dog"),
    ]
    without = Areas(5, np.array([1, 3]), ("cat", "dog"), boxes[[1, 3]])
    expected = scores(searcher, query)[3] - scores(searcher, replace(query, gaze=without))[3]
    assert own[0].value == pytest.approx(expected, abs=2e-6)
    values = np.zeros((16, 16))
    values[2, 3], values[9:11, 4] = 1.0, 2.0
    query = Query(gaze=DenseMap(values), image=image)
    cells = explain(searcher, query, 3).query["gaze"]
    assert len(cells) == 200
    assert (cells[0].start, cells[-1].end) == (0, 256)
    assert [one.end for one in cells[:-1]] == [one.start for one in cells[1:]]
    (spot,) = [one for one in cells if one.start <= 2 * 16 + 3 < one.end]
    rest = values.copy()
    rest[2, 3] = 0
    expected = scores(searcher, query)[3]
    expected -= scores(searcher, replace(query, gaze=DenseMap(rest)))[3]
    assert spot.value == pytest.approx(expected, abs=2e-6)
    blank = [one.value for one in cells if not values.ravel()[one.start : one.end].any()]
    assert blank == pytest.approx([0.0] * len(blank), abs=1e-6)
    assert len(blank) == 197


def test_a_long_text_goes_in_groups(searcher: Searcher) -> None:
    words = [f"word{place}" for place in range(450)]
    query = Query(text=" ".join(words), find="gaze")
    own = explain(searcher, query, 3).query["text"]
    assert len(own) == 200
    assert " ".join(one.label for one in own) == query.text
    assert {len(one.label.split()) for one in own} == {2, 3}
    rest = " ".join(words[len(own[0].label.split()) :])
    expected = scores(searcher, query)[3] - scores(searcher, replace(query, text=rest))[3]
    assert own[0].value == pytest.approx(expected, abs=2e-6)


def test_a_sample_of_nobody(tiny_run: Run, tmp_path: Path) -> None:
    store = index(tiny_run, tmp_path / "store")
    with store.read() as snapshot:
        vectors = {}
        for side in snapshot.description.sides:
            numbers, rows = snapshot.vectors(side)
            if side.modality != "personality":
                vectors[side] = np.array([500]), rows[numbers == 8]
        image, text = snapshot.samples([8])[8].image, "a boat"
    with store.write() as writer:
        sample = SampleRecord(500, None, image, text=text)
        writer.add(Addition(samples=(sample,), vectors=vectors))
    searcher = Searcher(store)
    query = Query(text=SENTENCE, find="text")
    explained = explain(searcher, query, 500)
    assert explained.score == explain(searcher, query, 8).score == scores(searcher, query)[8]
    assert [one.label for one in explained.answer["text"]] == ["a", "boat"]
    assert explain(searcher, replace(query, find="gaze"), 500).answer == {"gaze": ()}  # none kept
    with pytest.raises(StoreError, match="no sample of the number 500"):
        explain(searcher, replace(query, filters=Filters(("p001",))), 500)
    # What was recorded may be stranger than what may be asked.
    odd = {"form": "points", "x": [0.5, -3.0], "y": [0.5, 0.1], "time": [0.0, float("nan")]}
    with store.write() as writer:
        sample = replace(sample, gaze=odd, text=None)
        writer.add(Addition(samples=(sample,), vectors=vectors))
    (inside, outside) = explain(searcher, replace(query, find="gaze"), 500).answer["gaze"]
    assert np.isfinite([inside.value, outside.value]).all()
    assert explain(searcher, query, 500).answer == {"text": ()}


def test_a_person_without_a_survey(tiny_run: Run, tmp_path: Path) -> None:
    store = index(tiny_run, tmp_path / "store")
    with store.read() as snapshot:
        person = snapshot.participants([4])[4]
    with store.write() as writer:  # who is replaced loses their vectors
        writer.add(Addition(participants=(replace(person, answers=None, traits=None),)))
    searcher = Searcher(store)
    query = Query(text=SENTENCE, find="participants")
    explained = explain(searcher, query, 4)
    whole = scores(searcher, query)[4]
    expected = [whole - scores(searcher, one)[4] for one in lessened(query)["text"]]
    assert [one.value for one in explained.query["text"]] == pytest.approx(expected, abs=2e-6)


def test_only_a_candidate_can_be_explained(searcher: Searcher, tiny_study: Study) -> None:
    sample = tiny_study[5]
    mine = Filters(participants=(str(sample.participant),), images=(sample.image,))
    assert explain(searcher, Query(text="a", filters=mine), 5).score
    others = tiny_study[191]
    for filters in (
        Filters(participants=(str(others.participant),)),
        Filters(images=(others.image,)),
        Filters(traits=(("openness", 9.0, 9.0),)),
    ):
        assert others.participant != sample.participant
        assert others.image != sample.image
        with pytest.raises(StoreError, match=r"no sample of the number 5 can answer .* for text"):
            explain(searcher, Query(text="a", filters=filters), 5)
    for find, kind in (("text", "sample"), ("participants", "participant"), ("images", "image")):
        with pytest.raises(StoreError, match=f"no {kind} of the number 10000 can"):
            explain(searcher, Query(text="a", find=find), 10_000)
    with pytest.raises(ConfigurationError, match="found by their style"):
        explain(searcher, Query(text="a", find="participants", seen_as="p001"), 5)


def test_it_is_json(searcher: Searcher, tiny_study: Study) -> None:
    query = asked(tiny_study, MODALITIES)
    explained = explain(searcher, query, 2)
    read = json.loads(json.dumps(explained.as_json()))
    assert set(read) == {"score", "parts", "query", "answer"}
    assert sum(read["parts"].values()) == pytest.approx(read["score"])
    assert [Contribution(**one) for one in read["query"]["text"]] == list(explained.query["text"])


def test_the_command_says_why(tiny_store: EmbeddedStore) -> None:
    words = ["search", str(tiny_store.path), "--text", "a dog runs", "--top", "2"]
    done = CliRunner().invoke(beholder, [*words, "--why", "3", "--json"], catch_exceptions=False)
    why = json.loads(done.stdout)["why"]
    answer = Searcher(tiny_store).search(Query(text="a dog runs", top=3)).answers[2]
    assert (why["rank"], why["number"]) == (3, answer.number)
    assert why["score"] == pytest.approx(answer.score)
    assert [one["label"] for one in why["query"]["text"]] == ["a", "dog", "runs"]
    printed = CliRunner().invoke(beholder, [*words, "--why", "3"], catch_exceptions=False).stdout
    assert f"why number 3 scores {answer.score:.3f}" in printed
    for one in why["query"]["text"]:
        assert f"{one['value']:+.3f} {one['label']}" in " ".join(printed.split())
    beyond = CliRunner().invoke(beholder, [*words, "--why", "1000"])
    assert beyond.exit_code == 2
    assert "1000 is beyond the 192 answers" in " ".join(beyond.output.split())
    without = CliRunner().invoke(beholder, words, catch_exceptions=False).stdout
    assert "why" not in without
