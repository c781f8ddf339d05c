"""One vector an item stands for the weighted sum of the spaces' cosines."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from beholder.model import combination
from beholder.model.combination import choose_weights, combine
from beholder.model.ranking import ranks_of_scores
from beholder.study.tasks import TASKS, Retrieval


def unit(generator: np.random.Generator, count: int, dimensions: int = 6) -> np.ndarray:
    values = generator.normal(size=(count, dimensions))
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)


def diagonal(count: int) -> Retrieval:
    numbers = np.arange(count)
    return Retrieval(TASKS["g2t"], numbers, numbers, np.stack([numbers, numbers]))


def near(generator: np.random.Generator, vectors: np.ndarray, noise: float) -> np.ndarray:
    values = vectors + noise * generator.normal(size=vectors.shape)
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)


def test_inner_products_are_the_weighted_sum_of_cosines() -> None:
    generator = np.random.default_rng(0)
    weights = {"base": 0.5, "content": 0.3, "style": 0.2}
    first = {name: unit(generator, 7) for name in weights}
    second = {name: unit(generator, 5) for name in weights}
    combined = combine(first, weights) @ combine(second, weights).T
    expected = sum(weight * first[name] @ second[name].T for name, weight in weights.items())
    assert np.allclose(combined, expected, atol=1e-6)
    assert np.allclose(np.linalg.norm(combine(first, weights), axis=1), 1, atol=1e-6)


def test_the_space_that_knows_gets_the_weight() -> None:
    generator = np.random.default_rng(1)
    known, noise = unit(generator, 30), unit(generator, 30)
    embedded = {"base": (unit(generator, 30), noise), "content": (known, known)}
    weights = choose_weights([diagonal(30)], [embedded], generator)
    assert list(weights) == ["base", "content"]
    assert weights["content"] > 0.5
    assert sum(weights.values()) == pytest.approx(1)


def test_of_equals_equal_weights_win() -> None:
    generator = np.random.default_rng(2)
    vectors = unit(generator, 20)
    spaces = dict.fromkeys(("base", "content"), (vectors, vectors))
    chosen = choose_weights([diagonal(20)], [spaces], generator)
    assert chosen == {"base": 0.5, "content": 0.5}


def test_no_weights_on_the_grid_are_better(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(combination, "STEPS", 4)
    monkeypatch.setattr(combination, "RESAMPLES", 1)
    generator = np.random.default_rng(3)
    embedded = []
    for _ in range(2):  # two tasks of the pair, which share the weights
        gallery = {name: unit(generator, 25) for name in ("base", "content", "style")}
        embedded.append({name: (near(generator, g, 0.6), g) for name, g in gallery.items()})

    def merit(weights: dict[str, float]) -> float:
        reciprocal = []
        for of_spaces in embedded:
            scores = sum(weights[name] * q @ g.T for name, (q, g) in of_spaces.items())
            reciprocal.append(np.mean(1 / ranks_of_scores(scores, diagonal(25).right, 1e-6)))
        return float(np.mean(reciprocal))

    chosen = choose_weights([diagonal(25)] * 2, embedded, generator)
    grid = [w for w in product((0, 0.25, 0.5, 0.75, 1), repeat=3) if sum(w) == 1]
    best = max(merit(dict(zip(chosen, weights, strict=True))) for weights in grid)
    assert merit(chosen) == pytest.approx(best, abs=1e-12)


def test_only_so_many_queries_are_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(combination, "MOST_QUERIES", 10)
    generator = np.random.default_rng(4)
    vectors = unit(generator, 20)
    spaces = {"base": (vectors, vectors), "style": (vectors, np.roll(vectors, 1, axis=0))}
    assert choose_weights([diagonal(20)], [spaces], generator)["base"] > 0.5


def test_resampling_averages_and_repeats_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(5)
    gallery = {name: unit(generator, 25) for name in ("base", "content", "style")}
    embedded = [{name: (near(generator, g, 0.6), g) for name, g in gallery.items()}]
    first, again = (
        choose_weights([diagonal(25)], embedded, np.random.default_rng(6)) for _ in range(2)
    )
    assert first == again
    assert sum(first.values()) == pytest.approx(1)
    monkeypatch.setattr(combination, "RESAMPLES", 1)
    assert choose_weights([diagonal(25)], embedded, generator) != first
