"""Processes that share a training's work: what one would have done, to rounding.

Three processes are started once and form groups of two and of three; each test looks at what
they brought back.
"""

from __future__ import annotations

import contextlib
import os
import pickle
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.distributed as dist
from test_learning import space_data
from torch import Tensor

from beholder.errors import ConfigurationError, RunError, StudyError
from beholder.features import FeatureCache, StudyInputs
from beholder.model import Hyperparameters, TrainingConfiguration, train
from beholder.model.batch_loss import Memory, batch_loss
from beholder.model.claiming import check_sight
from beholder.model.distributed import LONE, Group, joined
from beholder.model.fitting import fit_features
from beholder.model.folder import RunFolder
from beholder.model.learning import learn_space, refit_space
from beholder.model.objectives import OBJECTIVES, objective_loss
from beholder.model.state import SpaceData, State
from beholder.model.towers import Dropout
from beholder.model.training import _check_agreement, split_of
from beholder.study import Study

SIZES = (2, 3)
SHAPES = {"square": (8, 8), "wide": (5, 9), "few": (2, 7)}
MEMORIES = (Memory(), Memory(cells=16), Memory(cells=16, kept=0))
SCALE = 0.2
SHORT = Hyperparameters(hidden=8, dimensions=6, epochs=3, batch=11, refit=2)

CASES: dict[str, dict[str, Any]] = {
    **{objective: {"objective": objective, "learning_rate": 1e-4} for objective in OBJECTIVES},
    "without dropout": {"input_dropout": 0.0, "hidden_dropout": 0.0},
    "alike": {},
    "by participant": {},
    "small batches": {"batch": 2, "epochs": 1, "refit": 0},
}
"""Trainings by name, with their hyperparameters. A batch of 11 is shared unevenly."""


def case_data(case: str) -> SpaceData:
    data = space_data()
    if case == "alike":
        return replace(data, alike="text")
    if case == "by participant":
        return replace(data, participants=np.arange(48) % 6)
    return data


def learnt(case: str, group: Group) -> State:
    hyperparameters, data = replace(SHORT, **CASES[case]), case_data(case)
    state = learn_space("base", data, hyperparameters, 0, group=group)
    whole = replace(data, train=np.arange(48))
    return refit_space("base", state, whole, hyperparameters, 0, group=group)


def problem(shape: tuple[int, int]) -> tuple[Tensor, Tensor, Tensor]:
    """Return embeddings of both kinds and their positives; a row and a column teach nothing."""
    n, m = shape
    generator = torch.Generator().manual_seed(n)
    first, second = (
        torch.nn.functional.normalize(torch.randn((rows, 4), generator=generator), dim=1)
        for rows in shape
    )
    positives = torch.rand((n, m), generator=generator) < 0.3
    positives[0], positives[:, 1] = False, True
    positives[0, 1] = False
    return first, second, positives


def memories_of(name: str) -> tuple[Memory, ...]:
    """Return the memories to try; computing others' similarities again loads much of PyTorch."""
    return MEMORIES if name == "contrastive" else MEMORIES[:2]


def loss_and_gradients(
    loss_of: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor], shape: tuple[int, int]
) -> list[Tensor]:
    """Return a loss and its gradients by both embeddings and by the scale."""
    first, second, positives = problem(shape)
    leaves = [one.clone().requires_grad_() for one in (first, second, torch.tensor(SCALE))]
    loss = loss_of(leaves[0], leaves[1], positives, leaves[2])
    loss.backward()  # type: ignore[no-untyped-call]
    return [loss.detach(), *(leaf.grad for leaf in leaves if leaf.grad is not None)]


def gathering(group: Group, count: int) -> tuple[Tensor, Tensor]:
    """Return gathered rows, and the gradient of one's own where each process pulls its way."""
    own = torch.arange(count * 2.0).view(count, 2)[group.share(count)].clone().requires_grad_()
    rows = group.gather(own * 3, count)
    (rows * pull(group.rank, count)).sum().backward()  # type: ignore[no-untyped-call]
    assert own.grad is not None
    return rows.detach(), own.grad


def pull(rank: int, count: int) -> Tensor:
    return torch.randn((count, 2), generator=torch.Generator().manual_seed(rank))


def failing(group: Group, rank: int, error: Exception) -> None:
    if group.rank == rank:
        raise error


def message_of(do: Callable[[], Any]) -> str:
    try:
        do()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "no error"


def work(group: Group, study: Path) -> dict[str, Any]:
    """Do in one process all that the tests look at."""
    opened = Study.open(study)
    configuration = TrainingConfiguration("base", "g2t")
    inputs = StudyInputs(opened, FeatureCache(None))
    split = split_of(opened, configuration)
    found: dict[str, Any] = {
        "gather": {count: gathering(group, count) for count in (7, 6, 2, 1)},
        "loss": {
            (name, shape, memory): loss_and_gradients(
                lambda *given, name=name, memory=memory: batch_loss(
                    name, *given, memory=memory, group=group
                ),
                SHAPES[shape],
            )
            for name in OBJECTIVES
            for shape in SHAPES
            for memory in memories_of(name)
        },
        "features": {
            modality: fit_features(inputs, split, modality, group=group)
            for modality in ("gaze", "text", "personality")
        },
        "values": group.values(group.rank * 10),
        "first": group.first(lambda rank: (rank, os.getpid()), group.rank),
        "errors": [
            message_of(lambda: group.first(failing, group, 0, StudyError("row 3"))),
            message_of(lambda: group.first(failing, group, 0, ValueError("a bug"))),
            message_of(lambda: group.each(failing, group, 1, OSError(28, "full", "disk"))),
            message_of(lambda: group.each(failing, group, 1, StudyError("row 4"))),
            message_of(
                lambda: _check_agreement(
                    opened, replace(configuration, seed=1 if group.rank == 1 else 0), group
                )
            ),
        ],
    }
    for case in CASES:
        state = learnt(case, group)
        found[case] = [replace(line, seconds=0) for line in state.log], state.tensors()
    return found


def process(rank: int, folder: Path, study: Path) -> None:
    torch.set_num_threads(1)
    for size in SIZES:
        if rank < size:
            store = f"file://{folder}/store-{size}"
            dist.init_process_group("gloo", init_method=store, rank=rank, world_size=size)
            group = Group(rank, size)
            found = work(group, study)
            if size == SIZES[-1]:
                if rank == size - 1:
                    os._exit(0)  # gone without a word: no collective of the others can end
                found["left"] = message_of(lambda group=group: group.add_up([torch.ones(3)]))
            (folder / f"{size}-{rank}.pickle").write_bytes(pickle.dumps(found))
            dist.destroy_process_group()


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory, tiny_study: Study) -> dict[Any, Any]:
    """What each process of each group brought back, by (size, rank), and one alone: (1, 0)."""
    folder = tmp_path_factory.mktemp("processes")
    torch.multiprocessing.spawn(process, (folder, tiny_study.path), nprocs=SIZES[-1])
    results = {(1, 0): work(LONE, tiny_study.path)}
    for file in folder.glob("*.pickle"):
        size, rank = map(int, file.stem.split("-"))
        results[size, rank] = pickle.loads(file.read_bytes())
    return results


def of_all(found: dict[Any, Any], size: int) -> Iterator[dict[str, Any]]:
    return (result for (its_size, _), result in sorted(found.items()) if its_size == size)


@pytest.mark.parametrize("count", [7, 6, 2, 1])
def test_rows_are_gathered_and_their_gradients_added_up(found: dict[Any, Any], count: int) -> None:
    every = torch.arange(count * 2.0).view(count, 2)
    for (size, rank), result in found.items():
        rows, gradient = result["gather"][count]
        torch.testing.assert_close(rows, every * 3, rtol=0, atol=0)
        pulls = torch.stack([pull(other, count) for other in range(size)]).sum(dim=0)
        torch.testing.assert_close(gradient, 3 * pulls[Group(rank, size).share(count)])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", OBJECTIVES)
def test_shares_of_a_loss_and_of_its_gradients_add_up(
    found: dict[Any, Any], name: str, shape: str
) -> None:
    expected = loss_and_gradients(
        lambda first, second, positives, scale: objective_loss(
            name, first @ second.T, positives, scale
        ),
        SHAPES[shape],
    )
    assert expected[0] > 0
    for memory in memories_of(name):
        shares = [result["loss"][name, shape, memory] for result in of_all(found, 2)]
        for whole, *parts in zip(expected, *shares, strict=True):
            torch.testing.assert_close(sum(parts), whole, rtol=1e-4, atol=1e-6)
            assert all(part.isfinite().all() for part in parts)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("case", CASES)
def test_any_number_of_processes_learns_what_one_does(
    found: dict[Any, Any], case: str, size: int
) -> None:
    log, tensors = found[1, 0][case]
    for result in of_all(found, size):
        own_log, own_tensors = result[case]
        assert len(own_log) == len(log)
        for line, own in zip(log, own_log, strict=True):
            np.testing.assert_allclose(own.loss, line.loss, rtol=1e-5)
            np.testing.assert_allclose(own.validation, line.validation, rtol=1e-3)
            np.testing.assert_allclose(own.spread, line.spread, rtol=1e-4)
        assert own_tensors.keys() == tensors.keys()
        for name, tensor in tensors.items():
            torch.testing.assert_close(own_tensors[name], tensor, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("case", CASES)
def test_weights_and_moments_are_equal_in_all_processes(found: dict[Any, Any], case: str) -> None:
    for size in SIZES:
        first, *others = (result[case] for result in of_all(found, size))
        for log, tensors in others:
            assert log == first[0]
            for name, tensor in tensors.items():
                assert torch.equal(tensor, first[1][name]), name


@pytest.mark.parametrize("modality", ["gaze", "text", "personality"])
def test_each_encodes_its_share_and_all_know_all(found: dict[Any, Any], modality: str) -> None:
    encoder, features = found[1, 0]["features"][modality]
    for result in found.values():
        own_encoder, own = result["features"][modality]
        np.testing.assert_array_equal(own.row, features.row)
        np.testing.assert_allclose(own.values, features.values, atol=1e-6)
        for statistics, its in zip(encoder.statistics, own_encoder.statistics, strict=True):
            assert statistics.vocabulary == its.vocabulary
            for name, array in statistics.arrays.items():
                np.testing.assert_allclose(its.arrays[name], array, atol=1e-6)


def test_what_the_first_says_all_know(found: dict[Any, Any]) -> None:
    for (size, _), result in found.items():
        assert result["values"] == [10 * rank for rank in range(size)]
        assert result["first"] == found[size, 0]["first"]
        assert result["first"][0] == 0


def test_an_error_of_one_is_an_error_of_all(found: dict[Any, Any]) -> None:
    for (size, rank), result in found.items():
        if size == 1:
            continue
        told = f"TrainingError: process 0 of {size} failed: ValueError: a bug"
        assert result["errors"] == [
            "StudyError: row 3",
            told if rank else "ValueError: a bug",
            "OSError: [Errno 28] full: 'disk'",
            "StudyError: row 4",
            "ConfigurationError: all processes train one run, but process 1 was given another "
            "configuration than process 0",
        ]


def test_a_process_that_is_gone_ends_the_others(found: dict[Any, Any]) -> None:
    for rank in (0, 1):
        assert found[3, rank]["left"].startswith(
            f"TrainingError: process {rank} of 3 lost the others: one of them ended"
        )


@pytest.mark.parametrize("size", [1, 2, 3, 7])
@pytest.mark.parametrize("count", [0, 1, 5, 64])
def test_shares_are_all_rows_once(count: int, size: int) -> None:
    shares = [Group(rank, size).share(count) for rank in range(size)]
    assert [row for share in shares for row in range(count)[share]] == list(range(count))
    lengths = [share.stop - share.start for share in shares]
    assert max(lengths) - min(lengths) <= 1


def test_a_share_is_dropped_as_within_the_whole() -> None:
    values = torch.ones(9, 5)

    def dropped(start: int, stop: int) -> tuple[Tensor, int]:
        generator = torch.Generator().manual_seed(0)
        dropout = Dropout(generator, 0.4, 0.5, start, len(values))
        of_inputs, of_hidden = dropout.masks(values[start:stop], 4)
        assert of_inputs is not None
        assert of_hidden is not None
        result = torch.cat([of_inputs, of_hidden], dim=1)
        return result, int(torch.randint(1000, (), generator=generator))

    whole, after = dropped(0, 9)
    assert 0 < (whole == 0).sum() < whole.numel()
    for start, stop in ((0, 4), (4, 9), (3, 3)):
        part, after_part = dropped(start, stop)
        assert torch.equal(part, whole[start:stop])
        assert after_part == after  # the generator went on as far


def test_alone_nothing_is_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TORCHELASTIC_RUN_ID", raising=False)
    with joined() as group:
        assert group is LONE
    assert not dist.is_initialized()


def test_a_folder_that_the_first_process_writes_must_be_seen(
    gaze_text: TrainingConfiguration, run_path: Path
) -> None:
    with pytest.raises(RunError, match="a run must lie on a disk that every machine shares"):
        check_sight(RunFolder(run_path), gaze_text, within_s=0)
    RunFolder(run_path).write_configuration(gaze_text)
    check_sight(RunFolder(run_path), gaze_text, within_s=0)
    with pytest.raises(RunError, match="does not see"):
        check_sight(RunFolder(run_path), replace(gaze_text, seed=1), within_s=0)


class _InterruptedError(Exception):
    pass


def test_what_a_launch_began_it_goes_on_with(
    tiny_study: Study, gaze_text: TrainingConfiguration, run_path: Path
) -> None:
    """Whatever was asked: a restart repeats the command that began the run."""
    epochs: list[str] = []

    def until(most: int) -> Any:
        def progress(items: Any, description: str, total: int | None = None) -> Iterator[Any]:
            for item in items:
                if description.startswith("learning"):
                    epochs.append(f"{description} {item}")
                    if len(epochs) > most:
                        raise _InterruptedError
                yield item

        return progress

    def attempt(launch: str, most: int, **options: Any) -> None:
        group = Group(launch=frozenset({launch, f"{launch}'s neighbour"}))
        train(
            tiny_study,
            run_path,
            gaze_text,
            progress=until(most),
            group=group,
            checkpoint_every_s=0,
            **options,
        )

    train(tiny_study, run_path, replace(gaze_text, seed=1))
    with pytest.raises(_InterruptedError):
        attempt("one", 2, overwrite=True)
    with pytest.raises(RunError, match="exists already"):
        attempt("two", 9)
    with contextlib.suppress(_InterruptedError):
        attempt("one", 3, overwrite=True)
    attempt("one", 9, overwrite=True)
    assert [line.rpartition(" ")[2] for line in epochs] == ["1", "2", "3", "3", "3"]
    before = (run_path / "run.json").stat().st_mtime_ns
    attempt("one", 9, overwrite=True)  # killed after its end
    assert (run_path / "run.json").stat().st_mtime_ns == before
    attempt("two", 9, overwrite=True)
    assert (run_path / "run.json").stat().st_mtime_ns != before
    with pytest.raises(RunError, match="exists already"):
        attempt("one", 9)


def test_a_launch_killed_before_it_began_begins(
    tiny_study: Study, gaze_text: TrainingConfiguration, run_path: Path
) -> None:
    run_path.mkdir()
    (run_path / ".lock").write_text("one\n")
    (run_path / ".configuration.toml.7.partial").write_text("[hyperpar")
    run = train(tiny_study, run_path, gaze_text, group=Group(launch=frozenset({"one"})))
    assert run.tasks


def test_what_is_asked_must_be_the_same_everywhere(tiny_study: Study) -> None:
    class Two(Group):
        def values(self, own: Any) -> list[Any]:
            return [own, ("another fingerprint", own[1])]

    with pytest.raises(ConfigurationError, match="process 1 was given another study"):
        _check_agreement(tiny_study, TrainingConfiguration(), Two(0, 2))
