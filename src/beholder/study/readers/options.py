"""What every reader is told, whatever it reads."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from beholder.study.problems import SKIPPED_FILE, Problems
from beholder.study.pseudonyms import default_key_file, load_or_create_key
from beholder.study.readers.mapping import Mapping
from beholder.study.writer import StudyWriter


@dataclass(frozen=True)
class ReadOptions:
    """Options of a reading; ``instrument`` is a name or the path of a TOML file.

    ``skip_bad`` keeps the good rows of a source with bad ones. ``pseudonymise`` turns
    participants' ids into pseudonyms; None leaves that to the reader, which does so where
    ids are those of crowd workers.
    """

    name: str | None = None
    language: str | None = None
    licence: str | None = None
    instrument: str = "bfi-10"
    mapping: Mapping = field(default_factory=Mapping)
    skip_bad: bool = False
    overwrite: bool = False
    pseudonymise: bool | None = None
    key_file: Path | None = None


@dataclass(frozen=True)
class ReadReport:
    """What a reading found: counts, notes worth a person's attention, and skipped rows."""

    participants: int
    images: int
    samples: int
    skipped_rows: int
    notes: tuple[str, ...]


def pseudonym_function(options: ReadOptions, *, default: bool) -> Callable[[str], str]:
    """Return what turns a source's ids into a study's: a keyed hash, or the id as it is."""
    wanted = default if options.pseudonymise is None else options.pseudonymise
    if not wanted:
        return str
    return load_or_create_key(options.key_file or default_key_file())


def turned_note(writer: StudyWriter) -> list[str]:
    """Say how many images were turned, as a gaze recorded on them unturned is wrong."""
    if not writer.turned:
        return []
    images = "1 image was" if writer.turned == 1 else f"{writer.turned} images were"
    return [f"{images} turned upright, as the camera said: gaze must be of the upright image"]


def add_skipped(writer: StudyWriter, problems: Problems) -> None:
    """Write the rows that were skipped, if any, beside the study's tables."""
    if problems.found:
        writer.add_file(SKIPPED_FILE, problems.csv())
        writer.set_skipped(problems.rows)
