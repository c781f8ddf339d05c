"""Events put beside those of the same samples, by way of files, whatever order they came in.

A table of fixations has many rows a sample, in any order, and is the largest that a lab has. Its
rows go to one file for each stretch of samples, so that memory holds one stretch at a time.
"""

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from beholder.study.readers.table import Table, TableFile

SAMPLES_AT_ONCE = 1 << 16
"""A stretch of so many samples is written at once."""

_SAMPLE = "(sample)"


class Events:
    """The rows of a table of fixations by stretches of samples, in files of a folder."""

    def __init__(self, folder: Path, columns: list[str]) -> None:
        self._folder, self._columns = folder, columns
        self._schema = pa.schema(
            [(name, pa.string()) for name in columns] + [(_SAMPLE, pa.int64())]
        )
        self._stack = ExitStack()
        self._streams: dict[int, pa.RecordBatchStreamWriter] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, traceback)

    def add(self, piece: Table, sample: NDArray[np.int64]) -> None:
        """Add rows, each of the sample of this number; later rows of a sample stay later."""
        data = piece.data.select(self._columns).append_column(_SAMPLE, pa.array(sample))
        stretch = sample // SAMPLES_AT_ONCE
        for number in np.unique(stretch).tolist():
            own = pa.array(stretch == number)
            self._stream(number).write_table(data.filter(own).cast(self._schema))

    def of(self, start: int, file: TableFile) -> tuple[Table, NDArray[np.int64]] | None:
        """Return the rows of the stretch that begins here, each with its sample's place in it.

        None where no row is of these samples. Nothing can be added any more.
        """
        self._stack.close()
        number = start // SAMPLES_AT_ONCE
        if number not in self._streams:
            return None
        with pa.OSFile(str(self._path(number))) as source:
            data = pa.ipc.open_stream(source).read_all()
        self._path(number).unlink()
        sample = data.column(_SAMPLE).to_numpy() - start
        return file.table(data.drop_columns([_SAMPLE]), np.zeros(len(sample), np.int64)), sample

    def _stream(self, number: int) -> pa.RecordBatchStreamWriter:
        if number not in self._streams:
            sink = self._stack.enter_context(pa.OSFile(str(self._path(number)), "wb"))
            stream = pa.ipc.new_stream(sink, self._schema)
            self._streams[number] = self._stack.enter_context(stream)
        return self._streams[number]

    def _path(self, number: int) -> Path:
        return self._folder / f"{number}.arrow"
