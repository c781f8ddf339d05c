"""The bytes of a CSV file: UTF-8, rows of a bearable length, quotation marks that end."""

import codecs
import csv
from pathlib import Path

from beholder.errors import StudyError

MAXIMUM_ROW_BYTES = 1 << 20
"""A row beyond this is a broken file (an unclosed quotation mark), not a description."""

_CHUNK_BYTES = 1 << 20


def delimiter(file: Path) -> str:
    """Return what parts the cells: a tab in .tsv, else what the header has.

    Spreadsheets of many languages write semicolons, as a comma stands before their decimals.
    """
    if file.suffix == ".tsv":
        return "\t"
    with file.open("rb") as stream:
        header = stream.readline(MAXIMUM_ROW_BYTES)
    return next((sign for sign in ",;\t" if sign.encode() in header), ",")


def csv_header(file: Path, sign: str) -> list[str]:
    """Return the names of the columns once the whole file is known to be rows of UTF-8.

    ``sign`` parts the cells. A column without a name is called by its number.
    """
    has_quotes = _check_bytes(file)
    names: list[str] = []
    sound = 0
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            for row in csv.reader(stream, delimiter=sign, strict=True):
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
    return [name.strip() or f"no. {number}" for number, name in enumerate(names, start=1)]


def _check_bytes(file: Path) -> bool:
    """Tell whether a file has quotation marks.

    Raises StudyError where it is empty, not UTF-8 or has a line without end.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    has_quotes, line_bytes, total = False, 0, 0
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            pending = len(decoder.getstate()[0])  # bytes of a sign that the last chunk began
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as error:
                raise _not_utf8(file, total - pending + error.start, error) from error
            lines = chunk.split(b"\n")
            if max(line_bytes + len(lines[0]), *map(len, lines)) > MAXIMUM_ROW_BYTES:
                raise StudyError(
                    f"{file.name}, row {_row_at(file, total)}: a row of over "
                    f"{MAXIMUM_ROW_BYTES:,} bytes, expected a description or a fixation (is a "
                    "quotation mark unclosed?)"
                )
            line_bytes = len(lines[-1]) + (line_bytes if len(lines) == 1 else 0)
            total += len(chunk)
            has_quotes |= b'"' in chunk
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise _not_utf8(file, total, error) from error
    if not total:
        raise StudyError(f"{file.name} is empty, expected a header and rows")
    return has_quotes


def _row_at(file: Path, place: int) -> int:
    """Return the row in which a byte of a file lies: only a fault is worth counting for."""
    row, in_quotes = 1, False
    with file.open("rb") as stream:
        while chunk := stream.read(min(_CHUNK_BYTES, place)):
            pieces = chunk.split(b'"')
            row += sum(piece.count(b"\n") for piece in pieces[in_quotes::2])
            in_quotes ^= len(pieces) % 2 == 0
            place -= len(chunk)
    return row


def _not_utf8(file: Path, place: int, error: UnicodeDecodeError) -> StudyError:
    byte = error.object[error.start]
    row = _row_at(file, place)
    return StudyError(
        f"{file.name}, row {row}: byte 0x{byte:02x} is not UTF-8; save the file as UTF-8"
    )
