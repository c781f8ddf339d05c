"""Products in bfloat16, and compiled towers: what is learnt is nearly the same, or quite."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from learnt_cases import SHORT, assert_near, assert_same, learnt, outcome
from test_learning import space_data

from beholder.errors import ConfigurationError, UnsupportedError
from beholder.model import Hyperparameters
from beholder.model.devices import PROCESSOR, Device
from beholder.model.learning import learn_space

# Precision


def test_bfloat16_learns_nearly_the_same_and_repeats_itself() -> None:
    hyperparameters = replace(SHORT, epochs=30, hidden=32, learning_rate=1e-2)
    hyperparameters = replace(hyperparameters, input_dropout=0, hidden_dropout=0)
    whole, first, again = (
        learn_space("base", space_data(), replace(hyperparameters, precision=precision), 0)
        for precision in ("float32", "bfloat16", "bfloat16")
    )
    assert_same(outcome(again), outcome(first))
    log, own = whole.log, first.log
    assert own[0].loss != log[0].loss
    assert own[-1].loss < 0.8 * own[0].loss
    np.testing.assert_allclose(own[0].loss, log[0].loss, rtol=1e-2)
    np.testing.assert_allclose(own[-1].loss, log[-1].loss, rtol=0.05)
    assert max(line.validation for line in own) > max(line.validation for line in log) - 0.1
    assert {one.dtype for one in first.tensors().values()} == {torch.float32}


def test_only_products_are_of_bfloat16() -> None:
    """The loss of equal embeddings is what it is in float32, to their rounding."""
    state, _ = learnt("contrastive", PROCESSOR, "bfloat16")
    tower = state.tower("gaze")
    features = torch.from_numpy(space_data().features["gaze"].values)
    with torch.autocast("cpu", torch.bfloat16):
        embeddings = tower(features)
    assert embeddings.dtype == torch.float32
    lengths = torch.linalg.vector_norm(embeddings, dim=1)
    torch.testing.assert_close(lengths, torch.ones(48), rtol=0, atol=1e-6)
    assert not torch.equal(embeddings, tower(features))


def test_an_unknown_precision_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="unknown precision 'float16', expected one of"):
        Hyperparameters(precision="float16")


# Compiled towers


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("case", ["gaps", "alike"])
def test_towers_are_compiled_once_a_width_and_learn_the_same(
    case: str, precision: str, dynamo: Any
) -> None:
    """With a compiler that changes nothing: batches of all sizes go through two graphs."""
    state, kept = learnt(case, Device(PROCESSOR.at, "eager"), precision)
    assert dynamo["stats"]["unique_graphs"] == 2
    assert not dynamo["graph_break"]
    plain, plainly_kept = learnt(case, PROCESSOR, precision)
    assert_same(outcome(state), outcome(plain))
    # What was compiled goes on with what was not, and the other way round.
    compiled = Device(PROCESSOR.at, "eager")
    assert_same(
        outcome(learnt(case, compiled, precision, checkpoint=plainly_kept[0])[0]), outcome(plain)
    )
    assert_same(outcome(learnt(case, PROCESSOR, precision, checkpoint=kept[0])[0]), outcome(plain))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # PyTorch's own, of what it imports
def test_compiled_towers_learn_the_same_to_rounding(
    dynamo: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if shutil.which("g++") is None:
        pytest.skip("there is no C++ compiler")
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    data = space_data()
    data = replace(data, features={"gaze": data.features["gaze"], "text": data.features["gaze"]})
    hyperparameters = replace(SHORT, epochs=2)
    compiled = Device.chosen("cpu", compiled=True)
    with compiled.in_use():
        state = learn_space("base", data, hyperparameters, 0, device=compiled)
    assert dynamo["stats"]["unique_graphs"] == 1
    assert_near(outcome(state), outcome(learn_space("base", data, hyperparameters, 0)))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_missing_compiler_is_named(
    dynamo: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from torch._inductor import config

    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    missing = {"cpp.cxx": (None, "no-such-compiler")}
    with (
        config.patch(missing),
        pytest.raises(UnsupportedError, match=r"needs a C\+\+ compiler such as g\+\+.*no-such-"),
    ):
        learnt("alike", Device.chosen("cpu", compiled=True))
