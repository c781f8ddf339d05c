"""An objective over a batch's embeddings, in bounded memory and with exact gradients.

The similarities of n queries and m items are worked on in blocks of rows that fit a
processor's cache, and where they are many they are never held all at once. The gradient of a
block is worked out beside its loss, so that nothing of it is kept for the backward pass.

Where several processes train together all hold the batch's embeddings, and each works on the
similarities of its share of the queries, so that a large batch's are divided as its rows are. A
loss is divided by the queries of the whole batch, so the shares simply add up.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from beholder.model.devices import put
from beholder.model.distributed import LONE, Group
from beholder.model.objectives import OBJECTIVES, objective_loss, usable_queries


@dataclass(frozen=True)
class Memory:
    """How many similarities are worked on at once, and how many are kept to be used twice."""

    cells: int = 1 << 20  # 4 MiB of float32
    kept: int = 1 << 26  # 256 MiB of float32


def batch_loss(
    name: str,
    first: Tensor,
    second: Tensor,
    positives: Tensor,
    scale: Tensor,
    memory: Memory = Memory(),
    group: Group = LONE,
) -> Tensor:
    """Return `objective_loss` of the inner products of first (n, d) and second (m, d), shape ().

    Among several processes it is this one's share of it: the sum of all is the loss, and the
    sum of their gradients its gradient. ``positives`` (n, m) and ``scale`` () are as there, and
    best in main memory whatever the embeddings' device; those are of length one at most. It may be
    differentiated once, by the scale too. Beside what is kept it holds some 20 bytes a positive.
    """
    if name in _BOTH_DIRECTIONS:
        of_both = _BOTH_DIRECTIONS[name]
        loss: Tensor = of_both.apply(  # type: ignore[no-untyped-call]
            first, second, positives, scale, memory, group
        )
        return loss
    if group.size == 1 and positives.numel() <= memory.cells:
        return objective_loss(name, first @ second.T, positives, scale)
    directions = ((first, second, positives), (second, first, positives.T))
    there, back = (
        _OneDirection.apply(name, *given, scale, memory, group)  # type: ignore[no-untyped-call]
        for given in directions
    )
    return torch.add(there, back) / 2


def _blocks(positives: Tensor, cells: int, group: Group) -> list[slice]:
    """Return the rows of this process in blocks; a single empty one where it has none."""
    rows, columns = positives.shape
    own = group.share(rows)
    height = max(1, cells // max(1, columns))
    starts = range(own.start, max(own.stop, own.start + 1), height)
    return [slice(start, min(start + height, own.stop)) for start in starts]


def _cells(blocks: list[slice], positives: Tensor) -> int:
    """Return how many similarities are in blocks of rows that follow each other."""
    return int(blocks[-1].stop - blocks[0].start) * positives.shape[1]


class _OneDirection(torch.autograd.Function):
    """One direction of an objective, with the gradient made beside the loss."""

    @staticmethod
    def forward(
        ctx: Any,
        name: str,
        queries: Tensor,
        items: Tensor,
        positives: Tensor,
        scale: Tensor,
        memory: Memory,
        group: Group,
    ) -> Tensor:
        scale = scale.detach().requires_grad_(ctx.needs_input_grad[4])
        one, other, of_scale = (torch.zeros_like(own) for own in (queries, items, scale))
        total = (queries.sum() + items.sum()) * 0  # what is not a number is not hidden
        for block in _blocks(positives, memory.cells, group):
            own = usable_queries(positives[block])
            if not len(own):
                continue
            place = put(own, queries.device)
            asked = queries[block][place]  # (rows, d)
            scores = (asked @ items.T).requires_grad_()
            with torch.enable_grad():
                loss = OBJECTIVES[name](scores, positives[block][own], scale) * len(own)
            total += loss.detach()
            if any(ctx.needs_input_grad):
                gradient, *by_scale = torch.autograd.grad(
                    loss, (scores, scale) if scale.requires_grad else scores
                )
                one[block].index_copy_(0, place, gradient @ items)
                other.addmm_(gradient.T, asked)
                of_scale += sum(by_scale)
        count = max(1, len(usable_queries(positives)))
        ctx.save_for_backward(one / count, other / count, of_scale / count)
        return total / count

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, above: Tensor) -> tuple[Tensor | None, ...]:
        one, other, of_scale = ctx.saved_tensors
        return None, above * one, above * other, None, above * of_scale, None, None


class _BothDirections(torch.autograd.Function):
    """A loss whose forward pass saves its gradients by both sides and by the scale."""

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, above: Tensor) -> tuple[Tensor | None, ...]:
        one, other, of_scale = ctx.saved_tensors
        return above * one, above * other, None, above * of_scale, None, None


class _Contrastive(_BothDirections):
    """Both directions of `objectives.contrastive`, with the gradient made beside the loss.

    With e = exp(similarity / temperature) of every negative, a query's loss needs the sum of
    its row and an item's that of its column, and the gradient at a negative is e (u + v), u of
    its row and v of its column: one exponential a pair serves both directions and both passes.
    Of a process's rows the sums are its own to know; those of columns are added up over all.
    """

    @staticmethod
    def forward(
        ctx: Any,
        first: Tensor,
        second: Tensor,
        positives: Tensor,
        scale: Tensor,
        memory: Memory,
        group: Group,
    ) -> Tensor:
        blocks = _blocks(positives, memory.cells, group)
        exponentials = _Exponentials(first, second, scale)
        is_kept = _cells(blocks, positives) <= memory.kept
        kept: list[Tensor] = []
        of_rows, of_columns = exponentials.sums()
        # Where positives are is found in main memory, so that no device has to be waited for.
        found = [positives[block].nonzero().T for block in blocks]
        places = [put(own, first.device) for own in found]
        right = []  # the positives' logits
        for block, own in zip(blocks, places, strict=True):
            powers, logits = exponentials.of(block, own)
            of_rows[block] = powers.sum(dim=1)
            of_columns += powers.sum(dim=0)
            right.append(logits)
            kept += [powers] if is_kept else []
        (row, column), logits = _within(blocks, places), torch.cat(right)
        there, back = (
            exponentials.count(*of)
            for of in zip(_within(blocks, found), (of_rows, of_columns), strict=True)
        )
        group.add_up([of_columns, there, back])
        loss_there, pull_there, u = exponentials.direction(row, logits, of_rows, there, len(second))
        loss_back, pull_back, v = exponentials.direction(
            column, logits, of_columns, back, len(first)
        )
        group.add_up([v])
        ctx.save_for_backward()
        if any(ctx.needs_input_grad):
            pull = torch.split(pull_there + pull_back, [len(own) for own in right])
            one, other = torch.zeros_like(first), torch.zeros_like(second)
            for number, block in enumerate(blocks):
                powers = kept[number] if is_kept else exponentials.of(block, places[number])[0]
                gradient = powers.mul_(u[block, None] + v).to(first.dtype)  # (rows, m)
                gradient[tuple(places[number])] = -pull[number].to(first.dtype)
                one[block] = gradient @ second
                other.addmm_(gradient.T, first[block])
            one, other = one / (2 * scale), other / (2 * scale)
            # Every logit is a product over the temperature, and so is every gradient by it.
            ctx.save_for_backward(one, other, -(first * one).sum() / scale)
        return ((loss_there + loss_back) / 2).to(first.dtype)


class _Sigmoid(_BothDirections):
    """Both directions of `objectives.sigmoid`, with the gradient made beside the loss.

    Both judge every pair alike and differ in what it weighs: a negative weighs u + v, u of its
    row and v of its column, so that one pass serves both directions.
    """

    @staticmethod
    def forward(
        ctx: Any,
        first: Tensor,
        second: Tensor,
        positives: Tensor,
        scale: Tensor,
        memory: Memory,
        group: Group,
    ) -> Tensor:
        there, back = _counts(positives, memory.cells)
        right, wrong = _weights_of_kinds(there, len(second), first)  # (n,)
        right_back, wrong_back = _weights_of_kinds(back, len(first), first)  # (m,)
        one, other = torch.zeros_like(first), torch.zeros_like(second)
        total, pulled = first.new_zeros(()), first.new_zeros(())
        for block in _blocks(positives, memory.cells, group):
            row, column = put(positives[block].nonzero().T, first.device)
            logits = (first[block] @ second.T).sub_(0.5).div_(scale)  # (rows, m)
            of_right = -logits[row, column]  # (p,)
            weight = right[block][row] + right_back[column]
            loss = functional.softplus(logits)
            loss[row, column] = 0
            total += wrong[block] @ loss.sum(dim=1) + loss.sum(dim=0) @ wrong_back
            total += functional.softplus(of_right) @ weight
            if any(ctx.needs_input_grad):
                gradient = logits.sigmoid_().mul_(wrong[block, None] + wrong_back)
                gradient[row, column] = -of_right.sigmoid() * weight
                pulled += gradient.sum()
                one[block] = gradient @ second
                other.addmm_(gradient.T, first[block])
        # A logit is (s - ½) / scale, and its gradient by the scale -(s - ½) / scale².
        of_scale = (0.5 * pulled - (first * one).sum()) / scale**2
        ctx.save_for_backward(one / scale, other / scale, of_scale)
        return total


def _counts(positives: Tensor, cells: int) -> tuple[Tensor, Tensor]:
    """Return how many positives each row and each column has, (n,) and (m,)."""
    of_rows, of_columns = [], positives.new_zeros(positives.shape[1], dtype=torch.int64)
    for block in _blocks(positives, cells, LONE):  # a sum makes eight bytes of every pair
        of_rows.append(positives[block].sum(dim=1))
        of_columns += positives[block].sum(dim=0)
    return torch.cat(of_rows), of_columns


def _weights_of_kinds(count: Tensor, size: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Return what a query's positive and its negative weigh in `_Sigmoid`'s loss, (n,) each.

    A query has ``count`` (n,) positives among ``size`` items. Its kinds weigh alike, and so do
    all queries that have both, in two directions.
    """
    usable = (count > 0) & (count < size)
    share = 0.25 * usable.to(like.dtype) / usable.sum().clamp(min=1)  # (n,)
    right, wrong = share / count.clamp(min=1), share / (size - count).clamp(min=1)
    return put(right, like.device), put(wrong, like.device)


_BOTH_DIRECTIONS: Mapping[str, type[_BothDirections]] = MappingProxyType(
    {"contrastive": _Contrastive, "sigmoid": _Sigmoid}
)
"""The objectives whose directions share a pass."""


def _within(blocks: list[slice], places: list[Tensor]) -> Tensor:
    """Return places in blocks, (2, p) each, as places in the whole of them, (2, p)."""
    rows = [own[0] + block.start for own, block in zip(places, blocks, strict=True)]
    return torch.stack([torch.cat(rows), torch.cat([own[1] for own in places])])


class _Exponentials:
    """Powers of the logits of first (n, d) and second (m, d), all divided by the highest there
    can be, in float64 where float32 would lose the smallest."""

    def __init__(self, first: Tensor, second: Tensor, scale: Tensor) -> None:
        self._first, self._second, self._scale = first, second, scale
        lengths = [torch.linalg.vector_norm(one, dim=1).amax() for one in (first, second)]
        self._bound = lengths[0] * lengths[1] / scale
        is_wide = 2 / float(scale) > _RANGE_OF_FLOAT32  # the lengths are one at most
        self._dtype = torch.float64 if is_wide else first.dtype

    def sums(self) -> tuple[Tensor, Tensor]:
        """Return zeros to add rows' and columns' powers up in, (n,) and (m,)."""
        first, second = self._first, self._second
        zeros = [one.new_zeros(len(one), dtype=self._dtype) for one in (first, second)]
        return zeros[0], zeros[1]

    def of(self, block: slice, places: Tensor) -> tuple[Tensor, Tensor]:
        """Return a block's powers (rows, m), 0 at its positives, and the positives' logits (p,).

        ``places`` (2, p) holds the rows and columns of the positives in the block.
        """
        row, column = places
        logits = (self._first[block] @ self._second.T).to(self._dtype).div_(self._scale)
        right = logits[row, column]
        powers = logits.sub_(self._bound).exp_()
        powers[row, column] = 0
        return powers, right

    def count(self, query: Tensor, sums: Tensor) -> Tensor:
        """Return how many positives each of the queries of ``sums`` has, of those in ``query``."""
        return put(torch.bincount(query, minlength=len(sums)), sums.device).to(self._dtype)

    def direction(
        self, query: Tensor, right: Tensor, sums: Tensor, count: Tensor, size: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the loss, each positive's pull (p,) and the u of each query (q,).

        ``query`` (p,) tells whose each positive is; ``sums`` (q,) holds the powers of each
        query's negatives, ``count`` (q,) the number of its positives. A query whose ``size``
        items are all of one kind teaches nothing.
        """
        usable = (count > 0) & (count < size)
        share = usable.to(self._dtype) / (count.clamp(min=1) * usable.sum().clamp(min=1))
        sums = sums.clamp(min=torch.finfo(self._dtype).tiny)
        short = (self._bound + sums.log())[query] - right  # how far each falls behind
        loss = (functional.softplus(short) * share[query]).sum()
        pull = short.sigmoid() * share[query]
        return loss, pull, torch.zeros_like(sums).index_add_(0, query, pull) / sums


_RANGE_OF_FLOAT32 = 79.9
"""Logits that differ by less keep their powers from vanishing."""
