"""One CSV or Parquet table of text cells, and vectorised checks of its columns.

Everything is read as text first, so that a cell that is no number can be shown as it stands.
"""

import codecs
import csv
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from beholder.errors import StudyError
from beholder.progress import Progress
from beholder.study.gaze import Floats
from beholder.study.problems import Problem, Problems
from beholder.study.writer import is_safe_name, verified_size

MAXIMUM_ROW_BYTES = 1 << 20
"""A row beyond this is a broken file (an unclosed quotation mark), not a description."""

_CHUNK_BYTES = 1 << 20
_NUMBER = r"^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$"


@dataclass(frozen=True)
class Table:
    """Rows of text cells; ``row`` gives each one's number in the file, the header being 1.

    ``rename`` maps Beholder's columns to the file's, which problems cite.
    """

    file: str
    data: pa.Table
    row: NDArray[np.int64]
    rename: dict[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return int(self.data.num_rows)

    def __contains__(self, column: str) -> bool:
        return column in self.data.column_names

    def cells(self, column: str) -> pa.ChunkedArray:
        """Return a column's cells as text, an empty cell for a missing one."""
        return self.data.column(column).fill_null("")

    def texts(self, column: str) -> list[str]:
        """Return a column's cells as Python strings, trimmed."""
        texts: list[str] = pc.utf8_trim_whitespace(self.cells(column)).to_pylist()
        return texts

    def empty(self, column: str) -> NDArray[np.bool_]:
        """Tell which cells of a column are empty but for white space."""
        trimmed = pc.utf8_trim_whitespace(self.cells(column))
        return np.asarray(pc.equal(trimmed, "").to_numpy())

    def numbers(self, column: str) -> tuple[Floats, NDArray[np.bool_]]:
        """Return a column's numbers and which cells hold a finite one (the others are NaN)."""
        cells = self.cells(column)
        valid = pc.match_substring_regex(cells, _NUMBER)
        numbers = pc.cast(
            pc.utf8_trim_whitespace(pc.if_else(valid, cells, pa.scalar(None, pa.string()))),
            pa.float64(),
        )
        values = numbers.to_numpy()
        finite = np.isfinite(values)
        return np.where(finite, values, np.nan), finite

    def where(self, keep: NDArray[np.bool_]) -> "Table":
        """Return the rows that a mask keeps."""
        if keep.all():
            return self
        return replace(self, data=self.data.filter(pa.array(keep)), row=self.row[keep])

    def problems(self, bad: NDArray[np.bool_], column: str, expected: str) -> list[Problem]:
        """Return a problem for each row that a mask marks, citing this column's cell."""
        rows = np.flatnonzero(bad)
        cells = self.cells(column).take(pa.array(rows)).to_pylist()
        name = self.rename.get(column, column)
        return [
            Problem(self.file, int(self.row[row]), name, cell, expected)
            for row, cell in zip(rows, cells, strict=True)
        ]

    def reject(
        self, bad: NDArray[np.bool_], column: str, expected: str, problems: Problems
    ) -> "Table":
        """Report the rows that a mask marks and return the others."""
        problems.add(self.problems(bad, column, expected))
        return self.where(~bad)

    def reject_values(self, column: str, faults: dict[str, str], problems: Problems) -> "Table":
        """Reject the rows whose cell is a key of ``faults``, which says what was expected."""
        cells = self.texts(column)
        bad = np.array([cell in faults for cell in cells], dtype=bool)
        found = self.problems(bad, column, "")
        expected = [faults[cells[row]] for row in np.flatnonzero(bad)]
        problems.add([replace(p, expected=e) for p, e in zip(found, expected, strict=True)])
        return self.where(~bad)


def find_table(folder: Path, name: str) -> Path | None:
    """Return ``name`` in a folder with the ending .csv, .tsv or .parquet, or as it stands."""
    for candidate in (name, f"{name}.csv", f"{name}.tsv", f"{name}.parquet"):
        if (folder / candidate).is_file():
            return folder / candidate
    return None


def check_images(
    folder: Path, images: list[str], progress: Progress
) -> tuple[dict[str, tuple[int, int]], dict[str, str]]:
    """Return the sizes of the sound images, and what is wrong with each of the others."""
    sizes, faults = {}, {}
    for image in progress(images, "checking images"):
        if not is_safe_name(image):
            faults[image] = f"the name of a file inside {folder.name}/"
            continue
        try:
            sizes[image] = verified_size(folder / image)
        except StudyError as error:
            faults[image] = f"an image that can be read ({error})"
    return sizes, faults


def read_table(
    file: Path, rename: dict[str, str], required: Sequence[str], problems: Problems
) -> Table:
    """Read a table, rename its columns to Beholder's words and check that none is missing.

    ``rename`` maps Beholder's column to the file's. A row with too few or too many cells is
    a bad row. Raises StudyError for a file that is empty, not UTF-8, not a table, lacks a
    column or names one twice.
    """
    if file.suffix == ".parquet":
        data = _read_parquet(file)
        _check_names(file, data.column_names, rename, required)
        row = np.arange(2, data.num_rows + 2)
    else:
        names = _csv_header(file)
        _check_names(file, names, rename, required)
        data, row = _read_csv(file, names, problems)
    ours = {theirs: ours for ours, theirs in rename.items()}
    # A column that the mapping has replaced keeps its cells under a name that nothing asks for.
    replaced = {name: f"{name} (replaced)" for name in rename if name not in ours}
    data = data.rename_columns([ours.get(n, replaced.get(n, n)) for n in data.column_names])
    return Table(file.name, data, row, rename)


def _check_names(
    file: Path, names: list[str], rename: dict[str, str], required: Sequence[str]
) -> None:
    duplicates = {name for name in names if names.count(name) > 1}
    if duplicates:
        raise StudyError(f"{file.name} has two columns called {min(duplicates)}")
    for ours, theirs in rename.items():
        if theirs not in names:
            raise StudyError(
                f"{file.name} has no column {theirs}, which the mapping names for {ours}; "
                f"it has {', '.join(names)}"
            )
    for column in required:
        if rename.get(column, column) in names:
            continue
        for separator, called in ((";", "semicolons"), ("\t", "tabs")):
            if len(names) == 1 and separator in names[0]:
                raise StudyError(
                    f"{file.name} has no column {column}: its cells are parted by {called}, "
                    "expected commas in .csv and tabs in .tsv"
                )
        raise StudyError(
            f"{file.name} has no column {column}; it has {', '.join(names)} "
            "(a mapping can rename columns)"
        )


def _read_parquet(file: Path) -> pa.Table:
    try:
        table = pq.read_table(file)
        columns = [column.cast(pa.string()) for column in table.columns]
    except (OSError, pa.ArrowException) as error:
        raise StudyError(f"{file} cannot be read as a table: {error}") from error
    return pa.Table.from_arrays(columns, names=table.column_names)


def _delimiter(file: Path) -> str:
    return "\t" if file.suffix == ".tsv" else ","


def _csv_header(file: Path) -> list[str]:
    """Return the names of the columns once the whole file is known to be rows of UTF-8."""
    has_quotes = _check_bytes(file)
    names: list[str] = []
    sound = 0
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            for row in csv.reader(stream, delimiter=_delimiter(file), strict=True):
                names = names if sound else row
                sound += 1
                if not has_quotes:
                    break  # only an unclosed quotation mark could join the rows that follow it
    except csv.Error as error:
        raise StudyError(
            f"{file.name}, row {sound + 1}: a cell that starts with a quotation mark does not "
            f"end with one ({error})"
        ) from error
    if not any(names):
        raise StudyError(f"{file.name}, row 1 is empty, expected the names of the columns")
    return names


def _read_csv(
    file: Path, names: list[str], problems: Problems
) -> tuple[pa.Table, NDArray[np.int64]]:
    """Return the rows below the header as text, and each one's number in the file."""
    ragged: list[pacsv.InvalidRow] = []

    def remember(row: pacsv.InvalidRow) -> str:
        ragged.append(row)
        return "skip"

    try:
        data = pacsv.read_csv(
            file,
            read_options=pacsv.ReadOptions(
                block_size=4 * MAXIMUM_ROW_BYTES, use_threads=False, column_names=names
            ),
            parse_options=pacsv.ParseOptions(
                delimiter=_delimiter(file),
                newlines_in_values=True,
                ignore_empty_lines=False,  # they count as rows, and are left out below
                invalid_row_handler=remember,
            ),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowException as error:
        raise StudyError(f"{file.name} cannot be read as a table: {error}") from error
    row = np.arange(1, data.num_rows + len(ragged) + 1)
    row = np.delete(row, [invalid.number - 1 for invalid in ragged])
    width = len(names)
    problems.add(
        [
            Problem(
                file.name,
                bad.number,
                names[0],
                bad.text,
                f"{width} cells, not {bad.actual_columns}",
            )
            for bad in ragged
        ]
    )
    blank = np.logical_and.reduce(
        [pc.equal(column, "").to_numpy() for column in data.columns], axis=0
    )
    keep = ~blank & (row > 1)  # the header was read as row 1
    return data.filter(pa.array(keep)), row[keep]


def _check_bytes(file: Path) -> bool:
    """Tell whether a file has quotation marks.

    Raises StudyError where it is empty, not UTF-8 or has a line without end.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    row, in_quotes, has_quotes, line_bytes, total = 1, False, False, 0, 0
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            total += len(chunk)
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as error:
                before, _ = _rows_in(error.object[: error.start], in_quotes)
                raise _not_utf8(file, row + before, error) from error
            lines = chunk.split(b"\n")
            if max(line_bytes + len(lines[0]), *map(len, lines)) > MAXIMUM_ROW_BYTES:
                raise StudyError(
                    f"{file.name}, row {row}: a row of over {MAXIMUM_ROW_BYTES:,} bytes, "
                    "expected a description or a fixation (is a quotation mark unclosed?)"
                )
            line_bytes = len(lines[-1]) + (line_bytes if len(lines) == 1 else 0)
            rows, in_quotes = _rows_in(chunk, in_quotes)
            row += rows
            has_quotes |= b'"' in chunk
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise _not_utf8(file, row, error) from error
    if not total:
        raise StudyError(f"{file.name} is empty, expected a header and rows")
    return has_quotes


def _rows_in(data: bytes, in_quotes: bool) -> tuple[int, bool]:
    """Count the rows that end in some bytes, and tell whether they end inside quotation marks."""
    pieces = data.split(b'"')
    rows = sum(piece.count(b"\n") for piece in pieces[in_quotes::2])
    return rows, in_quotes ^ (len(pieces) % 2 == 0)


def _not_utf8(file: Path, row: int, error: UnicodeDecodeError) -> StudyError:
    byte = error.object[error.start]
    return StudyError(
        f"{file.name}, row {row}: byte 0x{byte:02x} is not UTF-8; save the file as UTF-8"
    )
