"""Queries, galleries and right answers of the six tasks, against sets of Python objects."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beholder.errors import ConfigurationError
from beholder.study import Study
from beholder.study.tasks import TASKS, Galleries, Task, item_codes, missing_for, parse_tasks
from made_study import Row, made_study, studies

ROWS = [Row("ada", "i", "a dog", 0), Row("bo", "j", "red", 1)]


def item(study: Study, number: int, modality: str) -> Any:
    """What a sample carries, as a plain object that is equal where the items are."""
    sample = study[number]
    if modality == "text":
        return sample.text
    if modality == "gaze":
        return sample.gaze and (sample.image, *sample.gaze.x.tolist())
    people = study.participants.to_pydict()
    answers = dict(zip(people["participant"], people["items"], strict=True))
    survey = answers.get(sample.participant)
    return survey and tuple(survey)


def pairs_of(study: Study, task: Task, rows: list[int]) -> list[tuple[int, Any, Any]]:
    """Samples of the rows with both modalities: (number, source item, target item)."""
    found = [(n, item(study, n, task.source), item(study, n, task.target)) for n in rows]
    return [(n, a, b) for n, a, b in found if a is not None and b is not None]


parts = st.sets(st.integers(0, 13), min_size=1)


@given(study=studies, name=st.sampled_from(list(TASKS)), part=parts)
@settings(max_examples=150)
def test_a_retrieval_is_that_of_the_sets(study: Study, name: str, part: set[int]) -> None:
    task, rows = TASKS[name], sorted(n for n in part if n < len(study))
    galleries = Galleries.of(study, task.pair)
    retrieval = galleries.retrieval(task, np.array(rows, dtype=np.int64))
    gallery = [item(study, n, task.target) for n in retrieval.gallery]
    offered = {item(study, n, task.target) for n in rows} - {None}
    assert len(gallery) == len(set(gallery))
    assert set(gallery) == offered
    answered = pairs_of(study, task, rows)
    if task.source == "personality":
        people = [study[n].participant for n in retrieval.queries]
        assert len(people) == len(set(people))
        expected: dict[Any, set[Any]] = {}
        for n, _, target in answered:
            expected.setdefault(study[n].participant, set()).add(target)
    else:
        people = retrieval.queries.tolist()
        expected = {n: {target} for n, _, target in answered}
    found: dict[Any, set[Any]] = {}
    for query, place in retrieval.right.T:
        found.setdefault(people[query], set()).add(gallery[place])
    assert found == expected
    assert retrieval.right_counts.tolist() == [len(expected[person]) for person in people]
    assert (np.diff(retrieval.right[0]) >= 0).all()


@given(study=studies, name=st.sampled_from(list(TASKS)), part=parts)
@settings(max_examples=150)
def test_same_image_candidates_are_those_of_the_sets(
    study: Study, name: str, part: set[int]
) -> None:
    task, rows = TASKS[name], sorted(n for n in part if n < len(study))
    galleries = Galleries.of(study, task.pair)
    same_image = galleries.same_image(task, np.array(rows, dtype=np.int64))
    gallery = [item(study, n, task.target) for n in same_image.gallery]
    expected: dict[Any, tuple[set[Any], set[Any]]] = {}
    for n, _, target in pairs_of(study, task, rows):
        image, person = study[n].image, study[n].participant
        query = (image, person) if task.source == "personality" else n
        candidates = {item(study, m, task.target) for m in rows if study[m].image == image} - {None}
        _, right = expected.setdefault(query, (candidates, set()))
        right.add(target)
    expected = {q: (offered, right) for q, (offered, right) in expected.items() if offered - right}
    samples = [study[n] for n in same_image.queries]
    names = [
        (sample.image, sample.participant) if task.source == "personality" else sample.number
        for sample in samples
    ]
    assert len(names) == len(set(names))
    found: dict[Any, tuple[set[Any], set[Any]]] = {}
    for (query, place), is_right in zip(same_image.candidates.T, same_image.right, strict=True):
        offered, right = found.setdefault(names[query], (set(), set()))
        assert gallery[place] not in offered
        offered.add(gallery[place])
        if is_right:
            right.add(gallery[place])
    assert found == expected
    assert same_image.right_counts.tolist() == [len(expected[name][1]) for name in names]


def test_whoever_saw_an_image_twice_is_one_query_with_two_right_answers() -> None:
    rows = [Row("ada", "i", "red", 0), Row("ada", "i", "blue", 1), Row("bo", "i", "a dog", 2)]
    study = made_study(rows, {"ada": 1, "bo": 2})
    task = TASKS["p2t"]
    same_image = Galleries.of(study, task.pair).same_image(task, np.arange(3))
    assert same_image.queries.tolist() == [0, 2]
    assert same_image.right_counts.tolist() == [2, 1]


def test_equal_items_have_one_code() -> None:
    rows = [
        Row("ada", "i", "a dog", 0),
        Row("bo", "i", "a dog", 0),
        Row("cy", "j", "", 0),
        Row("cy", "j", None, None),
        Row(None, "i", "red", 1),
    ]
    study = made_study(rows, {"ada": 1, "bo": 1, "cy": 2})
    assert item_codes(study, "text").tolist() == [0, 0, 1, -1, 2]
    assert item_codes(study, "gaze").tolist() == [0, 0, 1, -1, 2]  # a gaze is of its image
    assert item_codes(study, "personality").tolist() == [0, 0, 1, 1, -1]


@given(study=studies, modality=st.sampled_from(["gaze", "text", "personality"]))
def test_whatever_a_sample_has_is_an_item(study: Study, modality: str) -> None:
    assert ((item_codes(study, modality) >= 0) == study.has(modality)).all()


@pytest.mark.parametrize(
    ("rows", "surveys", "task", "message"),
    [
        ([Row("ada", "i", "x")], {}, "g2t", "g2t needs gaze, and the study has no gaze"),
        ([Row("ada", "i", None, 1)], {}, "t2g", "t2g needs text, and the study has no text"),
        (ROWS, {}, "g2p", "g2p needs personality, and the study has no survey"),
        ([Row(None, "i", "x", 1)], {}, "p2t", "no known participants, hence no survey"),
        ([Row("ada", "i", "x"), Row("ada", "i", None, 1)], {}, "g2t", "none has both"),
        (ROWS, {"ada": 1, "bo": 1}, "t2p", "two participants with different surveys"),
    ],
)
def test_what_a_study_lacks_is_named(
    rows: list[Row], surveys: dict[str, int | None], task: str, message: str
) -> None:
    study = made_study(rows, surveys)
    assert re.search(message, missing_for(study, TASKS[task]) or "")


def test_a_study_without_an_instrument_supports_gaze_and_text() -> None:
    study = made_study(ROWS, with_instrument=False)
    assert missing_for(study, TASKS["g2t"]) is None
    assert (item_codes(study, "personality") == -1).all()


def test_a_whole_study_supports_all_tasks() -> None:
    study = made_study(ROWS, {"ada": 1, "bo": 2})
    for task in TASKS.values():
        assert missing_for(study, task) is None


def test_tasks_are_parsed_once_each_and_in_order() -> None:
    assert [task.name for task in parse_tasks("t2g, g2t,,t2g")] == ["t2g", "g2t"]
    assert TASKS["p2t"].pair == TASKS["t2p"].pair == ("text", "personality")


@pytest.mark.parametrize(("names", "message"), [("g2x", "unknown task 'g2x'"), (" ,", "no task")])
def test_unknown_tasks_are_refused(names: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        parse_tasks(names)
