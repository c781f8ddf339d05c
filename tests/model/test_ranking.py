"""Ranks against a loop and against other libraries; ties, NaN and chunks included."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from sklearn.metrics import average_precision_score, label_ranking_average_precision_score
from torchmetrics.functional.retrieval import retrieval_hit_rate, retrieval_reciprocal_rank

from beholder.evaluation.metrics import mean_reciprocal_rank, top
from beholder.model import ranking
from beholder.model.ranking import (
    OwnImages,
    Scorer,
    mean_average_precision,
    rank,
    ranks_of_scores,
    same_image_ranks,
)
from beholder.study.tasks import TASKS, Retrieval, SameImageRetrieval


def naive_rank(scores: list[float], right: list[bool], tolerance: float = 0.0) -> int:
    """Count the wrong items that are not surely below the best right one."""
    best = -math.inf
    for score, is_right in zip(scores, right, strict=True):
        if is_right and score > best:
            best = score
    rank = 1
    for score, is_right in zip(scores, right, strict=True):
        if not is_right and not score < best - tolerance:
            rank += 1
    return rank


def random_right(generator: np.random.Generator, queries: int, gallery: int) -> np.ndarray:
    right = generator.random((queries, gallery)) < 0.2
    right[np.arange(queries), generator.integers(0, gallery, queries)] = True
    return right


def as_retrieval(right: np.ndarray) -> Retrieval:
    queries, gallery = (np.arange(size) for size in right.shape)
    return Retrieval(TASKS["g2t"], queries, gallery, np.stack(np.nonzero(right)))


def by_vectors(query: np.ndarray, gallery: np.ndarray) -> Scorer:
    """Score by the inner product; queries are numbered as their vectors are."""
    return lambda queries: query[queries] @ gallery.T


def ranks(retrieval: Retrieval, query: np.ndarray, gallery: np.ndarray) -> np.ndarray:
    return rank(retrieval, by_vectors(query, gallery)).ranks


def unit(generator: np.random.Generator, count: int, dimensions: int = 8) -> np.ndarray:
    values = generator.normal(size=(count, dimensions))
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)


@given(
    scores=st.lists(
        st.lists(st.sampled_from([-0.9, -0.5, 0.0, 0.3, math.nan]), min_size=6, max_size=6),
        min_size=1,
        max_size=6,
    ),
    seed=st.integers(0, 999),
)
def test_ranks_equal_the_loop_with_ties_and_nan(scores: list[list[float]], seed: int) -> None:
    right = random_right(np.random.default_rng(seed), len(scores), 6)
    found = ranks_of_scores(np.array(scores), np.stack(np.nonzero(right)))
    expected = [naive_rank(row, mask.tolist()) for row, mask in zip(scores, right, strict=True)]
    assert found.tolist() == expected


@pytest.mark.parametrize("scores_per_chunk", [1, 40, 1 << 24])
def test_chunks_change_nothing(scores_per_chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(5)
    query, gallery = unit(generator, 23), unit(generator, 17)
    right = random_right(generator, 23, 17)
    monkeypatch.setattr(ranking, "SCORES_PER_CHUNK", scores_per_chunk)
    found = ranks(as_retrieval(right), query, gallery)
    expected = [
        naive_rank(row.tolist(), mask.tolist(), ranking.ROUNDING)
        for row, mask in zip(query @ gallery.T, right, strict=True)
    ]
    assert found.tolist() == expected


def test_ranks_agree_with_torchmetrics_and_scikit_learn() -> None:
    generator = np.random.default_rng(1)
    scores = generator.permutation(12 * 30).reshape(12, 30) / 360 - 0.9  # mostly negative
    right = random_right(generator, 12, 30)
    found = ranks_of_scores(scores, np.stack(np.nonzero(right)))
    # torchmetrics drops what does not score above zero, so its scores are lifted there.
    lifted = torch.from_numpy(scores + 2)
    mask = torch.from_numpy(right)
    both = list(zip(lifted, mask, strict=True))
    reciprocal = [float(retrieval_reciprocal_rank(*query)) for query in both]
    assert mean_reciprocal_rank(found) == pytest.approx(np.mean(reciprocal), rel=1e-6)
    for k in (1, 3, 5, 10):
        hits = [float(retrieval_hit_rate(*query, top_k=k)) for query in both]
        assert top(found, k) == pytest.approx(np.mean(hits))
    single = np.zeros_like(right)
    single[np.arange(12), generator.integers(0, 30, 12)] = True
    of_single = ranks_of_scores(scores, np.stack(np.nonzero(single)))
    expected = label_ranking_average_precision_score(single, scores)
    assert mean_reciprocal_rank(of_single) == pytest.approx(expected)


def test_average_precision_agrees_with_scikit_learn() -> None:
    generator = np.random.default_rng(2)
    scores, right = generator.normal(size=(20, 15)), random_right(generator, 20, 15)
    expected = np.mean(
        [average_precision_score(mask, row) for row, mask in zip(scores, right, strict=True)]
    )
    assert mean_average_precision(scores, right) == pytest.approx(expected)


def test_constant_embeddings_score_as_the_worst_ranking() -> None:
    generator = np.random.default_rng(3)
    right = random_right(generator, 9, 11)
    constant = np.tile(unit(generator, 1), (11, 1))
    found = ranks(as_retrieval(right), constant[:9], constant)
    assert found.tolist() == (11 - right.sum(axis=1) + 1).tolist()


@pytest.mark.parametrize("broken", ["query", "gallery", "both"])
def test_embeddings_of_nan_score_as_the_worst_ranking(broken: str) -> None:
    right = np.eye(5, dtype=bool)
    query = gallery = np.eye(5, dtype=np.float32)
    nan = np.full_like(query, np.nan)
    found = ranks(
        as_retrieval(right),
        query if broken == "gallery" else nan,
        gallery if broken == "query" else nan,
    )
    assert (found == 5).all()


def test_an_oracle_scores_first() -> None:
    vectors = unit(np.random.default_rng(4), 40)
    assert (ranks(as_retrieval(np.eye(40, dtype=bool)), vectors, vectors) == 1).all()


def test_a_shuffled_gallery_is_at_chance() -> None:
    """2,000 queries among 20: 3 / 20 are right by chance, within four standard errors."""
    generator = np.random.default_rng(6)
    hits = []
    for _ in range(100):
        vectors = unit(generator, 20)
        shuffled = generator.permutation(vectors)
        hits.append(ranks(as_retrieval(np.eye(20, dtype=bool)), vectors, shuffled) <= 3)
    share, error = np.mean(hits), math.sqrt(0.15 * 0.85 / 2000)
    assert abs(share - 3 / 20) < 4 * error


def test_equal_vectors_that_differ_by_rounding_are_ties() -> None:
    vector = unit(np.random.default_rng(7), 1, 256)
    noise = np.float32(1) + np.float32(1e-7)
    gallery = np.concatenate([vector, vector * noise, -vector])
    right = np.array([[True, False, False], [False, True, False]])
    found = ranks(as_retrieval(right), np.repeat(vector, 2, axis=0), gallery)
    assert found.tolist() == [2, 2]


def test_other_right_answers_do_not_stand_in_the_way() -> None:
    scores = np.array([[0.9, 0.8, 0.7, 0.95]])
    assert ranks_of_scores(scores, np.array([[0, 0, 0], [0, 1, 2]])).tolist() == [2]


@pytest.mark.parametrize("scores_per_chunk", [1, 1 << 24])
def test_same_image_ranks_equal_the_loop(
    scores_per_chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranking, "SCORES_PER_CHUNK", scores_per_chunk)
    generator = np.random.default_rng(8)
    for _ in range(20):
        query, gallery = unit(generator, 6), unit(generator, 10)
        gallery[3] = gallery[4]  # a tie
        query[5] = np.nan
        offered = generator.random((6, 10)) < 0.5
        offered[:, :2] = True
        right = offered & (generator.random((6, 10)) < 0.3)
        right[:, 0], right[:, 1] = True, False
        candidates = np.stack(np.nonzero(offered))
        retrieval = SameImageRetrieval(
            TASKS["p2t"], np.arange(6), np.arange(10), candidates, right[offered]
        )
        found = same_image_ranks(retrieval, by_vectors(query, gallery))
        expected = [
            naive_rank(
                [float(query[q] @ gallery[g]) for g in np.flatnonzero(offered[q])],
                right[q][offered[q]].tolist(),
                ranking.ROUNDING,
            )
            for q in range(6)
        ]
        assert found.tolist() == expected
        assert retrieval.candidate_counts.tolist() == offered.sum(axis=1).tolist()
        assert retrieval.right_counts.tolist() == right.sum(axis=1).tolist()


@pytest.mark.parametrize("shown", [[], [4, 0, 9], list(range(12))])
def test_what_a_whole_ranking_heard_is_not_asked_again(shown: list[int]) -> None:
    """Own images' ranks are the same whatever was heard, and each query is scored once."""
    generator = np.random.default_rng(9)
    query, gallery = unit(generator, 12), unit(generator, 10)
    samples = np.array([7, 2, 9, 0, 4])  # that ask here, in no order
    offered = generator.random((5, 10)) < 0.5
    offered[:, :2] = True
    right = offered & (generator.random((5, 10)) < 0.3)
    right[:, 0], right[:, 1] = True, False
    retrieval = SameImageRetrieval(
        TASKS["g2t"], samples, np.arange(10), np.stack(np.nonzero(offered)), right[offered]
    )
    scorer, asked = by_vectors(query, gallery), []

    def counted(queries: np.ndarray) -> np.ndarray:
        asked.extend(queries.tolist())
        return scorer(queries)

    own = OwnImages(retrieval)
    scores = own.heard(counted)(np.array(shown, dtype=int))
    assert_array_equal(scores, scorer(np.array(shown, dtype=int)))
    assert_array_equal(own.ranks(counted), same_image_ranks(retrieval, scorer))
    assert sorted(asked) == sorted({*shown, *samples.tolist()})
