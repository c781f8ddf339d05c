"""Reading ``tables``: good sources whole, bad rows named or skipped and listed."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from numpy.testing import assert_allclose

from beholder.errors import BeholderError, ConfigurationError, StudyError
from beholder.study import Study
from beholder.study.gaze import Areas, Points
from beholder.study.readers import Mapping, ReadOptions, ReadReport, load_mapping, read

SAMPLES = """participant,image,text
p1,a.png,a red house
p1,b.png,two dogs
p2,a.png,a roof
"""
FIXATIONS = """participant,image,x,y,t,duration
p1,a.png,10,15,0.5,0.2
p1,a.png,20,30,0.25,0.1
p1,b.png,0,0,7,0.3
p2,a.png,40,7.5,1,0.4
"""
AREAS = """participant,image,fixation,aoi_label,aoi_x,aoi_y,aoi_width,aoi_height
p1,a.png,1,house,0,0,20,30
p1,a.png,1,door,10,15,4,6
p1,a.png,2,,,,,
p1,a.png,7,tree,20,0,20,30
"""
ITEMS = ",".join(f"item_{number}" for number in range(1, 11))
PARTICIPANTS = f"participant,{ITEMS}\np1,4,4,1,4,1,3,1,5,1,4\np2,,,,,,,,,,\n"

Source: TypeAlias = Callable[..., Path]


@pytest.fixture
def source(tmp_path: Path, picture: Callable[..., Path]) -> Source:
    """Make a source folder of two images, 40 by 30 and 50 by 20, and of the given tables."""

    def make(**tables: str | bytes) -> Path:
        folder = tmp_path / "source"
        picture(folder / "images" / "a.png", 40, 30)
        picture(folder / "images" / "b.png", 50, 20)
        for name, content in tables.items():
            data = content if isinstance(content, bytes) else content.encode()
            (folder / f"{name}.csv").write_bytes(data)
        return folder

    return make


def _read(source: Path, options: ReadOptions) -> tuple[ReadReport, Study]:
    target = source.parent / "study"
    report = read("tables", source, target, options)
    return report, Study.open(target)


def _skipped(study: Study) -> list[tuple[str, str, str]]:
    """Each skipped row's file, row and column."""
    if not (study.path / "skipped.csv").exists():
        return []
    with (study.path / "skipped.csv").open(newline="") as stream:
        return [(row["file"], row["row"], row["column"]) for row in csv.DictReader(stream)]


def _refusal(source: Path, options: ReadOptions) -> str:
    """The sentence with which a strict reading ends, having written nothing."""
    target = source.parent / "study"
    with pytest.raises(BeholderError) as caught:
        read("tables", source, target, options)
    assert not target.exists()
    assert [path for path in source.parent.iterdir() if path.name.endswith(".partial")] == []
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_whole_source(source: Source, options: ReadOptions) -> None:
    folder = source(samples=SAMPLES, fixations=FIXATIONS, participants=PARTICIPANTS)
    report, study = _read(folder, replace(options, language="en", licence="CC0-1.0"))
    assert (report.participants, report.images, report.samples) == (2, 2, 3)
    assert report.skipped_rows == 0
    assert [note.partition(":")[0] for note in report.notes] == ["bfi-10"]
    assert (study.info.name, study.info.source, study.info.language) == ("study", "tables", "en")
    assert [(s.participant, s.image, s.text) for s in study] == [
        ("p1", "a.png", "a red house"),
        ("p1", "b.png", "two dogs"),
        ("p2", "a.png", "a roof"),
    ]
    assert study.participants.to_pylist() == [
        {"participant": "p1", "items": [4, 4, 1, 4, 1, 3, 1, 5, 1, 4]},
        {"participant": "p2", "items": None},
    ]
    assert not (study.path / "skipped.csv").exists()


def test_points_become_fractions_in_the_order_of_time(source: Source, options: ReadOptions) -> None:
    _, study = _read(source(samples=SAMPLES, fixations=FIXATIONS), options)
    gaze = study.gaze(0)
    assert isinstance(gaze, Points)
    assert_allclose(gaze.x, [0.5, 0.25])
    assert_allclose(gaze.y, [1.0, 0.5])
    assert gaze.time is not None
    assert gaze.duration is not None
    assert_allclose(gaze.time, [0.0, 0.25])
    assert_allclose(gaze.duration, [0.1, 0.2])


def test_areas_become_fractions_and_fixations_are_renumbered(
    source: Source, options: ReadOptions
) -> None:
    roof = "p2,a.png,5,roof,0,0,20,30\n"
    report, study = _read(source(samples=SAMPLES, fixations=AREAS + roof), options)
    second = study.gaze(2)
    assert isinstance(second, Areas)
    assert (second.fixations, second.fixation.tolist(), second.label) == (1, [0], ("roof",))
    gaze = study.gaze(0)
    assert isinstance(gaze, Areas)
    assert gaze.fixations == 3
    assert gaze.fixation.tolist() == [0, 0, 2]
    assert gaze.label == ("house", "door", "tree")
    assert_allclose(gaze.box, [[0, 0, 0.5, 1], [0.25, 0.5, 0.1, 0.2], [0.5, 0, 0.5, 1]])
    assert study.gaze_forms == ["areas", None, "areas"]
    assert "1 of 3 samples have no gaze" in report.notes


def test_only_fixations_or_only_texts_are_enough(source: Source, options: ReadOptions) -> None:
    _, study = _read(source(fixations=FIXATIONS), options)
    assert study.texts == [None, None, None]
    assert study.gaze_forms == ["points"] * 3
    assert study.instrument is None
    (study.path.parent / "source" / "fixations.csv").unlink()
    _, texts = _read(source(samples=SAMPLES), replace(options, overwrite=True))
    assert texts.gaze_forms == [None] * 3


def test_a_text_that_is_empty_leaves_a_sample_of_gaze(source: Source, options: ReadOptions) -> None:
    empty = SAMPLES.replace("two dogs", "  ")
    report, study = _read(source(samples=empty, fixations=FIXATIONS), options)
    assert study.texts == ["a red house", None, "a roof"]
    assert study.gaze_forms == ["points"] * 3
    assert "1 of 3 samples have no text" in report.notes
    assert report.skipped_rows == 0


@pytest.mark.parametrize("skip_bad", [False, True])
def test_a_sample_of_nothing_is_left_out_and_listed(
    source: Source, options: ReadOptions, skip_bad: bool
) -> None:
    folder = source(samples=SAMPLES + "p2,b.png, \n", fixations=FIXATIONS)
    report, study = _read(folder, replace(options, skip_bad=skip_bad))
    assert (report.samples, report.skipped_rows, study.info.skipped_rows) == (3, 1, 1)
    assert _skipped(study) == [("samples.csv", "5", "text")]
    assert "1 row left out, listed in skipped.csv; the first: samples.csv, row 5" in report.notes[0]
    assert "expected a text, as the sample has no gaze either" in report.notes[0]


def test_fixations_of_a_sample_that_is_not_listed_make_one(
    source: Source, options: ReadOptions
) -> None:
    _, study = _read(source(samples=SAMPLES, fixations=FIXATIONS + "p9,b.png,1,1,0,1\n"), options)
    assert (study[3].participant, study[3].image, study[3].text) == ("p9", "b.png", None)
    assert study.gaze_forms[3] == "points"


def test_ids_keep_their_spaces_and_letters(
    source: Source, options: ReadOptions, picture: Callable[..., Path]
) -> None:
    folder = source(
        samples="participant,image,text\nJosé  Núñez 日本,ein Bild ü.png,ça\n007,a.png,x\n"
    )
    picture(folder / "images" / "ein Bild ü.png")
    _, study = _read(folder, options)
    assert [(s.participant, s.image) for s in study] == [
        ("José  Núñez 日本", "ein Bild ü.png"),
        ("007", "a.png"),
    ]
    assert study.image_path(0).is_file()


def test_captions_keep_their_line_breaks(source: Source, options: ReadOptions) -> None:
    text = 'participant,image,text\r\np1,a.png,"a house,\r\n""red"""\r\np1,b.png,dogs\r\n'
    _, study = _read(source(samples="\ufeff" + text), options)
    assert study.texts == ['a house,\r\n"red"', "dogs"]


@pytest.mark.parametrize("ending", ["parquet", "tsv"])
def test_other_kinds_of_table_give_the_same_study(
    source: Source, options: ReadOptions, ending: str
) -> None:
    tables = {"samples": SAMPLES, "fixations": FIXATIONS, "participants": PARTICIPANTS}
    folder = source(**tables)
    _, expected = _read(folder, options)
    for name, text in tables.items():
        if ending == "tsv":
            (folder / f"{name}.tsv").write_text(text.replace(",", "\t"))
        else:
            table = pacsv.read_csv(pa.py_buffer(text.encode()))
            pq.write_table(table, folder / f"{name}.parquet")
        (folder / f"{name}.csv").unlink()
    _, study = _read(folder, replace(options, overwrite=True))
    assert study.fingerprint == expected.fingerprint


PLAIN = ("participant", "image", "x", "y", "t")
BAD = ("p1,a.png,99,1,0", "p2,b.png,1,1,soon", ",a.png,1,1,0", "p1,c.png,1,1,0", "p1,a.png,1")


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize("seed", range(3))
def test_a_table_in_small_pieces_gives_the_same_study(
    source: Source,
    options: ReadOptions,
    monkeypatch: pytest.MonkeyPatch,
    ending: str,
    seed: int,
) -> None:
    """Rows of one sample lie far apart, bad ones among them; memory holds a few at a time."""
    generator = np.random.default_rng(seed)
    keys = [f"p{person},{image}.png" for person in range(9) for image in "ab"]
    good = [
        f"{key},{x:.2f},{y:.2f},{t:.3f}"
        for key in keys[3:]  # three samples have a text alone
        for x, y, t in generator.random((generator.integers(1, 9), 3)) * (40, 20, 5)
    ]
    rows = [*good, *(BAD if ending == "csv" else BAD[:-1])]  # Parquet has no ragged row
    generator.shuffle(rows)
    written = keys[: 9 + seed]  # the others have gaze alone
    texts = "".join(f"{key},words of {key[:2]}\n" for key in written)
    folder = source(samples="participant,image,text\n" + texts)
    if ending == "csv":
        (folder / "fixations.csv").write_text("\n".join([",".join(PLAIN), *rows, "", ""]))
    else:
        columns = zip(*(row.split(",") for row in rows), strict=True)
        cells = pa.table({name: list(own) for name, own in zip(PLAIN, columns, strict=True)})
        pq.write_table(cells, folder / "fixations.parquet")
    options = replace(options, skip_bad=True, overwrite=True)
    whole_report, whole = _read(folder, options)
    samples, skipped = whole.samples, _skipped(whole)
    for module, name, value in (
        ("table", "MAXIMUM_ROW_BYTES", 64),
        ("table", "_ROWS_OF_PARQUET", 4),
        ("events", "SAMPLES_AT_ONCE", 4),
        ("joining", "SAMPLES_AT_ONCE", 4),
    ):
        monkeypatch.setattr(f"beholder.study.readers.{module}.{name}", value)
    report, study = _read(folder, options)
    assert study.samples.equals(samples)
    assert sorted(_skipped(study)) == sorted(skipped) and len(skipped) == len(rows) - len(good)
    assert replace(report, notes=()) == replace(whole_report, notes=())
    assert len(study) == 18 and sum(form is None for form in study.gaze_forms) == 3
    assert not list(study.path.glob(".*"))


def test_all_bad_rows_of_all_pieces_are_counted_in_a_refusal(
    source: Source, options: ReadOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("beholder.study.readers.table.MAXIMUM_ROW_BYTES", 16)
    rows = "".join(f"p{n},a.png,{'x' if n % 10 == 7 else 1},1\n" for n in range(100))
    refusal = _refusal(source(fixations="participant,image,x,y\n" + rows), options)
    assert refusal.startswith("fixations.csv, row 9, column x: found 'x', expected a pixel")
    assert "(9 more like it in this file)" in refusal


def test_a_mapping_renames_files_columns_and_units(
    source: Source, options: ReadOptions, tmp_path: Path
) -> None:
    folder = source(
        trials="vp,bild,text\np1,a.png,x\n",
        gaze="vp,bild,x,y,x on screen,t,duration\np1,a.png,0.25,1,900,1500,250\n"
        "p1,a.png,0.5,0,800,1000,125\n",
        people="vp," + ",".join(f"q{n}" for n in range(10)) + "\np1,4,4,1,4,1,3,1,5,1,4\n",
    )
    (folder / "images").rename(folder / "stimuli")
    (tmp_path / "mapping.toml").write_text(
        '[files]\nsamples = "trials.csv"\nfixations = "gaze"\nparticipants = "people"\n'
        'images = "stimuli"\n[samples]\nparticipant = "vp"\nimage = "bild"\n'
        '[fixations]\nparticipant = "vp"\nimage = "bild"\n'
        '[participants]\nparticipant = "vp"\nitems = ["q0", "q1", "q2", "q3", "q4", "q5", "q6", '
        '"q7", "q8", "q9"]\n[units]\ncoordinates = "fractions"\ntime = "ms"\n'
    )
    options = replace(options, mapping=load_mapping(tmp_path / "mapping.toml"))
    report, study = _read(folder, options)
    gaze = study.gaze(0)
    assert isinstance(gaze, Points)
    assert gaze.time is not None
    assert gaze.duration is not None
    assert (gaze.x.tolist(), gaze.y.tolist()) == ([0.5, 0.25], [0.0, 1.0])
    assert (gaze.time.tolist(), gaze.duration.tolist()) == ([0.0, 0.5], [0.125, 0.25])
    assert study.answers.tolist() == [[4, 4, 1, 4, 1, 3, 1, 5, 1, 4]]
    assert "gaze.csv: columns not used: x on screen" in report.notes


def test_tasks_tell_samples_apart(source: Source, options: ReadOptions) -> None:
    samples = "participant,image,text,task\np1,a.png,one,free\np1,a.png,two,search\n"
    fixations = "participant,image,x,y,task\np1,a.png,1,1,search\np1,a.png,2,2,free\n"
    _, study = _read(source(samples=samples, fixations=fixations), options)
    assert [(s.task, s.text) for s in study] == [("free", "one"), ("search", "two")]
    gaze = study.gaze(1)
    assert isinstance(gaze, Points)
    assert_allclose(gaze.x, [1 / 40])


def test_fixations_without_tasks_belong_to_the_one_sample(
    source: Source, options: ReadOptions
) -> None:
    samples = "participant,image,text,task\np1,a.png,one,free\np1,b.png,two,search\n"
    fixations = "participant,image,x,y\np1,a.png,1,1\np1,b.png,2,2\np2,b.png,2,2\n"
    _, study = _read(source(samples=samples, fixations=fixations), options)
    assert [(s.participant, s.task, s.text) for s in study] == [
        *(("p1", "free", "one"), ("p1", "search", "two"), ("p2", None, None)),
    ]
    assert study.gaze_forms == ["points"] * 3


def test_fixations_that_could_belong_to_two_samples_are_refused(
    source: Source, options: ReadOptions
) -> None:
    samples = "participant,image,text,task\np1,a.png,one,free\np1,a.png,two,search\n"
    folder = source(samples=samples, fixations="participant,image,x,y\np1,a.png,1,1\n")
    assert _refusal(folder, options) == (
        "fixations.csv has no column task, expected one as samples.csv has several tasks for one "
        "participant and image"
    )
    fixations = "participant,image,task,x,y\np1,a.png,free,1,1\n"
    folder = source(samples=SAMPLES, fixations=fixations)
    assert _refusal(folder, options) == (
        "fixations.csv has a column task, expected one in samples.csv too"
    )


def test_columns_that_are_not_used_are_named(source: Source, options: ReadOptions) -> None:
    areas = AREAS.replace("aoi_height\n", "aoi_height,t\n").replace("30\n", "30,1\n")
    areas = areas.replace("4,6\n", "4,6,1\n").replace(",,,,\n", ",,,,,1\n")
    report, _ = _read(source(samples=SAMPLES, fixations=areas), options)
    assert "fixations.csv: columns not used: t" in report.notes


def test_ids_become_pseudonyms_when_asked(source: Source, options: ReadOptions) -> None:
    folder = source(samples=SAMPLES, fixations=FIXATIONS, participants=PARTICIPANTS)
    report, study = _read(folder, replace(options, pseudonymise=True))
    names = study.participants.column("participant").to_pylist()
    assert report.participants == len(names) == 2
    assert all(len(name) == 17 and name[0] == "p" for name in names)
    assert study.participant_codes.tolist() == [0, 0, 1]
    assert study.has("personality").tolist() == [True, True, False]
    assert options.key_file is not None
    key = options.key_file.read_bytes().strip()
    for file in study.path.rglob("*"):
        assert file.is_dir() or key not in file.read_bytes(), file


def _points_row(*, participant: str = "p1", image: str = "a.png", **cells: str) -> str:
    row = {"x": "1", "y": "1", "t": "0", "duration": "1"} | cells
    return ",".join([participant, image, *row.values()])


BAD_POINTS = [
    (_points_row(x="nan"), "x", "found 'nan', expected a pixel inside the image"),
    (_points_row(x="inf"), "x", "found 'inf', expected a pixel inside the image"),
    (_points_row(x="1e999"), "x", "found '1e999', expected a pixel inside the image"),
    (_points_row(x="left"), "x", "found 'left', expected a pixel inside the image"),
    (_points_row(x=""), "x", "found nothing, expected a pixel inside the image"),
    (_points_row(x="40.1"), "x", "found '40.1', expected a pixel inside the image"),
    (_points_row(x="-0.1"), "x", "found '-0.1', expected a pixel inside the image"),
    (_points_row(y="30.5"), "y", "found '30.5', expected a pixel inside the image"),
    (_points_row(y="NaN"), "y", "found 'NaN', expected a pixel inside the image"),
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
    refusal = _refusal(folder, options)
    assert refusal.startswith(f"fixations.csv, row 6, column {column}: found ")
    assert sentence in refusal
    assert refusal.endswith("; --skip-bad keeps the good rows")
    report, study = _read(folder, replace(options, skip_bad=True))
    assert _skipped(study) == [("fixations.csv", "6", column)]
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
    refusal = _refusal(folder, options)
    assert refusal.startswith(f"fixations.csv, row 6, column {column}: found ")
    assert sentence in refusal
    report, study = _read(folder, replace(options, skip_bad=True))
    assert _skipped(study) == [("fixations.csv", "6", column)]
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
    refusal = _refusal(folder, options)
    assert refusal.startswith(f"samples.csv, row 5, column {column}: found ")
    assert sentence in refusal
    report, study = _read(folder, replace(options, skip_bad=True))
    assert _skipped(study) == [("samples.csv", "5", column)]
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
    refusal = _refusal(folder, options)
    assert refusal.startswith(f"participants.csv, row 4, column {column}: found ")
    assert sentence in refusal
    report, study = _read(folder, replace(options, skip_bad=True))
    assert _skipped(study) == [("participants.csv", "4", column)]
    assert (report.skipped_rows, report.participants) == (1, 2)


def test_many_bad_rows_are_counted_and_each_is_listed_once(
    source: Source, options: ReadOptions
) -> None:
    bad = "p1,a.png,99,99,x,x\np1,a.png,1,99,0,0\np1,b.png,1,1,x,0\n"
    folder = source(samples=SAMPLES + "p1,a.png,again\n", fixations=FIXATIONS + bad)
    report, study = _read(folder, replace(options, skip_bad=True))
    assert sorted(_skipped(study)) == [
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
    ({"samples": SAMPLES.replace(",", ";")}, "its cells are parted by semicolons"),
    ({"samples": SAMPLES.replace(",", "\t")}, "its cells are parted by tabs"),
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
    assert sentence in _refusal(source(**tables), replace(options, skip_bad=skip_bad))


def test_mapped_names_that_are_absent_are_refused(source: Source, options: ReadOptions) -> None:
    folder = source(samples=SAMPLES, fixations=FIXATIONS, participants=PARTICIPANTS)
    mapping = Mapping(fixations="gaze.csv")
    refusal = _refusal(folder, replace(options, mapping=mapping))
    assert refusal.endswith("source has no file gaze.csv, which the mapping names for fixations")
    mapping = Mapping(columns={"samples": {"text": "caption"}})
    assert "samples.csv has no column caption, which the mapping names for text" in _refusal(
        folder, replace(options, mapping=mapping)
    )
    mapping = Mapping(items=tuple(f"bfi_{number}" for number in range(10)))
    assert "participants.csv has no column bfi_0, which the mapping names" in _refusal(
        folder, replace(options, mapping=mapping)
    )


def test_coordinates_as_fractions_lie_between_0_and_1(source: Source, options: ReadOptions) -> None:
    fixations = "participant,image,x,y\np1,a.png,0.5,1\np1,a.png,1.5,0\n"
    options = replace(options, mapping=Mapping(coordinates="fractions"))
    assert "row 3, column x: found '1.5', expected a fraction inside the image" in _refusal(
        source(fixations=fixations), options
    )


@pytest.mark.parametrize("damage", ["truncated", "text", "empty"])
def test_a_damaged_image(source: Source, options: ReadOptions, damage: str) -> None:
    folder = source(samples=SAMPLES, fixations=FIXATIONS)
    file = folder / "images" / "b.png"
    whole = file.read_bytes()
    file.write_bytes({"truncated": whole[:-60], "text": b"no image", "empty": b""}[damage])
    refusal = _refusal(folder, options)
    assert refusal.startswith("samples.csv, row 3, column image: found 'b.png', expected an image")
    assert "b.png cannot be decoded" in refusal
    report, study = _read(folder, replace(options, skip_bad=True))
    assert report.images == 1
    assert _skipped(study) == [("samples.csv", "3", "image"), ("fixations.csv", "4", "image")]
    assert [path.name for path in (study.path / "images").iterdir()] == ["a.png"]


def test_nothing_good_is_left(source: Source, options: ReadOptions) -> None:
    folder = source(samples="participant,image,text\np1,c.png,x\n")
    assert "no sample has a text or a gaze: there is nothing to study" in _refusal(
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


def _didec() -> Path:
    given = os.environ.get("BEHOLDER_DIDEC")
    project = Path(__file__).parents[3]
    return Path(given) if given else project.parent / "shared" / "data" / "didec"


@pytest.mark.didec
@pytest.mark.skipif(not _didec().is_dir(), reason=f"the DIDEC sample data are not at {_didec()}")
def test_didec(tmp_path: Path, options: ReadOptions) -> None:
    report = read("tables", _didec(), tmp_path / "didec", replace(options, language="nl"))
    assert (report.samples, report.participants, report.images) == (3682, 36, 307)
    assert report.skipped_rows == 2
    assert "43 of 3682 samples have no gaze" in report.notes
    study = Study.open(tmp_path / "didec")
    assert study.info.language == "nl"
    assert len(_skipped(study)) == 2
    assert {file for file, _, _ in _skipped(study)} == {"samples.csv"}
    assert set(study.gaze_forms) == {"areas", None}
    for sample in study:
        assert sample.text
        if isinstance(sample.gaze, Areas) and len(sample.gaze.fixation):
            assert sample.gaze.fixation.max() < sample.gaze.fixations
            assert np.isfinite(sample.gaze.box).all()
