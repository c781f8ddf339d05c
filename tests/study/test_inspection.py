"""What inspection says of studies made so that every number is known."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from PIL import Image

from beholder.console import coverage_picture
from beholder.study import Study, StudyInfo, StudyWriter, samples_table
from beholder.study.gaze import Areas, DenseMap, Gaze, Points
from beholder.study.inspection import (
    Coverage,
    Inspection,
    coverage_csv,
    coverage_matrix,
    inspect,
)
from beholder.study.survey import Instrument, Item
from made_study import studies

INSTRUMENT = Instrument(
    *("four", "", "", "", "I"),
    1,
    5,
    (),
    (
        Item("calm", "am calm", "calmness"),
        Item("nervous", "am nervous", "calmness"),  # which ought to be reversed
        Item("kind", "am kind", "kindness"),
        Item("warm", "am warm", "kindness"),
    ),
)
CLICKS = Points(np.array([0.1, 0.2, 0.3]), np.array([0.1, 0.2, 0.3]))
TIMED = Points(np.array([0.5]), np.array([0.5]), np.array([2.5]))
NEVER_TIMED = Points(np.array([0.5]), np.array([0.5]), np.array([np.nan]))
BOX = np.array([[0, 0, 0.5, 0.5]] * 2)
HITS = Areas(4, np.array([0, 0]), ("a", "b"), BOX)
MISSES = Areas(2, np.zeros(0, int), (), np.zeros((0, 4)))
MAP = DenseMap(np.ones((3, 4)))

Row = tuple[str | None, str, str | None, Gaze | None]


def _study(
    folder: Path,
    rows: Sequence[Row],
    surveys: dict[str, Sequence[int] | None] | None = None,
    *,
    images: str = "abc",
    instrument: Instrument | None = INSTRUMENT,
    skipped: int = 0,
) -> Study:
    info = StudyInfo("known", "a test", skipped_rows=skipped)
    with StudyWriter(folder / "study", info, instrument) as writer:
        for number, image in enumerate(images):
            Image.new("L", (4, 3), number).save(folder / "picture.png")
            writer.add_image(image, folder / "picture.png")
        for person, answers in (surveys or {}).items():
            writer.add_participant(person, answers)
        if rows:
            people, of, texts, gazes = zip(*rows, strict=True)
            writer.add_samples(
                samples_table(participants=people, images=of, texts=texts, gazes=gazes)
            )
        for number, row in enumerate(rows):
            if isinstance(row[3], DenseMap):
                writer.add_map(number, row[3].values)
        if skipped:
            writer.add_file("skipped.csv", "row\n")
    return Study.open(folder / "study")


SURVEYS = {"zoë": [1, 5, 2, 3], "yan": [5, 1, 4, 5], "max": [3, 3, 3, 3], "none": None}
ROWS: list[Row] = [
    ("zoë", "a", "a red Hat here", CLICKS),
    ("zoë", "b", "red", TIMED),
    ("zoë", "b", None, HITS),
    ("yan", "a", "a red Hat here", None),
    ("yan", "b", "red", MISSES),
    ("max", "a", "", MAP),
    ("none", "a", "the hat", None),
    (None, "a", "a red Hat here", NEVER_TIMED),
    (None, "c", "some other words", None),
]


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return _study(tmp_path, ROWS, SURVEYS, skipped=4)


def _as_json(found: Inspection) -> dict[str, Any]:
    back: dict[str, Any] = json.loads(json.dumps(found.as_json(), allow_nan=False))
    assert back == found.as_json()
    return back


def test_counts(study: Study) -> None:
    found = _as_json(inspect(study))
    assert found["study"]["name"] == "known"
    assert found["counts"] == {
        "samples": 9,
        "participants": 4,
        "images": 3,
        "surveys": 3,
        "samples_of_unknown_participants": 2,
        "skipped_rows": 4,
    }
    assert found["modalities"] == {"gaze": 6, "text": 8, "personality": 6}
    assert set(found["tasks"]) == {"g2t", "t2g", "g2p", "p2g", "t2p", "p2t"}
    assert set(found["tasks"].values()) == {None}


def test_coverage(study: Study) -> None:
    people = study.participants.column("participant").to_pylist()
    expected = {"zoë": [1, 2, 0], "yan": [1, 1, 0], "max": [1, 0, 0], "none": [1, 0, 0]}
    assert coverage_matrix(study).tolist() == [expected[person] for person in people]
    assert inspect(study).coverage == {
        "density": pytest.approx(6 / 12),
        "images_per_participant": {"minimum": 1, "median": 1.5, "maximum": 2},
        "viewers_per_image": {"minimum": 0, "median": 2, "maximum": 4},
        "repeated_viewings": 1,
    }


@given(study=studies)
def test_coverage_is_that_of_a_loop_over_the_samples(study: Study) -> None:
    people, images = study.participants.num_rows, study.images.num_rows
    expected = np.zeros((people, images), dtype=int)
    for person, image in zip(study.participant_codes, study.image_codes, strict=True):
        expected[person, image] += person >= 0
    coverage = Coverage.of(study)
    assert coverage_matrix(study).tolist() == expected.tolist()
    assert coverage.images_met.tolist() == (expected > 0).sum(axis=1).tolist()
    assert coverage.viewers.tolist() == (expected > 0).sum(axis=0).tolist()
    assert sorted(coverage.samples.tolist()) == sorted(expected[expected > 0].tolist())
    picture = coverage_picture(coverage).split("\n")
    if people and images:
        # People by the mean of their images; fewer than a picture has rows, so one to a row.
        seen = (expected > 0).astype(float)
        middle = seen @ np.arange(images) / np.maximum(seen.sum(axis=1), 1)
        rows = seen[np.argsort(middle)].tolist()
        assert picture == ["".join("█" if cell else " " for cell in row) for row in rows]


def test_coverage_as_csv(study: Study) -> None:
    rows = list(csv.reader(coverage_csv(study).splitlines()))
    assert rows[0] == ["participant", "a", "b", "c"]
    assert {row[0]: row[1:] for row in rows[1:]} == {
        **{"zoë": ["1", "2", "0"], "yan": ["1", "1", "0"]},
        **{"max": ["1", "0", "0"], "none": ["1", "0", "0"]},
    }


def test_texts(study: Study) -> None:
    lengths = np.array([4, 1, 4, 1, 0, 2, 4, 3])
    assert inspect(study).text == {
        "words_mean": pytest.approx(lengths.mean()),
        "words_spread": pytest.approx(lengths.std()),
        "vocabulary": 8,  # a red hat here the some other words
        "words_used_once": 4,  # the some other words
        "repeated_texts": 3,
    }


def test_gaze(study: Study) -> None:
    assert inspect(study).gaze == {
        "forms": {"points": 3, "areas": 2, "map": 1},
        "events": {"minimum": 1, "median": 2, "maximum": 4},
        "hit_rate_mean": pytest.approx((1 / 4 + 0) / 2),
        "without_any_hit": 1,
        "seconds": {"minimum": 2.5, "median": 2.5, "maximum": 2.5},
    }


def test_progress_counts_what_is_read(study: Study) -> None:
    seen = []

    def progress(items, description, total=None):
        seen.append((description, total))
        return items

    inspect(study, progress)
    assert seen == [("reading gaze", 5), ("checking images", None)]  # all gazes but the map


def test_surveys(study: Study) -> None:
    found = inspect(study).survey
    assert found["instrument"] == "four" and found["surveys"] == 3
    assert found["straight_lined"] == 1
    calm, kind = found["traits"]["calmness"], found["traits"]["kindness"]
    assert calm["mean"] == 3 and calm["spread"] == 0
    assert math.isnan(calm["alpha"])  # every sum is 6
    assert kind["mean"] == pytest.approx((2.5 + 4.5 + 3) / 3)
    assert kind["spread"] == pytest.approx(np.std([2.5, 4.5, 3], ddof=1))
    variances = np.var([2, 4, 3], ddof=1), np.var([3, 5, 3], ddof=1)
    alpha = 2 * (1 - sum(variances) / np.var([5, 9, 6], ddof=1))
    assert kind["alpha"] == pytest.approx(alpha)
    assert _as_json(inspect(study))["survey"]["traits"]["calmness"]["alpha"] is None


def test_warnings(study: Study) -> None:
    assert list(inspect(study).warnings) == [
        "3 of 9 samples have no gaze",
        "1 of 9 samples have no text",
        "3 of 9 samples are of people without a survey",
        "1 text was written alike by several participants",
        "1 survey gives one answer to every item",
        "4 rows of the source were left out, see skipped.csv",
    ]


def test_a_sound_study_gives_no_warning(tmp_path: Path) -> None:
    surveys = {"zoë": [1, 2, 2, 3], "yan": [5, 4, 4, 5]}
    rows: list[Row] = [
        (person, image, f"{person} likes {image}", CLICKS) for person in surveys for image in "abc"
    ]
    found = inspect(_study(tmp_path, rows, surveys))
    assert found.warnings == ()
    assert found.coverage["density"] == 1


def test_times_in_another_unit(tmp_path: Path) -> None:
    long = Points(np.array([0.5]), np.array([0.5]), np.array([2500.0]))
    rows: list[Row] = [("zoë", "a", "x", long), ("yan", "a", "y", long), ("max", "a", "z", TIMED)]
    warned = inspect(_study(tmp_path, rows, images="a")).warnings
    assert warned == ("half of the samples last over ten minutes: are their times in ms or us?",)


def test_people_without_a_sample(tmp_path: Path) -> None:
    rows: list[Row] = [("zoë", "a", "x", CLICKS), ("yan", "a", "y", CLICKS)]
    surveys = {"1": [1, 2, 2, 3], "2": [5, 4, 4, 5]}
    warned = inspect(_study(tmp_path, rows, surveys, images="a")).warnings
    assert "2 participants have no sample" in warned


def test_one_picture_under_two_names(tmp_path: Path) -> None:
    rows: list[Row] = [(person, i, person + i, CLICKS) for person in "xy" for i in "abc"]
    study = _study(tmp_path, rows)
    assert inspect(study).warnings == ()
    with StudyWriter(tmp_path / "twice", study.info) as writer:
        for image, row in (("c", 2), ("a", 0), ("b", 1), ("A", 0)):
            writer.add_image(image, study.image_path(row))
    twice = Study.open(tmp_path / "twice")
    assert twice.pictures.tolist() == [0, 1, 2, 1]
    assert "1 image file is the same as another one, such as A" in inspect(twice).warnings


def test_items_that_contradict_each_other(tmp_path: Path) -> None:
    surveys = {"zoë": [1, 5, 1, 2], "yan": [5, 2, 5, 4], "max": [3, 3, 2, 3]}
    found = inspect(_study(tmp_path, [("zoë", "a", "x", CLICKS)], surveys))
    assert found.survey["traits"]["calmness"]["alpha"] < 0
    warned = [warning for warning in found.warnings if "contradict" in warning]
    assert len(warned) == 1 and "the items of calmness" in warned[0]


def test_a_text_copied_by_several_people(tmp_path: Path) -> None:
    def copied(*people: str | None, text: str = "I see a dog") -> bool:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        found = inspect(_study(folder, [(person, "a", text, CLICKS) for person in people]))
        return any("alike" in warning for warning in found.warnings)

    assert copied("zoë", "yan")
    assert not copied("zoë", "zoë")  # who repeats herself
    assert not copied("zoë", "yan", text="a dog")  # which is too short to tell
    assert not copied("zoë", None)  # who may be the same person


def test_one_viewer(tmp_path: Path) -> None:
    rows: list[Row] = [("zoë", image, image, CLICKS) for image in "abc"]
    found = inspect(_study(tmp_path, rows, {"zoë": [2, 2, 2, 2]}))
    assert list(found.warnings) == [
        "3 images have a single viewer: they say nothing of who differs",
        "1 survey gives one answer to every item",
    ]
    assert found.survey == {"instrument": "four", "surveys": 1, "straight_lined": 1}
    assert "at least two participants" in str(found.tasks["g2p"])
    assert found.tasks["g2t"] is None
    _as_json(found)


def test_participants_with_far_fewer_images(tmp_path: Path) -> None:
    images = "abcdefghijkl"
    rows: list[Row] = [(person, image, None, CLICKS) for person in "wxyz" for image in images]
    rows += [("few", image, None, CLICKS) for image in "abc"]
    rows += [("enough", image, None, CLICKS) for image in "abcd"]
    found = inspect(_study(tmp_path, rows, {"never": None}, images=images))
    assert "1 participant has far fewer images than most" in found.warnings
    assert "1 participant has no sample" in found.warnings


def test_one_image_each_is_not_fewer_than_most(tmp_path: Path) -> None:
    rows: list[Row] = [(person, "a", None, CLICKS) for person in "xyz"]
    found = inspect(_study(tmp_path, rows, images="a"))
    assert not [warning for warning in found.warnings if "fewer" in warning]


def test_a_study_without_surveys_or_texts(tmp_path: Path) -> None:
    found = inspect(_study(tmp_path, [("zoë", "a", None, MAP)], instrument=None))
    assert found.survey == found.text == {}
    assert found.counts["surveys"] == 0
    assert found.gaze == {"forms": {"map": 1}}
    assert found.tasks["g2t"] == "g2t needs text, and the study has no text"
    assert "no survey" in str(found.tasks["g2p"])
    _as_json(found)


def test_a_survey_that_nobody_answered(tmp_path: Path) -> None:
    found = inspect(_study(tmp_path, ROWS[:2], {"zoë": None}))
    assert found.survey == {"instrument": "four", "surveys": 0, "straight_lined": 0}
    assert found.modalities["personality"] == 0
    _as_json(found)


def test_nobody_knows_who(tmp_path: Path) -> None:
    rows: list[Row] = [(None, "a", "I see a dog", CLICKS)] * 3
    study = _study(tmp_path, rows)
    found = inspect(study)
    assert found.counts["samples_of_unknown_participants"] == 3
    assert coverage_matrix(study).shape == (0, 3)
    assert found.coverage["density"] == 0 and found.coverage["images_per_participant"] == {}
    assert coverage_csv(study).split() == ["participant,a,b,c"]
    assert found.warnings == ()
    assert "no known participants" in str(found.tasks["g2p"])
    _as_json(found)


def test_an_empty_study(tmp_path: Path) -> None:
    found = inspect(_study(tmp_path, [], images=""))
    assert found.counts["samples"] == 0
    assert found.coverage["viewers_per_image"] == {}
    assert found.gaze == {"forms": {}}
    assert None not in found.tasks.values()
    _as_json(found)
