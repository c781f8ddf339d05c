"""Objectives: what a batch's similarities should be, given which pairs are positives.

Each takes ``scores`` of shape (n, m), the cosines of queries and items, ``positives`` of the
same shape, a mask in which every row has both kinds of pair, and a ``scale``, the margin or
the temperature. A pair is a positive or a negative, so no positive is ever pushed away.
The mask and the scale may stay in main memory, where no device has to be waited for.
`objective_loss` drops the rows without both kinds and averages the two directions.
"""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import TypeAlias

import torch
from torch import Tensor
from torch.nn import functional

from beholder.model.devices import put

Objective: TypeAlias = Callable[[Tensor, Tensor, Tensor], Tensor]
"""(scores (n, m), positives (n, m), margin or temperature ()) → loss ()."""


def objective_loss(
    name: str, scores: Tensor, positives: Tensor, scale: Tensor, back: Tensor | None = None
) -> Tensor:
    """Return the mean of an objective over both directions, rows to columns and back, shape ().

    ``back`` (m, n) holds the scores of the way back where they are not ``scores`` transposed.
    """
    objective = OBJECTIVES[name]
    directions = ((scores, positives), (scores.T if back is None else back, positives.T))
    return torch.stack([_of_usable(objective, *both, scale) for both in directions]).mean()


def _of_usable(objective: Objective, scores: Tensor, positives: Tensor, scale: Tensor) -> Tensor:
    """Apply an objective to the queries that have both a positive and a negative."""
    usable = usable_queries(positives)
    if not len(usable):
        return scores.sum() * 0  # nothing to learn from, yet a gradient that exists
    if len(usable) < len(scores):
        scores, positives = scores[put(usable, scores.device)], positives[usable]
    return objective(scores, positives, scale)


def usable_queries(positives: Tensor) -> Tensor:
    """Return the rows, in order, that have both a positive and a negative."""
    # A sum would make eight bytes of every pair.
    return (positives.any(dim=1) & ~positives.all(dim=1)).nonzero()[:, 0]


def hinge_sum(scores: Tensor, positives: Tensor, margin: Tensor) -> Tensor:
    """Sum over the negatives of max(0, margin - s⁺ + s⁻), for each pair of a query and positive.

    With several positives there are n·p·m triples; they are never made. Between its kinks the
    loss is linear: its slope by a negative is the number of its query's thresholds s⁺ - margin
    that lie below it, and by a positive the number of negatives above its threshold, below 0.
    """
    row, column, count = _right(positives)
    place = torch.arange(len(row), device=row.device) - (count.cumsum(0) - count)[row]
    most = int(count.max())
    row, column, count, place = _on(scores.device, row, column, count, place)
    with torch.no_grad():
        threshold = scores.new_full((len(scores), most), torch.inf)  # (n, p)
        threshold[row, place] = scores[row, column] - margin
        threshold, order = threshold.sort(dim=1)
        passed = torch.searchsorted(threshold, scores.contiguous())  # (n, m)
        passed.index_put_((row, column), passed.new_zeros(()))
        # How many negatives pass so many thresholds, then how many pass so many and more.
        exactly = scores.new_zeros((len(scores), most + 1))
        exactly.scatter_add_(1, passed, exactly.new_ones(1).expand(passed.shape))
        above = exactly[:, 1:].flip(1).cumsum(dim=1).flip(1)  # (n, p)
        slope = passed.to(scores.dtype)  # (n, m)
        slope[row, column] = -torch.empty_like(above).scatter_(1, order, above)[row, place]
    total = (slope * scores).sum(dim=1) + margin * above.sum(dim=1)  # (n,)
    return (total / count).mean()


def hinge_hardest(scores: Tensor, positives: Tensor, margin: Tensor) -> Tensor:
    """max(0, margin - s⁺ + the hardest s⁻), as in VSE++ (Faghri et al., BMVC 2018)."""
    row, column, count = _on(scores.device, *_right(positives))
    wrong = scores.detach().index_put((row, column), scores.new_full((), -torch.inf))
    hardest = scores.gather(1, wrong.max(dim=1, keepdim=True).indices)[:, 0]  # (n,)
    hinge = functional.relu(margin - scores[row, column] + hardest[row])  # (p,)
    return _mean_over_positives(hinge, row, count)


def contrastive(scores: Tensor, positives: Tensor, temperature: Tensor) -> Tensor:
    """InfoNCE with several positives: each one against all negatives, never against another.

    The loss of a positive is -log(exp(s⁺/τ) / (exp(s⁺/τ) + Σ exp(s⁻/τ))).
    """
    row, column, count = _on(scores.device, *_right(positives))
    logits = scores / temperature
    wrong = logits.index_put((row, column), logits.new_full((), -torch.inf))
    loss = functional.softplus(wrong.logsumexp(dim=1)[row] - logits[row, column])  # (p,)
    return _mean_over_positives(loss, row, count)


def sigmoid(scores: Tensor, positives: Tensor, temperature: Tensor) -> Tensor:
    """Judge every pair alone, after SigLIP (Zhai et al., ICCV 2023); both kinds weigh alike."""
    row, column, count = _on(scores.device, *_right(positives))
    logits = (scores - 0.5) / temperature
    push = functional.softplus(logits).index_put((row, column), logits.new_zeros(()))  # (n, m)
    pull = _mean_over_positives(functional.softplus(-logits[row, column]), row, count)
    return (pull + (push.sum(dim=1) / (scores.shape[1] - count)).mean()) / 2


def _right(positives: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the positives' rows and columns, (p,) each, and how many a row has, (n,)."""
    row, column = positives.nonzero(as_tuple=True)
    return row, column, torch.bincount(row, minlength=len(positives))


def _on(device: torch.device, *tensors: Tensor) -> Iterator[Tensor]:
    """Return tensors of main memory on a device."""
    return (put(one, device) for one in tensors)


def _mean_over_positives(loss: Tensor, row: Tensor, count: Tensor) -> Tensor:
    """Average the losses (p,) over each query's positives, then over the queries."""
    return (loss / count[row]).sum() / len(count)


OBJECTIVES: Mapping[str, Objective] = MappingProxyType(
    {
        "contrastive": contrastive,
        "hinge-sum": hinge_sum,
        "hinge-hardest": hinge_hardest,
        "sigmoid": sigmoid,
    }
)
