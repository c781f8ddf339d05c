"""A configuration survives its TOML file, and what it cannot be is refused by name."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beholder.errors import ConfigurationError
from beholder.model import Hyperparameters, TrainingConfiguration
from beholder.model.configuration import METHODS, parse_configuration
from beholder.model.objectives import OBJECTIVES
from beholder.model.spaces import SPACES
from beholder.study.splits import SPLITS

shares = st.floats(0, 0.99)
above_zero = st.floats(1e-9, 1e9)
configurations = st.builds(
    TrainingConfiguration,
    st.sampled_from(METHODS),
    st.sampled_from(("g2t", "g2t, t2g", "p2t,g2p")),
    st.sampled_from(SPLITS),
    st.integers(0, 2**40),
    st.builds(
        Hyperparameters,
        st.sampled_from(list(OBJECTIVES)),
        temperature=above_zero,
        margin=above_zero,
        hidden=st.integers(1, 4096),
        input_dropout=shares,
        learning_rate=above_zero,
    ),
)


@given(configurations)
def test_a_configuration_survives_its_file(configuration: TrainingConfiguration) -> None:
    assert parse_configuration(configuration.toml(), "x.toml") == configuration


def test_left_out_keys_have_their_defaults() -> None:
    assert parse_configuration("seed = 3\n", "x.toml") == TrainingConfiguration(seed=3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sed = 1", "x.toml has an unknown key 'sed', expected some of method, tasks"),
        ("[hyperparameters]\nmargn = 1", r"x.toml, \[hyperparameters\] has an unknown key 'margn'"),
        ("seed", "x.toml is not valid TOML"),
        ("seed = 'a'", "a seed is a whole number from 0, not a"),
        ("tasks = 3", "x.toml holds a value of the wrong kind"),
        ("hyperparameters = 3", "x.toml holds a value of the wrong kind"),
        ("[hyperparameters]\nmargin = 'wide'", "x.toml holds a value of the wrong kind"),
    ],
)
def test_a_bad_file_is_refused_by_name(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        parse_configuration(text, "x.toml")


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("method", "theirs", "unknown method 'theirs', expected one of base"),
        ("split", "thirds", "unknown split 'thirds', expected one of random"),
        ("seed", -1, "a seed is a whole number from 0, not -1"),
        ("tasks", "g2x", "unknown task 'g2x'"),
    ],
)
def test_impossible_configurations_are_refused(field: str, value: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        replace(TrainingConfiguration(), **{field: value})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("objective", "triplet"),
        ("temperature", 0.0),
        ("margin", float("nan")),
        ("learning_rate", -1.0),
        ("weight_decay", -0.1),
        ("hidden", 0),
        ("dimensions", 1.5),
        ("batch", 1),
        ("per_group", 0),
        ("epochs", 0),
        ("patience", 0),
        ("input_dropout", 1.0),
        ("hidden_dropout", -0.1),
        ("warm_up", 1.0),
    ],
)
def test_impossible_hyperparameters_are_refused(field: str, value: Any) -> None:
    assert field in {known.name for known in fields(Hyperparameters)}
    with pytest.raises(ConfigurationError, match=field):
        replace(Hyperparameters(), **{field: value})


def test_ours_needs_every_space_and_another_method_its_own() -> None:
    assert TrainingConfiguration("ours").spaces == SPACES
    assert TrainingConfiguration("style").spaces == ("style",)
