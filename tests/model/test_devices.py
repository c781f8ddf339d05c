"""Devices, precisions and compiled towers: what is learnt is the same, and nothing stays behind.

There need not be a CUDA device: a pretend device refuses what a real one would. It takes a
process of its own, as PyTorch never forgets a device.
"""

from __future__ import annotations

import json
import pickle
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from test_learning import space_data

from beholder.cli import beholder
from beholder.errors import ConfigurationError, RunError, UnsupportedError
from beholder.model import Hyperparameters, Run, TrainingConfiguration, train
from beholder.model.batch_loss import Memory, batch_loss
from beholder.model.devices import PROCESSOR, Device
from beholder.model.distributed import Group
from beholder.model.learning import Features, SpaceData, State, learn_space, refit_space
from beholder.model.objectives import OBJECTIVES
from beholder.study import Study
from made_study import QUICK

PAGE = Path(__file__).parents[2] / "docs" / "devices.md"
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


# A device that is not the processor


def in_blocks(name: str, device: torch.device) -> list[torch.Tensor]:
    """Return a loss in small blocks and, of the contrastive objective, its gradient.

    What computes the others' similarities again knows no device that is made of Python.
    """
    generator = torch.Generator().manual_seed(0)
    first, second = (torch.randn((9, 4), generator=generator) for _ in range(2))
    leaf = torch.nn.functional.normalize(first, dim=1).to(device).requires_grad_()
    other = torch.nn.functional.normalize(second, dim=1).to(device)
    loss = batch_loss(name, leaf, other, torch.eye(9) > 0, torch.tensor(0.2), Memory(20, 0))
    if name != "contrastive":
        return [loss.detach().cpu()]
    loss.backward()  # type: ignore[no-untyped-call]
    assert leaf.grad is not None
    return [loss.detach().cpu(), leaf.grad.cpu()]


def pretend(_: int, folder: Path, checkpoint: Any) -> None:
    """Learn every case on the pretend device, in a process of its own."""
    torch.set_num_threads(1)
    from pretend_device import PRETEND, Pretend

    from beholder.model import learning

    device, found = Device(PRETEND), {}
    one_epoch, waits = learning._one_epoch, []
    with Pretend() as mode:

        def watched(*given: Any) -> float:
            before = mode.waits.copy()
            loss = one_epoch(*given)
            waits.append(dict(mode.waits - before))
            return loss

        learning._one_epoch = watched
        for case in CASES:
            state, kept = learnt(case, device)
            assert all(one.device == PRETEND for one in state.towers.state_dict().values())
            assert {one.device.type for own in kept for one in own[0].values()} == {"cpu"}
            found[case] = outcome(state)
            found["kept"] = kept[0]  # of the last
        found["resumed"] = outcome(learnt(case, device, checkpoint=checkpoint)[0])
        for name in OBJECTIVES:  # in blocks, none of them kept
            found[f"{name} in blocks"] = in_blocks(name, PRETEND)
    found["waits"] = waits
    (folder / "found").write_bytes(pickle.dumps(found))


@pytest.fixture(scope="module")
def on_processor() -> dict[str, Any]:
    return {case: learnt(case, PROCESSOR) for case in CASES}


@pytest.fixture(scope="module")
def pretended(
    on_processor: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("pretend")
    torch.multiprocessing.spawn(pretend, (folder, on_processor[LAST][1][0]))
    found: dict[str, Any] = pickle.loads((folder / "found").read_bytes())
    return found


@pytest.mark.parametrize("case", CASES)
def test_a_device_learns_what_the_processor_does(
    case: str, on_processor: dict[str, Any], pretended: dict[str, Any]
) -> None:
    """Bit for bit, as the pretend device has the processor's arithmetic."""
    assert_same(pretended[case], outcome(on_processor[case][0]))


def test_a_training_moves_between_devices(
    on_processor: dict[str, Any], pretended: dict[str, Any]
) -> None:
    whole = outcome(on_processor[LAST][0])
    assert_same(pretended["resumed"], whole)
    state, _ = learnt(LAST, PROCESSOR, checkpoint=pretended["kept"])
    assert_same(outcome(state), whole)


def test_no_step_waits_for_the_device(pretended: dict[str, Any]) -> None:
    """An epoch reads its losses at its end, and nothing else."""
    assert len(pretended["waits"]) == len(CASES) * (SHORT.epochs + SHORT.refit) + 2
    assert all(epoch == {"_to_copy": 1} for epoch in pretended["waits"])


@pytest.mark.parametrize("name", OBJECTIVES)
def test_a_large_batch_is_worked_on_in_blocks_there(name: str, pretended: dict[str, Any]) -> None:
    for one, other in zip(
        pretended[f"{name} in blocks"], in_blocks(name, PROCESSOR.at), strict=True
    ):
        assert torch.equal(one, other)


# Which device


class Told(Group):
    """A group whose other processes say what the test says."""

    others: tuple[Any, ...] = ()

    def values(self, own: Any) -> list[Any]:
        return [own, *self.others] if isinstance(own, bool) else [own] * self.size


def told(local: int, *others: bool) -> Group:
    group = Told(local, 1 + len(others), local=local)
    object.__setattr__(group, "others", others)
    return group


@pytest.fixture
def cards(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    def seen(count: int) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)

    return seen


@pytest.mark.parametrize(
    ("name", "count", "group", "expected"),
    [
        ("auto", 0, Group(), "cpu"),
        ("auto", 2, Group(), "cuda:0"),
        ("cpu", 2, Group(), "cpu"),
        ("cuda", 2, Group(), "cuda:0"),
        ("cuda:1", 2, Group(), "cuda:1"),
        ("auto", 2, told(1, True), "cuda:1"),
        ("cuda", 2, told(1, True), "cuda:1"),
        ("auto", 2, told(0, False), "cpu"),  # another machine has none
        ("auto", 1, told(1, True), "cpu"),  # the one here is another process's
    ],
)
def test_a_device_is_chosen_by_its_name(
    name: str, count: int, group: Group, expected: str, cards: Callable[[int], None]
) -> None:
    cards(count)
    assert Device.chosen(name, group=group).at == torch.device(expected)


@pytest.mark.parametrize(
    ("name", "group", "message"),
    [
        ("cuda:3", Group(), "there is no device cuda:3: PyTorch sees 2 CUDA devices here"),
        ("cuda", told(2, True), "there is no device cuda:2: PyTorch sees 2 CUDA devices here"),
        ("cuda:1", told(0, True), "cuda:1 is one device, and 2 processes need one each"),
        ("gpu", Group(), "unknown device 'gpu', expected auto, cpu, cuda or cuda:N"),
        ("cuda:", Group(), "unknown device 'cuda:'"),
    ],
)
def test_a_device_that_cannot_be_is_refused(
    name: str, group: Group, message: str, cards: Callable[[int], None]
) -> None:
    cards(2)
    with pytest.raises((ConfigurationError, UnsupportedError), match=message):
        Device.chosen(name, group=group)


def test_processes_that_were_asked_for_two_devices_stop() -> None:
    class Two(Group):
        def values(self, own: Any) -> list[Any]:
            return [own, ("cuda", False)]

    with pytest.raises(ConfigurationError, match="were asked for two devices"):
        Device.chosen("cpu", group=Two(0, 2))


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


@pytest.fixture
def dynamo() -> Iterator[Any]:
    """PyTorch's compiler as new, and its counters."""
    from torch._dynamo.utils import counters

    torch._dynamo.reset()
    counters.clear()
    yield counters
    torch._dynamo.reset()


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


# A whole run


def trained(words: list[str], *more: str) -> Any:
    result = CliRunner().invoke(beholder, ["train", *words, *more, "--json"])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return json.loads(result.stdout)


def test_a_run_keeps_its_precision_and_may_change_its_device(
    tiny_study: Study, tmp_path: Path
) -> None:
    words = [str(tiny_study.path), str(tmp_path / "run"), "--tasks", "g2t", "--method", "base"]
    settings = [f"--set={name}={getattr(QUICK, name)}" for name in ("hidden", "epochs", "refit")]
    found = trained([*words, *settings], "--set", "precision=bfloat16", "--device", "cpu")
    assert found["device"] == "cpu"
    run = Run.open(tmp_path / "run")
    assert run.configuration.hyperparameters.precision == "bfloat16"
    assert run.provenance.device == "cpu"
    (tmp_path / "run" / "run.json").unlink()
    trained(words, "--resume", "--device", "auto")
    with pytest.raises(RunError, match="begun with another configuration"):
        trained(words, "--resume", "--set", "precision=float32")
    with pytest.raises(UnsupportedError, match="there is no device cuda:99"):
        trained([words[0], str(tmp_path / "other"), *words[2:]], "--device", "cuda:99")
    assert not (tmp_path / "other").exists()


def test_what_is_asked_reaches_the_training(
    tiny_study: Study, gaze_text: TrainingConfiguration, run_path: Path, dynamo: Any
) -> None:
    run = train(tiny_study, run_path, gaze_text, device="cpu")
    assert not dynamo["stats"]

    asked: list[bool] = []

    def chosen(name: str, *, compiled: bool, group: Group) -> Device:
        asked.append(compiled)
        return Device(PROCESSOR.at, "eager")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Device, "chosen", chosen)
        again = train(tiny_study, run_path.with_name("again"), gaze_text, compiled=True)
    assert asked == [True]
    assert dynamo["stats"]["unique_graphs"] == 2
    file = "spaces/gaze-text/base.safetensors"
    assert (again.path / file).read_bytes() == (run.path / file).read_bytes()


def test_the_page_works(
    monkeypatch: pytest.MonkeyPatch, tiny_study: Study, tiny_run: Run, tmp_path: Path
) -> None:
    asked: list[dict[str, Any]] = []

    def remembered(*given: Any, **named: Any) -> Run:
        asked.append(named)
        return tiny_run

    monkeypatch.setattr("beholder.model.train", remembered)
    page = PAGE.read_text()
    (line,) = re.findall(r"^    beholder (.*)$", page, re.MULTILINE)
    names = {"STUDY": str(tiny_study.path), "RUN": str(tmp_path / "run")}
    result = CliRunner().invoke(beholder, [names.get(word, word) for word in line.split()])
    assert result.exit_code == 0, result.output
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(example, {})
    assert [(own["device"], own["compiled"]) for own in asked] == [("cuda", True)] * 2


def test_runs_of_before_there_were_devices_open(tiny_run: Run, tmp_path: Path) -> None:
    shutil.copytree(tiny_run.path, tmp_path / "old")
    file = tmp_path / "old" / "configuration.toml"
    file.write_text(file.read_text().replace('precision = "float32"\n', ""))
    assert "precision" not in file.read_text()
    file = tmp_path / "old" / "run.json"
    about = json.loads(file.read_text())
    del about["device"]
    file.write_text(json.dumps(about))
    old = Run.open(tmp_path / "old")
    assert old.configuration == tiny_run.configuration
    assert old.provenance.device == "cpu"


# Where there is one


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
class TestCuda:
    @pytest.mark.parametrize("case", CASES)
    def test_it_learns_what_the_processor_does(
        self, case: str, on_processor: dict[str, Any]
    ) -> None:
        state, kept = learnt(case, Device.chosen("cuda"))
        assert {one.device.type for one in state.towers.parameters()} == {"cuda"}
        assert_near(outcome(state), outcome(on_processor[case][0]), 1e-2, 1e-3)
        resumed, _ = learnt(case, PROCESSOR, checkpoint=kept[0])
        assert_near(outcome(resumed), outcome(on_processor[case][0]), 1e-2, 1e-3)

    @pytest.mark.parametrize("precision", ["float32", "bfloat16"])
    def test_it_repeats_itself(self, precision: str) -> None:
        device = Device.chosen("cuda")
        first, again = (learnt("contrastive", device, precision)[0] for _ in range(2))
        assert_same(outcome(again), outcome(first))

    @pytest.mark.filterwarnings("ignore::DeprecationWarning")
    def test_compiled_towers_learn_the_same(self, dynamo: Any) -> None:
        compiled, plain = (
            learnt("alike", Device.chosen("cuda", compiled=own))[0] for own in (True, False)
        )
        assert_near(outcome(compiled), outcome(plain), 1e-2, 1e-3)

    def test_a_run_says_what_trained_it(
        self, tiny_study: Study, gaze_text: TrainingConfiguration, run_path: Path
    ) -> None:
        assert train(tiny_study, run_path, gaze_text).provenance.device.startswith("cuda: ")
