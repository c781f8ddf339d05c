"""Bad rows: each named with file, row, column and what was expected, none dropped in silence."""

import csv
import io
from dataclasses import dataclass, field

from beholder.errors import StudyError

SKIPPED_FILE = "skipped.csv"
_SHOWN_CHARACTERS = 60


@dataclass(frozen=True)
class Problem:
    """One fault of one row. ``row`` counts as a spreadsheet does: the header is row 1."""

    file: str
    row: int
    column: str
    found: str
    expected: str

    def __str__(self) -> str:
        return (
            f"{self.file}, row {self.row}, column {self.column}: found {shown(self.found)}, "
            f"expected {self.expected}"
        )


@dataclass
class Problems:
    """Collects the bad rows of a source; without ``skip`` the first file with one ends it."""

    skip: bool
    found: list[Problem] = field(default_factory=list)

    def add(self, problems: list[Problem]) -> None:
        """Keep these problems if bad rows are skipped, else raise StudyError for the first."""
        if problems and not self.skip:
            more = len(problems) - 1
            others = f" ({more} more like it in this file)" if more else ""
            raise StudyError(f"{problems[0]}{others}; --skip-bad keeps the good rows")
        self.found.extend(problems)

    def note(self, problems: list[Problem]) -> None:
        """Keep rows that are left out whether or not bad rows are skipped, so as to list them."""
        self.found.extend(problems)

    def summary(self) -> list[str]:
        """Return a sentence on what was left out, naming the first row, or nothing."""
        if not self.found:
            return []
        rows = "1 row" if self.rows == 1 else f"{self.rows} rows"
        return [f"{rows} left out, listed in {SKIPPED_FILE}; the first: {self.found[0]}"]

    @property
    def rows(self) -> int:
        """How many rows were bad, each counted once."""
        return len({(problem.file, problem.row) for problem in self.found})

    def csv(self) -> str:
        """Return the problems as a CSV text."""
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(["file", "row", "column", "found", "expected"])
        for problem in self.found:
            found = shown(problem.found)
            writer.writerow([problem.file, problem.row, problem.column, found, problem.expected])
        return text.getvalue()


def shown(value: str) -> str:
    """Return a value in quotation marks, on one line and short enough for a sentence."""
    if value == "":
        return "nothing"
    if len(value) > _SHOWN_CHARACTERS:
        return f"{value[:_SHOWN_CHARACTERS] + '…'!r} ({len(value)} characters)"
    return repr(value)
