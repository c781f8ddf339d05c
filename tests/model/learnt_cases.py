"""Trainings of every kind, short, and what came out of them, to be compared."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from test_learning import space_data

from beholder.model import Hyperparameters
from beholder.model.devices import Device
from beholder.model.learning import learn_space, refit_space
from beholder.model.objectives import OBJECTIVES
from beholder.model.state import Features, SpaceData, State

SHORT = Hyperparameters(hidden=8, dimensions=6, epochs=2, batch=11, refit=1)
CASES: dict[str, dict[str, Any]] = {
    **{objective: {"objective": objective, "learning_rate": 1e-4} for objective in OBJECTIVES},
    "far apart": {"temperature": 0.01},  # its powers need float64
    "without dropout": {"input_dropout": 0.0, "hidden_dropout": 0.0},
    "alike": {},
    "by participant": {},
    "gaps": {},
}
"""Trainings by name, with their hyperparameters."""

LAST = list(CASES)[-1]


def case_data(case: str) -> SpaceData:
    data = space_data()
    if case == "alike":
        return replace(data, alike="text")
    if case == "by participant":
        return replace(data, participants=np.arange(48) % 6)
    if case == "gaps":
        row = np.where(np.arange(48) % 5 == 0, -1, np.arange(48))
        gaps = Features(data.features["gaze"].values, row)
        held = {pair: own[gaps.has(own)] for pair, own in data.validation.items()}
        return replace(data, features={**data.features, "gaze": gaps}, validation=held)
    return data


def learnt(
    case: str, device: Device, precision: str = "float32", **options: Any
) -> tuple[State, list[Any]]:
    """Return a refitted state, and the checkpoints on the way there."""
    hyperparameters, data = replace(SHORT, precision=precision, **CASES[case]), case_data(case)
    kept: list[Any] = []

    def keep(state: State) -> None:
        kept.append(({k: one.clone() for k, one in state.tensors().items()}, list(state.log)))

    with device.in_use():
        state = learn_space(
            "base", data, hyperparameters, 0, device=device, after_epoch=keep, **options
        )
        whole = replace(data, train=np.arange(48))
        return refit_space("base", state, whole, hyperparameters, 0), kept


def outcome(state: State) -> tuple[list[Any], dict[str, torch.Tensor]]:
    best = {f"kept.{name}": one for name, one in state.best.items()}
    return [replace(line, seconds=0) for line in state.log], state.tensors() | best


def assert_same(found: Any, expected: Any) -> None:
    (log, tensors), (expected_log, expected_tensors) = found, expected
    assert log == expected_log
    assert tensors.keys() == expected_tensors.keys()
    for name, tensor in expected_tensors.items():
        assert torch.equal(tensors[name], tensor), name


def assert_near(found: Any, expected: Any, rtol: float = 1e-3, atol: float = 1e-4) -> None:
    (log, tensors), (expected_log, expected_tensors) = found, expected
    np.testing.assert_allclose(
        [line.loss for line in log], [line.loss for line in expected_log], rtol=rtol
    )
    assert tensors.keys() == expected_tensors.keys()
    for name, tensor in expected_tensors.items():
        torch.testing.assert_close(tensors[name], tensor, rtol=rtol, atol=atol)
