"""Learning one space of one network, resumable after any interruption.

All randomness of an epoch comes from (seed, space, network, epoch), so that an epoch begun
again repeats itself exactly: a training that was killed and resumed ends with the same weights.
"""

import contextlib
import math
import time
import zlib
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from beholder.errors import TrainingError
from beholder.model.batch_loss import batch_loss
from beholder.model.configuration import Hyperparameters
from beholder.model.devices import PROCESSOR, Device, put
from beholder.model.distributed import LONE, Group
from beholder.model.networks import Network
from beholder.model.objectives import objective_loss
from beholder.model.ranking import mean_average_precision
from beholder.model.spaces import Space, batches
from beholder.model.state import PARTICIPANTS, Epoch, SpaceData, State
from beholder.model.towers import Dropout, Participants, Tower, embed
from beholder.progress import Progress, silent
from beholder.study.tasks import Codes

COLLAPSED_SPREAD = 1e-3
"""Root mean square distance of embeddings from their mean below which they are one point."""

MOST_WATCHED = 1000
"""A collapse shows in so many training samples."""

REFIT_RATE = 0.5
"""The highest learning rate of a refit, relative to the training's."""


def learn_space(
    space: Space,
    data: SpaceData,
    hyperparameters: Hyperparameters,
    seed: int,
    *,
    checkpoint: tuple[dict[str, Tensor], list[Epoch]] | None = None,
    after_epoch: Callable[[State], None] = lambda state: None,
    progress: Progress = silent,
    group: Group = LONE,
    device: Device = PROCESSOR,
) -> State:
    """Return the trained state of a space, its towers holding the best epoch's weights.

    ``after_epoch`` is called with the state when it may be checkpointed. All of ``group`` learn
    the one space, and the first tells when to stop. Raises TrainingError when the loss is not a
    number or the embeddings collapse to a point.
    """
    where = f"the {space} space of {data.network}"
    seeds = _seed(seed, space, data.network)
    state = _begin(data, hyperparameters, seeds, device)
    if checkpoint is not None:
        state.restore(*checkpoint)
    epochs = range(len(state.log) + 1, hyperparameters.epochs + 1)
    for epoch in progress(epochs, f"learning {where}", len(epochs)):
        if state.log and epoch - 1 - state.best_epoch >= hyperparameters.patience:
            break
        started = time.monotonic()
        source = np.random.default_rng([*seeds, epoch])
        loss = _one_epoch(state, data, hyperparameters, epoch, source, group)
        spread = group.first(
            _check_health, state, data, hyperparameters.objective, loss, where, epoch
        )
        best_before = max((line.validation for line in state.log), default=-math.inf)
        value = group.first(_validation_score, state, data)
        if value > best_before:
            state.best = _kept(state.towers)
        state.log.append(Epoch(epoch, loss, value, spread, time.monotonic() - started))
        after_epoch(state)
    state.towers.load_state_dict(state.best)
    return state


def refit_space(
    space: Space,
    state: State,
    data: SpaceData,
    hyperparameters: Hyperparameters,
    seed: int,
    *,
    progress: Progress = silent,
    group: Group = LONE,
) -> State:
    """Go on from a trained state's weights for ``refit`` epochs and return the state.

    ``data`` trains on the training and the validation part: once the epoch and the weights of
    the combination are chosen, the validation part has nothing left to judge and can teach.
    The learning rate rises and falls once more, lower than before.
    """
    where = f"the {space} space of {data.network}"
    schedule = replace(
        hyperparameters,
        epochs=max(hyperparameters.refit, 1),
        learning_rate=REFIT_RATE * hyperparameters.learning_rate,
    )
    state.optimiser = _optimiser(state.towers, schedule)
    epochs = range(1, hyperparameters.refit + 1)
    for epoch in progress(epochs, f"refitting {where}", len(epochs)):
        # Epochs of the training have seeds up to their number; these come after them.
        source = np.random.default_rng(
            [*_seed(seed, space, data.network), hyperparameters.epochs + epoch]
        )
        loss = _one_epoch(state, data, schedule, epoch, source, group)
        group.first(_check_health, state, data, hyperparameters.objective, loss, where, epoch)
    state.best = _kept(state.towers)
    return state


def _check_health(
    state: State, data: SpaceData, objective: str, loss: float, where: str, epoch: int
) -> float:
    """Return the smallest spread of a modality's embeddings, or raise TrainingError."""
    spread = []
    for modality in data.network.modalities:
        # Of training samples, as a validation part may hold one person's survey only.
        watched = data.train[data.features[modality].has(data.train)]
        watched = watched[:: -(-len(watched) // MOST_WATCHED)]
        spread.append(_spread(_embedded(state, data, modality, watched)))
    if not np.isfinite([loss, *spread]).all():
        raise TrainingError(
            f"the loss or the embeddings of {where} are not numbers in epoch {epoch}; a lower "
            "learning rate may help"
        )
    if min(spread) < COLLAPSED_SPREAD:
        advice = "a lower learning rate may help"
        if objective == "hinge-hardest":
            advice = "the hardest negative is known for it: try hinge-sum or contrastive"
        raise TrainingError(
            f"{where} collapsed in epoch {epoch}: all its embeddings are one point; {advice}"
        )
    return min(spread)


def _seed(seed: int, space: Space, network: Network) -> list[int]:
    """Return what tells this training's randomness from every other's."""
    return [seed, zlib.crc32(" ".join([space, *network.modalities]).encode())]


def _torch_generator(source: np.random.Generator) -> torch.Generator:
    return torch.Generator().manual_seed(int(source.integers(2**63)))


def _begin(
    data: SpaceData, hyperparameters: Hyperparameters, seed: list[int], device: Device
) -> State:
    generator = _torch_generator(np.random.default_rng(seed))
    towers = nn.ModuleDict(
        {
            modality: Tower(data.features[modality].values.shape[1], hyperparameters, generator)
            for modality in data.network.modalities
        }
    )
    if data.participants is not None:
        seen = np.unique(data.participants[data.train])
        towers[PARTICIPANTS] = Participants(seen[seen >= 0], hyperparameters.dimensions)
    towers = device.prepare(towers)
    return State(towers, _optimiser(towers, hyperparameters), _kept(towers))


def _kept(towers: nn.Module) -> dict[str, Tensor]:
    """Return a copy of the weights in main memory."""
    return {name: one.detach().to("cpu", copy=True) for name, one in towers.state_dict().items()}


def _optimiser(towers: nn.Module, hyperparameters: Hyperparameters) -> torch.optim.AdamW:
    return torch.optim.AdamW(
        towers.parameters(),
        lr=hyperparameters.learning_rate,
        weight_decay=hyperparameters.weight_decay,
        fused=True,
    )


def _one_epoch(
    state: State,
    data: SpaceData,
    hyperparameters: Hyperparameters,
    epoch: int,
    source: np.random.Generator,
    group: Group,
) -> float:
    """Go once through the training part and return the mean loss."""
    plan = batches(
        data.positives.bundle, data.train, hyperparameters.batch, hyperparameters.per_group, source
    )
    generator = _torch_generator(source)
    dropout = Dropout(generator, hyperparameters.input_dropout, hyperparameters.hidden_dropout)
    losses = []
    for step, batch in enumerate(plan):
        rate = _learning_rate(hyperparameters, epoch - 1 + step / len(plan))
        for own in state.optimiser.param_groups:
            own["lr"] = rate
        loss = _batch_loss(state, data, hyperparameters, batch, dropout, group)
        state.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        gradients = [one.grad for one in state.towers.parameters() if one.grad is not None]
        group.add_up([loss, *gradients])
        state.optimiser.step()
        losses.append(loss.detach())  # to read it now would wait for the device
    return float(np.mean(torch.stack(losses).cpu().tolist()))


def _batch_loss(
    state: State,
    data: SpaceData,
    hyperparameters: Hyperparameters,
    batch: Codes,
    dropout: Dropout,
    group: Group,
) -> Tensor:
    """Return this process's share of the mean loss over the network's links, shape ()."""
    is_hinge = hyperparameters.objective.startswith("hinge")
    scale = torch.tensor(hyperparameters.margin if is_hinge else hyperparameters.temperature)
    has = {modality: data.features[modality].has(batch) for modality in data.network.modalities}
    precision = hyperparameters.precision
    embeddings = {
        modality: _embed_batch(state, data, modality, batch[held], dropout, precision, group)
        for modality, held in has.items()
    }
    losses = []
    for first, second in data.network.links:
        both = has[first] & has[second]
        samples = batch[both]
        one, other = (_rows(embeddings[own], both[has[own]]) for own in (first, second))
        positives = torch.from_numpy(data.positives.between((first, second), samples))
        if data.participants is None:
            losses.append(
                batch_loss(hyperparameters.objective, one, other, positives, scale, group=group)
            )
            continue
        there = state.scores(data, samples, one, other)
        back = state.scores(data, samples, other, one)
        # All work out the whole of it, so each has as much of it as any other.
        whole = objective_loss(hyperparameters.objective, there, positives, scale, back)
        losses.append(whole / group.size)
    loss = torch.stack(losses).mean()
    if data.alike is None or not hyperparameters.alike:
        return loss
    # The same items under another dropout, so that an item is no trivial match of itself.
    samples = batch[has[data.alike]]
    again = _embed_batch(state, data, data.alike, samples, dropout, precision, group)
    together = torch.from_numpy(data.positives.within(data.alike, samples))
    apart = batch_loss(
        hyperparameters.objective, embeddings[data.alike], again, together, scale, group=group
    )
    return loss + hyperparameters.alike * apart


def _embed_batch(
    state: State,
    data: SpaceData,
    modality: str,
    samples: Codes,
    dropout: Dropout,
    precision: str,
    group: Group,
) -> Tensor:
    """Return the embeddings of samples of one modality in training, (n, dimensions)."""
    count, share = len(samples), group.share(len(samples))
    tower = state.tower(modality)
    device = tower.linear.device
    features = put(torch.from_numpy(data.features[modality].of(samples[share])), device)
    masks = replace(dropout, start=share.start, count=count).masks(features, len(tower.bias))
    with _products(precision, device):
        own = tower(features, masks)
    return group.gather(own, count)


def _products(precision: str, device: torch.device) -> contextlib.AbstractContextManager[object]:
    """Return a block in which products are worked out in a precision."""
    if precision == "float32":
        return contextlib.nullcontext()
    return torch.autocast(device.type, getattr(torch, precision))


def _rows(embeddings: Tensor, held: NDArray[np.bool_]) -> Tensor:
    """Return the rows that are held."""
    if held.all():
        return embeddings
    return embeddings[put(torch.from_numpy(np.flatnonzero(held)), embeddings.device)]


def _learning_rate(hyperparameters: Hyperparameters, epochs_done: float) -> float:
    """Rise linearly over the warm-up, then fall along a cosine to 0."""
    done = epochs_done / hyperparameters.epochs
    warm_up = hyperparameters.warm_up
    if done < warm_up:
        return hyperparameters.learning_rate * max(done / warm_up, 0.01)
    falling = (done - warm_up) / (1 - warm_up)
    return hyperparameters.learning_rate * 0.5 * (1 + math.cos(math.pi * falling))


def _embedded(state: State, data: SpaceData, modality: str, samples: Codes) -> NDArray[np.float32]:
    """Return the embeddings of samples of one modality, (n, dimensions)."""
    return embed(state.tower(modality), data.features[modality].of(samples))


def _spread(embeddings: NDArray[np.float32]) -> float:
    """Return the root mean square distance of embeddings from their mean: 0 is a collapse."""
    return float(np.sqrt(((embeddings - embeddings.mean(axis=0)) ** 2).sum(axis=1).mean()))


def _validation_score(state: State, data: SpaceData) -> float:
    """Return the mean average precision over the tested pairs, both ways: stopping goes by it."""
    precisions = []
    for pair, samples in data.validation.items():
        first, second = (
            torch.from_numpy(_embedded(state, data, modality, samples)) for modality in pair
        )
        positives = data.validation_positives.between(pair, samples)
        with torch.inference_mode():
            there = state.scores(data, samples, first, second).numpy()  # (n, n)
            back = state.scores(data, samples, second, first).numpy()
        precisions += [
            mean_average_precision(there, positives),
            mean_average_precision(back, positives.T),
        ]
    return float(np.mean(precisions))
