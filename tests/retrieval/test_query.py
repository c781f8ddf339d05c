"""Files of gaze are read, or refused with file and row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from beholder.errors import StudyError
from beholder.retrieval import read_gaze
from beholder.study import Points


@pytest.mark.parametrize(
    "text",
    [
        "x,y,duration\n0.25,0.5,1\n1,0,2\n",
        "\ufeffduration,y,x,label\n1,0.5,0.25,dog\n2,0,1,cat\n",
        '{"x": [0.25, 1], "y": [0.5, 0], "duration": [1, 2]}',
        '{"form": "points", "x": [0.25, 1], "y": [0.5, 0], "time": null, "duration": [1, 2]}',
    ],
)
def test_points_are_read(tmp_path: Path, text: str) -> None:
    file = tmp_path / "gaze"
    file.write_text(text, "utf-8")
    gaze = read_gaze(file)
    assert isinstance(gaze, Points)
    np.testing.assert_array_equal(gaze.x, [0.25, 1])
    np.testing.assert_array_equal(gaze.y, [0.5, 0])
    np.testing.assert_array_equal(gaze.duration, [1, 2])
    assert gaze.time is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "has columns none, expected x and y"),
        ("a,b\n1,2\n", "has columns a, b, expected x and y"),
        ("x,y\n", "holds no point"),
        ("x,y\n0.1,0.2\n0.3,here\n", "row 3, column y: 'here' is no number"),
        ("x,y\n0.1\n", "row 2, column y: None is no number"),
        ("x,y\n0.1,nan\n", "values that are not numbers"),
        ("x,y\n320,240\n", "fractions of the image"),
        ("[1, 2]", "is a list, expected an object"),
        ('{"x": [1', "is not valid JSON"),
        ('{"x": [1]}', "does not hold a gaze of points"),
        ('{"x": [1], "y": [1, 2]}', "lists of one length"),
        ('{"x": 1, "y": 1}', "lists of one length"),
        ('{"form": "smell"}', "of points, areas or a map, not 'smell'"),
        ('{"form": "map", "values": [[-1]]}', "rows of numbers from 0"),
        (
            '{"form": "areas", "fixations": 1, "fixation": [1], "label": ["a"],'
            ' "box": [[0, 0, 1, 1]]}',
            "beyond the 1 made",
        ),
        (
            '{"form": "areas", "fixations": 1, "fixation": [0], "label": ["a"],'
            ' "box": [[0, 0, 0, 1]]}',
            "a box with area",
        ),
    ],
)
def test_other_files_are_refused(tmp_path: Path, text: str, sentence: str) -> None:
    file = tmp_path / "gaze"
    file.write_text(text)
    with pytest.raises(StudyError, match=sentence) as caught:
        read_gaze(file)
    assert str(file) in str(caught.value)


def test_a_file_of_bytes_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "gaze"
    file.write_bytes(b"\xff\xfe\x00x")
    with pytest.raises(StudyError, match="is not text"):
        read_gaze(file)
