"""Reading ``localized-narratives``: lines in the published form, and every way to break them."""

from __future__ import annotations

import csv
import gzip
import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_narratives import image_id, line, make_narrative, write_images
from numpy.testing import assert_allclose

from beholder.errors import StudyError
from beholder.study import Study
from beholder.study.gaze import Points
from beholder.study.readers import Mapping, ReadOptions, ReadReport, lines, read

IMAGES = 5
TRACE = [
    [{"x": 0.25, "y": 0.5, "t": 1.0}, {"x": 1.05, "y": 0.5, "t": 1.5}, {"x": 1, "y": 0, "t": 2.5}],
    [{"x": 0.5, "y": -0.01, "t": 4.0}],
]

Source: TypeAlias = Callable[..., Path]


def narrative(image: int = 0, annotator: Any = 7, **changes: Any) -> dict[str, Any]:
    """One narrative; a key that changes to None is missing."""
    made = {
        "dataset_id": "mscoco_val2017",
        "image_id": image_id(image),
        "annotator_id": annotator,
        "caption": "In this image I can see a dog. ",
        "timed_caption": [{"utterance": "In this", "start_time": 0.0, "end_time": 0.4}],
        "traces": TRACE,
        "voice_recording": "coco_val/coco_val_000000000139_7.ogg",
    } | changes
    return {key: value for key, value in made.items() if value is not None}


@pytest.fixture
def source(tmp_path: Path) -> Source:
    """Make a folder of tiny images and of one file of the given lines."""

    def make(*content: dict[str, Any] | bytes, name: str = "a.jsonl") -> Path:
        folder = tmp_path / "source"
        write_images(folder / "images", IMAGES)
        rows = [row if isinstance(row, bytes) else line(row).encode() for row in content]
        data = b"".join(rows)
        (folder / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return folder

    return make


def _read(source: Path, options: ReadOptions) -> tuple[ReadReport, Study]:
    target = source.parent / "study"
    report = read("localized-narratives", source, target, options)
    return report, Study.open(target)


def _skipped(study: Study) -> list[tuple[str, str, str]]:
    with (study.path / "skipped.csv").open(newline="") as stream:
        return [(row["file"], row["row"], row["column"]) for row in csv.DictReader(stream)]


def _refusal(source: Path, options: ReadOptions) -> str:
    target = source.parent / "study"
    with pytest.raises(StudyError) as caught:
        read("localized-narratives", source, target, options)
    assert not target.exists()
    assert [path for path in source.parent.iterdir() if path.name.endswith(".partial")] == []
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_whole_source(source: Source, options: ReadOptions) -> None:
    folder = source(narrative(), narrative(1), b"\n", narrative(0, 8, caption="Ein Haus – ü"))
    report, study = _read(folder, options)
    assert (report.participants, report.images, report.samples) == (2, 2, 3)
    assert (report.skipped_rows, study.info.skipped_rows) == (0, 0)
    assert report.notes == ("6 of 12 points lie beyond their image's edge and were dropped",)
    assert [(s.participant, s.image, s.task, s.text) for s in study] == [
        ("7", "000000000139.jpg", None, "In this image I can see a dog."),
        ("7", "000000000285.jpg", None, "In this image I can see a dog."),
        ("8", "000000000139.jpg", None, "Ein Haus – ü"),
    ]
    for number in range(3):
        gaze = study.gaze(number)
        assert isinstance(gaze, Points)
        assert_allclose(gaze.x, [0.25, 1])
        assert_allclose(gaze.y, [0.5, 0])
        assert_allclose(gaze.time, [0, 1.5])
        assert_allclose(gaze.duration, [0.5, 0])
    assert (study.info.source, study.info.language) == ("localized-narratives", "en")
    assert (study.path / "images" / "000000000139.jpg").is_file()
    assert not (study.path / "skipped.csv").exists()


def test_several_files_plain_and_compressed(source: Source, options: ReadOptions) -> None:
    source(narrative(2), name="b-00001-of-00002.jsonl")
    source(narrative(1), name="b-00000-of-00002.jsonl.gz")
    report, study = _read(source(narrative(0)), options)
    assert report.samples == 3
    numbers = [str(int(Path(sample.image).stem)) for sample in study]
    assert numbers == [image_id(0), image_id(1), image_id(2)]
    file = source(narrative()) / "b-00000-of-00002.jsonl.gz"
    again = replace(options, overwrite=True)
    assert read("localized-narratives", file, file.parents[1] / "study", again).samples == 1


def test_annotators_keep_their_numbers_unless_told_otherwise(
    source: Source, options: ReadOptions
) -> None:
    folder = source(narrative(0, 7), narrative(1, "x"), narrative(2, 7))
    _, hidden = _read(folder, replace(options, pseudonymise=True))
    names = hidden.participants.column("participant").to_pylist()
    assert len(names) == 2
    assert all(name[0] == "p" and len(name) == 17 for name in names)
    _, study = _read(folder, replace(options, overwrite=True))
    assert study.participants.column("participant").to_pylist() == ["7", "x"]
    assert study.participant_codes.tolist() == [0, 1, 0]


@settings(max_examples=12)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 60_000), st.booleans())
def test_made_narratives_come_back_whatever_the_batches(
    seed: int, count: int, batch: int, compressed: bool
) -> None:
    generator = np.random.default_rng(seed)
    made = [make_narrative(generator, number, IMAGES) for number in range(count)]
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "BATCH_BYTES", batch)
        root = Path(folder)
        write_images(root / "images", IMAGES)
        data = "".join(map(line, made)).encode()
        file = root / ("a.jsonl.gz" if compressed else "a.jsonl")
        file.write_bytes(gzip.compress(data) if compressed else data)
        report = read("localized-narratives", root, root / "study")
        study = Study.open(root / "study")
        samples = list(study)
    assert (report.samples, report.skipped_rows) == (count, 0)
    assert report.images == min(count, IMAGES)
    for sample, one in zip(samples, made, strict=True):
        assert sample.participant == str(one["annotator_id"])
        assert sample.image == f"{one['image_id']:0>12}.jpg"
        assert sample.text == one["caption"]
        points = [point for segment in one["traces"] for point in segment]
        inside = [p for p in points if 0 <= p["x"] <= 1 and 0 <= p["y"] <= 1]
        assert (sample.gaze is None) == (not inside)
        if isinstance(sample.gaze, Points):
            assert_allclose(sample.gaze.x, [p["x"] for p in inside], rtol=1e-6)
            assert_allclose(sample.gaze.y, [p["y"] for p in inside], rtol=1e-6)
            times = [p["t"] - inside[0]["t"] for p in inside]
            assert_allclose(sample.gaze.time, times, rtol=1e-5, atol=1e-6)


def _without(key: str) -> dict[str, Any]:
    return narrative(1, **{key: None})


POINT = {"x": 0.5, "y": 0.5, "t": 1.0}
WHOLE = line(narrative(1)).encode()
BAD_LINES: dict[str, tuple[dict[str, Any] | bytes, str, str]] = {
    "no image": (_without("image_id"), "image_id", "found nothing, expected the image's name"),
    "no annotator": (_without("annotator_id"), "annotator_id", "found nothing, expected the ann"),
    "no caption": (_without("caption"), "caption", "found nothing, expected a text"),
    "no traces": (_without("traces"), "traces", "found nothing, expected a list of traces"),
    "a number": (narrative(1, caption=4), "caption", "found '4', expected a text"),
    "nobody": (narrative(1, " "), "annotator_id", "found nothing, expected the annotator's n"),
    "true": (narrative(1, True), "annotator_id", "found 'True', expected the annotator's number"),
    "a fraction": (narrative(1, 7.5), "annotator_id", "found '7.5'"),
    "a list": (narrative(image_id=["139"]), "image_id", "found \"['139']\""),
    "half a pair": (WHOLE.replace(b"dog", b"\\ud83d"), "caption", "expected a text"),
    "traces": (narrative(1, traces={"x": 1}), "traces", "expected a list of traces"),
    "nan": (WHOLE.replace(b"0.25", b"NaN"), "traces", "finite numbers x, y and t as point 1 of"),
    "infinite": (WHOLE.replace(b"2.5", b"1e999"), "traces", "as point 3 of segment 1"),
    "no t": (narrative(1, traces=[[{"x": 0, "y": 0}]]), "traces", "as point 1 of segment 1"),
    "a text": (narrative(1, traces=[[POINT | {"x": "0"}]]), "traces", "as point 1 of segment 1"),
    "unknown image": (narrative(image_id="1"), "image_id", "expected the name of an image in ima"),
    "leading out": (narrative(image_id="../a"), "image_id", "expected the name of an image in ima"),
    "repeated": (narrative(0), "image_id", "one narrative for each annotator and image"),
    "broken": (WHOLE[: len(WHOLE) // 2] + b"\n", "line", "expected a JSON object (Invalid control"),
    "no object": (b"[1]\n", "line", "found '[1]\\n', expected a JSON object"),
    "not UTF-8": (WHOLE.replace(b"dog", b"d\xf6g"), "line", "UTF-8, which byte 0xf6 is not"),
    "too long": (b'"' + b"a" * (5 << 20) + b'"\n', "line", "a line of at most 4,194,304 bytes"),
}


@pytest.mark.parametrize("kind", BAD_LINES)
def test_a_bad_line_is_named_or_skipped_and_listed(
    source: Source, options: ReadOptions, kind: str
) -> None:
    bad, column, expected = BAD_LINES[kind]
    folder = source(narrative(0), bad, narrative(2))
    sentence = _refusal(folder, options)
    assert sentence.startswith(f"a.jsonl, row 2, column {column}: found ")
    assert expected in sentence
    assert sentence.endswith("; --skip-bad keeps the good rows")
    assert len(sentence) < 400
    report, study = _read(folder, replace(options, skip_bad=True))
    assert [sample.image for sample in study] == ["000000000139.jpg", "000000000431.jpg"]
    assert study.images.num_rows == report.images == 2
    assert (report.samples, report.skipped_rows, study.info.skipped_rows) == (2, 1, 1)
    assert _skipped(study) == [("a.jsonl", "2", column)]
    assert report.notes[-1].startswith("1 row left out, listed in skipped.csv; the first: a.jsonl")


def test_bad_lines_of_many_batches_are_listed_once(
    source: Source, options: ReadOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "BATCH_BYTES", 1)
    source(*[b"broken\n"] * 3, name="b.jsonl")
    folder = source(b"broken\n", narrative(0), narrative(0), narrative(0, 8, image_id="gone"))
    report, study = _read(folder, replace(options, skip_bad=True))
    assert _skipped(study) == [
        *(("a.jsonl", "1", "line"), ("a.jsonl", "3", "image_id"), ("a.jsonl", "4", "image_id")),
        *(("b.jsonl", str(row), "line") for row in (1, 2, 3)),
    ]
    assert (report.skipped_rows, study.info.skipped_rows) == (6, 6)
    assert (report.participants, report.samples) == (1, 1)  # who is known from bad rows is not
    assert report.notes[-1].startswith("6 rows left out, listed in skipped.csv; the first: a.json")


def test_a_repeat_is_known_in_another_file(source: Source, options: ReadOptions) -> None:
    source(narrative(0), name="b.jsonl")
    assert _refusal(source(narrative(0)), options).startswith("b.jsonl, row 1, column image_id")


def test_an_empty_caption_leaves_the_trace_and_the_reverse(
    source: Source, options: ReadOptions
) -> None:
    outside = [[{"x": 2, "y": 0.5, "t": 0}]]
    folder = source(
        narrative(0, caption=" "),
        narrative(1, traces=[]),
        narrative(2, traces=outside),
        narrative(3, caption="", traces=outside),
        narrative(4, caption="", traces=[[]]),
    )
    report, study = _read(folder, options)
    assert [(s.text is None, s.gaze is None) for s in study] == [
        *((True, False), (False, True), (False, True))
    ]
    assert "1 of 3 samples have no text" in report.notes
    assert "2 of 3 samples have no gaze" in report.notes
    assert _skipped(study) == [("a.jsonl", "4", "caption"), ("a.jsonl", "5", "caption")]
    assert report.images == 3


def test_a_clock_that_runs_backwards_leaves_points_without_times(
    source: Source, options: ReadOptions
) -> None:
    trace = [[POINT, POINT | {"t": 0.5}]]
    report, study = _read(source(narrative(traces=trace), narrative(1)), options)
    gaze = study.gaze(0)
    assert isinstance(gaze, Points)
    assert (len(gaze), gaze.time, gaze.duration) == (2, None, None)
    timed = study.gaze(1)
    assert isinstance(timed, Points)
    assert timed.time is not None
    assert any("1 of 2 samples have times that run backwards" in note for note in report.notes)


def test_a_broken_image_skips_its_narratives(source: Source, options: ReadOptions) -> None:
    folder = source(narrative(0), narrative(0, 8), narrative(1))
    (folder / "images" / f"{image_id(0):0>12}.jpg").write_bytes(b"broken")
    sentence = _refusal(folder, options)
    assert "a.jsonl, row 1, column image_id: found '139', expected an image that can be" in sentence
    report, study = _read(folder, replace(options, skip_bad=True))
    assert (report.samples, report.skipped_rows, report.images) == (1, 2, 1)
    assert len(study.images) == 1


def test_images_lie_where_the_mapping_says(
    source: Source, options: ReadOptions, tmp_path: Path
) -> None:
    folder = source(narrative())
    (folder / "images").rename(tmp_path / "coco")
    assert "source/images is no folder, expected the images" in _refusal(folder, options)
    for place in ("../coco", str(tmp_path / "coco")):
        given = replace(options, mapping=Mapping(images=place), overwrite=True)
        assert _read(folder, given)[0].samples == 1


@pytest.mark.parametrize("skip_bad", [False, True])
def test_a_source_that_cannot_be_used_at_all(
    source: Source, options: ReadOptions, skip_bad: bool
) -> None:
    given = replace(options, skip_bad=skip_bad)
    folder = source(narrative(0), narrative(1), name="b.jsonl.gz")
    whole = (folder / "b.jsonl.gz").read_bytes()
    (folder / "b.jsonl.gz").write_bytes(whole[: len(whole) - 12])
    sentence = _refusal(folder, given)
    assert sentence.startswith("b.jsonl.gz, row ")
    assert "the file cannot be read to its end" in sentence
    (folder / "b.jsonl.gz").unlink()
    assert "source is no file and holds none that ends in .jsonl" in _refusal(folder, given)
    (folder / "a.jsonl").write_bytes(b"\n\n")
    assert "source has no good narrative: there is nothing to study" in _refusal(folder, given)
    bad_only = source(b"broken\n")
    expected = "there is nothing to study" if skip_bad else "row 1, column line: found 'broken"
    assert expected in _refusal(bad_only, given)


def test_a_target_that_cannot_be_written(source: Source, options: ReadOptions) -> None:
    folder = source(narrative())
    (folder.parent / "file").write_text("")
    for target in (folder.parent / "file" / "study", folder):
        with pytest.raises(StudyError, match=r"was not written: it is no folder$|exists already"):
            read("localized-narratives", folder, target, options)


def test_the_made_lines_have_the_published_keys() -> None:
    made = make_narrative(np.random.default_rng(0), 3, IMAGES)
    assert list(json.loads(line(made))) == list(narrative())
    assert set(made["timed_caption"][0]) == {"utterance", "start_time", "end_time"}
    assert set(made["traces"][0][0]) == {"x", "y", "t"}
