"""The loss of a batch in blocks is the plain one, and so is its gradient."""

from __future__ import annotations

import weakref
from dataclasses import dataclass

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from beholder.model.batch_loss import Memory, batch_loss
from beholder.model.objectives import OBJECTIVES, objective_loss

WHOLE, SMALL, ONE = Memory(), Memory(17, 17), Memory(1, 1)
"""All in one block and kept, two or three rows a block, one row a block; the last two not kept."""

SOFTPLUS = 3e-9
"""PyTorch's softplus is a straight line from 20 on, where its slope is still e^-20 from 1."""


def problem(seed: int, rows: int, columns: int) -> tuple[Tensor, Tensor, Tensor]:
    """Embeddings of length one, equal ones among them, and rows and columns of one kind."""
    generator = torch.Generator().manual_seed(seed)

    def drawn(count: int) -> Tensor:
        values = torch.randn((count, 4), generator=generator, dtype=torch.float64)
        values[1:3] = values[0]
        return torch.nn.functional.normalize(values, dim=1).requires_grad_()

    positives = torch.rand((rows, columns), generator=generator) < 0.3
    positives[0], positives[1] = False, True
    return drawn(rows), drawn(columns), positives


@dataclass(eq=False)
class Kept:
    """What autograd keeps for the backward pass, as long as it does."""

    tensor: Tensor


def with_gradients(loss: Tensor, *inputs: Tensor) -> list[Tensor]:
    return [loss.detach(), *torch.autograd.grad(loss, inputs)]


@settings(max_examples=60)
@given(
    st.sampled_from(sorted(OBJECTIVES)),
    st.integers(0, 10**6),
    st.tuples(st.integers(3, 9), st.integers(3, 9)),
    st.sampled_from([WHOLE, SMALL, ONE]),
)
def test_it_is_the_objective_of_the_products(
    name: str, seed: int, shape: tuple[int, int], memory: Memory
) -> None:
    first, second, positives = problem(seed, *shape)
    scale = torch.tensor(0.1, dtype=torch.float64, requires_grad=True)
    plain = objective_loss(name, first @ second.T, positives, scale)
    blocks = batch_loss(name, first, second, positives, scale, memory)
    inputs = (first, second, scale)
    expected = with_gradients(plain, *inputs)
    for one, other in zip(with_gradients(blocks, *inputs), expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=SOFTPLUS)


@pytest.mark.parametrize("name", OBJECTIVES)
@pytest.mark.parametrize("memory", [WHOLE, SMALL])
def test_gradients_are_those_of_finite_differences(name: str, memory: Memory) -> None:
    first, second, positives = problem(1, 8, 6)
    scale = torch.tensor(0.1, dtype=torch.float64, requires_grad=True)
    # Equal embeddings are kinks of the hinge on the hardest.
    inputs = (first.detach()[2:].requires_grad_(), second.detach()[2:].requires_grad_(), scale)
    assert torch.autograd.gradcheck(
        lambda *given: batch_loss(name, *given[:2], positives[2:, 2:], given[2], memory), inputs
    )


@pytest.mark.parametrize("name", OBJECTIVES)
@pytest.mark.parametrize("everything", [True, False])
@pytest.mark.parametrize("memory", [WHOLE, ONE])
def test_a_batch_with_one_kind_of_pair_teaches_nothing(
    name: str, everything: bool, memory: Memory
) -> None:
    first, second, _ = problem(0, 4, 5)
    loss = batch_loss(
        name, first, second, torch.full((4, 5), everything), torch.tensor(0.2), memory
    )
    value, *gradients = with_gradients(loss, first, second)
    assert value == 0
    assert all((gradient == 0).all() for gradient in gradients)


@pytest.mark.parametrize("name", OBJECTIVES)
@pytest.mark.parametrize("memory", [WHOLE, ONE])
def test_what_is_not_a_number_is_not_hidden(name: str, memory: Memory) -> None:
    first, second, positives = problem(2, 6, 6)
    broken = first.detach().clone()
    broken[3] = torch.nan
    assert batch_loss(name, broken, second, positives, torch.tensor(0.1), memory).isnan()


def test_scores_far_apart_do_not_overflow() -> None:
    first = torch.tensor([[1.0], [-1.0]], requires_grad=True)
    second = torch.tensor([[-1.0], [1.0]], requires_grad=True)
    loss = batch_loss("contrastive", first, second, torch.eye(2) > 0, torch.tensor(1e-3))
    value, *gradients = with_gradients(loss, first, second)
    assert value == pytest.approx(2000)
    assert all(gradient.isfinite().all() for gradient in gradients)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_no_block_is_kept_for_the_backward_pass(name: str) -> None:
    """What autograd saves is as large as the embeddings, not as their products."""
    kept: weakref.WeakSet[Kept] = weakref.WeakSet()

    def keep(tensor: Tensor) -> Kept:
        one = Kept(tensor)
        kept.add(one)
        return one

    first = torch.randn(300, 4, requires_grad=True)
    second = torch.randn(300, 4, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda one: one.tensor):
        loss = batch_loss(
            name, first, second, torch.eye(300) > 0, torch.tensor(0.1), Memory(3000, 3000)
        )
    assert loss.requires_grad
    bytes_kept = sum(one.tensor.untyped_storage().nbytes() for one in kept)
    assert 4 * 300 * 4 < bytes_kept < 4 * 300 * 300 / 4
