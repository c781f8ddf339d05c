"""A training on a remote run: published now and then, gone on with here or elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flaky_storage import FlakyFileSystem

from beholder.errors import RunError
from beholder.model import Hyperparameters, Run, TrainingConfiguration, train
from beholder.model.folder import RunFolder
from beholder.model.published import run_folder
from beholder.model.state import State
from beholder.remote import publish, working_copy
from beholder.study import Study

URL = "flaky://bucket/run"
QUICK = Hyperparameters(hidden=16, dimensions=8, epochs=4, batch=32, refit=1)
OURS = TrainingConfiguration("ours", "g2t", hyperparameters=QUICK)


class LostError(Exception):
    """The machine is gone."""


def trained(study: Study, *, resume: bool = False, said: list[str] | None = None) -> Run:
    """Train with every checkpoint published at once."""
    say = pytest.fail if said is None else said.append
    with run_folder(URL, say=say, every_s=0) as folder:
        return train(study, folder, OURS, resume=resume, checkpoint_every_s=0)


def learnt(folder: Path) -> dict[str, bytes]:
    """Return the weights of a run by their names."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.suffix in (".safetensors", ".json") and path.parent != folder
    }


@pytest.fixture(scope="module")
def whole(tiny_study: Study, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What the training makes of itself where nothing stops it."""
    path = tmp_path_factory.mktemp("whole") / "run"
    train(tiny_study, path, OURS, checkpoint_every_s=0)
    return learnt(path)


@pytest.fixture
def lost_at(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Lose the machine when a checkpoint of these numbers would be written."""
    numbers: list[int] = []
    count = 0
    write = RunFolder.write_checkpoint

    def count_and_write(folder: RunFolder, network: str, space: str, state: State) -> None:
        nonlocal count
        count += 1
        if count in numbers:
            raise LostError
        write(folder, network, space, state)

    monkeypatch.setattr(RunFolder, "write_checkpoint", count_and_write)
    yield numbers
    assert count > max(numbers, default=0)


@pytest.mark.parametrize("elsewhere", [True, False])
def test_a_training_goes_on_to_the_same_weights(
    tiny_study: Study,
    whole: dict[str, bytes],
    cache: Path,
    tmp_path: Path,
    lost_at: list[int],
    elsewhere: bool,
) -> None:
    lost_at += [3, 7]
    for resume in (False, True):
        with pytest.raises(LostError):
            trained(tiny_study, resume=resume)
        with pytest.raises(RunError, match=r"flaky://bucket/run is unfinished; .* --resume"):
            Run.open(URL)
        if elsewhere:
            cache.rename(tmp_path / f"cache-{resume}")
    with pytest.raises(RunError, match=r"^flaky://bucket/run exists already; pass --resume"):
        trained(tiny_study)
    trained(tiny_study, resume=True)
    assert learnt(Run.open(URL).path) == whole


def test_checkpoints_are_published_when_it_is_time(
    tiny_study: Study, flaky: type[FlakyFileSystem]
) -> None:
    with run_folder(URL, say=pytest.fail, every_s=1e6) as folder:
        train(tiny_study, folder, OURS, checkpoint_every_s=0)
        assert not flaky.store
    flaky.be_well()
    with pytest.raises(RunError, match="exists already"):
        train(tiny_study, URL, OURS)
    assert Run.open(URL).provenance.tasks == ("g2t",)
    trained(tiny_study, resume=True)
    assert "put" not in {name for name, _ in flaky.done}, "a finished run is as it was"


def test_a_checkpoint_that_is_not_published_ends_no_training(
    tiny_study: Study, whole: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError("no more today")

    said: list[str] = []
    with (
        monkeypatch.context() as patch,
        pytest.raises(RunError, match=r"flaky://bucket/run cannot be written: no more today"),
    ):
        patch.setattr(FlakyFileSystem, "put_file", refuse)
        trained(tiny_study, said=said)
    assert "a checkpoint was not published, the training goes on: flaky://" in said[0]
    assert len(said) > 5
    trained(tiny_study, resume=True)
    assert learnt(Run.open(URL).path) == whole, "all that was learnt was still here"


def test_a_copy_out_of_step_gives_way_to_what_somebody_published(tmp_path: Path) -> None:
    with working_copy(URL, "run") as copy:
        copy.path.mkdir()
        (copy.path / "configuration.toml").write_text("mine")
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "configuration.toml").write_text("theirs")
    with pytest.raises(RunError, match="somebody else meanwhile"), working_copy(URL, "run") as copy:
        assert (copy.path / "configuration.toml").read_text() == "mine"
        (copy.path / "more").write_text("mine")
        publish(tmp_path / "theirs", URL, "run", overwrite=True)
    with working_copy(URL, "run") as copy:
        assert (copy.path / "configuration.toml").read_text() == "theirs"
        assert not (copy.path / "more").exists()


def test_a_copy_that_was_not_published_is_taken_up_again(tmp_path: Path) -> None:
    for step in ("first", "second"):
        with pytest.raises(LostError), working_copy(URL, "run") as copy:
            copy.path.mkdir(exist_ok=True)
            (copy.path / step).write_text(step)
            raise LostError
    with working_copy(URL, "run") as copy:
        assert sorted(path.name for path in copy.path.iterdir()) == ["first", "second"]
