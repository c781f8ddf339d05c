"""Every objective against a triple loop, and what none may ever do."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from beholder.model.objectives import OBJECTIVES, objective_loss

SCALES = {"contrastive": 0.1, "sigmoid": 0.1, "hinge-sum": 0.2, "hinge-hardest": 0.2}


def oracle(name: str, scores: list[list[float]], positive: list[list[bool]], scale: float) -> float:
    """The same loss, one number at a time."""
    transposed = [list(row) for row in zip(*scores, strict=True)]
    positive_transposed = [list(row) for row in zip(*positive, strict=True)]
    forth = one_way(name, scores, positive, scale)
    back = one_way(name, transposed, positive_transposed, scale)
    return (forth + back) / 2


def one_way(
    name: str, scores: list[list[float]], positive: list[list[bool]], scale: float
) -> float:
    losses = []
    for row, mask in zip(scores, positive, strict=True):
        right = [score for score, is_right in zip(row, mask, strict=True) if is_right]
        wrong = [score for score, is_right in zip(row, mask, strict=True) if not is_right]
        if right and wrong:
            losses.append(of_query(name, right, wrong, scale))
    return sum(losses) / len(losses) if losses else 0.0


def of_query(name: str, right: list[float], wrong: list[float], scale: float) -> float:
    if name == "sigmoid":
        pull = [math.log1p(math.exp(-(s - 0.5) / scale)) for s in right]
        push = [math.log1p(math.exp((s - 0.5) / scale)) for s in wrong]
        return (sum(pull) / len(pull) + sum(push) / len(push)) / 2
    losses = []
    for s in right:
        if name == "contrastive":
            total = sum(math.exp(w / scale) for w in wrong)
            losses.append(-math.log(math.exp(s / scale) / (math.exp(s / scale) + total)))
        else:
            hinges = [max(0.0, scale - s + w) for w in wrong]
            losses.append(sum(hinges) if name == "hinge-sum" else max(hinges))
    return sum(losses) / len(losses)


def random_problem(seed: int, rows: int = 5, columns: int = 7) -> tuple[Tensor, Tensor]:
    """Scores with ties and negative values; rows and columns with no positive and with no other."""
    generator = torch.Generator().manual_seed(seed)
    scores = torch.rand((rows, columns), generator=generator, dtype=torch.float64) * 2 - 1
    scores = torch.where(torch.rand(scores.shape, generator=generator) < 0.3, -0.25, scores)
    positives = torch.rand(scores.shape, generator=generator) < 0.3
    positives[0], positives[1] = False, True
    return scores, positives


def scale_of(name: str) -> Tensor:
    return torch.tensor(SCALES[name], dtype=torch.float64)


def test_every_objective_is_tested() -> None:
    assert set(SCALES) == set(OBJECTIVES)


@pytest.mark.parametrize("name", OBJECTIVES)
@pytest.mark.parametrize("seed", range(12))
def test_objective_equals_the_loop(name: str, seed: int) -> None:
    scores, positives = random_problem(seed, *((5, 7), (6, 6), (9, 3))[seed % 3])
    expected = oracle(name, scores.tolist(), positives.tolist(), SCALES[name])
    assert float(objective_loss(name, scores, positives, scale_of(name))) == pytest.approx(
        expected, rel=1e-9
    )


@pytest.mark.parametrize("name", OBJECTIVES)
@pytest.mark.parametrize("everything", [True, False])
def test_a_batch_with_one_kind_of_pair_teaches_nothing(name: str, everything: bool) -> None:
    scores = torch.randn((4, 4), generator=torch.Generator().manual_seed(0)).requires_grad_()
    loss = objective_loss(name, scores, torch.full((4, 4), everything), torch.tensor(0.2))
    (gradient,) = torch.autograd.grad(loss, scores)
    assert loss == 0
    assert (gradient == 0).all()


@pytest.mark.parametrize("name", OBJECTIVES)
def test_gradient_is_that_of_finite_differences(name: str) -> None:
    generator = torch.Generator().manual_seed(3)
    # Distinct multiples of 0.037 keep every hinge away from its kink at a margin of 0.2.
    grid = torch.randperm(35, generator=generator).reshape(5, 7).to(torch.float64) * 0.037 - 0.6
    positives = torch.rand((5, 7), generator=generator) < 0.35
    assert torch.autograd.gradcheck(
        lambda scores: objective_loss(name, scores, positives, scale_of(name)),
        grid.requires_grad_(),
    )


@given(name=st.sampled_from(list(OBJECTIVES)), seed=st.integers(0, 10**6))
@settings(max_examples=60)
def test_no_gradient_pushes_a_positive_away_or_pulls_a_negative(name: str, seed: int) -> None:
    scores, positives = random_problem(seed)
    scores.requires_grad_()
    (gradient,) = torch.autograd.grad(
        objective_loss(name, scores, positives, scale_of(name)), scores
    )
    assert gradient.isfinite().all()
    assert (gradient[positives] <= 1e-12).all()
    assert (gradient[~positives] >= -1e-12).all()


@given(name=st.sampled_from(list(OBJECTIVES)), seed=st.integers(0, 10**6))
@settings(max_examples=30)
def test_directions_weigh_alike(name: str, seed: int) -> None:
    scores, positives = random_problem(seed)
    forth = objective_loss(name, scores, positives, scale_of(name))
    back = objective_loss(name, scores.T, positives.T, scale_of(name))
    assert float(forth) == pytest.approx(float(back), rel=1e-12)


@given(name=st.sampled_from(list(OBJECTIVES)), seed=st.integers(0, 10**6))
@settings(max_examples=30)
def test_a_positive_twice_counts_as_once_for_each_query(name: str, seed: int) -> None:
    """Queries average over their positives, so one that equals another changes nothing."""
    scores, _ = random_problem(seed)
    positives = torch.zeros(scores.shape, dtype=torch.bool)
    positives[:, 2] = True
    twice = torch.cat([scores, scores[:, 2:3]], dim=1)
    both = torch.cat([positives, positives[:, 2:3]], dim=1)
    once = OBJECTIVES[name](scores, positives, scale_of(name))
    again = OBJECTIVES[name](twice, both, scale_of(name))
    assert float(again) == pytest.approx(float(once), rel=1e-9)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_two_positives_do_not_compete(name: str) -> None:
    """A second positive, however near, leaves the first one's gradient its direction and size."""
    scores = torch.tensor([[0.1, 0.9, 0.0, 0.3]], dtype=torch.float64, requires_grad=True)
    positives = torch.tensor([[True, True, False, False]])
    loss = OBJECTIVES[name](scores, positives, scale_of(name))
    (gradient,) = torch.autograd.grad(loss, scores)
    alone = torch.tensor([[0.1, 0.0, 0.3]], dtype=torch.float64, requires_grad=True)
    of_one = OBJECTIVES[name](alone, torch.tensor([[True, False, False]]), scale_of(name))
    (expected,) = torch.autograd.grad(of_one, alone)
    assert 2 * float(gradient[0, 0]) == pytest.approx(float(expected[0, 0]), rel=1e-9)
