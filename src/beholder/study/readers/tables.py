"""Reads ``tables``: what any eye-tracking lab can export as CSV or Parquet.

A folder holds ``samples`` (participant, image, text[, task]), ``fixations`` (one row a
fixation or click with x, y[, t, duration], or one row an area that a fixation hit),
``participants`` (participant, item_1 … item_n), and the images in ``images/``.
"""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from beholder.errors import StudyError
from beholder.progress import Progress, silent
from beholder.study import schema
from beholder.study.problems import Problems
from beholder.study.readers.fixations import (
    AREA_COLUMNS,
    areas_columns,
    check_areas,
    check_points,
    has_points,
    points_columns,
)
from beholder.study.readers.mapping import COLUMNS, Mapping
from beholder.study.readers.options import ReadOptions, ReadReport, add_skipped, pseudonym_function
from beholder.study.readers.table import Table, check_images, find_table, read_table
from beholder.study.survey import Instrument, load_instrument
from beholder.study.writer import StudyWriter


@dataclass(frozen=True)
class _Source:
    """The tables of a folder, after their identities were checked."""

    samples: Table | None
    fixations: Table | None
    participants: Table | None

    def with_images(self) -> list[Table]:
        return [table for table in (self.samples, self.fixations) if table is not None]


def read_tables(
    source: Path, target: Path, options: ReadOptions, progress: Progress = silent
) -> ReadReport:
    """Read a folder of tables and write a study; see `ReadOptions` and `Mapping`."""
    if not source.is_dir():
        raise StudyError(f"{source} is not a folder; tables are read from a folder")
    problems = Problems(options.skip_bad)
    instrument = load_instrument(options.instrument)
    tables = _load(source, options.mapping, problems)
    tables = _check_identities(tables, problems)
    images = {name for table in tables.with_images() for name in table.texts("image")}
    sizes, faults = check_images(source / options.mapping.images, sorted(images), progress)
    tables = replace(
        tables,
        samples=tables.samples and tables.samples.reject_values("image", faults, problems),
        fixations=tables.fixations and tables.fixations.reject_values("image", faults, problems),
    )
    answers = _read_answers(tables.participants, options.mapping, instrument, problems)
    rows = _samples(tables, sizes, options.mapping, problems)
    pseudonym = pseudonym_function(options, default=False)
    rows = rows.set_column(
        0, "participant", pa.array([pseudonym(name) for name in rows["participant"].to_pylist()])
    )
    info = schema.StudyInfo(
        options.name or target.name, "tables", options.language, options.licence
    )
    used = instrument if any(answers.values()) else None
    with StudyWriter(target, info, used, overwrite=options.overwrite) as writer:
        used_images = rows["image"].unique().to_pylist()
        for image in progress(used_images, "copying images"):
            writer.add_image(image, source / options.mapping.images / image, sizes[image])
        for participant, given in answers.items():
            writer.add_participant(pseudonym(participant), given)
        writer.add_samples(rows)
        add_skipped(writer, problems)
    names = set(rows["participant"].to_pylist()) | {pseudonym(name) for name in answers}
    return ReadReport(
        len(names),
        len(used_images),
        rows.num_rows,
        problems.rows,
        _notes(tables, rows, used, problems),
    )


def _load(source: Path, mapping: Mapping, problems: Problems) -> _Source:
    def table(kind: str, required: tuple[str, ...]) -> Table | None:
        name = getattr(mapping, kind)
        file = find_table(source, name)
        if file is None and name != getattr(Mapping(), kind):
            raise StudyError(f"{source} has no file {name}, which the mapping names for {kind}")
        return read_table(file, mapping.rename(kind), required, problems) if file else None

    tables = _Source(
        table("samples", ("participant", "image", "text")),
        table("fixations", ("participant", "image")),
        table("participants", ("participant",)),
    )
    if tables.samples is None and tables.fixations is None:
        raise StudyError(
            f"{source} holds neither {mapping.samples} nor {mapping.fixations} "
            "(.csv, .tsv or .parquet)"
        )
    return tables


def _check_identities(tables: _Source, problems: Problems) -> _Source:
    """Drop rows that do not say who or which image, and second rows of one (person, image)."""

    def named(table: Table | None, columns: tuple[str, ...]) -> Table | None:
        for column in columns:
            if table is not None:
                empty = table.empty(column)
                table = table.reject(empty, column, f"the {column}'s name", problems)
        return table

    samples = named(tables.samples, ("participant", "image"))
    if samples is not None:
        keys = _keys(samples)
        samples = samples.reject(
            _repeats(keys), "image", "one row for each participant, image and task", problems
        )
    participants = named(tables.participants, ("participant",))
    if participants is not None:
        repeated = _repeats(participants.texts("participant"))
        participants = participants.reject(
            repeated, "participant", "one row for each participant", problems
        )
    return _Source(samples, named(tables.fixations, ("participant", "image")), participants)


Key = tuple[str, str, str]


def _keys(table: Table) -> list[Key]:
    """Return what identifies each row's sample: participant, image and task."""
    tasks = table.texts("task") if "task" in table else [""] * len(table)
    return list(zip(table.texts("participant"), table.texts("image"), tasks, strict=True))


def _repeats(keys: list[Any]) -> NDArray[np.bool_]:
    first = {key: row for row, key in reversed(list(enumerate(keys)))}
    return np.array([first[key] != row for row, key in enumerate(keys)], dtype=bool)


def _read_answers(
    table: Table | None, mapping: Mapping, instrument: Instrument, problems: Problems
) -> dict[str, list[int] | None]:
    """Return each listed participant's answers, or None where all their cells are empty."""
    if table is None:
        return {}
    columns = mapping.items or tuple(
        sorted(
            (name for name in table.data.column_names if re.fullmatch(r"item_\d+", name)),
            key=lambda name: int(name[5:]),
        )
    )
    if not columns:
        return dict.fromkeys(table.texts("participant"))
    count = len(instrument.items)
    if len(columns) != count:
        raise StudyError(
            f"{table.file} has {len(columns)} item columns, but {instrument.name} has {count} items"
        )
    if not mapping.items and columns != tuple(f"item_{number}" for number in range(1, count + 1)):
        raise StudyError(
            f"{table.file} has item columns {', '.join(columns)}, expected item_1 … item_{count}"
        )
    for column in columns:
        if column not in table:
            raise StudyError(f"{table.file} has no column {column}, which the mapping names")
    table = _reject_answers(table, columns, instrument, problems)
    answers = np.stack([table.numbers(column)[0] for column in columns], axis=1)
    return {
        participant: None if np.isnan(row).all() else [int(answer) for answer in row]
        for participant, row in zip(table.texts("participant"), answers, strict=True)
    }


def _reject_answers(
    table: Table, columns: tuple[str, ...], instrument: Instrument, problems: Problems
) -> Table:
    expected = f"a whole number from {instrument.minimum} to {instrument.maximum}"
    unanswered = np.all([table.empty(column) for column in columns], axis=0)
    bad_rows = np.zeros(len(table), dtype=bool)
    found = []
    for column in columns:
        answers, valid = table.numbers(column)
        answers = np.where(valid, answers, instrument.minimum - 1.0)
        bad = (answers != np.round(answers)) | (answers < instrument.minimum)
        bad |= answers > instrument.maximum
        bad &= ~unanswered & ~bad_rows  # one problem a row is enough
        found += table.problems(bad, column, expected)
        bad_rows |= bad
    problems.add(sorted(found, key=lambda problem: problem.row))
    return table.where(~bad_rows)


def _samples(
    tables: _Source, sizes: dict[str, tuple[int, int]], mapping: Mapping, problems: Problems
) -> pa.Table:
    """Return the samples, as `schema.SAMPLES` has them: every key with a text or a gaze."""
    texts: dict[Key, str] = {}
    if tables.samples is not None:
        texts = dict(zip(_keys(tables.samples), tables.samples.texts("text"), strict=True))
    fixations, gaze_columns = tables.fixations, None
    if fixations is not None:
        is_points = has_points(fixations)
        if not is_points and not all(column in fixations for column in ("fixation", *AREA_COLUMNS)):
            raise StudyError(
                f"{fixations.file} has neither x and y nor fixation, {', '.join(AREA_COLUMNS)}; "
                f"it has {', '.join(fixations.data.column_names)}"
            )
        check = check_points if is_points else check_areas
        fixations = check(fixations, sizes, mapping, problems)
        gaze_columns = points_columns if is_points else areas_columns
    looked = _keys_of_fixations(fixations, tables.samples) if fixations is not None else []
    keys = list(dict.fromkeys([*texts, *looked]))
    number = {key: row for row, key in enumerate(keys)}
    columns: dict[str, Any] = {
        "participant": [key[0] for key in keys],
        "image": [key[1] for key in keys],
        "task": [key[2] or None for key in keys],
        "text": [texts.get(key) or None for key in keys],
    }
    if fixations is not None and gaze_columns is not None:
        sample = np.array([number[key] for key in looked], dtype=np.int64)
        columns |= gaze_columns(fixations, sample, len(keys), sizes, mapping)
    rows = pa.table(columns)
    return _leave_out_empty(rows, tables.samples, problems)


def _keys_of_fixations(fixations: Table, samples: Table | None) -> list[Key]:
    """Return each row's sample; a table without tasks takes them from the samples' table."""
    keys = _keys(fixations)
    if samples is None or ("task" in fixations) == ("task" in samples):
        return keys
    if "task" in fixations:
        raise StudyError(f"{fixations.file} has a column task, expected one in {samples.file} too")
    tasks = {(participant, image): task for participant, image, task in _keys(samples)}
    if len(tasks) < len(samples):
        raise StudyError(
            f"{fixations.file} has no column task, expected one as {samples.file} has several "
            "tasks for one participant and image"
        )
    return [(person, image, tasks.get((person, image), "")) for person, image, _ in keys]


def _leave_out_empty(rows: pa.Table, samples: Table | None, problems: Problems) -> pa.Table:
    """Leave out trials in which nothing was recorded: they are listed, but no fault of a row."""
    has_text = rows["text"].is_valid().to_numpy()
    has_gaze = np.zeros(len(has_text), dtype=bool)
    if "gaze" in rows.column_names:
        has_gaze = rows["gaze"].is_valid().to_numpy()
    keep = has_text | has_gaze
    if samples is not None:
        # Keys of the samples' table come first, in its order.
        empty = ~keep[: len(samples)]
        problems.note(samples.problems(empty, "text", "a text, as the sample has no gaze either"))
    if not keep.any():
        raise StudyError("no sample has a text or a gaze: there is nothing to study")
    return rows.filter(pa.array(keep))


def _notes(
    tables: _Source, rows: pa.Table, instrument: Instrument | None, problems: Problems
) -> tuple[str, ...]:
    """Say what a person should know of a reading that succeeded."""
    notes = []
    for kind in ("samples", "fixations", "participants"):
        table: Table | None = getattr(tables, kind)
        known = {*COLUMNS[kind]}
        if kind == "fixations" and table is not None:
            unused = (
                {"fixation", *AREA_COLUMNS} if has_points(table) else {"x", "y", "t", "duration"}
            )
            known -= unused
        extra = [
            name
            for name in (table.data.column_names if table else ())
            if name not in known and not name.startswith("item_")
        ]
        if table is not None and extra:
            notes.append(f"{table.file}: columns not used: {', '.join(extra)}")
    for modality in ("text", "gaze"):
        present = rows[modality].is_valid().to_numpy() if modality in rows.column_names else [False]
        if missing := rows.num_rows - int(np.sum(present)):
            notes.append(f"{missing} of {rows.num_rows} samples have no {modality}")
    notes += problems.summary()
    if instrument is not None:
        notes.append(f"{instrument.name}: {instrument.notice}")
    return tuple(notes)
