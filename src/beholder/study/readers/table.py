"""One CSV or Parquet table of text cells, and vectorised checks of its columns.

Everything is read as text first, so that a cell that is no number can be shown as it stands.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from beholder.errors import StudyError
from beholder.study.gaze import Floats
from beholder.study.problems import Problem, Problems
from beholder.study.readers.csv_file import MAXIMUM_ROW_BYTES, csv_header, delimiter

_ENDINGS = (".csv", ".tsv", ".parquet")
_OTHER_ENDINGS = (".txt", ".xls", ".xlsx", ".ods", ".sav", ".json", ".gz", ".zip")
_ROWS_OF_PARQUET = 1 << 16  # read at once
_NUMBER = r"^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$"


@dataclass(frozen=True)
class Table:
    """Rows of text cells; ``row`` gives each one's number in the file, the header being 1.

    ``rename`` maps Beholder's columns to the file's, which problems cite. Where semicolons part
    the cells, a comma stands before the decimals.
    """

    file: str
    data: pa.Table
    row: NDArray[np.int64]
    rename: dict[str, str] = field(default_factory=dict)
    has_decimal_commas: bool = False

    def __len__(self) -> int:
        return int(self.data.num_rows)

    def __contains__(self, column: str) -> bool:
        return column in self.data.column_names

    @property
    def columns(self) -> list[str]:
        """The columns by Beholder's names."""
        return list(self.data.column_names)

    def cells(self, column: str) -> pa.ChunkedArray:
        """Return a column's cells as text, an empty cell for a missing one."""
        return self.data.column(column).fill_null("")

    def texts(self, column: str) -> list[str]:
        """Return a column's cells as Python strings, trimmed."""
        texts: list[str] = pc.utf8_trim_whitespace(self.cells(column)).to_pylist()
        return texts

    def codes(self, column: str) -> tuple[NDArray[np.int64], list[str]]:
        """Return the distinct cells of a column, trimmed, and which of them each row has."""
        trimmed = pc.utf8_trim_whitespace(self.cells(column))
        encoded = pa.concat_arrays(trimmed.chunks or [pa.array([], pa.string())])
        encoded = encoded.dictionary_encode()
        return encoded.indices.to_numpy().astype(np.int64), encoded.dictionary.to_pylist()

    def empty(self, column: str) -> NDArray[np.bool_]:
        """Tell which cells of a column are empty but for white space."""
        trimmed = pc.utf8_trim_whitespace(self.cells(column))
        return np.asarray(pc.equal(trimmed, "").to_numpy())

    def numbers(self, column: str) -> tuple[Floats, NDArray[np.bool_]]:
        """Return a column's numbers and which cells hold a finite one (the others are NaN)."""
        cells = self.cells(column)
        if self.has_decimal_commas:
            cells = pc.replace_substring(cells, ",", ".")
        try:
            numbers = pc.cast(cells, pa.float64())  # quick, where every cell is a plain number
        except pa.ArrowInvalid:
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
        if not faults:
            return self
        cells = self.texts(column)
        bad = np.array([cell in faults for cell in cells], dtype=bool)
        found = self.problems(bad, column, "")
        expected = [faults[cells[row]] for row in np.flatnonzero(bad)]
        problems.add([replace(p, expected=e) for p, e in zip(found, expected, strict=True)])
        return self.where(~bad)


def find_table(folder: Path, name: str) -> Path | None:
    """Return ``name`` in a folder with the ending .csv, .tsv or .parquet, or as it stands.

    Raises StudyError where several files are meant by it, or only one that is no such table.
    """
    candidates = (name, *(f"{name}{ending}" for ending in _ENDINGS))
    found = [candidate for candidate in candidates if (folder / candidate).is_file()]
    if len(found) > 1:
        raise StudyError(f"{folder} holds {' and '.join(found)}, expected one of them")
    if found:
        return folder / found[0]
    for other in sorted(folder.iterdir()) if folder.is_dir() else ():
        is_table = other.suffix.lower() in (*_ENDINGS, *_OTHER_ENDINGS)
        if is_table and other.stem.lower() == name.lower():
            raise StudyError(
                f"{folder} holds {other.name}, expected {', '.join(candidates[1:-1])} or "
                f"{candidates[-1]}"
            )
    return None


@dataclass(frozen=True)
class TableFile:
    """A table on disk whose header is sound; ``columns`` are in Beholder's words."""

    path: Path
    names: list[str]  # of the columns in the file
    rename: dict[str, str]
    delimiter: str = ","

    @property
    def file(self) -> str:
        """The file's name, which problems cite."""
        return self.path.name

    @property
    def columns(self) -> list[str]:
        """The columns by Beholder's names."""
        ours = {theirs: ours for ours, theirs in self.rename.items()}
        # A column that the mapping has replaced keeps its cells under a name that nothing asks for.
        replaced = {name: f"{name} (replaced)" for name in self.rename if name not in ours}
        return [ours.get(name, replaced.get(name, name)) for name in self.names]

    def __contains__(self, column: str) -> bool:
        return column in self.columns

    def pieces(self, problems: Problems) -> Iterator[Table]:
        """Give the rows some ten thousand at a time, so that memory never holds the table.

        A row with too few or too many cells is a bad row.
        """
        read = _parquet_pieces if self.path.suffix == ".parquet" else _csv_pieces
        for data, row in read(self, problems):
            yield self.table(data.rename_columns(self.columns), row)

    def whole(self, problems: Problems) -> Table:
        """Return all rows."""
        pieces = list(self.pieces(problems))
        empty = pa.table({name: pa.array([], pa.string()) for name in self.columns})
        return self.table(
            pa.concat_tables([piece.data for piece in pieces] or [empty]),
            np.concatenate([np.zeros(0, np.int64), *(piece.row for piece in pieces)]),
        )

    def table(self, data: pa.Table, row: NDArray[np.int64]) -> Table:
        """Return rows of this table, whose columns have Beholder's names already."""
        return Table(self.path.name, data, row, self.rename, self.delimiter == ";")


def open_table(file: Path, rename: dict[str, str], required: Sequence[str]) -> TableFile:
    """Open a table, whose columns are renamed to Beholder's words, and check that none is missing.

    ``rename`` maps Beholder's column to the file's. Raises StudyError for a file that is
    empty, not UTF-8, not a table, lacks a column or names one twice.
    """
    if file.suffix == ".parquet":
        try:
            names = pq.ParquetFile(file).schema_arrow.names
        except (OSError, pa.ArrowException) as error:
            raise StudyError(f"{file} cannot be read as a table: {error}") from error
        table = TableFile(file, names, rename)
    else:
        sign = delimiter(file)
        table = TableFile(file, csv_header(file, sign), rename, sign)
    _check_names(file, table.names, rename, required)
    return table


def read_table(
    file: Path, rename: dict[str, str], required: Sequence[str], problems: Problems
) -> Table:
    """Return the whole table in a file, see `open_table`; bad rows go to ``problems``."""
    return open_table(file, rename, required).whole(problems)


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
        raise StudyError(
            f"{file.name} has no column {column}; it has {', '.join(names)} "
            "(a mapping can rename columns)"
        )


Pieces = Iterator[tuple[pa.Table, NDArray[np.int64]]]
"""Rows of a file as text, and each one's number in it."""


def _parquet_pieces(table: TableFile, problems: Problems) -> Pieces:
    first = 2
    try:
        for batch in pq.ParquetFile(table.path).iter_batches(_ROWS_OF_PARQUET):
            columns = [column.cast(pa.string()) for column in batch.columns]
            yield pa.table(columns, table.names), np.arange(first, first + batch.num_rows)
            first += batch.num_rows
    except (OSError, pa.ArrowException) as error:
        raise StudyError(f"{table.path} cannot be read as a table: {error}") from error


def _csv_pieces(table: TableFile, problems: Problems) -> Pieces:
    """Give the rows below the header."""
    file, names = table.path, table.names
    ragged: list[pacsv.InvalidRow] = []

    def remember(row: pacsv.InvalidRow) -> str:
        ragged.append(row)
        return "skip"

    following, told = 1, 0  # the row to come, and how many ragged ones were told of
    try:
        reader = pacsv.open_csv(
            file,
            read_options=pacsv.ReadOptions(
                block_size=4 * MAXIMUM_ROW_BYTES, use_threads=False, column_names=names
            ),
            parse_options=pacsv.ParseOptions(
                delimiter=table.delimiter,
                newlines_in_values=True,
                ignore_empty_lines=False,  # they count as rows, and are left out below
                invalid_row_handler=remember,
            ),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
        for batch in reader:
            bad = [invalid.number for invalid in ragged]
            row = np.arange(following, following + batch.num_rows + len(bad))
            row = np.setdiff1d(row, bad)[: batch.num_rows] if bad else row
            following = int(row[-1]) + 1 if len(row) else following
            problems.add([_ragged(file, names, invalid) for invalid in ragged[told:]])
            told = len(ragged)
            blank = np.logical_and.reduce(
                [pc.equal(column, "").to_numpy(zero_copy_only=False) for column in batch.columns],
                axis=0,
            )
            keep = ~blank & (row > 1)  # the header was read as row 1
            yield pa.table(batch.columns, names).filter(pa.array(keep)), row[keep]
    except pa.ArrowException as error:
        raise StudyError(f"{file.name} cannot be read as a table: {error}") from error
    problems.add([_ragged(file, names, invalid) for invalid in ragged[told:]])


def _ragged(file: Path, names: list[str], row: pacsv.InvalidRow) -> Problem:
    expected = f"{len(names)} cells, not {row.actual_columns}"
    return Problem(file.name, row.number, names[0], row.text, expected)
