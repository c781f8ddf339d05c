"""A study on disk, opened: its participants, images and samples, without loading an image."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from beholder.errors import ConfigurationError, StudyError
from beholder.progress import Progress, silent
from beholder.remote import in_its_words, is_remote, local, without_secrets
from beholder.study import schema
from beholder.study.gaze import Areas, DenseMap, Floats, Gaze, Points
from beholder.study.survey import Instrument, parse_instrument


@dataclass(frozen=True)
class Sample:
    """What one participant did with one image; ``number`` is its row in the study."""

    number: int
    participant: str | None
    image: str
    task: str | None
    text: str | None
    gaze: Gaze | None


@dataclass(frozen=True)
class _Ragged:
    """A column of lists as one flat array: row i is values[offsets[i] : offsets[i + 1]]."""

    values: NDArray[Any]
    offsets: NDArray[np.int64]
    valid: NDArray[np.bool_]

    @classmethod
    def of(cls, column: pa.ChunkedArray) -> "_Ragged":
        lists = column.combine_chunks()
        if isinstance(lists, pa.ChunkedArray):  # a column without rows stays chunked
            lists = pa.concat_arrays(lists.chunks) if lists.num_chunks else pa.array([], lists.type)
        lengths = np.nan_to_num(lists.value_lengths().to_numpy(zero_copy_only=False))
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        values = lists.flatten().to_numpy(zero_copy_only=False)
        return cls(values, offsets, np.asarray(lists.is_valid()))

    def __getitem__(self, row: int) -> NDArray[Any]:
        return self.values[self.offsets[row] : self.offsets[row + 1]]

    def optional(self, row: int) -> NDArray[Any] | None:
        return self[row] if self.valid[row] else None


class Study:
    """One study, opened read-only. Its tables load when they are first asked for.

    ``origin`` is the address it was opened at, without secrets, where ``path`` is its mirror.
    """

    origin: str | None = None

    def __init__(self, path: Path, info: schema.StudyInfo, instrument: Instrument | None) -> None:
        self.path = path
        self.info = info
        self.instrument = instrument

    @classmethod
    def open(cls, path: str | Path, progress: Progress = silent) -> "Study":
        """Open the study in a folder, or raise StudyError saying what is wrong with it.

        A URL such as ``s3://bucket/study`` is mirrored in the cache first.
        """
        if isinstance(path, str) and is_remote(path):
            mirror = local(path, "study", progress)
            with in_its_words(mirror, path):
                study = cls.open(mirror)
            study.origin = without_secrets(path)
            return study
        path = Path(path)
        if not (path / "study.toml").is_file():
            raise StudyError(f"{path} is not a study: it has no study.toml")
        info = schema.parse_study_toml(_text(path / "study.toml"), str(path / "study.toml"))
        for name, expected in schema.TABLES.items():
            _check_columns(path / f"{name}.parquet", expected)
        instrument = None
        if info.instrument is not None:
            file = path / "instrument.toml"
            try:
                instrument = parse_instrument(_text(file), str(file))
            except ConfigurationError as error:
                raise StudyError(str(error)) from error
        return cls(path, info, instrument)

    def __len__(self) -> int:
        return int(self.samples.num_rows)

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel to another process as the folder, and be opened there."""
        return _same_study, (self.path.resolve(), self.fingerprint)

    def __repr__(self) -> str:
        return f"Study({self.origin or str(self.path)!r}: {len(self)} samples)"

    def __getitem__(self, number: int) -> Sample:
        number = range(len(self))[number]
        row = {name: self.samples.column(name)[number].as_py() for name in _IDENTITY}
        return Sample(number=number, gaze=self.gaze(number), **row)

    def __iter__(self) -> Iterator[Sample]:
        columns = [self.samples.column(name).to_pylist() for name in _IDENTITY]
        for number, row in enumerate(zip(*columns, strict=True)):
            participant, image, task, text = row
            yield Sample(number, participant, image, task, text, self.gaze(number))

    @cached_property
    def participants(self) -> pa.Table:
        """One row a participant, columns as in `schema.PARTICIPANTS`."""
        return _read(self.path / "participants.parquet")

    @cached_property
    def images(self) -> pa.Table:
        """One row an image, columns as in `schema.IMAGES`."""
        return _read(self.path / "images.parquet")

    @cached_property
    def samples(self) -> pa.Table:
        """One row a sample, columns as in `schema.SAMPLES`."""
        return _read(self.path / "samples.parquet")

    @cached_property
    def fingerprint(self) -> str:
        """The SHA-256 of everything the study says (images by their own SHA-256)."""
        digest = hashlib.sha256()
        for name in (
            "instrument.toml",
            *(f"{table}.parquet" for table in (*schema.TABLES, "maps")),
        ):
            _hash_file(digest, self.path / name)
        return digest.hexdigest()

    @cached_property
    def participant_codes(self) -> NDArray[np.int64]:
        """Each sample's row in `participants`, shape (samples,); -1 where unknown."""
        return self._codes("participant", self.participants)

    @cached_property
    def image_codes(self) -> NDArray[np.int64]:
        """Each sample's row in `images`, shape (samples,)."""
        return self._codes("image", self.images)

    @cached_property
    def pictures(self) -> NDArray[np.int64]:
        """The row in `images` of the first image with each one's very file, shape (images,)."""
        digests = self.images.column("sha256").to_pylist()
        first = {digest: row for row, digest in reversed(list(enumerate(digests)))}
        return np.array([first[digest] for digest in digests], dtype=np.int64)

    def _codes(self, column: str, table: pa.Table) -> NDArray[np.int64]:
        names = self.samples.column(column)
        codes = pc.index_in(names, value_set=table.column(column).combine_chunks())
        unknown = pc.and_(names.is_valid(), codes.is_null())
        if pc.any(unknown).as_py():
            name = names.filter(unknown)[0]
            raise StudyError(
                f"{self.path}: a sample names the {column} {name}, which is not listed"
            )
        return np.asarray(codes.fill_null(-1).to_numpy(), dtype=np.int64)

    @cached_property
    def item_codes(self) -> dict[str, NDArray[np.int64]]:
        """What `tasks.item_codes` found, kept: numbering the gazes of a study takes seconds."""
        return {}

    @cached_property
    def texts(self) -> list[str | None]:
        """Each sample's text, or None."""
        texts: list[str | None] = self.samples.column("text").to_pylist()
        return texts

    @cached_property
    def gaze_forms(self) -> list[str | None]:
        """Each sample's form of gaze: ``points``, ``areas``, ``map`` or None."""
        forms: list[str | None] = self.samples.column("gaze").to_pylist()
        return forms

    @cached_property
    def answers(self) -> Floats:
        """Survey answers, shape (participants, items), on the item scale; NaN: no survey."""
        items = len(self.instrument.items) if self.instrument else 0
        rows = self.participants.column("items").to_pylist()
        if any(row is not None and len(row) != items for row in rows):
            raise StudyError(f"{self.path}: a survey has not the {items} items of its instrument")
        blank = [np.nan] * items
        return np.array([row or blank for row in rows], dtype=float).reshape(len(rows), items)

    def has(self, modality: str) -> NDArray[np.bool_]:
        """Tell of each sample whether it has ``gaze``, ``text`` or ``personality``."""
        if modality == "text":
            return _valid(self.samples.column("text"))
        if modality == "gaze":
            return _valid(self.samples.column("gaze"))
        if modality == "personality":
            surveyed = _valid(self.participants.column("items"))
            return np.asarray(np.append(surveyed, False)[self.participant_codes])
        raise ValueError(f"no modality is called {modality!r}")

    def gaze(self, number: int) -> Gaze | None:
        """Return the gaze of one sample as it was recorded, or None."""
        number = range(len(self))[number]
        match self.gaze_forms[number]:
            case "points":
                columns = self._points
                return Points(
                    columns["x"][number],
                    columns["y"][number],
                    columns["time"].optional(number),
                    columns["duration"].optional(number),
                )
            case "areas":
                columns = self._areas
                box = [columns[f"area_{side}"][number] for side in ("x", "y", "width", "height")]
                return Areas(
                    int(self._fixations[number]),
                    columns["area_fixation"][number],
                    tuple(columns["area_label"][number]),
                    np.stack(box, axis=1),
                )
            case "map":
                return self._map(number)
        return None

    def image_path(self, row: int) -> Path:
        """Return the file of the image in this row of `images`."""
        return self.path / str(self.images.column("file")[row])

    @cached_property
    def aspects(self) -> Floats:
        """Each image's width divided by its height, shape (images,)."""
        width, height = (self.images.column(side).to_numpy() for side in ("width", "height"))
        return np.asarray(width / height)

    @cached_property
    def _points(self) -> dict[str, _Ragged]:
        return {name: _Ragged.of(self.samples.column(name)) for name in _POINTS}

    @cached_property
    def _areas(self) -> dict[str, _Ragged]:
        return {name: _Ragged.of(self.samples.column(name)) for name in _AREAS}

    @cached_property
    def _fixations(self) -> NDArray[np.int64]:
        return np.asarray(self.samples.column("fixations").fill_null(0).to_numpy())

    @cached_property
    def _map_file(self) -> tuple[pq.ParquetFile, dict[int, tuple[int, int]]]:
        """The open file of maps, and in which row group and row each sample's map lies."""
        try:
            file = pq.ParquetFile(self.path / "maps.parquet", memory_map=True)
        except (OSError, pa.ArrowException) as error:
            raise StudyError(f"{self.path / 'maps.parquet'} cannot be read: {error}") from error
        place: dict[int, tuple[int, int]] = {}
        for group in range(file.num_row_groups):
            numbers = file.read_row_group(group, ["sample"]).column(0).to_pylist()
            place |= {number: (group, row) for row, number in enumerate(numbers)}
        return file, place

    def _map(self, number: int) -> DenseMap:
        file, place = self._map_file
        if number not in place:
            raise StudyError(f"{self.path / 'maps.parquet'} lacks the map of sample {number}")
        group, row = place[number]
        # Neighbours are read together, so the row group last decoded is kept.
        if getattr(self, "_decoded", (-1, None))[0] != group:
            try:
                self._decoded = (group, file.read_row_group(group).to_pylist())
            except (OSError, pa.ArrowException) as error:
                where = self.path / "maps.parquet"
                raise StudyError(f"{where} cannot be read: {error}") from error
        entry = self._decoded[1][row]
        values = np.frombuffer(entry["values"], "<u2").reshape(entry["height"], entry["width"])
        return DenseMap(values * np.float32(entry["maximum"] / 65535))


def _same_study(path: Path, fingerprint: str) -> Study:
    """Open a study that another process has open, or raise StudyError if it is not the same."""
    study = Study.open(path)
    if study.fingerprint != fingerprint:
        raise StudyError(f"{path} is another study here, or it has changed meanwhile")
    return study


_IDENTITY = ("participant", "image", "task", "text")
_POINTS = ("x", "y", "time", "duration")
_AREAS = ("area_fixation", "area_label", "area_x", "area_y", "area_width", "area_height")


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StudyError(f"{file} cannot be read: {error}") from error


def _read(file: Path) -> pa.Table:
    try:
        return pq.read_table(file)
    except (OSError, pa.ArrowException) as error:
        raise StudyError(f"{file} cannot be read: {error}") from error


def _check_columns(file: Path, expected: pa.Schema) -> None:
    try:
        actual = pq.read_schema(file)
    except (OSError, pa.ArrowException) as error:
        raise StudyError(f"{file} cannot be read: {error}") from error
    for field in expected:
        if field.name not in actual.names or actual.field(field.name).type != field.type:
            raise StudyError(f"{file} has no column {field.name} of type {field.type}")


def _valid(column: pa.ChunkedArray) -> NDArray[np.bool_]:
    return np.asarray(column.is_valid().to_numpy())


def _hash_file(digest: "hashlib._Hash", file: Path) -> None:
    if file.is_file():
        digest.update(file.name.encode())
        with file.open("rb") as stream:
            for block in iter(lambda: stream.read(1 << 20), b""):
                digest.update(block)
