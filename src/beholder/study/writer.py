"""Writing a study: validated rows go in, and a whole study appears or nothing does."""

import errno
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from beholder.atomic import staged_folder
from beholder.errors import StudyError
from beholder.study import schema
from beholder.study.gaze import Areas, DenseMap, Floats, Gaze, Points, gaze_form
from beholder.study.image_files import copy_upright, is_safe_name, verified_size
from beholder.study.survey import Instrument, instrument_toml

MAPS_PER_ROW_GROUP = 32
IMAGES_PER_ROW_GROUP = 8192


class StudyWriter:
    """Writes one study into a folder that appears, complete, when the block ends well.

    Use as a context manager. Samples may be added in batches of any size, so that a study
    larger than memory can be written; maps and images are written as they are added. Where
    the disk refuses, StudyError says what was not written and why. ``turned`` counts the
    images that had to be turned upright.
    """

    def __init__(
        self,
        path: Path,
        info: schema.StudyInfo,
        instrument: Instrument | None = None,
        *,
        overwrite: bool = False,
    ) -> None:
        self._info = replace(info, instrument=instrument.name if instrument else None)
        self._instrument = instrument
        self._stack = ExitStack()
        self._path, self._overwrite = path, overwrite
        self.turned = 0
        self._images: set[str] = set()
        self._image_rows: pq.ParquetWriter | None = None
        self._pending_images: list[dict[str, Any]] = []
        self._participants: dict[str, list[int] | None] = {}
        self._samples: pq.ParquetWriter | None = None
        self._maps: pq.ParquetWriter | None = None
        self._pending_maps: list[dict[str, Any]] = []
        self._count = 0  # samples so far
        self._unpaired: set[int] = set()  # samples of the form "map" without one, or the reverse

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            if self._path.exists() and self._overwrite and not is_study(self._path):
                raise StudyError(f"{self._path} exists and is not a study: not overwriting it")
            try:
                self._folder = stack.enter_context(
                    staged_folder(self._path, overwrite=self._overwrite)
                )
            except FileExistsError as error:
                raise StudyError(
                    f"{self._path} exists already; choose another folder or pass --overwrite"
                ) from error
            except OSError as error:
                raise self._unwritten(error) from error
            (self._folder / "images").mkdir()
            self._samples, self._image_rows = (
                stack.enter_context(
                    pq.ParquetWriter(self._folder / f"{name}.parquet", rows, compression="zstd")
                )
                for name, rows in (("samples", schema.SAMPLES), ("images", schema.IMAGES))
            )
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                with self._stack:
                    self._finish()
            else:
                self._stack.__exit__(kind, error, traceback)
        except OSError as fault:
            raise self._unwritten(fault) from fault
        if isinstance(error, OSError):
            raise self._unwritten(error) from error

    def _unwritten(self, error: OSError) -> StudyError:
        is_full = error.errno == errno.ENOSPC  # which Arrow says in more words than the system
        why = os.strerror(errno.ENOSPC) if is_full else error.strerror or error
        return StudyError(f"{self._path} was not written: {why}")

    def add_image(self, image: str, file: Path, size: tuple[int, int] | None = None) -> None:
        """Copy an image into the study, upright; adding a name twice changes nothing.

        ``size`` is the image's `verified_size` where already known. Raises StudyError if the
        file is missing, is no image or is truncated.
        """
        if not is_safe_name(image):
            raise StudyError(f"image name {image!r} leads outside the images' folder")
        if image in self._images:
            return
        width, height = size or verified_size(file)
        target = self._folder / "images" / image
        target.parent.mkdir(parents=True, exist_ok=True)
        self.turned += copy_upright(file, target)
        digest = hashlib.sha256(target.read_bytes()).hexdigest()
        self._images.add(image)
        facts = (image, f"images/{image}", width, height, digest)
        self._pending_images.append(dict(zip(schema.IMAGES.names, facts, strict=True)))
        if len(self._pending_images) == IMAGES_PER_ROW_GROUP:
            self._flush_images()

    def add_participant(self, participant: str, answers: Sequence[int] | None = None) -> None:
        """Add a participant with a whole survey, or none; adding one twice changes nothing."""
        known = self._participants.get(participant)
        if answers is None:
            self._participants.setdefault(participant, None)
            return
        if self._instrument is None:
            raise StudyError(f"participant {participant} has answers, but no instrument is named")
        values = self._instrument.validate([list(answers)])[0].tolist()
        if known is not None and known != values:
            raise StudyError(f"participant {participant} has two surveys that differ")
        self._participants[participant] = values

    def add_samples(self, samples: pa.Table) -> None:
        """Add a batch of samples, a table whose columns are (some of) `schema.SAMPLES`."""
        columns = [
            samples.column(field.name).cast(field.type)
            if field.name in samples.column_names
            else pa.nulls(samples.num_rows, field.type)
            for field in schema.SAMPLES
        ]
        table = pa.Table.from_arrays(columns, schema=schema.SAMPLES)
        if unknown := set(samples.column_names) - set(schema.SAMPLES.names):
            raise StudyError(f"samples have no column {min(unknown)}")
        for image in table.column("image").unique().to_pylist():
            if image not in self._images:
                raise StudyError(f"a sample names image {image}, which the study lacks")
        for participant in table.column("participant").unique().to_pylist():
            if participant is not None:
                self.add_participant(participant)
        is_map = pc.fill_null(pc.equal(table.column("gaze"), "map"), False).to_numpy()
        self._unpaired ^= set((self._count + np.flatnonzero(is_map)).tolist())
        self._count += table.num_rows
        assert self._samples is not None  # set on entering
        self._samples.write_table(table)

    def add_map(self, sample: int, values: Floats) -> None:
        """Add the dense map, shape (height, width), of the sample in this row."""
        self._unpaired ^= {sample}
        values = np.asarray(values, dtype=float)
        maximum = float(values.max(initial=0))
        scaled = values * (65535 / maximum) + 0.5 if maximum else np.zeros_like(values)
        self._pending_maps.append(
            {
                "sample": sample,
                "height": values.shape[0],
                "width": values.shape[1],
                "maximum": maximum,
                "values": scaled.astype("<u2").tobytes(),
            }
        )
        if len(self._pending_maps) == MAPS_PER_ROW_GROUP:
            self._flush_maps()

    def add_file(self, name: str, text: str) -> None:
        """Add a text file that goes with the study, such as the list of skipped rows."""
        target = self._folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")

    def extend_file(self, name: str, text: str) -> None:
        """Add text at the end of a file that goes with the study, made if it is new."""
        with (self._folder / name).open("a", encoding="utf-8", newline="") as file:
            file.write(text)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Give an empty folder on the study's disk that is no part of the study."""
        folder = self._folder / ".scratch"
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def set_skipped(self, rows: int) -> None:
        """Record how many rows of the source were skipped."""
        self._info = replace(self._info, skipped_rows=rows)

    def _flush_images(self) -> None:
        assert self._image_rows is not None  # set on entering
        self._image_rows.write_table(pa.Table.from_pylist(self._pending_images, schema.IMAGES))
        self._pending_images = []

    def _flush_maps(self) -> None:
        if not self._pending_maps:
            return
        if self._maps is None:
            self._maps = self._stack.enter_context(
                pq.ParquetWriter(
                    self._folder / "maps.parquet",
                    schema.MAPS,
                    compression="lz4",  # a fifth larger than zstd, and read seven times as fast
                    use_dictionary=False,
                )
            )
        self._maps.write_table(pa.Table.from_pylist(self._pending_maps, schema.MAPS))
        self._pending_maps = []

    def _finish(self) -> None:
        if self._unpaired:
            raise StudyError(
                f"sample {min(self._unpaired)} says it has a map and has none, or has one unsaid"
            )
        self._flush_maps()
        participants = {
            "participant": list(self._participants),
            "items": list(self._participants.values()),
        }
        self._flush_images()
        self._write("participants", pa.table(participants, schema.PARTICIPANTS))
        if self._instrument:
            self.add_file("instrument.toml", instrument_toml(self._instrument))
        self.add_file("study.toml", self._info.toml())

    def _write(self, name: str, table: pa.Table) -> None:
        pq.write_table(table, self._folder / f"{name}.parquet", compression="zstd")


def is_study(path: Path) -> bool:
    """Tell whether a folder looks like a study."""
    return (path / "study.toml").is_file()


def samples_table(
    *,
    participants: Sequence[str | None],
    images: Sequence[str],
    texts: Sequence[str | None] | None = None,
    gazes: Iterable[Gaze | None] | None = None,
    tasks: Sequence[str | None] | None = None,
) -> pa.Table:
    """Return a table of samples from plain Python values, for `StudyWriter.add_samples`."""
    count = len(images)
    gazes = list(gazes) if gazes is not None else [None] * count
    rows = [_gaze_columns(gaze) for gaze in gazes]
    columns: dict[str, Sequence[Any]] = {
        "participant": participants,
        "image": images,
        "task": tasks if tasks is not None else [None] * count,
        "text": texts if texts is not None else [None] * count,
    }
    for name in schema.SAMPLES.names[4:]:
        columns[name] = [row.get(name) for row in rows]
    return pa.table(columns, schema.SAMPLES)


def _gaze_columns(gaze: Gaze | None) -> dict[str, Any]:
    match gaze:
        case None:
            return {}
        case Points():
            columns: dict[str, Any] = {"x": gaze.x, "y": gaze.y}
            columns |= {"time": gaze.time, "duration": gaze.duration}
        case Areas():
            columns = {"fixations": gaze.fixations, "area_fixation": gaze.fixation}
            columns["area_label"] = list(gaze.label)
            box: NDArray[Any] = np.asarray(gaze.box, dtype=np.float32).reshape(-1, 4)
            names = ("area_x", "area_y", "area_width", "area_height")
            columns |= dict(zip(names, box.T, strict=True))
        case DenseMap():
            columns = {}
    return {"gaze": gaze_form(gaze)} | columns
