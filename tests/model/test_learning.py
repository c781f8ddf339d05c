"""Learning one space: repeatable, resumable after any epoch, and stopped when it fails."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from beholder.errors import TrainingError
from beholder.model import Hyperparameters, learning
from beholder.model.learning import learn_space, refit_space
from beholder.model.networks import Network
from beholder.model.spaces import Positives, Space
from beholder.model.state import Epoch, Features, SpaceData, State
from made_study import Row, made_study

PAIR = ("gaze", "text")
SHORT = Hyperparameters(hidden=8, dimensions=6, epochs=4, batch=8)


def space_data() -> SpaceData:
    """48 samples of 6 people and 8 images; the second features follow from the first."""
    rows = [Row(f"p{n % 6}", f"i{n % 8}", f"text {n}", n) for n in range(48)]
    study = made_study(rows)
    generator = np.random.default_rng(0)
    first = generator.normal(size=(48, 5)).astype(np.float32)
    second = (first @ generator.normal(size=(5, 7))).astype(np.float32)
    train, validation = np.arange(36), np.arange(36, 48)
    return SpaceData(
        Network("gaze-text", (PAIR,)),
        {"gaze": Features(first, np.arange(48)), "text": Features(second, np.arange(48))},
        train,
        {PAIR: validation},
        *(Positives.of(study, "base", PAIR, part) for part in (train, validation)),
    )


def learn(
    hyperparameters: Hyperparameters = SHORT,
    *,
    data: SpaceData | None = None,
    seed: int = 0,
    space: Space = "base",
    **options: Any,
) -> State:
    return learn_space(space, data or space_data(), hyperparameters, seed, **options)


def same(first: State, second: State) -> bool:
    a, b = first.towers.state_dict(), second.towers.state_dict()
    return all(torch.equal(a[name], b[name]) for name in a)


def without_seconds(log: list[Epoch]) -> list[Epoch]:
    return [replace(line, seconds=0) for line in log]


@pytest.mark.parametrize("objective", ["contrastive", "sigmoid", "hinge-sum"])
def test_learning_learns(objective: str) -> None:
    longer = replace(SHORT, objective=objective, epochs=30, hidden=32, learning_rate=1e-2)
    log = learn(replace(longer, input_dropout=0, hidden_dropout=0)).log
    assert log[-1].loss < 0.8 * log[0].loss
    assert max(line.validation for line in log) > log[0].validation + 0.1


def test_items_alike_lie_nearer_together_when_asked() -> None:
    """Texts of one image, which a gaze that says nothing of the image hardly brings together."""
    data = space_data()
    images = np.arange(48) % 8
    study = made_study([Row(f"p{n % 6}", f"i{n % 8}", f"text {n}", n) for n in range(48)])
    content = Positives.of(study, "content", PAIR, data.train)
    data = replace(data, positives=content, alike="text")
    data.features["text"].values[:] = np.eye(8)[images][:, :7]
    data.features["text"].values[:] += np.random.default_rng(1).normal(scale=0.5, size=(48, 7))

    together = content.within("text", data.train)

    def nearness(weight: float) -> float:
        found: list[float] = []

        def measure(state: State) -> None:
            texts = learning.embed(state.tower("text"), data.features["text"].of(data.train))
            cosines = texts @ texts.T
            found.append(float(cosines[together].mean() - cosines[~together].mean()))

        weighed = replace(SHORT, epochs=10, learning_rate=1e-2, alike=weight)
        learn(weighed, data=data, space="content", after_epoch=measure)
        return found[-1]

    assert nearness(5.0) > nearness(0.0) + 0.05


def test_the_seed_alone_decides() -> None:
    first, again = learn(), learn()
    assert same(first, again)
    assert without_seconds(first.log) == without_seconds(again.log)
    assert not same(first, learn(seed=1))
    assert not same(first, learn(space="content"))  # another space, another randomness


@pytest.mark.parametrize("epoch", [1, 2, 3, 4])
def test_learning_goes_on_from_any_epoch_as_if_never_stopped(epoch: int) -> None:
    kept: list[tuple[dict[str, torch.Tensor], list[Epoch]]] = []

    def keep(state: State) -> None:
        kept.append(({k: t.clone() for k, t in state.tensors().items()}, list(state.log)))

    whole = learn(after_epoch=keep)
    resumed = learn(checkpoint=kept[epoch - 1])
    assert same(whole, resumed)
    assert without_seconds(whole.log) == without_seconds(resumed.log)


def test_the_best_epoch_is_kept_and_patience_ends_the_rest() -> None:
    data = space_data()
    one = {PAIR: data.validation[PAIR][:1]}
    data = replace(data, validation=one)  # always ranked first: the first epoch stays the best
    after: list[dict[str, torch.Tensor]] = []
    state = learn(
        replace(SHORT, epochs=9, patience=2),
        data=data,
        after_epoch=lambda state: after.append(
            {name: tensor.clone() for name, tensor in state.towers.state_dict().items()}
        ),
    )
    assert len(state.log) == 3
    assert state.best_epoch == 1
    final = state.towers.state_dict()
    assert all(torch.equal(final[name], after[0][name]) for name in final)
    assert not torch.equal(after[0]["gaze.linear"], after[2]["gaze.linear"])


def test_a_refit_goes_on_from_the_best_weights_and_repeats_itself() -> None:
    data = space_data()
    hyperparameters = replace(SHORT, refit=2)
    whole = replace(data, train=np.arange(48))

    def refit(seed: int = 0, epochs: int = 2, of: SpaceData = whole) -> State:
        state = learn(hyperparameters)
        return refit_space("base", state, of, replace(hyperparameters, refit=epochs), seed)

    first, again = refit(), refit()
    assert same(first, again)
    assert not same(first, learn(hyperparameters))
    assert not same(first, refit(seed=1))
    assert not same(first, refit(of=data))
    assert same(refit(epochs=0), learn(hyperparameters))
    assert all(torch.equal(first.best[k], t) for k, t in first.towers.state_dict().items())
    assert without_seconds(first.log) == without_seconds(learn(hyperparameters).log)


def test_a_refit_fits_what_it_is_given() -> None:
    data = space_data()
    part = np.arange(36, 48)  # what the training never saw
    state = learn(replace(SHORT, epochs=2))

    def loss() -> float:
        first, second = (
            learning._embedded(state, data, modality, part) for modality in ("gaze", "text")
        )
        scores = torch.from_numpy(first @ second.T) / 0.1
        return float(torch.nn.functional.cross_entropy(scores, torch.arange(len(part))))

    before = loss()
    refit_space("base", state, replace(data, train=np.arange(48)), replace(SHORT, refit=40), 0)
    assert loss() < before - 0.2


def test_a_refit_that_fails_is_stopped() -> None:
    data, state = space_data(), learn()
    data.features["gaze"].values[3] = np.nan
    with pytest.raises(TrainingError, match="not numbers in epoch 1"):
        refit_space("base", state, data, replace(SHORT, refit=1), 0)


def test_one_survey_in_the_validation_part_is_no_collapse() -> None:
    data = space_data()
    data.features["text"].values[data.validation[PAIR]] = 1.0
    learn(data=data)


def test_features_that_are_not_numbers_stop_it() -> None:
    data = space_data()
    data.features["gaze"].values[3] = np.nan
    with pytest.raises(TrainingError, match="base space of gaze and text are not numbers in epoch"):
        learn(data=data)


def test_weights_that_overflow_in_the_last_step_stop_it() -> None:
    """The loss is a number until the embeddings are made anew."""
    once = replace(SHORT, epochs=1, batch=48, warm_up=0, learning_rate=1e37)
    with pytest.raises(TrainingError, match="not numbers in epoch 1; a lower learning rate"):
        learn(once)


@pytest.mark.parametrize(
    ("objective", "advice"),
    [("hinge-hardest", "try hinge-sum or contrastive"), ("hinge-sum", "a lower learning rate")],
)
def test_a_collapse_stops_it_and_names_itself(objective: str, advice: str) -> None:
    data = space_data()
    data.features["text"].values[:] = 1.0
    message = f"collapsed in epoch 1: all its embeddings are one point; .*{advice}"
    with pytest.raises(TrainingError, match=message):
        learn(replace(SHORT, objective=objective), data=data)


def test_the_hardest_negative_with_a_huge_rate_collapses() -> None:
    wild = replace(SHORT, objective="hinge-hardest", learning_rate=1e6, epochs=40, patience=40)
    with pytest.raises(TrainingError, match="the base space of gaze and text"):
        learn(wild)


def test_the_learning_rate_rises_and_falls() -> None:
    plan = replace(SHORT, epochs=100, warm_up=0.1, learning_rate=2.0)
    rates = [learning._learning_rate(plan, epochs) for epochs in range(101)]
    assert rates[0] == pytest.approx(0.02)
    assert rates[10] == pytest.approx(2.0)
    assert rates[100] == pytest.approx(0.0)
    assert all(np.diff(rates[:11]) > 0)
    assert all(np.diff(rates[10:]) < 0)
