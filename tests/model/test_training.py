"""Training a run: repeatable, killed and resumed, refused where it must be, and leak-free."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from safetensors import safe_open

from beholder.errors import ConfigurationError, RunError, TrainingError, UnsupportedError
from beholder.evaluation import evaluate
from beholder.model import Run, TrainingConfiguration, train
from beholder.study import Study, load_instrument
from beholder.study.splits import make_split
from made_study import ALL_TASKS, QUICK, Row, made_study

KILLED_AT_BATCH = """
import os, signal, sys
from torch.optim import AdamW
from beholder.model import train
from beholder.model.configuration import parse_configuration
from beholder.study import Study

study, path, batch, configuration = sys.argv[1:]
real, calls = AdamW.step, 0

def killing(*arguments):
    global calls
    calls += 1
    if calls == int(batch):
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*arguments)

AdamW.step = killing
train(Study.open(study), path, parse_configuration(configuration, "-"), checkpoint_every_s=0)
"""


def weights_of(path: Path) -> dict[str, bytes]:
    files = sorted((path / "spaces").rglob("*.safetensors")) + sorted((path / "weights").iterdir())
    assert files
    return {str(file.relative_to(path)): file.read_bytes() for file in files}


def logs_of(run: Run) -> list[Any]:
    pair = run.tasks[0].pair
    return [
        [replace(line, seconds=0) for line in run.folder.log(run.network(pair), space)]
        for space in run.folder.weights(pair)
    ]


def changed_copy(study: Study, target: Path, **tables: pa.Table) -> Study:
    """Copy a study with some of its tables replaced."""
    shutil.copytree(study.path, target)
    for name, table in tables.items():
        pq.write_table(table, target / f"{name}.parquet")
    return Study.open(target)


def with_column(table: pa.Table, name: str, values: Iterable[Any]) -> pa.Table:
    field = table.schema.field(name)
    place = table.schema.get_field_index(name)
    return table.set_column(place, field, pa.array(list(values), field.type))


def test_the_seed_alone_decides(
    tiny_study: Study, gaze_text: TrainingConfiguration, tmp_path: Path
) -> None:
    first = train(tiny_study, tmp_path / "first", gaze_text)
    again = train(tiny_study, tmp_path / "again", gaze_text)
    other = train(tiny_study, tmp_path / "other", replace(gaze_text, seed=1))
    assert weights_of(first.path) == weights_of(again.path)
    assert logs_of(first) == logs_of(again)
    assert evaluate(first).as_json()["tasks"] == evaluate(again).as_json()["tasks"]
    assert weights_of(first.path) != weights_of(other.path)


@pytest.mark.parametrize(("batch", "space"), [(8, "base"), (18, "base"), (28, "content")])
def test_a_killed_training_resumes_to_the_same_run(
    batch: int, space: str, tiny_study: Study, tmp_path: Path
) -> None:
    """Killed in the middle of an epoch: of the first space, of its refit, and of the second."""
    configuration = TrainingConfiguration("ours", "g2t,t2g", hyperparameters=QUICK)
    whole = train(tiny_study, tmp_path / "whole", configuration)
    path = tmp_path / "killed"
    arguments = [str(tiny_study.path), str(path), str(batch), configuration.toml()]
    child = subprocess.run([sys.executable, "-c", KILLED_AT_BATCH, *arguments], check=False)
    assert child.returncode == -signal.SIGKILL
    with pytest.raises(RunError, match=r"is unfinished; `beholder train … --resume` goes on"):
        Run.open(path)
    (checkpoint,) = path.rglob("*.checkpoint.safetensors")
    with safe_open(checkpoint, "np") as stored:
        assert any(name.startswith("optimiser.") for name in stored.keys())  # noqa: SIM118
    assert checkpoint.name.startswith(space)
    resumed = train(tiny_study, path, configuration, resume=True)
    assert weights_of(resumed.path) == weights_of(whole.path)
    assert logs_of(resumed) == logs_of(whole)
    assert evaluate(resumed).as_json() == evaluate(whole).as_json()


def test_only_one_process_trains_a_run(
    tiny_study: Study, gaze_text: TrainingConfiguration, run_path: Path
) -> None:
    refusals: list[str] = []

    def intrude(items: Iterable[Any], description: str, total: int | None = None) -> Iterable[Any]:
        if description.startswith("learning the base space"):
            for options in ({"resume": True}, {"overwrite": True}):
                with pytest.raises(RunError) as refusal:
                    train(tiny_study, run_path, gaze_text, **options)
                refusals.append(str(refusal.value))
        return items

    train(tiny_study, run_path, gaze_text, progress=intrude)
    assert refusals == [f"another process is training {run_path}"] * 2
    assert Run.open(run_path).tasks


def test_a_finished_run_is_kept_unless_told_otherwise(
    tiny_study: Study, gaze_text: TrainingConfiguration, run_path: Path
) -> None:
    train(tiny_study, run_path, gaze_text)
    before = (run_path / "run.json").stat().st_mtime_ns
    with pytest.raises(RunError, match="exists already; pass --resume or --overwrite"):
        train(tiny_study, run_path, gaze_text)
    with pytest.raises(RunError, match="was begun with another configuration"):
        train(tiny_study, run_path, replace(gaze_text, seed=1), resume=True)
    with pytest.raises(ConfigurationError, match="either resumed or overwritten"):
        train(tiny_study, run_path, gaze_text, resume=True, overwrite=True)
    train(tiny_study, run_path, gaze_text, resume=True)
    assert (run_path / "run.json").stat().st_mtime_ns == before
    other = train(tiny_study, run_path, replace(gaze_text, tasks="t2g"), overwrite=True)
    assert [task.name for task in other.tasks] == ["t2g"]


def test_nothing_is_resumed_where_nothing_is(
    tiny_study: Study, gaze_text: TrainingConfiguration, run_path: Path
) -> None:
    with pytest.raises(RunError, match="holds no run to resume"):
        train(tiny_study, run_path, gaze_text, resume=True)
    assert not run_path.exists()


@pytest.mark.parametrize("options", [{"resume": True}, {"overwrite": True}, {}])
@pytest.mark.parametrize("name", ["thesis.tex", "run.json"])
def test_what_is_no_run_is_left_alone(
    name: str,
    options: dict[str, bool],
    tiny_study: Study,
    gaze_text: TrainingConfiguration,
    run_path: Path,
) -> None:
    run_path.mkdir()
    (run_path / name).write_text("{}")
    with pytest.raises(RunError, match=r"is not a run|exists already"):
        train(tiny_study, run_path, gaze_text, **options)
    assert [file.name for file in run_path.iterdir()] == [name]


def test_a_refused_training_can_be_begun_again(
    tiny_study: Study, gaze_text: TrainingConfiguration, tmp_path: Path
) -> None:
    strangers = with_column(tiny_study.samples, "participant", [None] * len(tiny_study))
    study = changed_copy(tiny_study, tmp_path / "study", samples=strangers)
    with pytest.raises(UnsupportedError, match="needs to know who made each sample"):
        train(study, tmp_path / "run", replace(gaze_text, split="participant"))
    train(study, tmp_path / "run", gaze_text)


def test_a_run_is_not_resumed_on_a_changed_study(
    tiny_study: Study, gaze_text: TrainingConfiguration, tmp_path: Path
) -> None:
    def interrupt(items: Iterable[Any], description: str, total: int | None = None) -> Any:
        if description.startswith("learning the base space"):
            raise KeyboardInterrupt
        return items

    with pytest.raises(KeyboardInterrupt):
        train(tiny_study, tmp_path / "run", gaze_text, progress=interrupt)
    texts = ["changed", *tiny_study.texts[1:]]
    changed = with_column(tiny_study.samples, "text", texts)
    study = changed_copy(tiny_study, tmp_path / "study", samples=changed)
    with pytest.raises(RunError, match=r"was begun on another study than .*, or it has changed"):
        train(study, tmp_path / "run", gaze_text, resume=True)
    train(tiny_study, tmp_path / "run", gaze_text, resume=True)


def test_a_failed_training_is_no_run(
    tiny_study: Study, gaze_text: TrainingConfiguration, run_path: Path
) -> None:
    wild = replace(QUICK, learning_rate=1e37, warm_up=0.0, objective="hinge-hardest")
    with pytest.raises(TrainingError, match=r"the base space of gaze and text .* epoch 1"):
        train(tiny_study, run_path, replace(gaze_text, hyperparameters=wild))
    assert not (run_path / "run.json").exists()
    with pytest.raises(RunError, match="is unfinished"):
        Run.open(run_path)


def test_possible_tasks_run_and_the_others_are_named(tiny_study: Study, tmp_path: Path) -> None:
    nobody = tiny_study.participants.num_rows
    surveys = with_column(tiny_study.participants, "items", [None] * nobody)
    study = changed_copy(tiny_study, tmp_path / "study", participants=surveys)
    configuration = TrainingConfiguration("base", "g2t,g2p,t2p", hyperparameters=QUICK)
    run = train(study, tmp_path / "run", configuration)
    assert [task.name for task in run.tasks] == ["g2t"]
    assert run.provenance.warnings == (
        "g2p needs personality, and the study has no survey",
        "t2p needs personality, and the study has no survey",
    )
    with pytest.raises(UnsupportedError, match=r"g2p needs personality.*; t2p needs personality"):
        train(study, tmp_path / "none", replace(configuration, tasks="g2p,t2p"))


def test_ours_does_without_style_where_nobody_is_known(tiny_study: Study, tmp_path: Path) -> None:
    strangers = with_column(tiny_study.samples, "participant", [None] * len(tiny_study))
    study = changed_copy(tiny_study, tmp_path / "study", samples=strangers)
    run = train(study, tmp_path / "run", TrainingConfiguration(hyperparameters=QUICK))
    assert list(run.folder.weights(("gaze", "text"))) == ["base", "content"]
    assert len(run.provenance.warnings) == 1
    assert "gaze-text: the style space needs to know who" in run.provenance.warnings[0]
    measures = evaluate(run).as_json()["tasks"]["g2t"]
    assert measures["ci95_top3"][0] is not None  # whole images are drawn instead of people


def test_text_and_surveys_need_no_image_and_no_gaze(run_path: Path) -> None:
    words = ("red", "blue", "dog", "cat", "tree", "sky", "hat")
    rows = [
        Row(f"p{n % 8}", f"i{n // 8}", f"a {words[n % 7]} and {words[n % 5]}") for n in range(48)
    ]
    study = made_study(rows, {f"p{n}": n for n in range(8)})
    configuration = TrainingConfiguration("ours", ALL_TASKS, hyperparameters=QUICK)
    run = train(study, run_path, configuration)
    assert [task.name for task in run.tasks] == ["t2p", "p2t"]
    assert len(run.provenance.warnings) == 4


def test_a_training_part_with_one_survey_is_refused(run_path: Path) -> None:
    rows = [Row(f"p{n % 3}", f"i{n}", f"text {n}") for n in range(12)]
    study = made_study(rows, {"p0": 0, "p1": 1, "p2": 2})
    configuration = TrainingConfiguration("base", "t2p", split="participant", hyperparameters=QUICK)
    with pytest.raises(UnsupportedError, match="t2p has a single personality in the train part"):
        train(study, run_path, configuration)


def test_a_few_people_can_be_split(tiny_study: Study, run_path: Path) -> None:
    """The validation part is then one person with one survey."""
    configuration = TrainingConfiguration(
        "ours", "g2p,p2g", split="participant", hyperparameters=QUICK
    )
    run = train(tiny_study, run_path, configuration)
    validation = tiny_study.participant_codes[run.split.rows("validation")]
    assert len(np.unique(validation)) == 1
    evaluate(run)


def test_nothing_of_the_test_part_is_learnt(tiny_study: Study, tmp_path: Path) -> None:
    """Other words, gaze and surveys of the test people leave every weight as it was."""
    configuration = TrainingConfiguration(
        "base", "g2t,t2p", split="participant", hyperparameters=QUICK
    )
    test = make_split(tiny_study, "participant", 0).rows("test")
    is_test = np.isin(np.arange(len(tiny_study)), test)
    people = set(np.unique(tiny_study.participant_codes[test]))
    samples = tiny_study.samples
    texts = [
        "unheard words" if hidden else text
        for text, hidden in zip(tiny_study.texts, is_test, strict=True)
    ]
    x = [
        [0.9] * len(row) if hidden else row
        for row, hidden in zip(samples["x"].to_pylist(), is_test, strict=True)
    ]
    surveys = [
        [3] * len(load_instrument("bfi-10").items) if code in people else row
        for code, row in enumerate(tiny_study.participants["items"].to_pylist())
    ]
    changed = changed_copy(
        tiny_study,
        tmp_path / "study",
        samples=with_column(with_column(samples, "text", texts), "x", x),
        participants=with_column(tiny_study.participants, "items", surveys),
    )
    run = train(tiny_study, tmp_path / "run", configuration)
    other = train(changed, tmp_path / "other", configuration)
    assert weights_of(run.path) == weights_of(other.path)
    for file in (run.path / "encoders").iterdir():
        assert file.read_bytes() == (other.path / "encoders" / file.name).read_bytes()


def test_validation_teaches_only_after_it_has_judged(tiny_study: Study, tmp_path: Path) -> None:
    """A refit changes the towers, but nothing that was chosen on the validation part."""
    without, with_refit = (
        train(
            tiny_study,
            tmp_path / str(epochs),
            TrainingConfiguration(
                "ours", "g2t,t2g", hyperparameters=replace(QUICK, refit=epochs, epochs=2)
            ),
        )
        for epochs in (0, 1)
    )
    pair = ("gaze", "text")
    assert with_refit.folder.weights(pair) == without.folder.weights(pair)
    assert logs_of(with_refit) == logs_of(without)
    rows = with_refit.split.rows("validation")
    for space in ("base", "content", "style"):
        judged = with_refit.folder.judged("gaze-text", space, pair)
        for modality in pair:
            held = rows[tiny_study.has(modality)[rows]]
            before = without.embed_samples(pair, modality, held, space)
            after = with_refit.embed_samples(pair, modality, held, space)
            assert np.allclose(judged[modality], before, atol=1e-5)
            assert not np.allclose(judged[modality], after, atol=1e-3)


@pytest.mark.parametrize("refit", [0, 1])
def test_the_validation_part_teaches_in_the_refit_alone(
    refit: int, tiny_study: Study, tmp_path: Path
) -> None:
    judges = make_split(tiny_study, "random", 0).rows("validation")
    texts = list(tiny_study.texts)
    for number in judges[:5]:
        texts[number] = "a dog"
    changed = changed_copy(
        tiny_study, tmp_path / "study", samples=with_column(tiny_study.samples, "text", texts)
    )
    configuration = TrainingConfiguration(
        "base", "g2t", hyperparameters=replace(QUICK, epochs=1, refit=refit)
    )
    first, second = (
        train(study, tmp_path / name, configuration).folder.towers(
            "gaze-text", "base", configuration
        )["gaze"]
        for name, study in (("first", tiny_study), ("second", changed))
    )
    assert bool((first.linear == second.linear).all()) == (refit == 0)


def test_no_file_of_a_run_is_a_pickle(tiny_run: Run) -> None:
    kinds = {file.suffix for file in tiny_run.path.rglob("*") if file.is_file()}
    assert kinds <= {".safetensors", ".json", ".csv", ".toml", ".parquet", ""}
    assert not list(tiny_run.path.rglob("*.checkpoint.*"))
