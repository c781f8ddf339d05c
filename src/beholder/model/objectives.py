"""Objectives: what a batch's similarities should be, given which pairs are positives.

Each takes ``scores`` of shape (n, m), the cosines of queries and items, ``positives`` of the
same shape, a mask in which every row has both kinds of pair, and a ``scale``, the margin or
the temperature. A pair is a positive or a negative, so no positive is ever pushed away.
The mask and the scale may stay in main memory, where no device has to be waited for.
`objective_loss` drops the rows without both kinds and averages the two directions.
"""

from collections.abc import Callable, Mapping
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
    return objective(scores[put(usable, scores.device)], positives[usable], scale)


def usable_queries(positives: Tensor) -> Tensor:
    """Return the rows, in order, that have both a positive and a negative."""
    # A sum would make eight bytes of every pair.
    return (positives.any(dim=1) & ~positives.all(dim=1)).nonzero()[:, 0]


def hinge_sum(scores: Tensor, positives: Tensor, margin: Tensor) -> Tensor:
    """Sum over the negatives of max(0, margin - s⁺ + s⁻), for each pair of a query and positive.

    With several positives there are n·p·m triples; they are never made. A negative adds
    s⁻ - (s⁺ - margin) for each of its query's positives for which that is above 0: their number
    and their sum are found among the few thresholds s⁺ - margin, sorted.
    """
    count = positives.sum(dim=1)  # (n,), p at most
    row, column = positives.nonzero(as_tuple=True)
    place = torch.arange(len(row), device=row.device) - (count.cumsum(0) - count)[row]
    unused = scores.new_full((len(scores), int(count.max())), torch.inf)  # (n, p)
    row, column, place, count, positives = (
        put(own, scores.device) for own in (row, column, place, count, positives)
    )
    threshold = unused.index_put((row, place), scores[row, column] - margin).sort(dim=1).values
    total = threshold.masked_fill(threshold.isinf(), 0).cumsum(dim=1)
    total = functional.pad(total, (1, 0))  # (n, p + 1): the sum of the k lowest thresholds
    passed = torch.searchsorted(threshold.detach(), scores.detach().contiguous())  # (n, m)
    passed.masked_fill_(positives, 0)
    hinge = passed * scores - total.gather(1, passed)  # (n, m)
    return (hinge.sum(dim=1) / count).mean()


def hinge_hardest(scores: Tensor, positives: Tensor, margin: Tensor) -> Tensor:
    """max(0, margin - s⁺ + the hardest s⁻), as in VSE++ (Faghri et al., BMVC 2018)."""
    positives = put(positives, scores.device)
    hardest = scores.masked_fill(positives, -torch.inf).max(dim=1, keepdim=True).values  # (n, 1)
    hinge = functional.relu(margin - scores + hardest)  # (n, m)
    return _mean_over_positives(hinge, positives)


def contrastive(scores: Tensor, positives: Tensor, temperature: Tensor) -> Tensor:
    """InfoNCE with several positives: each one against all negatives, never against another.

    The loss of a positive is -log(exp(s⁺/τ) / (exp(s⁺/τ) + Σ exp(s⁻/τ))).
    """
    positives = put(positives, scores.device)
    logits = scores / temperature
    negatives = logits.masked_fill(positives, -torch.inf)
    total = negatives.logsumexp(dim=1, keepdim=True)  # (n, 1)
    loss = functional.softplus(total - logits)  # (n, m)
    return _mean_over_positives(loss, positives)


def sigmoid(scores: Tensor, positives: Tensor, temperature: Tensor) -> Tensor:
    """Judge every pair alone, after SigLIP (Zhai et al., ICCV 2023); both kinds weigh alike."""
    positives = put(positives, scores.device)
    logits = scores / temperature - 0.5 / temperature
    loss = functional.softplus(torch.where(positives, -logits, logits))  # (n, m)
    share = positives.to(scores.dtype).mean(dim=1, keepdim=True)  # (n, 1), neither 0 nor 1
    weight = torch.where(positives, 0.5 / share, 0.5 / (1 - share))
    return (loss * weight).mean()


def _mean_over_positives(loss: Tensor, positives: Tensor) -> Tensor:
    """Average over each query's positives, then over the queries."""
    total = torch.where(positives, loss, 0).sum(dim=1)
    return (total / positives.sum(dim=1)).mean()


OBJECTIVES: Mapping[str, Objective] = MappingProxyType(
    {
        "contrastive": contrastive,
        "hinge-sum": hinge_sum,
        "hinge-hardest": hinge_hardest,
        "sigmoid": sigmoid,
    }
)
