"""Oracles: what is left when something is known, against going through every order."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beholder.evaluation.oracles import Asked, carried, group_hits
from beholder.study.tasks import TASKS, Galleries
from made_study import Row, made_study

Flags = st.lists(st.booleans(), min_size=5, max_size=5)


@given(Flags, Flags, Flags, st.integers(1, 3))
def test_what_is_known_is_ranked_before_all_else(
    candidates: list[bool], right: list[bool], shared: list[bool], k: int
) -> None:
    right[0] = True
    asked = Asked(np.array([candidates]) | np.array([right]), np.array([right]))
    left = asked.known(np.array([shared]))
    items = np.flatnonzero(left.candidates[0])
    orders = [any(right[item] for item in order[:k]) for order in permutations(items)]
    assert left.hits(k)[0] == pytest.approx(np.mean(orders))
    # Ranking known items first in the whole list is the same as ranking them alone.
    known = [item for item in np.flatnonzero(asked.candidates[0]) if shared[item] or right[item]]
    assert items.tolist() == known


@given(Flags, st.lists(st.integers(0, 3), min_size=5, max_size=5), st.integers(1, 3))
def test_scores_order_what_is_left_and_ties_count_against(
    candidates: list[bool], scores: list[int], k: int
) -> None:
    right = np.array([[True, False, False, False, False]])
    asked = Asked(np.array([candidates]) | right, right)
    before = sum(candidates[item] and scores[item] >= scores[0] for item in range(1, 5))
    assert asked.hits(k, np.array([scores], float)).tolist() == [float(before < k)]


def test_queries_are_counted_by_their_wrong_candidates() -> None:
    candidates = np.array([[True, True, True], [True, False, False], [True, True, False]])
    right = np.array([[True, True, False], [True, False, False], [False, True, False]])
    asked = Asked(candidates, right)
    assert asked.with_wrong(0).tolist() == [True, True, True]
    assert asked.with_wrong(1).tolist() == [True, False, True]
    assert asked.of(asked.with_wrong(1)).hits(1).tolist() == pytest.approx([2 / 3, 1 / 2])


def test_an_item_belongs_to_all_who_made_it() -> None:
    rows = [
        Row(None, "i0", "a dog", 0),
        Row(None, "i0", "a cat", 1),
        Row(None, "i1", "a dog", 1),
        Row(None, "i2", None, 2),
        Row(None, "i3", "unused", 3),
    ]
    study = made_study(rows)
    galleries = Galleries(
        study.participant_codes, study.image_codes, {"gaze": np.arange(5), "text": _texts(study)}
    )
    among = np.arange(4)
    retrieval = galleries.retrieval(TASKS["g2t"], among)
    texts = [study.texts[sample] for sample in retrieval.gallery]
    found = carried(galleries, retrieval, among, study.image_codes)
    assert {texts[item]: found[:, item].tolist() for item in range(len(texts))} == {
        "a dog": [True, True, False, False],
        "a cat": [True, False, False, False],
    }


def _texts(study) -> np.ndarray:  # type: ignore[no-untyped-def]
    known = {"a dog": 0, "a cat": 1, "unused": 2}
    return np.array([-1 if text is None else known[text] for text in study.texts])


def test_a_group_is_found_by_its_best_member() -> None:
    members = np.array([[1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0, 1]], dtype=bool)
    scores = np.array([[0.1, 0.5, 0.4, 0.2], [0.0, 0.3, 0.9, 0.9], [0.3, 0.3, 0.3, 0.3]])
    own = np.array([0, 3, 2])
    # First: groups 0 and 3 share the item of 0.5, a tie; second: 2 and 3 tie; third: all do.
    assert group_hits(scores, members, own, 1).tolist() == [0, 0, 0]
    assert group_hits(scores, members, own, 2).tolist() == [1, 1, 0]
    assert group_hits(scores, members, own, 3).tolist() == [1, 1, 1]
