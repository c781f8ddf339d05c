"""Cells of CSV and TSV files: exact numbers, and text that no spreadsheet runs as a formula."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")


def text_cell(text: str | None) -> str:
    """Return a text for a CSV cell; `plain_text` gives it back.

    Where it begins with a character that makes a spreadsheet run it (= + - @, tab, carriage
    return) an apostrophe stands before it, and so it does before a text's own apostrophe.
    """
    if text is None:
        return ""
    return f"'{text}" if text.startswith(_FORMULA) else text


def plain_text(cell: str) -> str:
    """Return the text of which `text_cell` made a cell."""
    return cell.removeprefix("'")


def csv_text(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return a CSV file's text: RFC 4180, None as an empty cell, floats with every digit."""
    return csv_rows([header]) + csv_rows(rows)


def csv_rows(rows: Iterable[Sequence[Any]]) -> str:
    """Return lines of a CSV file."""
    return "".join(",".join(map(_csv_cell, row)) + "\n" for row in rows)


def tsv_text(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return a TSV file's text as BIDS has it: n/a for nothing, no tab or line break in a cell."""
    lines = ["\t".join(header)]
    lines += ["\t".join(_tsv_cell(value) for value in row) for row in rows]
    return "\n".join(lines) + "\n"


def time_cell(milliseconds: int | None) -> str | None:
    """Return a time as ISO 8601 in UTC, to the millisecond."""
    if milliseconds is None:
        return None
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _csv_cell(value: Any) -> str:
    text = "" if value is None else str(value)
    # A lone carriage return ends a line for some readers: it needs the quotes as well.
    if any(character in text for character in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def _tsv_cell(value: Any) -> str:
    if value is None or value == "":
        return "n/a"
    return " ".join(value.split()) if isinstance(value, str) else str(value)
