"""Reading ``crossmod``: the folder that one of the authors' archives unpacks to."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.io import savemat

from beholder.errors import BeholderError, StudyError
from beholder.study import Study
from beholder.study.gaze import DenseMap
from beholder.study.readers import ReadOptions, ReadReport, read

HEADER = ",task_id,image,ad_msg,personality,mturker_id\n"
ROWS = (
    "0,11,a.png,I should buy it,[4 4 1 4 1 3 1 5 1 4],W1\n"
    "1,11,b.c.jpg,two dogs,[4 4 1 4 1 3 1 5 1 4],W1\n"
    '2,12,a.png,"a roof,\nred","[ 5  4 1 4 5\n 3 1 5 1 2]",W2\n'
)
SIZES = {"a.png": (40, 30), "b.c.jpg": (50, 20)}
MAPS = {
    name: np.random.default_rng(seed).random(shape)
    for seed, (name, shape) in enumerate(
        {"a_11": (30, 40), "b.c_11": (20, 50), "a_12": (30, 40)}.items()
    )
}

Source: TypeAlias = Callable[..., Path]


@pytest.fixture
def source(tmp_path: Path, picture: Callable[..., Path]) -> Source:
    """Make the folder, with further rows, other maps (None: no such file) or another table."""

    def make(
        rows: str = ROWS, *, header: str = HEADER, table: str = "data.csv", **maps: object
    ) -> Path:
        folder = tmp_path / "source"
        for name, size in SIZES.items():
            picture(folder / "ims" / name, *size)
        (folder / "bv").mkdir(exist_ok=True)
        (folder / table).write_text(header + rows, "utf-8")
        for name, values in ({**MAPS, **maps}).items():
            if values is not None:
                savemat(folder / "bv" / f"{name}.mat", {"hm": values})
        return folder

    return make


def _read(source: Path, options: ReadOptions) -> tuple[ReadReport, Study]:
    target = source.parent / "study"
    report = read("crossmod", source, target, options)
    return report, Study.open(target)


def _skipped(study: Study) -> list[tuple[str, str, str]]:
    with (study.path / "skipped.csv").open(newline="") as stream:
        return [(row["file"], row["row"], row["column"]) for row in csv.DictReader(stream)]


def _refusal(source: Path, options: ReadOptions) -> str:
    target = source.parent / "study"
    with pytest.raises(BeholderError) as caught:
        read("crossmod", source, target, options)
    assert not target.exists()
    assert [path for path in source.parent.iterdir() if path.name.endswith(".partial")] == []
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("table", ["data.csv", "data_ads.csv", "data_coco.csv"])
def test_a_whole_source(source: Source, options: ReadOptions, table: str) -> None:
    report, study = _read(source(table=table), options)
    assert (report.participants, report.images, report.samples) == (2, 2, 3)
    assert report.skipped_rows == 0
    assert [(s.image, s.task, s.text) for s in study] == [
        ("a.png", "11", "I should buy it"),
        ("b.c.jpg", "11", "two dogs"),
        ("a.png", "12", "a roof,\nred"),
    ]
    assert study.participant_codes.tolist() == [0, 0, 1]
    assert study.answers.tolist() == [
        [4, 4, 1, 4, 1, 3, 1, 5, 1, 4],
        [5, 4, 1, 4, 5, 3, 1, 5, 1, 2],
    ]
    assert (study.info.language, study.info.instrument) == ("en", "bfi-10")
    for number, values in enumerate(MAPS.values()):
        gaze = study.gaze(number)
        assert isinstance(gaze, DenseMap)
        assert_allclose(gaze.values, values, atol=values.max() / 65535)


def test_workers_become_pseudonyms_unless_that_is_switched_off(
    source: Source, options: ReadOptions
) -> None:
    _, study = _read(source(), options)
    names = study.participants.column("participant").to_pylist()
    assert all(name[0] == "p" and len(name) == 17 for name in names)
    for file in study.path.iterdir():
        assert file.is_dir() or b"W1" not in file.read_bytes()
    _, named = _read(source(), replace(options, pseudonymise=False, overwrite=True))
    assert named.participants.column("participant").to_pylist() == ["W1", "W2"]


def test_a_worker_with_two_tasks_is_one_participant(source: Source, options: ReadOptions) -> None:
    row = "3,13,a.png,again,[4 4 1 4 1 3 1 5 1 5],W1\n"
    report, study = _read(source(ROWS + row), options)
    assert (report.participants, report.samples) == (2, 4)
    assert "1 worker gave surveys that differ; the first one of each is kept" in report.notes
    assert study.answers[0].tolist() == [4, 4, 1, 4, 1, 3, 1, 5, 1, 4]


def test_a_sample_without_its_map_keeps_its_text(source: Source, options: ReadOptions) -> None:
    report, study = _read(source(a_11=None), options)
    assert study.gaze_forms == [None, "map", "map"]
    assert "1 of 3 samples have no attention map in bv/" in report.notes
    gaze = study.gaze(2)
    assert isinstance(gaze, DenseMap)
    assert_allclose(gaze.values, MAPS["a_12"], atol=1e-4)


def test_a_sample_without_a_text_keeps_its_map(source: Source, options: ReadOptions) -> None:
    report, study = _read(source(ROWS.replace("two dogs", " ")), options)
    assert study.texts == ["I should buy it", None, "a roof,\nred"]
    assert study.gaze_forms == ["map"] * 3
    assert report.skipped_rows == 0


@pytest.mark.parametrize("skip_bad", [False, True])
def test_a_sample_of_nothing_is_left_out_and_listed(
    source: Source, options: ReadOptions, skip_bad: bool
) -> None:
    folder = source(ROWS.replace("two dogs", ""), **{"b.c_11": None})
    report, study = _read(folder, replace(options, skip_bad=skip_bad))
    assert (report.samples, report.skipped_rows, study.info.skipped_rows) == (2, 1, 1)
    assert _skipped(study) == [("data.csv", "3", "ad_msg")]
    gaze = study.gaze(1)
    assert isinstance(gaze, DenseMap)
    assert_allclose(gaze.values, MAPS["a_12"], atol=1e-4)


def test_a_worker_without_a_survey(source: Source, options: ReadOptions) -> None:
    _, study = _read(source(ROWS + "3,13,a.png,x,,W3\n"), options)
    assert study.has("personality").tolist() == [True, True, True, False]


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ("[4 4 1 4 1 3 1 5 1 6]", "expected 10 whole numbers from 1 to 5 in brackets"),
        ("[0 4 1 4 1 3 1 5 1 4]", "expected 10 whole numbers from 1 to 5 in brackets"),
        ("[4 4 1 4 1 3 1 5 1]", "expected 10 whole numbers from 1 to 5 in brackets"),
        ("[4 4 1 4 1 3 1 5 1 4 4]", "expected 10 whole numbers from 1 to 5 in brackets"),
        ("[4 4 1 4 1 3 1 5 1 2.5]", "expected 10 whole numbers from 1 to 5 in brackets"),
        ("[4 4 1 4 1 3 1 5 1 -4]", "expected 10 whole numbers from 1 to 5 in brackets"),
        ("[4 4 1 4 1 3 1 5 1 nan]", "found '[4 4 1 4 1 3 1 5 1 nan]', expected 10 whole"),
        ("4 4 1 4 1 3 1 5 1 4", "expected 10 whole numbers from 1 to 5 in brackets"),
    ],
)
def test_a_bad_survey(source: Source, options: ReadOptions, answers: str, sentence: str) -> None:
    folder = source(f"{ROWS}3,13,a.png,x,{answers},W3\n")
    refusal = _refusal(folder, options)
    assert refusal.startswith("data.csv, row 5, column personality: found ")
    assert sentence in refusal
    report, study = _read(folder, replace(options, skip_bad=True))
    assert _skipped(study) == [("data.csv", "5", "personality")]
    assert (report.samples, report.skipped_rows) == (3, 1)


@pytest.mark.parametrize("answers", ["[4. 4. 1. 4. 1. 3. 1. 5. 1. 4.]", "[4, 4,1,4,1,3,1,5,1,4]"])
def test_other_ways_of_writing_the_answers(
    source: Source, options: ReadOptions, answers: str
) -> None:
    _, study = _read(source(f'3,13,a.png,x,"{answers}",W3\n'), options)
    assert study.answers.tolist() == [[4, 4, 1, 4, 1, 3, 1, 5, 1, 4]]


@pytest.mark.parametrize(
    ("row", "column", "sentence"),
    [
        ("3,,a.png,x,,W3", "task_id", "found nothing, expected a value of task_id"),
        ("3,13, ,x,,W3", "image", "found ' ', expected a value of image"),
        ("3,13,a.png,x,,", "mturker_id", "found nothing, expected a value of mturker_id"),
        ("3,../13,a.png,x,,W3", "task_id", "expected a task_id that can be part of a file's name"),
        ("3,x/13,a.png,x,,W3", "task_id", "expected a task_id that can be part of a file's name"),
        ("3,11,a.png,x,,W3", "image", "expected one row for each task_id and image"),
        ("3,13,c.png,x,,W3", "image", "found 'c.png', expected an image that can be read (image "),
        ("3,13,../a.png,x,,W3", "image", "expected the name of a file inside ims/"),
        ("3,13,/a.png,x,,W3", "image", "expected the name of a file inside ims/"),
        ("3,13,a.png,x", "no. 1", "found '3,13,a.png,x', expected 6 cells, not 4"),
    ],
)
def test_a_bad_row(
    source: Source, options: ReadOptions, row: str, column: str, sentence: str
) -> None:
    folder = source(f"{ROWS}{row}\n3,14,a.png,last,,W4\n")
    refusal = _refusal(folder, options)
    assert refusal.startswith(f"data.csv, row 5, column {column}: found ")
    assert sentence in refusal
    report, study = _read(folder, replace(options, skip_bad=True))
    assert _skipped(study) == [("data.csv", "5", column)]
    assert (report.samples, report.skipped_rows) == (4, 1)
    assert study.texts[-1] == "last"


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            np.ones((30, 41)),
            "expected hm of the size of its image, 30×40, not 30×41 in bv/a_11.mat",
        ),
        (np.ones((40, 30)), "expected hm of the size of its image, 30×40, not 40×30"),
        (np.ones((30, 40, 3)), "expected hm of the size of its image, 30×40, not 30×40×3"),
        (np.full((30, 40), np.nan), "expected hm without NaN, infinite or negative values"),
        (np.full((30, 40), -1.0), "expected hm without NaN, infinite or negative values"),
        ("a text", "expected a numeric array under the key hm in bv/a_11.mat"),
    ],
)
def test_a_bad_map(source: Source, options: ReadOptions, values: object, sentence: str) -> None:
    _check_bad_map(source(a_11=values), options, sentence)


@pytest.mark.parametrize("content", ["truncated", "empty", "text", "no hm"])
def test_a_damaged_map(source: Source, options: ReadOptions, content: str) -> None:
    folder = source()
    file = folder / "bv" / "a_11.mat"
    sentence = "expected a MATLAB 5 file that can be read ("
    if content == "no hm":
        savemat(file, {"map": MAPS["a_11"]})
        sentence = "expected a numeric array under the key hm"
    else:
        whole = file.read_bytes()
        damaged = {"truncated": whole[:-5000], "empty": b"", "text": b"row,column\n" * 40}
        file.write_bytes(damaged[content])
    _check_bad_map(folder, options, sentence)


def _check_bad_map(folder: Path, options: ReadOptions, sentence: str) -> None:
    refusal = _refusal(folder, options)
    assert refusal.startswith("data.csv, row 2, column image: found 'a.png', expected ")
    assert sentence in refusal
    assert "bv/a_11.mat" in refusal
    report, study = _read(folder, replace(options, skip_bad=True))
    assert _skipped(study) == [("data.csv", "2", "image")]
    assert (report.samples, report.skipped_rows) == (2, 1)
    gaze = study.gaze(0)
    assert isinstance(gaze, DenseMap)
    assert_allclose(gaze.values, MAPS["b.c_11"], atol=1e-4)


@pytest.mark.parametrize("skip_bad", [False, True])
@pytest.mark.parametrize(
    ("header", "rows", "sentence"),
    [
        ("", "", "data.csv is empty, expected a header and rows"),
        (HEADER, "", "data.csv has no good row: there is nothing to study"),
        (
            HEADER.replace("ad_msg", "msg"),
            ROWS,
            "data.csv has no column ad_msg; it has no. 1",
        ),
        (HEADER, '0,11,a.png,"x\n' + ROWS, "data.csv, row 2: a cell that starts with a quotation"),
    ],
)
def test_a_table_that_cannot_be_used_at_all(
    source: Source, options: ReadOptions, header: str, rows: str, sentence: str, skip_bad: bool
) -> None:
    assert sentence in _refusal(source(rows, header=header), replace(options, skip_bad=skip_bad))


def test_a_folder_without_a_table(tmp_path: Path, options: ReadOptions) -> None:
    for path in (tmp_path, tmp_path / "absent"):
        with pytest.raises(StudyError, match=r"holds none of data\.csv, data_ads\.csv, data_coco"):
            read("crossmod", path, tmp_path / "study", options)


@pytest.mark.parametrize(
    ("imagination", "verdict"),
    [((5, 3, 1), "-1.00, as the reversed wording"), ((1, 3, 5), "1.00, but the reversed wording")],
)
def test_the_report_tells_how_the_item_of_assumed_wording_correlates(
    source: Source, options: ReadOptions, imagination: tuple[int, ...], verdict: str
) -> None:
    rows = "".join(
        f"{n},{n},a.png,x,[4 4 1 4 {artistic} 3 1 5 1 {imaginative}],W{n}\n"
        for n, (artistic, imaginative) in enumerate(zip((1, 3, 5), imagination, strict=True))
    )
    report, _ = _read(source(rows), options)
    (note,) = [note for note in report.notes if note.startswith("items 5 and 10")]
    assert verdict in note
