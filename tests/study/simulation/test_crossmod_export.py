"""What is written in the authors' form comes back through the reader as it was."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat

from beholder.errors import StudyError, UnsupportedError
from beholder.study import (
    ReadOptions,
    Study,
    StudyInfo,
    StudyWriter,
    attention_map,
    read,
    samples_table,
)
from beholder.study.simulation import PRESETS, simulate, write_crossmod
from beholder.study.simulation.crossmod_export import personality_text

TINY = replace(PRESETS["ads"].resized(9, 40), width=40, height=30)
PLAIN = ReadOptions(pseudonymise=False)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = tmp_path_factory.mktemp("simulated") / "study"
    simulate(folder, TINY)
    return Study.open(folder)


@pytest.fixture(scope="module")
def exported(study: Study, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported") / "crossmod"
    write_crossmod(study, folder)
    return folder


def test_the_study_comes_back(study: Study, exported: Path, tmp_path: Path) -> None:
    read("crossmod", exported, tmp_path / "again", PLAIN)
    again = Study.open(tmp_path / "again")
    assert len(again) == len(study) == TINY.samples
    assert again.texts == study.texts
    for name in ("participant", "image", "task"):
        assert again.samples.column(name).to_pylist() == study.samples.column(name).to_pylist()
    surveys = dict(zip(again.participants["participant"].to_pylist(), again.answers, strict=True))
    for participant, answers in zip(
        study.participants["participant"].to_pylist(), study.answers, strict=True
    ):
        np.testing.assert_array_equal(surveys[participant], answers)
    for number in (0, 7, len(study) - 1):
        ours, theirs = study.gaze(number), again.gaze(number)
        assert ours is not None and theirs is not None
        expected = attention_map(ours, TINY.height, TINY.width, aspect=4 / 3)
        found = attention_map(theirs, TINY.height, TINY.width)
        np.testing.assert_allclose(found, expected, atol=expected.max() * 2e-3)


def test_the_files_have_the_published_form(study: Study, exported: Path) -> None:
    with (exported / "data.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["", "task_id", "image", "ad_msg", "personality", "mturker_id"]
    assert [row[""] for row in rows] == [str(n) for n in range(len(study))]
    spacings = {row["personality"] for row in rows}
    assert any("\n" in text for text in spacings) and any("  " in text for text in spacings)
    first = rows[0]
    assert (exported / "ims" / first["image"]).is_file()
    values = loadmat(exported / "bv" / f"{Path(first['image']).stem}_{first['task_id']}.mat")["hm"]
    assert values.shape == (TINY.height, TINY.width)
    assert values.dtype.kind == "f" and values.max() == 1


@pytest.mark.parametrize("row", range(35))
def test_answers_keep_their_order_in_every_spacing(row: int) -> None:
    answers = [4, 4, 1, 4, 1, 3, 1, 5, 1, 4]
    text = personality_text(answers, row)
    assert text.startswith("[") and text.endswith("]")
    assert [int(word) for word in text.strip("[]").split()] == answers


def test_the_table_can_be_named_and_nothing_is_overwritten(
    study: Study, exported: Path, tmp_path: Path
) -> None:
    write_crossmod(study, tmp_path / "ads", table_name="data_ads")
    assert (tmp_path / "ads" / "data_ads.csv").is_file()
    with pytest.raises(StudyError, match="exists already"):
        write_crossmod(study, exported)


def test_samples_without_gaze_text_or_survey_survive(study: Study, tmp_path: Path) -> None:
    image = study.image_path(0)
    with StudyWriter(tmp_path / "sparse", StudyInfo("sparse", "test")) as writer:
        writer.add_image("a.jpg", image)
        writer.add_samples(
            samples_table(
                participants=["one", "two"],
                images=["a.jpg", "a.jpg"],
                texts=['He said "hi", twice\nand left', None],
                gazes=[None, study.gaze(0)],
            )
        )
    write_crossmod(Study.open(tmp_path / "sparse"), tmp_path / "crossmod")
    read("crossmod", tmp_path / "crossmod", tmp_path / "again", PLAIN)
    again = Study.open(tmp_path / "again")
    assert again.texts == ['He said "hi", twice\nand left', None]
    assert again.gaze_forms == [None, "map"]
    assert again.samples.column("task").to_pylist() == ["one", "two"]
    assert not again.has("personality").any()


@pytest.mark.parametrize(
    ("participants", "tasks", "message"),
    [
        (["one", None], ["t", "u"], "no participant"),
        (["one", "two"], ["t", "t"], "second of task t"),
        (["one", "two"], ["t", "a/b"], "file's name"),
    ],
)
def test_what_the_form_cannot_hold_is_refused(
    study: Study,
    tmp_path: Path,
    participants: list[str | None],
    tasks: list[str | None],
    message: str,
) -> None:
    with StudyWriter(tmp_path / "bad", StudyInfo("bad", "test")) as writer:
        writer.add_image("a.jpg", study.image_path(0))
        writer.add_samples(
            samples_table(
                participants=participants,
                images=["a.jpg"] * 2,
                texts=["one", "two"],
                tasks=tasks,
            )
        )
    with pytest.raises(UnsupportedError, match=message):
        write_crossmod(Study.open(tmp_path / "bad"), tmp_path / "crossmod")
    assert not (tmp_path / "crossmod").exists()
