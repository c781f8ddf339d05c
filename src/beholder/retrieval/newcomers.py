"""Samples of a new person, as a researcher has them: a table, JSON Lines or a study.

A table (.csv, .tsv or .parquet) has a column ``image``, and ``text`` or ``gaze`` or both; a
gaze is a file beside the table, as `read_gaze` takes it. JSON Lines have the same names, and
a gaze may stand in them. Where samples name their participant, only those of the person count.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from beholder.errors import StudyError
from beholder.retrieval.query import read_gaze
from beholder.retrieval.records import parse_gaze
from beholder.study.gaze import Gaze
from beholder.study.image_files import is_safe_name
from beholder.study.problems import Problem, Problems
from beholder.study.readers.lines import ENDINGS, parse_line, read_lines
from beholder.study.readers.table import read_table
from beholder.study.study import Study
from beholder.study.survey import instrument_toml
from beholder.study.writer import is_study

_COLUMNS = ("participant", "image", "text", "gaze", "task")
_TABLES = (".csv", ".tsv", ".parquet")


@dataclass(frozen=True)
class NewSample:
    """What a new person did with one image: a text, a gaze or both.

    ``image`` is a name. ``file`` is what it names where the store does not have it, and is
    compared with the store's where that does. ``where`` begins an error's sentence.
    """

    image: str
    text: str | None = None
    gaze: Gaze | None = None
    task: str | None = None
    file: Path | None = None
    where: str = "a sample"


@dataclass(frozen=True)
class Newcomer:
    """A new person's samples, the survey where a study has it, and what to say of the source."""

    samples: tuple[NewSample, ...]
    answers: tuple[int, ...] | None = None
    instrument: str | None = None  # as TOML, what the answers are to
    notes: tuple[str, ...] = ()


def read_newcomer(source: Path, name: str, images: Path | None = None) -> Newcomer:
    """Return the samples of a person in a table, a file of JSON Lines or the folder of a study.

    ``images`` is the folder of new image files, by default where the table lies. Raises
    StudyError naming file, row, column and what was expected.
    """
    if source.is_dir():
        if not is_study(source):
            raise StudyError(
                f"{source} is a folder without study.toml, expected a study, or a file that ends "
                f"in {', '.join(_TABLES)} or .jsonl"
            )
        return _of_study(Study.open(source), name)
    if not source.is_file():
        raise StudyError(f"{source} is missing, expected a file of samples or a study's folder")
    if source.name.endswith(ENDINGS):
        rows = _lines(source)
    elif source.suffix in _TABLES:
        rows = _table(source)
    else:
        raise StudyError(
            f"{source.name} ends in none of {', '.join(_TABLES)} and .jsonl, of which samples are"
        )
    return _of_rows(rows, source, name, images or source.parent)


Row = tuple[int, Mapping[str, Any]]


def _table(file: Path) -> list[Row]:
    problems = Problems(skip=True)
    table = read_table(file, {}, (), problems)
    if problems.found:
        raise StudyError(str(problems.found[0]))
    names = table.data.column_names
    if "image" not in table or not ("text" in table or "gaze" in table):
        raise StudyError(
            f"{file.name} has columns {', '.join(names)}, expected image, and text or gaze or both"
        )
    cells = {column: table.texts(column) for column in names}
    return [
        (int(number), {column: cells[column][row] for column in names})
        for row, number in enumerate(table.row)
    ]


def _lines(file: Path) -> list[Row]:
    rows: list[Row] = []
    for batch in read_lines([file]):
        for number, line in batch.lines:
            try:
                rows.append((number, parse_line(line, is_first=number == 1)))
            except StudyError as error:
                raise StudyError(f"{file.name}, row {number}: expected {error}") from error
    return rows


def _of_rows(rows: list[Row], source: Path, name: str, images: Path) -> Newcomer:
    kept = [row for row in rows if _cell(row, "participant", source) in (name, None)]
    if not kept:
        others = sorted({str(row[1]["participant"]) for row in rows})
        of_whom = f", only of {', '.join(others[:3])}" if others else ""
        raise StudyError(f"{source.name} has no sample of {name}{of_whom}")
    samples = []
    for row in kept:
        number = row[0]
        image = _cell(row, "image", source)
        if image is None or not is_safe_name(image):
            raise _fault(source, number, "image", image, f"the name of an image in {images}")
        samples.append(
            NewSample(
                image,
                _cell(row, "text", source),
                _gaze(row, source),
                _cell(row, "task", source),
                images / image,
                f"{source.name}, row {number}",
            )
        )
    unused = dict.fromkeys(column for _, cells in rows for column in cells)
    unused = {column: None for column in unused if column not in _COLUMNS}
    notes = (f"{source.name}: columns not used: {', '.join(unused)}",) if unused else ()
    return Newcomer(tuple(samples), notes=notes)


def _cell(row: Row, column: str, source: Path) -> str | None:
    """Return a text, or None where there is none or nothing but white space."""
    number, cells = row
    value = cells.get(column)
    if value is not None and not isinstance(value, str):
        raise _fault(source, number, column, str(value), "a text")
    return (value or "").strip() or None


def _gaze(row: Row, source: Path) -> Gaze | None:
    number, cells = row
    if isinstance(cells.get("gaze"), dict):
        return parse_gaze(cells["gaze"], f"{source.name}, row {number}, column gaze")
    name = _cell(row, "gaze", source)
    if name is None:
        return None
    file = source.parent / name
    if not file.is_file():
        raise _fault(source, number, "gaze", name, f"a file of a gaze in {source.parent}")
    try:
        return read_gaze(file)
    except StudyError as error:
        raise StudyError(f"{source.name}, row {number}, column gaze: {error}") from error


def _fault(source: Path, row: int, column: str, found: str | None, expected: str) -> StudyError:
    return StudyError(str(Problem(source.name, row, column, found or "", expected)))


def _of_study(study: Study, name: str) -> Newcomer:
    names = study.participants.column("participant").to_pylist()
    if name not in names:
        raise StudyError(f"{study.path} has no participant {name}, only {', '.join(names[:3])}")
    code = names.index(name)
    samples = tuple(
        NewSample(
            sample.image,
            sample.text,
            sample.gaze,
            sample.task,
            study.image_path(int(study.image_codes[sample.number])),
            f"{study.path}, sample {sample.number}",
        )
        for sample in study
        if sample.participant == name
    )
    if not samples:
        raise StudyError(f"{study.path} has no sample of {name}")
    answers = study.answers[code].tolist()
    if study.instrument is None or not answers or any(one != one for one in answers):
        return Newcomer(samples)
    return Newcomer(samples, tuple(map(int, answers)), instrument_toml(study.instrument))
