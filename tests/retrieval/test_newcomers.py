"""Samples of a new person are read from what researchers have, and each fault is named."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from beholder.errors import StudyError
from beholder.retrieval.newcomers import NewSample, read_newcomer
from beholder.study import Areas, Points, Study
from beholder.study.survey import instrument_toml

GAZE = {"x": [0.5, 0.25], "y": [0.125, 1.0], "time": [0.0, 0.2]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two files of gaze."""
    (tmp_path / "gaze").mkdir()
    (tmp_path / "gaze" / "1.csv").write_text("x,y,time\n0.5,0.125,0\n0.25,1,0.2\n")
    (tmp_path / "gaze" / "2.json").write_text(json.dumps(GAZE))
    return tmp_path


def written(folder: Path, name: str, *lines: str) -> Path:
    file = folder / name
    file.write_text("\n".join(lines) + "\n", "utf-8")
    return file


def facts(sample: NewSample) -> tuple[object, ...]:
    """Return what two samples share that were read from files of another form."""
    gaze = None
    if isinstance(sample.gaze, Points):
        gaze = [None if one is None else list(one) for one in vars(sample.gaze).values()]
    return sample.image, sample.text, sample.task, gaze, sample.file


def test_all_forms_say_the_same(folder: Path) -> None:
    rows = [
        {"image": "a.jpg", "text": "een hond", "gaze": "gaze/1.csv", "task": "look"},
        {"image": "b.jpg", "text": "twee, of drie", "gaze": None, "task": None},
        {"image": "a.jpg", "text": None, "gaze": "gaze/2.json", "task": None},
    ]
    table = written(
        folder,
        "s.csv",
        "image,text,gaze,task",
        "a.jpg, een hond ,gaze/1.csv,look",
        'b.jpg,"twee, of drie",,',
        "",
        "a.jpg,,gaze/2.json,",
    )
    tabbed = written(
        folder,
        "s.tsv",
        "task\tgaze\ttext\timage",
        "look\tgaze/1.csv\teen hond\ta.jpg",
        "\t\ttwee, of drie\tb.jpg",
        "\tgaze/2.json\t\ta.jpg",
    )
    pq.write_table(pa.Table.from_pylist(rows), folder / "s.parquet")
    inline = [rows[0] | {"gaze": GAZE}, rows[1], {"image": "a.jpg", "gaze": GAZE}]
    lines = written(folder, "s.jsonl", *map(json.dumps, inline))
    read = [
        read_newcomer(file, "she").samples for file in (table, tabbed, folder / "s.parquet", lines)
    ]
    expected = [facts(sample) for sample in read[0]]
    assert expected[0] == (
        "a.jpg",
        "een hond",
        "look",
        [GAZE["x"], GAZE["y"], GAZE["time"], None],
        folder / "a.jpg",
    )
    assert expected[1] == ("b.jpg", "twee, of drie", None, None, folder / "b.jpg")
    for other in read[1:]:
        assert [facts(sample) for sample in other] == expected
    assert [sample.where for sample in read[0]] == [
        *("s.csv, row 2", "s.csv, row 3"),
        "s.csv, row 5",
    ]


def test_images_lie_in_the_folder_that_is_named(folder: Path) -> None:
    file = written(folder, "s.csv", "image,text", "sub/a.jpg,een hond")
    (sample,) = read_newcomer(file, "she", folder / "photos").samples
    assert sample.file == folder / "photos" / "sub" / "a.jpg"


def test_areas_may_stand_in_json_lines(folder: Path) -> None:
    gaze = {
        "form": "areas",
        "fixations": 2,
        "fixation": [1],
        "label": ["dog"],
        "box": [[0, 0, 1, 1]],
    }
    file = written(folder, "s.jsonl", json.dumps({"image": "a", "gaze": gaze}))
    (sample,) = read_newcomer(file, "she").samples
    assert isinstance(sample.gaze, Areas)
    assert sample.gaze.label == ("dog",)


def test_only_the_persons_own_samples_count_and_unused_columns_are_said(folder: Path) -> None:
    file = written(
        folder, "s.csv", "participant,image,text,age", "she,a,one,4", "he,b,two,5", "she,c,three,4"
    )
    found = read_newcomer(file, "she")
    assert [sample.image for sample in found.samples] == ["a", "c"]
    assert found.notes == ("s.csv: columns not used: age",)
    with pytest.raises(StudyError, match=r"s.csv has no sample of it, only of he, she$"):
        read_newcomer(file, "it")
    lines = written(folder, "s.jsonl", '{"image": "a", "text": "b", "x": 1}')
    assert read_newcomer(lines, "she").notes == ("s.jsonl: columns not used: x",)


def test_a_study_gives_samples_images_and_survey(tiny_study: Study) -> None:
    found = read_newcomer(tiny_study.path, "p004")
    own = [sample for sample in tiny_study if sample.participant == "p004"]
    assert len(found.samples) == len(own) == 16
    for sample, expected in zip(found.samples, own, strict=True):
        assert (sample.image, sample.text, sample.task) == (
            expected.image,
            expected.text,
            expected.task,
        )
        np.testing.assert_array_equal(sample.gaze.x, expected.gaze.x)
        assert sample.file is not None
        assert sample.file.name == expected.image.rpartition("/")[2]
        assert sample.file.is_file()
    names = tiny_study.participants.column("participant").to_pylist()
    assert found.answers == tuple(tiny_study.answers[names.index("p004")])
    assert found.instrument == instrument_toml(tiny_study.instrument)
    with pytest.raises(StudyError, match="has no participant nobody, only p001, p002, p003"):
        read_newcomer(tiny_study.path, "nobody")


FAULTS = {
    "has columns image, words, expected image, and text or gaze or both": (
        "s.csv",
        "image,words\na,b",
    ),
    "has columns text, gaze, expected image": ("s.csv", "text,gaze\na,b"),
    "has columns image.text, expected image": ("s.csv", "image|text\na|b"),
    "s.csv is empty": ("s.csv", ""),
    "s.csv has no sample of she$": ("s.csv", "image,text\n"),
    "s.csv, row 3, column image: found 'b', expected 2 cells, not 1": (
        "s.csv",
        "image,text\na,b\nb",
    ),
    "s.csv, row 3, column image: found nothing, expected the name of an image": (
        "s.csv",
        "image,text\na,b\n,c",
    ),
    r"row 2, column image: found '../a', expected the name of an image": (
        "s.csv",
        "image,text\n../a,b",
    ),
    "row 2, column gaze: found 'no.csv', expected a file of a gaze in": (
        "s.csv",
        "image,gaze\na,no.csv",
    ),
    "s.csv, row 3, column gaze: .*bad.csv, row 2, column y: 'b' is no number": (
        "s.csv",
        "image,gaze\na,gaze/1.csv\nb,bad.csv",
    ),
    "does not end with one": ("s.csv", 'image,text\na,"b'),
    "s.jsonl, row 2: expected a JSON object": ("s.jsonl", '{"image": "a", "text": "b"}\n[1]'),
    "s.jsonl, row 1, column text: found '5', expected a text": (
        "s.jsonl",
        '{"image": "a", "text": 5}',
    ),
    "row 1, column image: found nothing": ("s.jsonl", '{"text": "b"}'),
    "s.jsonl, row 1, column gaze: x and y are fractions": (
        "s.jsonl",
        '{"image": "a", "gaze": {"x": [9], "y": [0]}}',
    ),
    "row 1, column gaze: found '5', expected a text": ("s.jsonl", '{"image": "a", "gaze": 5}'),
    "column participant: found '5', expected a text": (
        "s.jsonl",
        '{"participant": 5, "image": "a", "text": "b"}',
    ),
    "s.txt ends in none of .csv, .tsv, .parquet and .jsonl": ("s.txt", "image,text\na,b"),
    "byte 0xff is not UTF-8": ("s.csv", b"image,text\na,\xff"),
    "which byte 0xff is not": ("s.jsonl", b'{"image": "\xff"}'),
}


@pytest.mark.parametrize(("sentence", "source"), FAULTS.items())
def test_a_fault_is_one_sentence(folder: Path, sentence: str, source: tuple[str, str]) -> None:
    (folder / "bad.csv").write_text("x,y\n0.5,b\n")
    name, text = source
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(StudyError, match=sentence) as caught:
        read_newcomer(folder / name, "she")
    assert "--skip-bad" not in str(caught.value)


def test_a_source_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"is a folder without study\.toml, expected a study"):
        read_newcomer(tmp_path, "she")
    with pytest.raises(StudyError, match="is missing, expected a file of samples"):
        read_newcomer(tmp_path / "no.csv", "she")
