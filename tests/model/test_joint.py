"""Training three modalities at once, and with some that are gone at the test."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from beholder.errors import ConfigurationError, UnsupportedError
from beholder.evaluation import evaluate
from beholder.features import FeatureCache, StudyInputs
from beholder.model import Run, TrainingConfiguration, train
from beholder.model.fitting import fit_features
from beholder.model.networks import Network
from beholder.model.space_training import space_data
from beholder.study import Study
from made_study import ALL_TASKS, QUICK, Row, made_study

GAZE_TEXT = ("gaze", "text")


@pytest.fixture(scope="module")
def joint_run(tiny_study: Study, tmp_path_factory: pytest.TempPathFactory) -> Run:
    configuration = TrainingConfiguration("ours", ALL_TASKS, joint=True, hyperparameters=QUICK)
    return train(tiny_study, tmp_path_factory.mktemp("joint") / "run", configuration)


def test_joint_training_has_one_tower_a_modality(joint_run: Run) -> None:
    towers = joint_run.folder.towers("joint", "style", joint_run.configuration)
    assert set(towers) == {"gaze", "text", "personality"}
    samples = np.arange(10)
    with_text, with_survey = (
        joint_run.embed_samples(pair, "gaze", samples, "style")
        for pair in (GAZE_TEXT, ("gaze", "personality"))
    )
    assert (with_text == with_survey).all()


def test_a_joint_run_is_evaluated_on_every_task(joint_run: Run) -> None:
    result = evaluate(joint_run).as_json()
    assert list(result["tasks"]) == ALL_TASKS.split(",")
    for measures in result["tasks"].values():
        assert 0 <= measures["top3"] <= 1


def test_every_link_teaches_every_tower(tiny_study: Study, joint_run: Run, tmp_path: Path) -> None:
    """Without the tasks of personality the towers of gaze and text come out otherwise."""
    alone = train(tiny_study, tmp_path / "run", replace(joint_run.configuration, joint=False))
    for modality in GAZE_TEXT:
        joint, single = (
            run.embed_samples(GAZE_TEXT, modality, np.arange(10), "base")
            for run in (joint_run, alone)
        )
        assert not np.allclose(joint, single, atol=1e-3)


def test_what_is_privileged_teaches_and_is_gone(tiny_study: Study, tmp_path: Path) -> None:
    plain = TrainingConfiguration("base", "g2t", hyperparameters=QUICK)
    with_survey = replace(plain, privileged="personality")
    runs = [train(tiny_study, tmp_path / c.privileged / "run", c) for c in (plain, with_survey)]
    towers = runs[1].folder.towers("gaze-text", "base", with_survey)
    assert list(towers) == ["gaze", "text"]
    first, second = (run.embed_samples(GAZE_TEXT, "gaze", np.arange(10)) for run in runs)
    assert not np.allclose(first, second, atol=1e-3)
    with pytest.raises(UnsupportedError, match="was not trained for personality"):
        runs[1].embed(personality=[[3] * 10])


def test_samples_without_the_privileged_modality_still_teach(
    tiny_study: Study, tmp_path: Path
) -> None:
    surveys = tiny_study.participants["items"].to_pylist()
    answers = pa.array([None if n % 2 else s for n, s in enumerate(surveys)], pa.list_(pa.int64()))
    table = tiny_study.participants
    field = table.schema.field("items")
    table = table.set_column(table.schema.get_field_index("items"), field, answers.cast(field.type))
    shutil.copytree(tiny_study.path, tmp_path / "study")
    pq.write_table(table, tmp_path / "study" / "participants.parquet")
    study = Study.open(tmp_path / "study")
    configuration = TrainingConfiguration(
        "base", "g2t", privileged="personality", hyperparameters=QUICK
    )
    run = train(study, tmp_path / "run", configuration)
    data = space_data(
        study,
        run.split,
        "base",
        Network("gaze-text", (GAZE_TEXT,), ("personality",)),
        {
            m: fit_features(StudyInputs(study, FeatureCache.default()), run.split, m)[1]
            for m in ("gaze", "text", "personality")
        },
    )
    has = data.features["personality"].has(data.train)
    assert 0 < has.sum() < len(has)
    assert data.train.tolist() == run.split.rows("train").tolist()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"privileged": "smell"}, "unknown modality 'smell'"),
        ({"privileged": "text"}, "text cannot be privileged where g2t needs it"),
        (
            {"privileged": "personality", "tasks": "g2t,g2p", "joint": True},
            "personality cannot be privileged where g2t,g2p needs it",
        ),
        ({"share": 0.0}, "a share is above 0 and at most 1"),
        ({"share_of": "images"}, "a share is of samples or participants"),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        TrainingConfiguration(**({"tasks": "g2t"} | options))  # type: ignore[arg-type]


def test_a_training_is_never_silently_another_one(tiny_study: Study, run_path: Path) -> None:
    joint = TrainingConfiguration(tasks="g2t,t2g", joint=True, hyperparameters=QUICK)
    with pytest.raises(UnsupportedError, match="supports gaze and text alone"):
        train(tiny_study, run_path, joint)
    rows = [Row(f"p{n % 4}", f"i{n % 3}", f"a {n}", n % 3) for n in range(24)]
    privileged = TrainingConfiguration(tasks="g2t", privileged="personality")
    with pytest.raises(UnsupportedError, match="personality cannot be privileged: no training"):
        train(made_study(rows), run_path, privileged)


@pytest.mark.parametrize("unit", ["samples", "participants"])
def test_a_share_of_the_training_part_leaves_the_others(
    tiny_study: Study, tmp_path: Path, unit: str
) -> None:
    configuration = TrainingConfiguration("base", "g2t", share_of=unit, hyperparameters=QUICK)  # type: ignore[arg-type]
    half = train(tiny_study, tmp_path / "half", replace(configuration, share=0.5))
    fifth = train(tiny_study, tmp_path / "fifth", replace(configuration, share=0.2))
    whole = train(tiny_study, tmp_path / "whole", configuration)
    rows = [set(run.split.rows("train").tolist()) for run in (fifth, half, whole)]
    assert rows[0] < rows[1] < rows[2]
    if unit == "participants":
        people = [np.unique(tiny_study.participant_codes[sorted(part)]) for part in rows]
        assert [len(codes) for codes in people] == [2, 6, 12]
    for part in ("validation", "test"):
        assert half.split.rows(part).tolist() == whole.split.rows(part).tolist()  # type: ignore[arg-type]
