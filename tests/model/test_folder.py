"""What a run's folder keeps comes back as it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from beholder.errors import RunError
from beholder.model import Hyperparameters, Run, TrainingConfiguration
from beholder.model.folder import RunFolder
from beholder.model.networks import Network
from beholder.model.state import Epoch, State
from beholder.model.towers import Tower, embed
from beholder.study.splits import Split
from made_study import Row, made_study

PAIR = ("gaze", "text")
NETWORK = Network("gaze-text", (PAIR,))
CONFIGURATION = TrainingConfiguration(hyperparameters=Hyperparameters(hidden=4, dimensions=3))
WIDTHS = {"gaze": 5, "text": 2}
STUDY = made_study([Row("ada", f"i{n}") for n in range(4)])
LOG = [Epoch(1, 0.1 + 0.2, 1 / 3, 1e-9, 0.5), Epoch(2, 0.25, 0.5, 0.7, 12.0)]


@pytest.fixture
def folder(run_path: Path) -> RunFolder:
    folder = RunFolder(run_path)
    folder.write_configuration(CONFIGURATION)
    return folder


def a_state() -> State:
    generator = torch.Generator().manual_seed(0)
    towers = torch.nn.ModuleDict(
        {m: Tower(w, CONFIGURATION.hyperparameters, generator) for m, w in WIDTHS.items()}
    )
    optimiser = torch.optim.AdamW(towers.parameters())
    sum(parameter.sum() for parameter in towers.parameters()).backward()
    optimiser.step()
    best = {name: tensor * 2 for name, tensor in towers.state_dict().items()}
    return State(towers, optimiser, best, list(LOG))


def test_the_configuration_and_the_split_come_back(folder: RunFolder) -> None:
    split = Split("random", 0, np.array([0, 3, 2, 1], dtype=np.int8))
    folder.write_split(split, STUDY)
    found = folder.split(folder.configuration())
    assert folder.configuration() == CONFIGURATION
    assert found.parts.tolist() == [0, 3, 2, 1]
    assert (found.kind, found.seed) == ("random", 0)
    folder.check_study(STUDY)
    with pytest.raises(RunError, match="was begun on another study"):
        folder.check_study(made_study([Row("ada", "i")]))


def test_a_space_comes_back_with_its_best_weights_and_its_log(folder: RunFolder) -> None:
    state = a_state()
    folder.write_checkpoint("gaze-text", "base", state)
    assert not folder.has_space("gaze-text", "base")
    folder.write_space(NETWORK, "base", state)
    assert folder.has_space("gaze-text", "base")
    assert folder.checkpoint("gaze-text", "base") is None
    assert folder.log("gaze-text", "base") == LOG
    towers = folder.towers("gaze-text", "base", CONFIGURATION)
    state.towers.load_state_dict(state.best)
    assert list(towers) == list(WIDTHS)
    for modality, width in WIDTHS.items():
        features = np.ones((3, width), np.float32)
        expected = embed(state.tower(modality), features)
        assert (embed(towers[modality], features) == expected).all()


def test_the_tower_of_a_privileged_modality_is_not_kept(folder: RunFolder) -> None:
    network = Network("gaze-personality", (("gaze", "personality"),), ("text",))
    folder.write_space(network, "base", a_state())
    assert list(folder.towers("gaze-personality", "base", CONFIGURATION)) == ["gaze"]


def test_a_checkpoint_comes_back_to_the_bit(folder: RunFolder) -> None:
    state = a_state()
    folder.write_checkpoint("gaze-text", "base", state)
    found = folder.checkpoint("gaze-text", "base")
    assert found is not None
    other = a_state()
    generator = torch.Generator()
    other.towers = torch.nn.ModuleDict(
        {m: Tower(w, CONFIGURATION.hyperparameters, generator) for m, w in WIDTHS.items()}
    )
    other.optimiser = torch.optim.AdamW(other.towers.parameters())
    other.restore(*found)
    expected, restored = state.tensors(), other.tensors()
    assert expected.keys() == restored.keys()
    assert all(torch.equal(expected[name], restored[name]) for name in expected)
    assert any(name.endswith(".step") for name in restored)
    assert other.log == LOG


def test_a_checkpoint_that_cannot_be_read_is_named(folder: RunFolder) -> None:
    folder.write_checkpoint("gaze-text", "base", a_state())
    (file,) = folder.path.rglob("*.checkpoint.safetensors")
    file.write_bytes(file.read_bytes()[:50])
    with pytest.raises(RunError, match=r"the checkpoint .* cannot be read"):
        folder.checkpoint("gaze-text", "base")


def test_clearing_leaves_the_lock_and_what_links_lead_to(folder: RunFolder, tmp_path: Path) -> None:
    folder.lock.touch()
    folder.write_weights(PAIR, {"base": 1.0})
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept").touch()
    (folder.path / "link").symlink_to(elsewhere)
    assert not folder.is_empty
    folder.clear()
    assert list(folder.path.iterdir()) == [folder.lock]
    assert folder.is_empty
    assert (elsewhere / "kept").exists()


def test_the_provenance_comes_back(tiny_run: Run) -> None:
    provenance = tiny_run.folder.provenance()
    assert provenance == tiny_run.provenance
    assert provenance.study == "tiny"
    assert isinstance(provenance.tasks, tuple)
    assert isinstance(provenance.warnings, tuple)
