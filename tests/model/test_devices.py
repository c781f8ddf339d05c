"""Devices: what is learnt is the same on each, nothing stays behind, and none is waited for.

There need not be a CUDA device: a pretend device refuses what a real one would. It takes a
process of its own, as PyTorch never forgets a device.
"""

from __future__ import annotations

import json
import pickle
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from learnt_cases import CASES, LAST, SHORT, assert_near, assert_same, learnt, outcome

from beholder.cli import beholder
from beholder.errors import ConfigurationError, RunError, UnsupportedError
from beholder.model import Run, TrainingConfiguration, train
from beholder.model.batch_loss import Memory, batch_loss
from beholder.model.devices import PROCESSOR, Device
from beholder.model.distributed import Group
from beholder.model.objectives import OBJECTIVES
from beholder.study import Study
from made_study import QUICK

PAGE = Path(__file__).parents[2] / "docs" / "devices.md"

# A device that is not the processor


def in_blocks(name: str, device: torch.device) -> list[torch.Tensor]:
    """Return a loss in small blocks and its gradient."""
    generator = torch.Generator().manual_seed(0)
    first, second = (torch.randn((9, 4), generator=generator) for _ in range(2))
    leaf = torch.nn.functional.normalize(first, dim=1).to(device).requires_grad_()
    other = torch.nn.functional.normalize(second, dim=1).to(device)
    loss = batch_loss(name, leaf, other, torch.eye(9) > 0, torch.tensor(0.2), Memory(20, 0))
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
