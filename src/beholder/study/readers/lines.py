"""JSON Lines, plain or gzipped, as a stream of batches: memory does not grow with the file."""

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from beholder.errors import StudyError

MAXIMUM_LINE_BYTES = 4 << 20
"""A line beyond this is a broken file (its ends of lines are lost), not a record."""

BATCH_BYTES = 16 << 20

BUFFER_BYTES = 1 << 20
"""A line spans several buffers of the usual size, and would be put together from them."""

ENDINGS = (".jsonl", ".jsonl.gz")


@dataclass(frozen=True)
class Lines:
    """Some successive lines of one file, each with its number, the first being 1.

    Of a line longer than `MAXIMUM_LINE_BYTES` there is only the beginning, one byte too long.
    """

    file: str
    lines: list[tuple[int, bytes]]


def find_lines(source: Path) -> list[Path]:
    """Return a file of JSON Lines, or those in a folder; raise StudyError if there are none."""
    if source.is_dir():
        files = sorted(path for path in source.iterdir() if path.name.endswith(ENDINGS))
    else:
        files = [source] if source.is_file() else []
    if not files:
        raise StudyError(f"{source} is no file and holds none that ends in {' or '.join(ENDINGS)}")
    return files


def count_batches(files: list[Path]) -> int | None:
    """Return about how many batches there will be, or None where a file is compressed."""
    if any(file.suffix == ".gz" for file in files):
        return None
    return sum(-(-file.stat().st_size // BATCH_BYTES) for file in files)


def read_lines(files: list[Path]) -> Iterator[Lines]:
    """Yield the lines of all files but the empty ones, in batches of about `BATCH_BYTES`.

    Raises StudyError for a file that cannot be read to its end.
    """
    for file in files:
        number = 0
        try:
            with _open(file) as stream:
                lines: list[tuple[int, bytes]] = []
                size = 0
                while line := _next_line(stream):
                    number += 1
                    if not line.isspace():
                        lines.append((number, line))
                        size += len(line)
                    if size >= BATCH_BYTES:
                        yield Lines(file.name, lines)
                        lines, size = [], 0
                yield Lines(file.name, lines)
        except (OSError, EOFError, zlib.error) as error:
            raise StudyError(
                f"{file.name}, row {number + 1}: the file cannot be read to its end ({error}); "
                "fetch it again"
            ) from error


def _open(file: Path) -> IO[bytes] | gzip.GzipFile:
    return gzip.open(file) if file.suffix == ".gz" else file.open("rb", BUFFER_BYTES)


def _next_line(stream: IO[bytes] | gzip.GzipFile) -> bytes:
    """Return the next line with its end, or the beginning of one that is too long."""
    line = rest = stream.readline(MAXIMUM_LINE_BYTES + 1)
    while len(rest) > MAXIMUM_LINE_BYTES and not rest.endswith(b"\n"):
        rest = stream.readline(MAXIMUM_LINE_BYTES + 1)
    return line


def parse_line(line: bytes, *, is_first: bool = False) -> dict[str, Any]:
    """Return the object of a line, or raise StudyError with what was expected of it."""
    if len(line) > MAXIMUM_LINE_BYTES:
        raise StudyError(f"a line of at most {MAXIMUM_LINE_BYTES:,} bytes")
    try:
        value = json.loads(line.decode("utf-8-sig" if is_first else "utf-8"))
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise StudyError(f"UTF-8, which byte 0x{byte:02x} is not") from error
    except (ValueError, RecursionError) as error:
        raise StudyError(f"a JSON object ({error})") from error
    if not isinstance(value, dict):
        raise StudyError("a JSON object")
    return value
