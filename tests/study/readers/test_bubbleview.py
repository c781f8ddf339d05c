"""Reading ``bubbleview``: struct arrays of MATLAB in the published form, and what breaks it."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
from made_bubbleview import (
    cells,
    entry,
    list_of_structs,
    struct_of_lists,
    struct_of_values,
    structs,
    user,
)
from numpy.testing import assert_allclose
from scipy.io import savemat

from beholder.errors import StudyError, UnsupportedError
from beholder.study import Study
from beholder.study.gaze import Points
from beholder.study.readers import Mapping, ReadOptions, ReadReport, read
from beholder.study.splits import make_split

SIZES = {"a.png": (40, 30), "b.png": (50, 20)}
EDITS = [("added", "a hat"), ("final", " a red hat\n"), ("removed", "hat"), ("unchanged", "a")]

Source: TypeAlias = Callable[..., Path]


@pytest.fixture
def source(tmp_path: Path, picture: Callable[..., Path]) -> Source:
    """Make a folder of two images, 40 by 30 and 50 by 20, and of .mat files by their names."""

    def make(*entries: dict[str, Any], **others: list[dict[str, Any]]) -> Path:
        folder = tmp_path / "source"
        for name, size in SIZES.items():
            picture(folder / "targets" / name, *size)
        for name, listed in ({"exp1": list(entries)} | others).items():
            savemat(folder / f"{name}.mat", {"bubble": structs(listed)})
        return folder

    return make


def _read(source: Path, options: ReadOptions) -> tuple[ReadReport, Study]:
    target = source.parent / "study"
    report = read("bubbleview", source, target, options)
    return report, Study.open(target)


def _skipped(study: Study) -> list[tuple[str, str, str]]:
    with (study.path / "skipped.csv").open(newline="") as stream:
        return [(row["file"], row["row"], row["column"]) for row in csv.DictReader(stream)]


def _refusal(source: Path, options: ReadOptions) -> str:
    target = source.parent / "study"
    with pytest.raises(StudyError) as caught:
        read("bubbleview", source, target, options)
    assert not target.exists()
    assert [path for path in source.parent.iterdir() if path.name.endswith(".partial")] == []
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("descriptions", "text"),
    [
        (struct_of_lists(*EDITS), "a red hat"),
        (struct_of_lists(("final", "a hat"), ("final", "a hat ")), "a hat"),
        (struct_of_values("final", "ein Straßenhut"), "ein Straßenhut"),
        (list_of_structs(*EDITS), "a red hat"),
        (list_of_structs(("final", "a hat")), "a hat"),
        (struct_of_lists(("added", "a"), ("removed", "a")), None),
        (struct_of_lists(("added", ""), ("final", "x"), ("added", "")), "x"),
        (struct_of_values("final", " "), None),
        (struct_of_values("added", "a hat"), None),
        (np.zeros((0, 0)), None),
        (None, None),
    ],
)
def test_every_shape_of_descriptions(
    source: Source, options: ReadOptions, descriptions: Any, text: str | None
) -> None:
    report, study = _read(source(entry("a.png", user(descriptions=descriptions))), options)
    assert study.texts == [text]
    assert report.skipped_rows == 0
    assert ("1 of 1 samples have no text" in report.notes) == (text is None)


def test_a_whole_source(source: Source, options: ReadOptions) -> None:
    described = user([(50, 20)], ["59"], struct_of_values("final", "a hat"))
    folder = source(
        entry("a.png", user(), user([(1, 2)], ["00"])),
        entry("b.png", described),
        exp2=[entry("a.png", user())],
    )
    report, study = _read(folder, options)
    assert (report.participants, report.images, report.samples) == (0, 2, 4)
    assert report.notes == (
        "the viewers are unknown: nothing personal can be learnt from these samples",
        "3 of 4 samples have no text",
    )
    assert [(s.participant, s.image, s.task, s.text) for s in study] == [
        (None, "targets/a.png", "exp1", None),
        (None, "targets/a.png", "exp1", None),
        (None, "targets/b.png", "exp1", "a hat"),
        (None, "targets/a.png", "exp2", None),
    ]
    gaze = study.gaze(0)
    assert isinstance(gaze, Points)
    assert_allclose(gaze.x, [0.25, 1, 0])
    assert_allclose(gaze.y, [0.5, 0, 1])
    assert_allclose(gaze.time, [0, 0, 3])
    assert gaze.duration is None
    assert (study.info.source, study.info.language) == ("bubbleview", "en")
    assert study.info.instrument is None


def test_unknown_viewers_have_no_code_and_no_split(source: Source, options: ReadOptions) -> None:
    users = [user([(n, n)], ["00"]) for n in range(20)]
    _, study = _read(source(entry("a.png", *users)), options)
    assert study.participant_codes.tolist() == [-1] * 20
    assert study.participants.num_rows == 0
    assert not study.has("personality").any()
    for split in ("participant", "both"):
        with pytest.raises(UnsupportedError, match="needs to know who made each sample"):
            make_split(study, split, 0)  # type: ignore[arg-type]


def test_one_file_is_a_source_too(source: Source, options: ReadOptions) -> None:
    folder = source(entry("a.png", user()), exp2=[entry("b.png", user([(1, 1)], ["00"]))])
    read("bubbleview", folder / "exp2.mat", folder.parent / "study", options)
    assert [s.image for s in Study.open(folder.parent / "study")] == ["targets/b.png"]


@pytest.mark.parametrize("folder", ["gone", "/home/someone", "C:\\data"])
def test_an_image_is_also_found_in_the_folder_of_images(
    source: Source, options: ReadOptions, picture: Callable[..., Path], folder: str
) -> None:
    made = source(entry("a.png", user(), folder=folder))
    assert "bubble(1).impath" in _refusal(made, options)
    picture(made / "images" / "a.png", 40, 30)
    _, study = _read(made, options)
    assert study[0].image == "images/a.png"
    (made / "images").rename(made / "stimuli")
    given = replace(options, mapping=Mapping(images="stimuli"), overwrite=True)
    assert _read(made, given)[1][0].image == "stimuli/a.png"


@pytest.mark.parametrize(
    "times",
    [
        ("18", "18"),  # fewer than clicks
        ("18", "17", "19"),  # backwards
        ("18", "18", "61"),  # no time
        ("18", "18", "19+01:00"),  # clocks that cannot be compared
        ("18", "18", ""),
        (),
    ],
)
def test_times_that_cannot_be_trusted_are_left_out(
    source: Source, options: ReadOptions, times: tuple[str, ...]
) -> None:
    report, study = _read(source(entry("a.png", user(times=times))), options)
    gaze = study.gaze(0)
    assert isinstance(gaze, Points)
    assert gaze.time is None
    assert len(gaze) == 3
    assert "1 of 1 samples have clicks without trustworthy times" in report.notes


def test_times_that_are_no_texts_are_left_out(source: Source, options: ReadOptions) -> None:
    numbered, untold = user(), user([(1, 1)])
    numbered["fixations"]["enc_time"] = np.arange(3.0)
    del untold["fixations"]["enc_time"]
    _, study = _read(source(entry("a.png", numbered, untold)), options)
    assert [gaze.time for gaze in map(study.gaze, range(2)) if isinstance(gaze, Points)] == [
        None
    ] * 2


GOOD = user([(3, 3)], ["00"])
BAD_USERS: dict[str, tuple[dict[str, Any], str, str]] = {
    "outside": (user([(1, 1), (41, 1)]), "fixations.enc(2,:)", "found '41, 1', expected clicks in"),
    "above": (user([(1, -0.5)]), "fixations.enc(1,:)", "image, 40 by 30 pixels"),
    "nan": (user([(np.nan, 1)]), "fixations.enc(1,:)", "found 'nan, 1'"),
    "infinite": (user([(1, np.inf)]), "fixations.enc(1,:)", "found '1, inf'"),
    "a column": (user([(1,), (2,)]), "fixations.enc", "an N×2 matrix of numbers"),
    "texts": (user([("1", "2")]), "fixations.enc", "an N×2 matrix of numbers"),
    "two finals": (
        user(descriptions=struct_of_lists(("final", "a"), ("final", "b"))),
        "descriptions",
        "found '1×1 struct', expected one text of the type final, not 2 that differ",
    ),
    "no text": (user(descriptions={"type": "final"}), "descriptions", "the fields type and text"),
    "only a text": (user(descriptions="a hat"), "descriptions", "found '1 char', expected a str"),
    "a number": (user(descriptions=struct_of_values("final", 4.0)), "descriptions", "a text, not"),  # type: ignore[arg-type]
    "uneven": (
        user(descriptions={"type": cells(["final", "added"]), "text": cells(["a"])}),
        "descriptions",
        "as many texts as types, not 1 and 2",
    ),
    "repeated": (GOOD, "fixations.enc", "clicks that are not those of an earlier viewer"),
    "no enc": ({"fixations": {"rec": 1}}, "fixations.enc", "one struct fixations with a field enc"),
}


@pytest.mark.parametrize("kind", BAD_USERS)
def test_a_bad_viewer_is_named_or_skipped_and_listed(
    source: Source, options: ReadOptions, kind: str
) -> None:
    bad, column, expected = BAD_USERS[kind]
    made = source(entry("b.png", GOOD), entry("a.png", GOOD, bad, user()))
    sentence = _refusal(made, options)
    assert sentence.startswith(f"exp1.mat, row 3, column bubble(2).userdata(2).{column}: found ")
    assert expected in sentence
    assert sentence.endswith("; --skip-bad keeps the good rows")
    report, study = _read(made, replace(options, skip_bad=True))
    assert (report.samples, report.skipped_rows, study.info.skipped_rows) == (3, 1, 1)
    assert _skipped(study) == [("exp1.mat", "3", f"bubble(2).userdata(2).{column}")]
    assert report.notes[-1].startswith("1 row left out, listed in skipped.csv; the first: exp1.mat")


@pytest.mark.parametrize("content", [None, b"", b"no image"])
def test_an_image_that_is_missing_or_broken_skips_its_viewers(
    source: Source, options: ReadOptions, content: bytes | None
) -> None:
    made = source(entry("a.png", user(), GOOD), entry("b.png", GOOD))
    (made / "targets" / "a.png").unlink()
    if content is not None:
        (made / "targets" / "a.png").write_bytes(content)
    sentence = _refusal(made, options)
    assert "exp1.mat, row 1, column bubble(1).impath: found 'targets/a.png', expected" in sentence
    assert "an image that can be read" in sentence
    assert "(1 more like it in this file)" in sentence
    report, study = _read(made, replace(options, skip_bad=True))
    assert (report.samples, report.skipped_rows, report.images) == (1, 2, 1)
    assert not (study.path / "images" / "targets" / "a.png").exists()


@pytest.mark.parametrize("clicks", [np.zeros((0, 0)), np.zeros((0, 2))])
def test_a_viewer_who_did_not_click_keeps_a_text_and_is_else_listed(
    source: Source, options: ReadOptions, clicks: np.ndarray
) -> None:
    told = user(clicks, [], struct_of_values("final", "a hat"))
    unrecorded = {"fixations": np.zeros((0, 0)), "descriptions": struct_of_values("final", "a hat")}
    made = source(entry("a.png", told, user(clicks, []), unrecorded, user()))
    report, study = _read(made, options)
    assert [(s.text, s.gaze is None) for s in study] == [
        ("a hat", True),
        ("a hat", True),
        (None, False),
    ]
    assert "2 of 3 samples have no gaze" in report.notes
    assert report.skipped_rows == 1
    assert _skipped(study) == [("exp1.mat", "2", "bubble(1).userdata(2).fixations.enc")]


def test_an_image_that_nobody_saw_is_left(source: Source, options: ReadOptions) -> None:
    unseen = {"filename": "x.png", "impath": "targets/x.png", "userdata": np.zeros((0, 0))}
    report, _ = _read(source(unseen, entry("a.png", user())), options)
    assert (report.images, report.samples) == (1, 1)


def test_a_source_that_cannot_be_used_at_all(source: Source, options: ReadOptions) -> None:
    made = source(entry("a.png", user()))
    whole = (made / "exp1.mat").read_bytes()
    (made / "exp1.mat").write_bytes(whole[: len(whole) // 2])
    assert "exp1.mat is no MATLAB 5 file that can be read" in _refusal(made, options)
    (made / "exp1.mat").write_bytes(b"MATLAB 7.3 MAT-file" + b" " * 105 + b"\0\2IM")
    assert "exp1.mat is no MATLAB 5 file that can be read" in _refusal(made, options)
    for content in ({"hm": np.ones(3)}, {"bubble": np.ones(3)}, {"bubble": {"filename": "a.png"}}):
        savemat(made / "exp1.mat", content)
        assert "exp1.mat holds no struct array bubble with a field" in _refusal(made, options)
    savemat(made / "exp1.mat", {"bubble": structs([entry("a.png", {"clicks": 1})])})
    assert "exp1.mat, bubble(1).userdata has no field fixations" in _refusal(made, options)
    savemat(made / "exp1.mat", {"bubble": structs([entry("a.png", user()) | {"impath": 3}])})
    assert "exp1.mat, bubble(1).impath: expected a text" in _refusal(made, options)
    savemat(made / "exp1.mat", {"bubble": structs([entry("a.png", user(np.zeros((0, 2)), []))])})
    assert "no viewer with clicks or a text: there is nothing to study" in _refusal(made, options)
    (made / "exp1.mat").unlink()
    assert "source holds no .mat file" in _refusal(made, options)
    assert "absent is no MATLAB 5 file" in _refusal(made / "absent", options)


def test_a_target_that_cannot_be_written(source: Source, options: ReadOptions) -> None:
    made = source(entry("a.png", user()))
    (made.parent / "file").write_text("")
    with pytest.raises(StudyError, match=r"file/study was not written: it is no folder$"):
        read("bubbleview", made, made.parent / "file" / "study", options)


DATA = Path(__file__).parents[4] / "shared" / "data" / "bubbleview"


@pytest.mark.skipif(
    not DATA.is_dir(), reason=f"the published clicks of BubbleView are not at {DATA}"
)
def test_the_published_clicks(tmp_path: Path, options: ReadOptions) -> None:
    report = read("bubbleview", DATA, tmp_path / "study", options)
    assert (report.participants, report.images, report.samples) == (0, 102, 2935)
    assert report.skipped_rows == 0
    assert "780 of 2935 samples have no text" in report.notes
    assert "110 of 2935 samples have clicks without trustworthy times" in report.notes
    study = Study.open(tmp_path / "study")
    tasks = study.samples.column("task").to_pylist()
    assert (tasks.count("massvis_exp1_40x24"), tasks.count("salicon30x30")) == (2155, 780)
    words = [len(text.split()) for text in study.texts if text]
    assert np.mean(words) == pytest.approx(38.8, abs=0.05)
    assert sum(len(sample.gaze) for sample in study if isinstance(sample.gaze, Points)) == 181_576
