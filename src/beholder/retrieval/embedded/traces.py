"""What an embedded store's folder still holds of somebody: its texts, and every byte."""

import mmap
from collections.abc import Collection
from contextlib import closing
from pathlib import Path

from beholder.errors import StoreError
from beholder.retrieval.embedded.database import open_to_read


def texts(path: Path) -> bytes:
    """Return every text that a store holds now, its model's among them."""
    found: list[bytes] = []
    with closing(open_to_read(path)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        for (table,) in tables.fetchall():
            for row in connection.execute(f'SELECT * FROM "{table}"'):
                found += [cell.encode() for cell in row if isinstance(cell, str)]
        model = connection.execute("SELECT data FROM model WHERE name LIKE '%.json'")
        found += [row[0] for row in model]
    return b"\n".join(found)


def look_for(path: Path, pieces: Collection[bytes]) -> tuple[int, int]:
    """Look for pieces in every file of a folder; return how many files and bytes were read.

    Raises StoreError naming the file that holds one.
    """
    files, size = 0, 0
    for file in sorted(entry for entry in path.rglob("*") if entry.is_file()):
        files += 1
        length = file.stat().st_size
        size += length
        if not length:
            continue
        with (
            file.open("rb") as opened,
            mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as data,
        ):
            for piece in pieces:
                if data.find(piece) >= 0:
                    raise StoreError(
                        f"{file} still holds words of the person who was to be removed"
                    )
    return files, size
