"""A study says what was written, and a damaged one says what is wrong with it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from small_study import ANSWERS, AREAS, CLICKS, GAZES, HEIGHT, MAP, POINTS, WIDTH, WriteStudy

from beholder.errors import StudyError
from beholder.study import Study, attention_map, load_instrument
from beholder.study.gaze import Areas, DenseMap, Points
from beholder.study.schema import StudyInfo, parse_study_toml


@pytest.fixture
def study(tmp_path: Path, write_study: WriteStudy) -> Study:
    return Study.open(write_study(tmp_path / "study"))


def test_what_was_written_is_read(study: Study) -> None:
    assert study.info == StudyInfo("gaze of every form", "a test", "de", "CC0-1.0", "bfi-10")
    assert study.instrument == load_instrument("bfi-10")
    rows = [(s.number, s.participant, s.image, s.task, s.text) for s in study]
    assert rows == [
        (0, "zoë", "a picture.png", "describe", "ein „Haus“\nam See"),
        (1, "人", "a picture.png", None, None),
        (2, "zoë", "a picture.png", None, ""),
        (3, None, "a picture.png", None, "👁 œil"),
        (4, "zoë", "ordner/zwei.jpg", None, None),
        (5, "人", "ordner/zwei.jpg", None, "x"),
    ]


def test_points_are_read_as_recorded(study: Study) -> None:
    gaze = study.gaze(0)
    assert isinstance(gaze, Points)
    for name in ("x", "y", "time", "duration"):
        assert_allclose(getattr(gaze, name), getattr(POINTS, name), rtol=1e-7)
    clicks = study.gaze(4)
    assert isinstance(clicks, Points)
    assert (clicks.x.tolist(), clicks.y.tolist()) == (CLICKS.x.tolist(), CLICKS.y.tolist())
    assert clicks.time is None
    assert clicks.duration is None


def test_areas_are_read_as_recorded(study: Study) -> None:
    gaze = study.gaze(1)
    assert isinstance(gaze, Areas)
    assert gaze.fixations == AREAS.fixations
    assert gaze.label == AREAS.label
    assert_array_equal(gaze.fixation, AREAS.fixation)
    assert_allclose(gaze.box, AREAS.box)
    misses = study.gaze(5)
    assert isinstance(misses, Areas)
    assert (misses.fixations, misses.label, misses.box.shape) == (2, (), (0, 4))


def test_a_map_is_read_within_its_precision(study: Study) -> None:
    gaze = study.gaze(2)
    assert isinstance(gaze, DenseMap)
    assert gaze.values.shape == (HEIGHT, WIDTH)
    bound = MAP.values.max() / 65535 / 2
    assert np.abs(gaze.values - MAP.values).max() <= bound * 1.01


def test_attention_is_the_same_before_and_after(study: Study) -> None:
    for number, gaze in enumerate(GAZES):
        read = study.gaze(number)
        assert (read is None) == (gaze is None)
        if gaze is not None and read is not None:
            assert_allclose(attention_map(read, 8, 8), attention_map(gaze, 8, 8), atol=1e-6)


def test_a_sample_can_be_asked_for_alone(study: Study) -> None:
    assert study[np.int64(1)].text is None
    last = study[-1]
    assert (last.number, last.participant, last.text) == (5, "人", "x")
    assert isinstance(last.gaze, Areas)
    for gaze in (study.gaze(-6), study[-6].gaze):
        assert isinstance(gaze, Points)
        assert len(gaze) == 3
    with pytest.raises(IndexError):
        study[6]


def test_columns(study: Study) -> None:
    assert len(study) == 6
    assert repr(study).endswith("study': 6 samples)")
    assert study.participants.column("participant").to_pylist() == ["zoë", "人"]
    assert study.participant_codes.tolist() == [0, 1, 0, -1, 0, 1]
    assert study.image_codes.tolist() == [0, 0, 0, 0, 1, 1]
    assert study.gaze_forms == ["points", "areas", "map", None, "points", "areas"]
    assert study.texts[3] == "👁 œil"
    assert_array_equal(study.answers, [ANSWERS, [np.nan] * 10])
    assert_allclose(study.aspects, [WIDTH / HEIGHT, 2.5])


def test_which_samples_have_which_modality(study: Study) -> None:
    assert study.has("gaze").tolist() == [True, True, True, False, True, True]
    assert study.has("text").tolist() == [True, False, True, True, False, True]
    assert study.has("personality").tolist() == [True, False, True, False, True, False]
    with pytest.raises(ValueError, match="no modality is called 'smell'"):
        study.has("smell")


def test_images_are_copied_with_their_facts(study: Study, tmp_path: Path) -> None:
    assert study.images.column("width").to_pylist() == [WIDTH, 50]
    assert study.images.column("height").to_pylist() == [HEIGHT, 20]
    assert study.image_path(1) == tmp_path / "study" / "images" / "ordner" / "zwei.jpg"
    assert study.image_path(1).read_bytes() == (tmp_path / "zwei.jpg").read_bytes()


def test_a_moved_study_is_the_same_study(study: Study, tmp_path: Path) -> None:
    fingerprint, columns = study.fingerprint, study.samples.column_names
    (tmp_path / "seed=0").mkdir()
    moved = Study.open(shutil.move(study.path, tmp_path / "seed=0" / "moved"))
    assert moved.fingerprint == fingerprint
    assert moved.samples.column_names == columns
    assert len(list(moved)) == 6


def test_a_fingerprint_tells_studies_apart(tmp_path: Path, write_study: WriteStudy) -> None:
    one = Study.open(write_study(tmp_path / "one"))
    same = Study.open(write_study(tmp_path / "same"))
    assert one.fingerprint == same.fingerprint
    for file in ("samples.parquet", "maps.parquet", "instrument.toml"):
        other = tmp_path / f"without {file}"
        shutil.copytree(one.path, other)
        with (other / file).open("ab") as stream:
            stream.write(b"\n")
        changed = Study(other, one.info, one.instrument)
        assert changed.fingerprint != one.fingerprint, file


def test_a_folder_that_is_no_study_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent"):
        with pytest.raises(StudyError, match=r"is not a study: it has no study\.toml"):
            Study.open(path)


def _damage(study: Study, file: str, content: bytes | None) -> None:
    if content is None:
        (study.path / file).unlink()
    else:
        (study.path / file).write_bytes(content)


@pytest.mark.parametrize(
    ("file", "content", "sentence"),
    [
        ("study.toml", b"=", r"study\.toml is not valid TOML"),
        ("study.toml", b"\xff", r"study\.toml cannot be read"),
        ("study.toml", b"", "has schema version None; this Beholder reads version 1"),
        ("study.toml", b"schema_version = 2", "has schema version 2; this Beholder reads version"),
        ("study.toml", b"schema_version = 1", "lacks or adds a key"),
        (
            "study.toml",
            b'schema_version = 1\nname = "a"\nsource = "b"\ncolour = "c"',
            "lacks or adds a key: .*colour",
        ),
        (
            "study.toml",
            b'schema_version = 1\nname = 3\nsource = "b"',
            "name is 3, expected a text",
        ),
        ("instrument.toml", None, r"instrument\.toml cannot be read"),
        ("instrument.toml", b"=", r"instrument\.toml does not describe an instrument"),
        ("samples.parquet", None, r"samples\.parquet cannot be read"),
        ("samples.parquet", b"", r"samples\.parquet cannot be read"),
        ("images.parquet", b"PAR1 cut short", r"images\.parquet cannot be read"),
        ("participants.parquet", b"no parquet", r"participants\.parquet cannot be read"),
    ],
)
def test_a_damaged_study_says_what_is_wrong(
    study: Study, file: str, content: bytes | None, sentence: str
) -> None:
    _damage(study, file, content)
    with pytest.raises(StudyError, match=sentence) as caught:
        Study.open(study.path)
    assert str(caught.value).startswith(str(study.path))


def _replace_column(study: Study, table: str, column: str, values: pa.Array) -> None:
    file = study.path / f"{table}.parquet"
    rows = pq.read_table(file)
    pq.write_table(rows.set_column(rows.column_names.index(column), column, values), file)


def test_a_column_of_another_type_is_named(study: Study) -> None:
    _replace_column(study, "images", "width", pa.array(["40", "50"]))
    with pytest.raises(StudyError, match=r"images\.parquet has no column width of type int32"):
        Study.open(study.path)


@pytest.mark.parametrize("column", ["image", "participant"])
def test_a_sample_that_names_what_is_not_listed_is_found(study: Study, column: str) -> None:
    _replace_column(study, "samples", column, pa.array(["nobody knows"] * 6))
    damaged = Study.open(study.path)
    with pytest.raises(StudyError, match=f"names the {column} nobody knows, which is not listed"):
        getattr(damaged, f"{column}_codes")


def test_a_survey_of_another_length_is_found(study: Study) -> None:
    items = pa.array([[1, 2], None], pa.list_(pa.int8()))
    _replace_column(study, "participants", "items", items)
    with pytest.raises(StudyError, match="a survey has not the 10 items of its instrument"):
        _ = Study.open(study.path).answers


def test_a_missing_map_is_named(study: Study) -> None:
    (study.path / "maps.parquet").unlink()
    with pytest.raises(StudyError, match=r"maps\.parquet cannot be read"):
        Study.open(study.path).gaze(2)


def test_a_map_of_another_sample_does_not_stand_in(study: Study) -> None:
    _replace_column(study, "maps", "sample", pa.array([3]))
    with pytest.raises(StudyError, match=r"maps\.parquet lacks the map of sample 2"):
        Study.open(study.path).gaze(2)


def test_the_description_of_a_study_survives_its_toml() -> None:
    odd = StudyInfo('"a"\n\\b\x7f', "c\td", language="pt-BR", skipped_rows=3)
    assert parse_study_toml(odd.toml(), "study.toml") == odd
    assert re.search(r'coordinates = "fractions of the image', odd.toml())
