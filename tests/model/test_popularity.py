"""Popularity is a soft maximum over known queries; one vector an item takes it off."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beholder.model import popularity as module
from beholder.model.popularity import SHARE, TEMPERATURE, less_popularity, popularity


def unit(generator: np.random.Generator, count: int, dimensions: int = 5) -> np.ndarray:
    values = generator.normal(size=(count, dimensions))
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)


def slowly(items: np.ndarray, known: np.ndarray) -> list[float]:
    """Return popularity by its formula, one item at a time in double precision."""
    return [
        TEMPERATURE
        * np.log(np.mean([np.exp(float(item @ query) / TEMPERATURE) for query in known]))
        for item in items.astype(np.float64)
    ]


@given(st.integers(0, 2**32), st.integers(1, 9), st.integers(1, 9))
def test_it_is_the_soft_maximum_of_the_cosines(seed: int, count: int, known: int) -> None:
    generator = np.random.default_rng(seed)
    items, queries = unit(generator, count), unit(generator, known)
    found = popularity(items, queries)
    assert found.dtype == np.float32
    assert found == pytest.approx(slowly(items, queries), abs=1e-5)
    assert (np.abs(found) <= 1 + 1e-6).all()


def test_an_item_near_every_query_is_popular() -> None:
    queries = np.array([[1, 0], [0.8, 0.6], [0.8, -0.6]], dtype=np.float32)
    items = np.array([[1, 0], [-1, 0]], dtype=np.float32)
    near, far = popularity(items, queries)
    assert near > 0.8
    assert far < -0.7


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(0)
    items, queries = unit(generator, 20), unit(generator, 7)
    whole = popularity(items, queries)
    monkeypatch.setattr(module, "SCORES_PER_CHUNK", 21)
    assert popularity(items, queries) == pytest.approx(whole, abs=1e-6)
    assert popularity(items[:0], queries).shape == (0,)


@given(st.integers(0, 2**32))
def test_vectors_score_cosines_less_both_popularities(seed: int) -> None:
    generator = np.random.default_rng(seed)
    first, second = unit(generator, 6), unit(generator, 4)
    known_first, known_second = unit(generator, 9), unit(generator, 8)
    one = less_popularity(first, known_second, first=True)
    other = less_popularity(second, known_first, first=False)
    expected = first @ second.T
    expected = expected - SHARE * np.array(slowly(first, known_second))[:, None]
    expected = expected - SHARE * np.array(slowly(second, known_first))[None, :]
    assert np.allclose(one @ other.T * (2 + SHARE**2), expected, atol=1e-5)
    for vectors in (one, other):
        assert vectors.dtype == np.float32
        assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_the_most_popular_item_there_can_be_has_length_one() -> None:
    item = np.array([[1, 0]], dtype=np.float32)
    for known in (item, -item):
        vector = less_popularity(item, known, first=True)
        assert np.isfinite(vector).all()
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-3)


def test_a_hub_no_longer_comes_first() -> None:
    """It is a little nearer to the query than the right answer, and so it is to all others."""
    query = np.array([[1, 0, 0]], dtype=np.float32)
    right = np.array([0.7, 0, -0.714], dtype=np.float32)
    hub = np.array([0.71, 0.704, 0], dtype=np.float32)
    items = np.stack([right, hub])
    known = np.array([[0.6, 0.8, 0], [0.7, 0.714, 0], [0.8, 0.6, 0]], dtype=np.float32)
    assert (query @ items.T).argmax() == 1
    asked = less_popularity(query, items, first=True)
    assert (asked @ less_popularity(items, known, first=False).T).argmax() == 0
