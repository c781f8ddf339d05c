"""Rows in pieces, each one a task."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Piece:
    """Rows from ``start`` up to ``stop``, which is not among them."""

    start: int
    stop: int

    def __str__(self) -> str:
        return f"rows {self.start:,} to {self.stop - 1:,}"


def pieces(rows: int, at_once: int) -> list[Piece]:
    """Return pieces of ``at_once`` rows, whatever does them: so results hang on no worker."""
    return [Piece(start, min(start + at_once, rows)) for start in range(0, rows, at_once)]
