"""What a study holds on disk: its files, their columns and what every row must satisfy.

A study is a folder: ``study.toml``, ``participants.parquet``, ``images.parquet``,
``samples.parquet``, ``images/`` and, where gaze was kept as dense maps, ``maps.parquet``.
"""

import tomllib
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from beholder.errors import StudyError
from beholder.study.survey import quoted

SCHEMA_VERSION = 1

_FLOATS = pa.list_(pa.float32())

PARTICIPANTS = pa.schema(
    [
        pa.field("participant", pa.string(), nullable=False),
        pa.field("items", pa.list_(pa.int8())),  # a whole survey, or null
    ]
)

IMAGES = pa.schema(
    [
        pa.field("image", pa.string(), nullable=False),
        pa.field("file", pa.string(), nullable=False),  # below the study's folder
        pa.field("width", pa.int32(), nullable=False),  # pixels
        pa.field("height", pa.int32(), nullable=False),
        pa.field("sha256", pa.string(), nullable=False),
    ]
)

SAMPLES = pa.schema(
    [
        pa.field("participant", pa.string()),  # null: nobody knows who
        pa.field("image", pa.string(), nullable=False),
        pa.field("task", pa.string()),
        pa.field("text", pa.string()),
        pa.field("gaze", pa.string()),  # points, areas, map, or null
        # points: fractions of the image, seconds from the first event
        pa.field("x", _FLOATS),
        pa.field("y", _FLOATS),
        pa.field("time", _FLOATS),
        pa.field("duration", _FLOATS),
        # areas: the number of fixations, then one entry an area that a fixation hit
        pa.field("fixations", pa.int32()),
        pa.field("area_fixation", pa.list_(pa.int32())),
        pa.field("area_label", pa.list_(pa.string())),
        pa.field("area_x", _FLOATS),
        pa.field("area_y", _FLOATS),
        pa.field("area_width", _FLOATS),
        pa.field("area_height", _FLOATS),
    ]
)

MAPS = pa.schema(
    [
        pa.field("sample", pa.int64(), nullable=False),  # its row in samples.parquet
        pa.field("height", pa.int32(), nullable=False),
        pa.field("width", pa.int32(), nullable=False),
        pa.field("maximum", pa.float32(), nullable=False),  # of the values as recorded
        pa.field("values", pa.binary(), nullable=False),  # uint16, 65535 stands for the maximum
    ]
)

TABLES = {
    "participants": PARTICIPANTS,
    "images": IMAGES,
    "samples": SAMPLES,
}


@dataclass(frozen=True)
class StudyInfo:
    """What ``study.toml`` says of a study; ``language`` is a BCP 47 tag where known."""

    name: str
    source: str
    language: str | None = None
    licence: str | None = None
    instrument: str | None = None
    skipped_rows: int = 0

    def toml(self) -> str:
        """Return the text of ``study.toml``."""
        lines = [f"schema_version = {SCHEMA_VERSION}", f"name = {quoted(self.name)}"]
        lines += [f"source = {quoted(self.source)}"]
        for key in ("language", "licence", "instrument"):
            if (value := getattr(self, key)) is not None:
                lines.append(f"{key} = {quoted(value)}")
        lines += [f"skipped_rows = {self.skipped_rows}", "", "[units]"]
        lines += ['coordinates = "fractions of the image, (0, 0) top left"']
        lines += ['time = "seconds from the first event of the sample"']
        return "\n".join(lines) + "\n"


def parse_study_toml(text: str, where: str) -> StudyInfo:
    """Return what a ``study.toml`` says, or raise StudyError if it is not of this schema."""
    try:
        data: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise StudyError(f"{where} is not valid TOML: {error}") from error
    version = data.pop("schema_version", None)
    if version != SCHEMA_VERSION:
        raise StudyError(
            f"{where} has schema version {version}; this Beholder reads version {SCHEMA_VERSION}"
        )
    data.pop("units", None)
    for key, value in data.items():
        kind = int if key == "skipped_rows" else str
        if not isinstance(value, kind):
            raise StudyError(f"{where}: {key} is {value!r}, expected a {_KINDS[kind]}")
    try:
        return StudyInfo(**data)
    except TypeError as error:
        raise StudyError(f"{where} lacks or adds a key: {error}") from error


_KINDS = {int: "number", str: "text"}
