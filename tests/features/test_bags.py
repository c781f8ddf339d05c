"""Bags of terms against scikit-learn's tf-idf."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.feature_extraction.text import TfidfVectorizer

from beholder.features.bags import fit_vocabulary, weigh
from beholder.features.encoder import Statistics

TEXTS = [
    "the red car and the blue car",
    "a red hat",
    "the dog and the dog and the dog",
    "a car a hat a dog",
    "nothing here",
    "the red dog",
]
BAGS = [Counter(text.split()) for text in TEXTS]


@pytest.mark.parametrize("minimum", [1, 2, 3])
def test_weights_are_those_of_scikit_learn(minimum: int) -> None:
    statistics = fit_vocabulary(BAGS, minimum, 1000)
    reference = TfidfVectorizer(
        token_pattern=r"\S+", vocabulary=statistics.vocabulary, smooth_idf=True
    ).fit(TEXTS)
    assert_allclose(statistics.arrays["idf"], reference.idf_, rtol=1e-6)
    known = set(TfidfVectorizer(token_pattern=r"\S+", min_df=minimum).fit(TEXTS).vocabulary_)
    assert set(statistics.vocabulary) == known
    # scikit-learn's term frequency is the count or 1 + log(count); here it is log(1 + count).
    weighted = np.array(
        [[np.log(1 + bag[term]) for term in statistics.vocabulary] for bag in BAGS]
    ) * np.asarray(reference.idf_)
    length = np.linalg.norm(weighted, axis=1, keepdims=True)
    expected = np.divide(weighted, length, out=np.zeros_like(weighted), where=length > 0)
    assert_allclose(weigh(BAGS, statistics).toarray(), expected, rtol=1e-6)


def test_bags_of_single_terms_weigh_exactly_as_scikit_learn() -> None:
    # Where every count is 1 the term frequency is the same factor everywhere, gone in the norm.
    bags = [Counter(set(bag)) for bag in BAGS]
    statistics = fit_vocabulary(bags, 1, 1000)
    reference = TfidfVectorizer(
        token_pattern=r"\S+", vocabulary=statistics.vocabulary, binary=True
    ).fit_transform(TEXTS)
    assert_allclose(weigh(bags, statistics).toarray(), reference.toarray(), rtol=1e-6)


def test_the_vocabulary_is_ordered_by_number_of_items_then_by_name() -> None:
    bags = [{"b": 9.0, "a": 1.0, "z": 1.0}, {"z": 1.0, "a": 1.0}, {"c": 1.0, "z": 1.0}]
    assert fit_vocabulary(bags, 1, 10).vocabulary == ("z", "a", "b", "c")
    assert fit_vocabulary(bags, 1, 3).vocabulary == ("z", "a", "b")
    assert fit_vocabulary(bags, 2, 10).vocabulary == ("z", "a")
    turned = [dict(reversed(bag.items())) for bag in reversed(bags)]
    assert fit_vocabulary(turned, 1, 10).vocabulary == ("z", "a", "b", "c")


def test_unknown_terms_count_for_nothing() -> None:
    statistics = Statistics({"idf": np.array([1.0, 2.0], np.float32)}, ("a", "b"))
    rows = weigh([{"a": 1, "new": 7}, {"a": 1}, {"new": 3}], statistics).toarray()
    assert_array_equal(rows, [[1, 0], [1, 0], [0, 0]])


def test_empty_bags_are_rows_of_zeros_in_their_place() -> None:
    statistics = fit_vocabulary(BAGS, 1, 1000)
    rows = weigh([{}, BAGS[1], {}], statistics).toarray()
    assert not rows[[0, 2]].any()
    assert_array_equal(rows[1], weigh([BAGS[1]], statistics).toarray()[0])


def test_no_bags_and_no_vocabulary() -> None:
    assert weigh([], fit_vocabulary(BAGS, 1, 10)).shape == (0, 10)
    nothing = fit_vocabulary([], 1, 10)
    assert nothing.vocabulary == () and nothing.arrays["idf"].shape == (0,)
    assert weigh(BAGS, nothing).shape == (6, 0)


def test_weights_that_are_no_counts() -> None:
    statistics = Statistics({"idf": np.array([1.0, 1.0], np.float32)}, ("a", "b"))
    row = weigh(iter([{"b": 0.5, "a": 2.0}]), statistics).toarray()[0]
    expected = np.log1p([2.0, 0.5])
    assert_allclose(row, expected / np.linalg.norm(expected), rtol=1e-6)
