"""Reading ``tables``: good sources whole, in the forms that labs have them in."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
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
from numpy.testing import assert_allclose
from PIL import ExifTags, Image

from beholder.study import Study
from beholder.study.gaze import Areas, Points
from beholder.study.readers import ReadOptions, load_mapping, read


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return partial(make_source, tmp_path / "source")


def test_a_whole_source(source: Source, options: ReadOptions) -> None:
    folder = source(samples=SAMPLES, fixations=FIXATIONS, participants=PARTICIPANTS)
    report, study = read_source(folder, replace(options, language="en", licence="CC0-1.0"))
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
    _, study = read_source(source(samples=SAMPLES, fixations=FIXATIONS), options)
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
    report, study = read_source(source(samples=SAMPLES, fixations=AREAS + roof), options)
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
    _, study = read_source(source(fixations=FIXATIONS), options)
    assert study.texts == [None, None, None]
    assert study.gaze_forms == ["points"] * 3
    assert study.instrument is None
    (study.path.parent / "source" / "fixations.csv").unlink()
    _, texts = read_source(source(samples=SAMPLES), replace(options, overwrite=True))
    assert texts.gaze_forms == [None] * 3


def test_a_text_that_is_empty_leaves_a_sample_of_gaze(source: Source, options: ReadOptions) -> None:
    empty = SAMPLES.replace("two dogs", "  ")
    report, study = read_source(source(samples=empty, fixations=FIXATIONS), options)
    assert study.texts == ["a red house", None, "a roof"]
    assert study.gaze_forms == ["points"] * 3
    assert "1 of 3 samples have no text" in report.notes
    assert report.skipped_rows == 0


@pytest.mark.parametrize("skip_bad", [False, True])
def test_a_sample_of_nothing_is_left_out_and_listed(
    source: Source, options: ReadOptions, skip_bad: bool
) -> None:
    folder = source(samples=SAMPLES + "p2,b.png, \n", fixations=FIXATIONS)
    report, study = read_source(folder, replace(options, skip_bad=skip_bad))
    assert (report.samples, report.skipped_rows, study.info.skipped_rows) == (3, 1, 1)
    assert skipped_in(study) == [("samples.csv", "5", "text")]
    assert "1 row left out, listed in skipped.csv; the first: samples.csv, row 5" in report.notes[0]
    assert "expected a text, as the sample has no gaze either" in report.notes[0]


def test_fixations_of_a_sample_that_is_not_listed_make_one(
    source: Source, options: ReadOptions
) -> None:
    _, study = read_source(
        source(samples=SAMPLES, fixations=FIXATIONS + "p9,b.png,1,1,0,1\n"), options
    )
    assert (study[3].participant, study[3].image, study[3].text) == ("p9", "b.png", None)
    assert study.gaze_forms[3] == "points"


def test_ids_keep_their_spaces_and_letters(
    source: Source, options: ReadOptions, picture: Callable[..., Path]
) -> None:
    folder = source(
        samples="participant,image,text\nJosé  Núñez 日本,ein Bild ü.png,ça\n007,a.png,x\n"
    )
    picture(folder / "images" / "ein Bild ü.png")
    _, study = read_source(folder, options)
    assert [(s.participant, s.image) for s in study] == [
        ("José  Núñez 日本", "ein Bild ü.png"),
        ("007", "a.png"),
    ]
    assert study.image_path(0).is_file()


def test_captions_keep_their_line_breaks(source: Source, options: ReadOptions) -> None:
    text = 'participant,image,text\r\np1,a.png,"a house,\r\n""red"""\r\np1,b.png,dogs\r\n'
    _, study = read_source(source(samples="\ufeff" + text), options)
    assert study.texts == ['a house,\r\n"red"', "dogs"]


@pytest.mark.parametrize("ending", ["parquet", "tsv"])
def test_other_kinds_of_table_give_the_same_study(
    source: Source, options: ReadOptions, ending: str
) -> None:
    tables = {"samples": SAMPLES, "fixations": FIXATIONS, "participants": PARTICIPANTS}
    folder = source(**tables)
    _, expected = read_source(folder, options)
    for name, text in tables.items():
        if ending == "tsv":
            (folder / f"{name}.tsv").write_text(text.replace(",", "\t"))
        else:
            table = pacsv.read_csv(pa.py_buffer(text.encode()))
            pq.write_table(table, folder / f"{name}.parquet")
        (folder / f"{name}.csv").unlink()
    _, study = read_source(folder, replace(options, overwrite=True))
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
    whole_report, whole = read_source(folder, options)
    samples, skipped = whole.samples, skipped_in(whole)
    for module, name, value in (
        ("table", "MAXIMUM_ROW_BYTES", 64),
        ("table", "_ROWS_OF_PARQUET", 4),
        ("events", "SAMPLES_AT_ONCE", 4),
        ("joining", "SAMPLES_AT_ONCE", 4),
    ):
        monkeypatch.setattr(f"beholder.study.readers.{module}.{name}", value)
    report, study = read_source(folder, options)
    assert study.samples.equals(samples)
    assert sorted(skipped_in(study)) == sorted(skipped) and len(skipped) == len(rows) - len(good)
    assert replace(report, notes=()) == replace(whole_report, notes=())
    assert len(study) == 18 and sum(form is None for form in study.gaze_forms) == 3
    assert not list(study.path.glob(".*"))


def test_all_bad_rows_of_all_pieces_are_counted_in_a_refusal(
    source: Source, options: ReadOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("beholder.study.readers.table.MAXIMUM_ROW_BYTES", 16)
    rows = "".join(f"p{n},a.png,{'x' if n % 10 == 7 else 1},1\n" for n in range(100))
    refusal = refusal_of(source(fixations="participant,image,x,y\n" + rows), options)
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
    report, study = read_source(folder, options)
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
    _, study = read_source(source(samples=samples, fixations=fixations), options)
    assert [(s.task, s.text) for s in study] == [("free", "one"), ("search", "two")]
    gaze = study.gaze(1)
    assert isinstance(gaze, Points)
    assert_allclose(gaze.x, [1 / 40])


def test_fixations_without_tasks_belong_to_the_one_sample(
    source: Source, options: ReadOptions
) -> None:
    samples = "participant,image,text,task\np1,a.png,one,free\np1,b.png,two,search\n"
    fixations = "participant,image,x,y\np1,a.png,1,1\np1,b.png,2,2\np2,b.png,2,2\n"
    _, study = read_source(source(samples=samples, fixations=fixations), options)
    assert [(s.participant, s.task, s.text) for s in study] == [
        *(("p1", "free", "one"), ("p1", "search", "two"), ("p2", None, None)),
    ]
    assert study.gaze_forms == ["points"] * 3


def test_fixations_that_could_belong_to_two_samples_are_refused(
    source: Source, options: ReadOptions
) -> None:
    samples = "participant,image,text,task\np1,a.png,one,free\np1,a.png,two,search\n"
    folder = source(samples=samples, fixations="participant,image,x,y\np1,a.png,1,1\n")
    assert refusal_of(folder, options) == (
        "fixations.csv has no column task, expected one as samples.csv has several tasks for one "
        "participant and image"
    )
    fixations = "participant,image,task,x,y\np1,a.png,free,1,1\n"
    folder = source(samples=SAMPLES, fixations=fixations)
    assert refusal_of(folder, options) == (
        "fixations.csv has a column task, expected one in samples.csv too"
    )


def test_columns_that_are_not_used_are_named(source: Source, options: ReadOptions) -> None:
    areas = AREAS.replace("aoi_height\n", "aoi_height,t\n").replace("30\n", "30,1\n")
    areas = areas.replace("4,6\n", "4,6,1\n").replace(",,,,\n", ",,,,,1\n")
    report, _ = read_source(source(samples=SAMPLES, fixations=areas), options)
    assert "fixations.csv: columns not used: t" in report.notes


def test_ids_become_pseudonyms_when_asked(source: Source, options: ReadOptions) -> None:
    folder = source(samples=SAMPLES, fixations=FIXATIONS, participants=PARTICIPANTS)
    report, study = read_source(folder, replace(options, pseudonymise=True))
    names = study.participants.column("participant").to_pylist()
    assert report.participants == len(names) == 2
    assert all(len(name) == 17 and name[0] == "p" for name in names)
    assert study.participant_codes.tolist() == [0, 0, 1]
    assert study.has("personality").tolist() == [True, True, False]
    assert options.key_file is not None
    key = options.key_file.read_bytes().strip()
    for file in study.path.rglob("*"):
        assert file.is_dir() or key not in file.read_bytes(), file


def test_a_spreadsheet_that_writes_semicolons_and_decimal_commas(
    source: Source, options: ReadOptions
) -> None:
    def spread(table: str) -> bytes:
        rows = table.replace(",", ";").replace("0.", "0,").replace("7.5", "7,5")
        return b"\xef\xbb\xbf" + rows.replace("\n", "\r\n").encode()

    tables = {"samples": SAMPLES, "fixations": FIXATIONS, "participants": PARTICIPANTS}
    _, plain = read_source(source(**tables), options)
    fingerprint = plain.fingerprint
    options = replace(options, overwrite=True)
    _, study = read_source(source(**{k: spread(table) for k, table in tables.items()}), options)
    assert study.fingerprint == fingerprint
    assert b"7,5" in (study.path.parent / "source" / "fixations.csv").read_bytes()


def test_columns_without_a_name_are_left(source: Source, options: ReadOptions) -> None:
    header, *rows = SAMPLES.splitlines()
    numbered = [f",{header},,", *(f"{n},{row},,\n,,,,," for n, row in enumerate(rows))]
    report, study = read_source(source(samples="\n".join(numbered)), options)
    assert report.samples == 3 and study.texts[0] == "a red house"
    assert "samples.csv: columns not used: no. 1, no. 5, no. 6" in report.notes


def test_people_whom_one_table_lacks_are_told_of(source: Source, options: ReadOptions) -> None:
    people = PARTICIPANTS.replace("p1,", "1,").replace("p2,", "2,")
    report, _ = read_source(source(samples=SAMPLES, participants=people), options)
    assert report.notes[:2] == (
        "participants.csv: 2 participants have no sample, such as 1",
        "participants.csv: 2 participants have no row in it, such as p1",
    )


def test_an_image_stored_on_its_side_is_read_upright(source: Source, options: ReadOptions) -> None:
    folder = source(samples=SAMPLES, fixations="participant,image,x,y\np1,a.png,29,39\n")
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    with Image.open(folder / "images" / "a.png") as image:
        image.save(folder / "images" / "a.png", exif=exif)
    report, study = read_source(folder, options)
    assert "1 image was turned upright" in report.notes[-1]
    assert study.images["width"].to_pylist() == [30, 50]
    assert_allclose(study.aspects, [30 / 40, 50 / 20])


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
    assert len(skipped_in(study)) == 2
    assert {file for file, _, _ in skipped_in(study)} == {"samples.csv"}
    assert set(study.gaze_forms) == {"areas", None}
    for sample in study:
        assert sample.text
        if isinstance(sample.gaze, Areas) and len(sample.gaze.fixation):
            assert sample.gaze.fixation.max() < sample.gaze.fixations
            assert np.isfinite(sample.gaze.box).all()
