"""A method's scores on one task: per query, with what chance would score."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beholder.evaluation.protocol import Places, SameImageScores, TaskScores, score_task
from beholder.model import Run
from beholder.model.methods import RunMatcher
from beholder.model.ranking import ROUNDING
from beholder.study.tasks import TASKS, Galleries


def scores_of(run: Run, name: str, method: str = "ours") -> TaskScores:
    task, rows = TASKS[name], run.split.rows("test")
    galleries = Galleries.of(run.study, task.pair)
    return score_task(
        run.study,
        RunMatcher(run, method),
        galleries.retrieval(task, rows),
        galleries.same_image(task, rows),
    )


def same_image(ranks: list[int], candidates: list[int], right: list[int]) -> SameImageScores:
    columns = (np.array(column, dtype=np.int64) for column in (ranks, candidates, right))
    found, counts, of_right = columns
    queries = np.arange(len(ranks))
    return SameImageScores(queries, Places(counts, of_right, found), queries)


@pytest.mark.parametrize("name", ["g2t", "t2g"])
def test_ranks_are_those_of_a_loop_over_the_test_part(name: str, tiny_run: Run) -> None:
    """By way of the samples' texts and images only, without the galleries."""
    study, test = tiny_run.study, tiny_run.split.rows("test")
    scores = scores_of(tiny_run, name)
    source, target = TASKS[name].source, TASKS[name].target
    pair = TASKS[name].pair
    queries = tiny_run.embed_samples(pair, source, test).astype(float)
    items = tiny_run.embed_samples(pair, target, test).astype(float)
    for whole, n in enumerate(test):
        own = float(queries[whole] @ items[whole])
        rivals: dict[Any, tuple[float, int]] = {}
        for place, m in enumerate(test):
            key = study.texts[m] if target == "text" else m
            if key != (study.texts[n] if target == "text" else n):
                rivals[key] = float(queries[whole] @ items[place]), study.image_codes[m]
        rank = 1 + sum(score >= own - ROUNDING for score, _ in rivals.values())
        assert scores.queries[whole] == n
        assert abs(scores.places.ranks[whole] - rank) <= sum(
            abs(score - own + ROUNDING) < 1e-6 for score, _ in rivals.values()
        )


def test_people_are_the_clusters_and_images_where_nobody_is_known(tiny_run: Run) -> None:
    scores = scores_of(tiny_run, "g2t")
    study = tiny_run.study
    assert (scores.clusters == study.participant_codes[scores.queries]).all()
    interval = scores.interval(seed=0)
    assert interval.low <= (scores.places.ranks <= 3).mean() <= interval.high
    assert interval == scores.interval(seed=0)
    assert interval != scores.interval(seed=1)


def test_same_image_ranks_are_within_the_image(tiny_run: Run) -> None:
    scores = scores_of(tiny_run, "g2t").same_image
    study, test = tiny_run.study, tiny_run.split.rows("test")
    for n, rank, candidates in zip(
        scores.queries, scores.places.ranks, scores.places.candidates, strict=True
    ):
        texts = {study.texts[m] for m in test if study.image_codes[m] == study.image_codes[n]}
        assert candidates == len(texts)
        assert 1 <= rank <= candidates
    assert (scores.places.right == 1).all()


def test_top_three_is_measured_where_it_can_be_missed() -> None:
    found = same_image([1, 3, 4, 2], [2, 3, 5, 4], [1, 1, 1, 2]).measures()
    assert found == {
        "top1": 0.25,
        "chance_top1": pytest.approx((1 / 2 + 1 / 3 + 1 / 5 + 2 / 4) / 4),
        "queries_top1": 4,
        "top3": 0.0,
        "chance_top3": pytest.approx(3 / 5),
        "queries_top3": 1,
    }


def test_no_query_gives_none_and_no_warning() -> None:
    expected = {"top1": None, "chance_top1": None, "queries_top1": 0}
    found = same_image([], [], []).measures()
    assert found.items() >= expected.items()
    assert found["chance_top3"] is None


@given(
    sizes=st.lists(
        st.tuples(st.integers(1, 6), st.integers(1, 6)).filter(lambda s: s[1] <= s[0]),
        min_size=1,
        max_size=5,
    )
)
def test_chance_is_the_mean_over_all_orders(sizes: list[tuple[int, int]]) -> None:
    """Every order of the right answers among the candidates, one by one."""
    ranks = [
        [1 + min(right) for right in combinations(range(gallery), count)]
        for gallery, count in sizes
    ]
    candidates, right = (np.array(column) for column in zip(*sizes, strict=True))
    chance = Places(candidates, right, None)
    for k in (1, 2, 3):
        expected = [np.mean(np.array(of_query) <= k) for of_query in ranks]
        assert chance.hits(k) == pytest.approx(expected)
    expected = [np.mean(1 / np.array(of_query)) for of_query in ranks]
    assert chance.reciprocal_ranks() == pytest.approx(expected)
    below = [np.mean([np.mean(np.array(of_query) <= k) for of_query in ranks]) for k in range(1, 7)]
    assert chance.median_rank() == 1 + next(
        k for k, share in enumerate(below) if share > 0.5 - 1e-9
    )
