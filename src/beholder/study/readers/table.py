"""One CSV or Parquet table of text cells, and vectorised checks of its columns.

Everything is read as text first, so that a cell that is no number can be shown as it stands.
"""

import codecs
from collections.abc import Sequence
from dataclasses import dataclass
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

MAXIMUM_ROW_BYTES = 1 << 20
"""A row beyond this is a broken file (an unclosed quotation mark), not a description."""

_CHUNK_BYTES = 1 << 20
_NUMBER = r"^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$"


@dataclass(frozen=True)
class Table:
    """Rows of text cells; ``row`` gives each one's number in the file, the header being 1."""

    file: str
    data: pa.Table
    row: NDArray[np.int64]

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
        """Return a column's numbers (NaN where there is none) and which cells hold one."""
        cells = self.cells(column)
        valid = pc.match_substring_regex(cells, _NUMBER)
        numbers = pc.cast(
            pc.utf8_trim_whitespace(pc.if_else(valid, cells, pa.scalar(None, pa.string()))),
            pa.float64(),
        )
        return numbers.to_numpy(), np.asarray(valid.to_numpy())

    def where(self, keep: NDArray[np.bool_]) -> "Table":
        """Return the rows that a mask keeps."""
        if keep.all():
            return self
        return Table(self.file, self.data.filter(pa.array(keep)), self.row[keep])

    def problems(self, bad: NDArray[np.bool_], column: str, expected: str) -> list[Problem]:
        """Return a problem for each row that a mask marks, citing this column's cell."""
        rows = np.flatnonzero(bad)
        cells = self.cells(column).take(pa.array(rows)).to_pylist()
        return [
            Problem(self.file, int(self.row[row]), column, cell, expected)
            for row, cell in zip(rows, cells, strict=True)
        ]

    def reject(
        self, bad: NDArray[np.bool_], column: str, expected: str, problems: Problems
    ) -> "Table":
        """Report the rows that a mask marks and return the others."""
        problems.add(self.problems(bad, column, expected))
        return self.where(~bad)


def find_table(folder: Path, name: str) -> Path | None:
    """Return ``name`` in a folder with the ending .csv, .tsv or .parquet, or as it stands."""
    for candidate in (name, f"{name}.csv", f"{name}.tsv", f"{name}.parquet"):
        if (folder / candidate).is_file():
            return folder / candidate
    return None


def read_table(file: Path, rename: dict[str, str], required: Sequence[str]) -> Table:
    """Read a table, rename its columns to Beholder's words and check that none is missing.

    ``rename`` maps Beholder's column to the file's. Raises StudyError for a file that is
    empty, not UTF-8, not a table, lacks a column or names one twice.
    """
    data = _read_parquet(file) if file.suffix == ".parquet" else _read_csv(file)
    duplicates = {name for name in data.column_names if data.column_names.count(name) > 1}
    if duplicates:
        raise StudyError(f"{file.name} has two columns called {sorted(duplicates)[0]}")
    theirs_to_ours = {theirs: ours for ours, theirs in rename.items()}
    for ours, theirs in rename.items():
        if theirs not in data.column_names:
            raise StudyError(
                f"{file.name} has no column {theirs}, which the mapping names for {ours}; "
                f"it has {', '.join(data.column_names)}"
            )
    data = data.rename_columns([theirs_to_ours.get(name, name) for name in data.column_names])
    for name in required:
        if name not in data.column_names:
            raise StudyError(
                f"{file.name} has no column {name}; it has {', '.join(data.column_names)} "
                "(a mapping can rename columns)"
            )
    return Table(file.name, data, np.arange(2, data.num_rows + 2))


def _read_parquet(file: Path) -> pa.Table:
    try:
        table = pq.read_table(file)
        columns = [column.cast(pa.string()) for column in table.columns]
    except (OSError, pa.ArrowException) as error:
        raise StudyError(f"{file} cannot be read as a table: {error}") from error
    return pa.table(dict(zip(table.column_names, columns, strict=True)))


def _read_csv(file: Path) -> pa.Table:
    _check_bytes(file)
    delimiter = "\t" if file.suffix == ".tsv" else ","
    invalid: list[pacsv.InvalidRow] = []

    def remember(row: pacsv.InvalidRow) -> str:
        invalid.append(row)
        return "error"

    try:
        with pacsv.open_csv(file, parse_options=pacsv.ParseOptions(delimiter=delimiter)) as reader:
            names = reader.schema.names
        return pacsv.read_csv(
            file,
            read_options=pacsv.ReadOptions(block_size=4 * MAXIMUM_ROW_BYTES, use_threads=False),
            parse_options=pacsv.ParseOptions(
                delimiter=delimiter,
                newlines_in_values=True,
                invalid_row_handler=remember,
            ),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowException as error:
        if invalid:
            row = invalid[0]
            raise StudyError(
                f"{file.name}, row {row.number}: {row.actual_columns} cells, expected "
                f"{row.expected_columns}"
            ) from error
        raise StudyError(f"{file.name} cannot be read as a table: {error}") from error


def _check_bytes(file: Path) -> None:
    """Raise StudyError where a file is empty, not UTF-8 or has a line without end."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    line, line_bytes, total = 1, 0, 0
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            total += len(chunk)
            _decode(decoder, chunk, file, line)
            breaks = chunk.count(b"\n")
            first = chunk.find(b"\n") if breaks else len(chunk)
            longest = max(line_bytes + first, *map(len, chunk.split(b"\n")))
            if longest > MAXIMUM_ROW_BYTES:
                raise StudyError(
                    f"{file.name}, row {line}: a row of over {MAXIMUM_ROW_BYTES:,} bytes, "
                    "expected a description or a fixation (is a quotation mark unclosed?)"
                )
            line += breaks
            line_bytes = len(chunk) - chunk.rfind(b"\n") - 1 if breaks else line_bytes + len(chunk)
    _decode(decoder, b"", file, line, final=True)
    if not total:
        raise StudyError(f"{file.name} is empty, expected a header and rows")


def _decode(
    decoder: codecs.IncrementalDecoder, data: bytes, file: Path, line: int, final: bool = False
) -> None:
    try:
        decoder.decode(data, final)
    except UnicodeDecodeError as error:
        line += error.object[: error.start].count(b"\n")
        raise StudyError(
            f"{file.name}, row {line}: byte 0x{error.object[error.start]:02x} is not UTF-8; "
            "save the file as UTF-8"
        ) from error
