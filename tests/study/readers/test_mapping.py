"""A mapping is checked when it is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from beholder.errors import ConfigurationError
from beholder.study.readers import Mapping, load_mapping

WHOLE = """
[files]
samples = "trials.csv"
images = "stimuli"

[samples]
participant = "subject"
text = "Beschreibung"

[fixations]
x = "CURRENT_FIX_X"
t = "start"

[participants]
participant = "id"
items = ["bfi1", "bfi2"]

[units]
coordinates = "fractions"
time = "ms"
"""


def _load(tmp_path: Path, toml: str) -> Mapping:
    (tmp_path / "mapping.toml").write_text(toml, "utf-8")
    return load_mapping(tmp_path / "mapping.toml")


def test_every_section_is_read(tmp_path: Path) -> None:
    mapping = _load(tmp_path, WHOLE)
    assert mapping == Mapping(
        samples="trials.csv",
        images="stimuli",
        columns={
            "samples": {"participant": "subject", "text": "Beschreibung"},
            "fixations": {"x": "CURRENT_FIX_X", "t": "start"},
            "participants": {"participant": "id"},
        },
        items=("bfi1", "bfi2"),
        coordinates="fractions",
        time="ms",
    )
    assert mapping.rename("fixations") == {"x": "CURRENT_FIX_X", "t": "start"}


def test_an_empty_mapping_changes_nothing(tmp_path: Path) -> None:
    mapping = _load(tmp_path, "")
    assert (mapping.samples, mapping.coordinates, mapping.time) == ("samples", "pixels", "s")
    assert mapping.rename("samples") == {}
    assert mapping.items == ()


@pytest.mark.parametrize(
    ("toml", "sentence"),
    [
        ("[", "cannot be read"),
        ("[sample]\nx = 'y'", r"has an unknown section \[sample\]"),
        ("samples = 'trials.csv'", r"samples is 'trials.csv', expected a section \[samples\]"),
        ("files = 3", r"files is 3, expected a section \[files\]"),
        ("participants = 3", r"participants is 3, expected a section \[participants\]"),
        ("[files]\nsample = 'a'", r"\[files\]: unknown key 'sample', expected one of samples, "),
        ("[fixations]\nwidth = 'w'", r"\[fixations\]: unknown key 'width', expected one of parti"),
        ("[samples]\ntext = 3", r"\[samples\], text: expected a text, found 3"),
        ("[samples]\nparticipant = 'a'\nimage = 'a'", r"\[samples\]: 'a' stands for two things"),
        ("[participants]\nitems = 'bfi'", r"items: expected a list of columns, found 'bfi'"),
        ("[participants]\nitems = [1, 2]", r"items: expected a list of columns, found \[1, 2\]"),
        ("[units]\ntime = 'h'", "time is one of s, ms, us, not 'h'"),
        ("[units]\ncoordinates = 'cm'", "coordinates are pixels or fractions, not 'cm'"),
        ("[units]\nlength = 'cm'", "unknown key 'length', expected one of coordinates, time"),
    ],
)
def test_a_faulty_mapping_is_refused(tmp_path: Path, toml: str, sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        _load(tmp_path, toml)


def test_a_mapping_that_is_missing_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"absent\.toml cannot be read"):
        load_mapping(tmp_path / "absent.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match=r"bytes\.toml cannot be read"):
        load_mapping(tmp_path / "bytes.toml")
