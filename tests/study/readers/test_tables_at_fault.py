"""Reading ``tables``: bad rows named, or skipped and listed; what cannot be read refused."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from made_tables import (
    AREAS,
    FIXATIONS,
    PARTICIPANTS,
    SAMPLES,
    Source,
    make_source,
    read_source,
    refusal_of,
    skipped_in,
)
from small_study import make_picture

from beholder.errors import ConfigurationError, StudyError
from beholder.study.gaze import Points
from beholder.study.readers import Mapping, ReadOptions, read


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return partial(make_source, tmp_path / "source")


def _points_row(*, participant: str = "p1", image: str = "a.png", **cells: str) -> str:
    row = {"x": "1", "y": "1", "t": "0", "duration": "1"} | cells
    return ",".join([participant, image, *row.values()])


BAD_POINTS = [
    (_points_row(x="nan"), "x", "found 'nan', expected a pixel inside the image, 0 to 40"),
    (_points_row(x="inf"), "x", "found 'inf', expected a pixel inside the image, 0 to 40"),
    (_points_row(x="1e999"), "x", "found '1e999', expected a pixel inside the image, 0 to 40"),
    (_points_row(x="left"), "x", "found 'left', expected a pixel inside the image, 0 to 40"),
    (_points_row(x=""), "x", "found nothing, expected a pixel inside the image, 0 to 40"),
    (_points_row(x="40.1"), "x", "found '40.1', expected a pixel inside the image, 0 to 40"),
    (_points_row(x="-0.1"), "x", "found '-0.1', expected a pixel inside the image, 0 to 40"),
    (_points_row(y="30.5"), "y", "found '30.5', expected a pixel inside the image, 0 to 30"),
    (_points_row(y="NaN"), "y", "found 'NaN', expected a pixel inside the image, 0 to 30"),
    (_points_row(t="soon"), "t", "found 'soon', expected a time in s"),
    (_points_row(t="1e999"), "t", "found '1e999', expected a time in s"),
    (_points_row(duration="-1"), "duration", "found '-1', expected a duration of 0 or more in s"),
    (_points_row(duration=""), "duration", "found nothing, expected a duration of 0 or more in s"),
    (_points_row(participant=""), "participant", "expected the participant's name"),
    (_points_row(image=" "), "image", "found ' ', expected the image's name"),
    (_points_row(image="c.png"), "image", "expected an image that can be read (image "),
    (_points_row(image="../a.png"), "image", "expected the name of a file inside images/"),
    (_points_row(image="/etc/a.png"), "image", "expected the name of a file inside images/"),
    ("p1,a.png,1", "participant", "found 'p1,a.png,1', expected 6 cells, not 3"),
]


@pytest.mark.parametrize(("row", "column", "sentence"), BAD_POINTS)
def test_a_bad_fixation(
    source: Source, options: ReadOptions, row: str, column: str, sentence: str
) -> None:
    folder = source(samples=SAMPLES, fixations=FIXATIONS + f"{row}\np2,b.png,50,20,0,0\n")
    refusal = refusal_of(folder, options)
    assert refusal.startswith(f"fixations.csv, row 6, column {column}: found ")
    assert sentence in refusal
    assert refusal.endswith("; --skip-bad keeps the good rows")
    report, study = read_source(folder, replace(options, skip_bad=True))
    assert skipped_in(study) == [("fixations.csv", "6", column)]
    assert (report.skipped_rows, study.info.skipped_rows, report.samples) == (1, 1, 4)
    assert sum(len(s.gaze) for s in study if isinstance(s.gaze, Points)) == 5


BAD_AREAS = [
    ("p1,a.png,x,tree,0,0,1,1", "fixation", "expected the fixation's number in its sample"),
    ("p1,a.png,-1,tree,0,0,1,1", "fixation", "expected the fixation's number in its sample"),
    ("p1,a.png,1.5,tree,0,0,1,1", "fixation", "expected the fixation's number in its sample"),
    ("p1,a.png,1e30,tree,0,0,1,1", "fixation", "expected the fixation's number in its sample"),
    ("p1,a.png,1,,0,0,1,1", "aoi_label", "expected an area's label and box, or none of them"),
    ("p1,a.png,1,tree,0,0,,1", "aoi_width", "expected an area's label and box, or none of them"),
    ("p1,a.png,1,tree,x,0,1,1", "aoi_x", "found 'x', expected an area inside the image"),
    ("p1,a.png,1,tree,-2,0,1,1", "aoi_x", "found '-2', expected an area inside the image"),
    ("p1,a.png,1,tree,0,0,42,1", "aoi_width", "found '42', expected an area inside the image"),
    ("p1,a.png,1,tree,0,0,1,0", "aoi_height", "found '0', expected an area inside the image"),
    ("p1,a.png,1,tree,0,5,1,nan", "aoi_height", "found 'nan', expected an area inside the image"),
]


@pytest.mark.parametrize(("row", "column", "sentence"), BAD_AREAS)
def test_a_bad_area(
    source: Source, options: ReadOptions, row: str, column: str, sentence: str
) -> None:
    folder = source(samples=SAMPLES, fixations=f"{AREAS}{row}\np2,b.png,1,x,-1,-1,52,22\n")
    refusal = refusal_of(folder, options)
    assert refusal.startswith(f"fixations.csv, row 6, column {column}: found ")
    assert sentence in refusal
    report, study = read_source(folder, replace(options, skip_bad=True))
    assert skipped_in(study) == [("fixations.csv", "6", column)]
    assert (report.skipped_rows, report.samples) == (1, 4)


BAD_SAMPLES = [
    ("p1,a.png,again", "image", "expected one row for each participant, image and task"),
    (",a.png,x", "participant", "expected the participant's name"),
    ("p1,,x", "image", "expected the image's name"),
    ("p3,c.png,x", "image", "an image that can be read (image "),
    ("p3,../images/a.png,x", "image", "expected the name of a file inside images/"),
    ("p3,a.png,x,y", "participant", "expected 3 cells, not 4"),
]


@pytest.mark.parametrize(("row", "column", "sentence"), BAD_SAMPLES)
def test_a_bad_sample(
    source: Source, options: ReadOptions, row: str, column: str, sentence: str
) -> None:
    folder = source(samples=f"{SAMPLES}{row}\np4,b.png,last\n")
    refusal = refusal_of(folder, options)
    assert refusal.startswith(f"samples.csv, row 5, column {column}: found ")
    assert sentence in refusal
    report, study = read_source(folder, replace(options, skip_bad=True))
    assert skipped_in(study) == [("samples.csv", "5", column)]
    assert (report.skipped_rows, report.samples) == (1, 4)
    assert study.texts == ["a red house", "two dogs", "a roof", "last"]


BAD_SURVEYS = [
    ("p3,4,4,1,4,1,3,1,5,1,6", "item_10", "found '6', expected a whole number from 1 to 5"),
    ("p3,0,4,1,4,1,3,1,5,1,4", "item_1", "found '0', expected a whole number from 1 to 5"),
    ("p3,4,2.5,1,4,1,3,1,5,1,4", "item_2", "found '2.5', expected a whole number from 1 to 5"),
    ("p3,4,4,1,4,1,3,1,5,1,", "item_10", "found nothing, expected a whole number from 1 to 5"),
    ("p3,4,4,nan,4,x,3,1,5,1,9", "item_3", "found 'nan', expected a whole number from 1 to 5"),
    ("p1,4,4,1,4,1,3,1,5,1,4", "participant", "expected one row for each participant"),
    (",4,4,1,4,1,3,1,5,1,4", "participant", "expected the participant's name"),
]


@pytest.mark.parametrize(("row", "column", "sentence"), BAD_SURVEYS)
def test_a_bad_survey(
    source: Source, options: ReadOptions, row: str, column: str, sentence: str
) -> None:
    folder = source(samples=SAMPLES, participants=f"{PARTICIPANTS}{row}\n")
    refusal = refusal_of(folder, options)
    assert refusal.startswith(f"participants.csv, row 4, column {column}: found ")
    assert sentence in refusal
    report, study = read_source(folder, replace(options, skip_bad=True))
    assert skipped_in(study) == [("participants.csv", "4", column)]
    assert (report.skipped_rows, report.participants) == (1, 2)


def test_many_bad_rows_are_counted_and_each_is_listed_once(
    source: Source, options: ReadOptions
) -> None:
    bad = "p1,a.png,99,99,x,x\np1,a.png,1,99,0,0\np1,b.png,1,1,x,0\n"
    folder = source(samples=SAMPLES + "p1,a.png,again\n", fixations=FIXATIONS + bad)
    report, study = read_source(folder, replace(options, skip_bad=True))
    assert sorted(skipped_in(study)) == [
        ("fixations.csv", "6", "x"),
        ("fixations.csv", "7", "y"),
        ("fixations.csv", "8", "t"),
        ("samples.csv", "5", "image"),
    ]
    assert report.skipped_rows == study.info.skipped_rows == 4
    assert report.notes[-1].startswith("4 rows left out, listed in skipped.csv; the first: samples")


BAD_FILES = [
    ({"samples": ""}, "samples.csv is empty, expected a header and rows"),
    ({"samples": "participant,image,text\n"}, "no sample has a text or a gaze"),
    ({"samples": "participant,image\np1,a.png\n"}, "samples.csv has no column text; it has part"),
    ({"samples": "a,a,text\n"}, "samples.csv has two columns called a"),
    (
        {"samples": SAMPLES, "fixations": "participant,image,x,y\np1,a.png,0.5,1\np1,b.png,0,1\n"},
        "fixations.csv: no x or y is above 1, expected pixels of the image; of fractions a mapping",
    ),
    (
        {"fixations": "\n".join([AREAS.partition("\n")[0], "p1,a.png,1,tree,0.5,0,0.25,1\n"])},
        "no aoi_x or aoi_y or aoi_width or aoi_height is above 1, expected pixels",
    ),
    ({"samples": SAMPLES.encode() + b"p2,b.png,caf\xe9\n"}, "samples.csv, row 5: byte 0xe9 is not"),
    ({"fixations": "participant,image,x\np1,a.png,1\n"}, "neither x and y nor fixation, aoi_label"),
    ({"fixations": "participant,x,y\np1,1,1\n"}, "fixations.csv has no column image"),
    (
        {"samples": SAMPLES, "participants": "id\np1\n"},
        "participants.csv has no column participant",
    ),
    (
        {"samples": SAMPLES, "participants": "participant,item_1,item_2\np1,3,3\n"},
        "participants.csv has 2 item columns, but bfi-10 has 10 items",
    ),
    (
        {"samples": SAMPLES, "participants": PARTICIPANTS.replace("item_10", "item_11")},
        "item_9, item_11, expected item_1 … item_10",
    ),
    ({}, "holds neither samples nor fixations (.csv, .tsv or .parquet)"),
]


@pytest.mark.parametrize("skip_bad", [False, True])
@pytest.mark.parametrize(("tables", "sentence"), BAD_FILES)
def test_a_file_that_cannot_be_used_at_all(
    source: Source,
    options: ReadOptions,
    tables: dict[str, str | bytes],
    sentence: str,
    skip_bad: bool,
) -> None:
    assert sentence in refusal_of(source(**tables), replace(options, skip_bad=skip_bad))


def test_mapped_names_that_are_absent_are_refused(source: Source, options: ReadOptions) -> None:
    folder = source(samples=SAMPLES, fixations=FIXATIONS, participants=PARTICIPANTS)
    mapping = Mapping(fixations="gaze.csv")
    refusal = refusal_of(folder, replace(options, mapping=mapping))
    assert refusal.endswith("source has no file gaze.csv, which the mapping names for fixations")
    mapping = Mapping(columns={"samples": {"text": "caption"}})
    assert "samples.csv has no column caption, which the mapping names for text" in refusal_of(
        folder, replace(options, mapping=mapping)
    )
    mapping = Mapping(items=tuple(f"bfi_{number}" for number in range(10)))
    assert "participants.csv has no column bfi_0, which the mapping names" in refusal_of(
        folder, replace(options, mapping=mapping)
    )


def test_coordinates_as_fractions_lie_between_0_and_1(source: Source, options: ReadOptions) -> None:
    fixations = "participant,image,x,y\np1,a.png,0.5,1\np1,a.png,1.5,0\n"
    options = replace(options, mapping=Mapping(coordinates="fractions"))
    assert "row 3, column x: found '1.5', expected a fraction inside the image" in refusal_of(
        source(fixations=fixations), options
    )


@pytest.mark.parametrize("damage", ["truncated", "text", "empty"])
def test_a_damaged_image(source: Source, options: ReadOptions, damage: str) -> None:
    folder = source(samples=SAMPLES, fixations=FIXATIONS)
    file = folder / "images" / "b.png"
    whole = file.read_bytes()
    file.write_bytes({"truncated": whole[:-60], "text": b"no image", "empty": b""}[damage])
    refusal = refusal_of(folder, options)
    assert refusal.startswith("samples.csv, row 3, column image: found 'b.png', expected an image")
    assert "b.png cannot be decoded" in refusal
    report, study = read_source(folder, replace(options, skip_bad=True))
    assert report.images == 1
    assert skipped_in(study) == [("samples.csv", "3", "image"), ("fixations.csv", "4", "image")]
    assert [path.name for path in (study.path / "images").iterdir()] == ["a.png"]


@pytest.mark.parametrize(
    ("name", "file", "hint"),
    [
        ("c", "c.png", "; there is 'c.png')"),
        ("c.png", "C.PNG", "; there is 'C.PNG')"),
        ("ü.png", "u\u0308.png", "; there is 'u\u0308.png', whose accents are encoded otherwise)"),
        ("d.png", "c.png", "d.png is missing)"),
    ],
)
def test_a_file_that_was_perhaps_meant_is_named(
    source: Source, options: ReadOptions, name: str, file: str, hint: str
) -> None:
    folder = source(samples=f"{SAMPLES}p3,{name},x\n")
    make_picture(folder / "images" / file)
    assert hint in refusal_of(folder, options)


@pytest.mark.parametrize("file", ["Samples.csv", "samples.CSV", "samples.xlsx", "samples.txt"])
def test_a_table_of_another_kind_is_not_overlooked(
    source: Source, options: ReadOptions, file: str
) -> None:
    folder = source(fixations=FIXATIONS)
    (folder / file).write_text(SAMPLES)
    assert refusal_of(folder, options).endswith(
        f"source holds {file}, expected samples.csv, samples.tsv or samples.parquet"
    )


def test_nothing_good_is_left(source: Source, options: ReadOptions) -> None:
    folder = source(samples="participant,image,text\np1,c.png,x\n")
    assert "no sample has a text or a gaze: there is nothing to study" in refusal_of(
        folder, replace(options, skip_bad=True)
    )


def test_a_source_that_is_no_folder(source: Source, options: ReadOptions, tmp_path: Path) -> None:
    for path in (tmp_path / "absent", source(samples=SAMPLES) / "samples.csv"):
        with pytest.raises(StudyError, match="is not a folder; tables are read from a folder"):
            read("tables", path, tmp_path / "study", options)


def test_a_target_that_cannot_be_written(
    source: Source, options: ReadOptions, tmp_path: Path
) -> None:
    folder = source(samples=SAMPLES)
    with pytest.raises(StudyError, match=r"samples\.csv/study was not written: it is no folder"):
        read("tables", folder, folder / "samples.csv" / "study", options)
    (tmp_path / "study").mkdir()
    with pytest.raises(StudyError, match="study exists already; choose another folder"):
        read("tables", folder, tmp_path / "study", options)


def test_an_unknown_format_and_an_unknown_instrument(
    source: Source, options: ReadOptions, tmp_path: Path
) -> None:
    folder = source(samples=SAMPLES)
    with pytest.raises(ConfigurationError, match="unknown format 'xls', expected one of tables, c"):
        read("xls", folder, tmp_path / "study", options)
    with pytest.raises(ConfigurationError, match="instrument 'mbti' is neither a file nor one of"):
        read("tables", folder, tmp_path / "study", replace(options, instrument="mbti"))
