"""Reads ``tables``: what any eye-tracking lab can export as CSV or Parquet.

A folder holds ``samples`` (participant, image, text[, task]), ``fixations`` (one row a
fixation or click with x, y[, t, duration], or one row an area that a fixation hit),
``participants`` (participant, item_1 … item_n), and the images in ``images/``.
"""

import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from beholder.errors import StudyError
from beholder.progress import Progress, silent
from beholder.study import schema
from beholder.study.problems import Problems
from beholder.study.readers.fixations import AREA_COLUMNS, has_points
from beholder.study.readers.image_files import check_images
from beholder.study.readers.joining import Joining, Samples, distinct_keys, named
from beholder.study.readers.mapping import COLUMNS, Mapping
from beholder.study.readers.options import (
    ReadOptions,
    ReadReport,
    add_skipped,
    pseudonym_function,
    turned_note,
)
from beholder.study.readers.table import Table, TableFile, find_table, open_table
from beholder.study.survey import Instrument, load_instrument
from beholder.study.writer import StudyWriter


@dataclass(frozen=True)
class _Source:
    """The tables of a folder; that of the fixations is read in pieces, each time anew."""

    samples: Table | None
    fixations: TableFile | None
    participants: Table | None


def read_tables(
    source: Path, target: Path, options: ReadOptions, progress: Progress = silent
) -> ReadReport:
    """Read a folder of tables and write a study; see `ReadOptions` and `Mapping`.

    Memory grows by a few hundred bytes a sample, and never with the fixations or clicks.
    """
    if not source.is_dir():
        raise StudyError(f"{source} is not a folder; tables are read from a folder")
    problems = Problems(options.skip_bad)
    instrument = load_instrument(options.instrument)
    tables, images = _check_identities(_load(source, options.mapping, problems), problems)
    sizes, faults = check_images(source / options.mapping.images, sorted(images), progress)
    samples = tables.samples and tables.samples.reject_values("image", faults, problems)
    tables = replace(tables, samples=samples)
    answers = _read_answers(tables.participants, options.mapping, instrument, problems)
    pseudonym = pseudonym_function(options, default=False)
    info = schema.StudyInfo(
        options.name or target.name, "tables", options.language, options.licence
    )
    used = instrument if any(answers.values()) else None
    with (
        StudyWriter(target, info, used, overwrite=options.overwrite) as writer,
        writer.scratch() as scratch,
    ):
        joining = Joining(options.mapping, sizes, faults, problems, scratch)
        rows = joining.join(tables.samples, tables.fixations)
        _list_empty(rows, tables.samples, problems)
        people, used_images = rows.distinct(0), rows.distinct(1)
        for image in progress(used_images, "copying images"):
            writer.add_image(image, source / options.mapping.images / image, sizes[image])
        for participant, given in answers.items():
            writer.add_participant(pseudonym(participant), given)
        for table in rows.tables(pseudonym):
            writer.add_samples(table)
        add_skipped(writer, problems)
    return ReadReport(
        len({pseudonym(name) for name in (*people, *answers)}),
        len(used_images),
        int(rows.is_kept.sum()),
        problems.rows,
        (*_notes(tables, rows, used, problems), *turned_note(writer)),
    )


def _load(source: Path, mapping: Mapping, problems: Problems) -> _Source:
    def table(kind: str, required: tuple[str, ...]) -> TableFile | None:
        name = getattr(mapping, kind)
        file = find_table(source, name)
        if file is None and name != getattr(Mapping(), kind):
            raise StudyError(f"{source} has no file {name}, which the mapping names for {kind}")
        return open_table(file, mapping.rename(kind), required) if file else None

    samples = table("samples", ("participant", "image", "text"))
    fixations = table("fixations", ("participant", "image"))
    participants = table("participants", ("participant",))
    if samples is None and fixations is None:
        raise StudyError(
            f"{source} holds neither {mapping.samples} nor {mapping.fixations} "
            "(.csv, .tsv or .parquet)"
        )
    return _Source(
        samples.whole(problems) if samples else None,
        fixations,
        participants.whole(problems) if participants else None,
    )


def _check_identities(tables: _Source, problems: Problems) -> tuple[_Source, set[str]]:
    """Drop rows that do not say who or which image, and second rows of one (person, image).

    Returns the images that are named besides.
    """
    images: set[str] = set()
    samples, participants = tables.samples, tables.participants
    if samples is not None:
        samples = named(samples, ("participant", "image"), problems)
        repeated = _repeats(distinct_keys(samples)[1])
        samples = samples.reject(
            repeated, "image", "one row for each participant, image and task", problems
        )
        images.update(samples.codes("image")[1])
    if participants is not None:
        participants = named(participants, ("participant",), problems)
        repeated = _repeats(participants.codes("participant")[0])
        participants = participants.reject(
            repeated, "participant", "one row for each participant", problems
        )
    if tables.fixations is not None:
        found = Problems(skip=True)  # of all pieces together, as the table is one
        for piece in tables.fixations.pieces(found):
            images.update(named(piece, ("participant", "image"), found).codes("image")[1])
        problems.add(found.found)
    return _Source(samples, tables.fixations, participants), images


def _repeats(codes: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which rows have the code of a row before them."""
    repeated = np.ones(len(codes), dtype=bool)
    repeated[np.unique(codes, return_index=True)[1]] = False
    return repeated


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


def _list_empty(rows: Samples, samples: Table | None, problems: Problems) -> None:
    """List the trials in which nothing was recorded: they are left out, but no fault of a row."""
    if samples is not None:
        # Keys of the samples' table come first, in its order.
        empty = ~rows.is_kept[: len(samples)]
        problems.note(samples.problems(empty, "text", "a text, as the sample has no gaze either"))
    if not rows.is_kept.any():
        raise StudyError("no sample has a text or a gaze: there is nothing to study")


def _unmatched(participants: Table | None, rows: Samples) -> list[str]:
    """Say whom one of the tables lacks: perhaps the other one spells them otherwise."""
    if participants is None:
        return []
    listed, seen = participants.texts("participant"), rows.distinct(0)
    notes = []
    for names, others, lack in ((listed, seen, "sample"), (seen, listed, "row in it")):
        if missing := sorted({*names} - {*others}):
            people = (
                "1 participant has" if len(missing) == 1 else f"{len(missing)} participants have"
            )
            notes.append(f"{participants.file}: {people} no {lack}, such as {missing[0]}")
    return notes


def _notes(
    tables: _Source, rows: Samples, instrument: Instrument | None, problems: Problems
) -> tuple[str, ...]:
    """Say what a person should know of a reading that succeeded."""
    notes = []
    for kind in ("samples", "fixations", "participants"):
        table: Table | TableFile | None = getattr(tables, kind)
        known = {*COLUMNS[kind]}
        if kind == "fixations" and table is not None:
            unused = (
                {"fixation", *AREA_COLUMNS} if has_points(table) else {"x", "y", "t", "duration"}
            )
            known -= unused
        extra = [
            name
            for name in (table.columns if table is not None else ())
            if name not in known and not name.startswith("item_")
        ]
        if table is not None and extra:
            notes.append(f"{table.file}: columns not used: {', '.join(extra)}")
    notes += _unmatched(tables.participants, rows)
    kept = rows.is_kept
    for modality, has in (("text", rows.has_text), ("gaze", rows.has_gaze)):
        if missing := int((kept & ~has).sum()):
            notes.append(f"{missing} of {int(kept.sum())} samples have no {modality}")
    notes += problems.summary()
    if instrument is not None:
        notes.append(f"{instrument.name}: {instrument.notice}")
    return tuple(notes)
