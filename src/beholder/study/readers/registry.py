"""The readers by the name of their format."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

from beholder.errors import ConfigurationError
from beholder.progress import Progress, silent
from beholder.study.readers.bubbleview import read_bubbleview
from beholder.study.readers.crossmod import read_crossmod
from beholder.study.readers.narratives import read_narratives
from beholder.study.readers.options import ReadOptions, ReadReport
from beholder.study.readers.tables import read_tables

Reader: TypeAlias = Callable[[Path, Path, ReadOptions, Progress], ReadReport]

READERS: Mapping[str, Reader] = MappingProxyType(
    {
        "tables": read_tables,
        "crossmod": read_crossmod,
        "bubbleview": read_bubbleview,
        "localized-narratives": read_narratives,
    }
)


def read(
    source_format: str,
    source: str | Path,
    target: str | Path,
    options: ReadOptions | None = None,
    progress: Progress = silent,
) -> ReadReport:
    """Read a source of the named format and write a study, whole or not at all.

    Raises ConfigurationError for an unknown format and StudyError, naming file, row, column
    and what was expected, for a source that breaks it.
    """
    if source_format not in READERS:
        raise ConfigurationError(
            f"unknown format {source_format!r}, expected one of {', '.join(READERS)}"
        )
    return READERS[source_format](Path(source), Path(target), options or ReadOptions(), progress)
