"""Reads ``localized-narratives`` (Pont-Tuset et al., ECCV 2020): JSON Lines, in one pass.

A line is what one annotator said of one image while the mouse pointed at what was meant: its
trace stands for gaze. Memory grows by a few hundred bytes an image and a narrative, and never
with what was said or traced.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pyarrow as pa

from beholder.errors import StudyError
from beholder.progress import Progress, silent
from beholder.study import schema
from beholder.study.problems import SKIPPED_FILE, Problem, Problems
from beholder.study.readers.image_folder import ImageFolder
from beholder.study.readers.lines import Lines, count_batches, find_lines, parse_line, read_lines
from beholder.study.readers.options import ReadOptions, ReadReport, pseudonym_function, turned_note
from beholder.study.readers.traces import Trace, parse_trace, trace_columns
from beholder.study.writer import StudyWriter

_EXPECTED: dict[str, tuple[tuple[type, ...], str]] = {
    "image_id": ((str, int), "the image's name"),
    "annotator_id": ((str, int), "the annotator's number"),
    "caption": ((str,), "a text"),
    "traces": ((list,), "a list of traces, each a list of points"),
}
_SOMETHING = "a text, as no point of the trace lies in the image either"


def read_narratives(
    source: Path, target: Path, options: ReadOptions, progress: Progress = silent
) -> ReadReport:
    """Read a file of narratives, or all in a folder, and write a study.

    The images lie in the folder ``images`` beside the files, or where the mapping says, each
    named by its ``image_id``. Points beyond an image's edge are dropped and counted: the
    pointer was beside the image then, and moving it to the edge would invent what was met.
    """
    files = find_lines(source)
    folder = (source if source.is_dir() else source.parent) / options.mapping.images
    if not folder.is_dir():
        raise StudyError(
            f"{folder} is no folder, expected the images that the narratives are of (a mapping "
            "names another one as images in its section [files])"
        )
    info = schema.StudyInfo(
        *(options.name or target.name, "localized-narratives"),
        *(options.language or "en", options.licence),
    )
    pseudonym = pseudonym_function(options, default=False)
    with StudyWriter(target, info, overwrite=options.overwrite) as writer:
        reading = _Reading(writer, ImageFolder(folder), Problems(options.skip_bad))
        total = count_batches(files)
        for lines in progress(read_lines(files), "reading narratives", total=total):
            reading.add(lines, pseudonym)
        if not reading.samples:
            raise StudyError(f"{source} has no good narrative: there is nothing to study")
        writer.set_skipped(reading.skipped)
    return ReadReport(
        *(len(reading.annotators), reading.images.used, reading.samples, reading.skipped),
        reading.notes(),
    )


@dataclass(frozen=True)
class _Narrative:
    """What is used of one line; ``image`` is its name in the study."""

    image: str
    annotator: str
    caption: str
    trace: Trace


@dataclass
class _Reading:
    """What is remembered from one batch of lines to the next."""

    writer: StudyWriter
    images: ImageFolder
    problems: Problems  # of the batch at hand
    annotators: dict[str, int] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)  # an image and an annotator in one number
    first_problem: Problem | None = None
    skipped: int = 0
    samples: int = 0
    without_text: int = 0
    without_gaze: int = 0
    without_times: int = 0
    points: int = 0
    outside: int = 0

    def add(self, lines: Lines, pseudonym: Callable[[str], str]) -> None:
        """Write the good narratives of a batch as samples and list the bad ones."""
        narratives = []
        for row, line in lines.lines:
            read = self._read(partial(Problem, lines.file, row), line, is_first=row == 1)
            if isinstance(read, _Narrative):
                narratives.append(read)
            elif read.expected == _SOMETHING:
                self.problems.note([read])
            else:
                self.problems.add([read])
        if narratives:
            self._write(narratives, pseudonym)
        self._write_skipped()

    def _read(
        self, problem: Callable[[str, str, str], Problem], line: bytes, *, is_first: bool
    ) -> _Narrative | Problem:
        """Return a line's narrative, its image being in the study, or what is wrong with it."""
        try:
            data = parse_line(line, is_first=is_first)
        except StudyError as error:
            return problem("line", line.decode("utf-8", "replace"), str(error))
        for column, (kinds, expected) in _EXPECTED.items():
            if not _is(data.get(column), kinds):
                return problem(column, str(data.get(column, "")), expected)
        try:
            trace = parse_trace(data["traces"])
        except StudyError as error:
            return problem("traces", str(data["traces"]), str(error))
        caption = data["caption"].strip()
        if not caption and not trace.inside().any():
            return problem("caption", "", _SOMETHING)
        image_id, annotator = str(data["image_id"]).strip(), str(data["annotator_id"]).strip()
        if not annotator:
            return problem("annotator_id", "", _EXPECTED["annotator_id"][1])
        person = self.annotators.get(annotator, len(self.annotators))
        try:
            image = self.images.find(image_id)
            if (key := image << 32 | person) in self.seen:
                return problem("image_id", image_id, "one narrative for each annotator and image")
            self.images.add(image, self.writer)
        except StudyError as error:
            return problem("image_id", image_id, str(error))
        self.seen.add(key)
        self.annotators[annotator] = person
        return _Narrative(self.images.names[image], annotator, caption, trace)

    def _write(self, narratives: list[_Narrative], pseudonym: Callable[[str], str]) -> None:
        gaze = trace_columns([narrative.trace for narrative in narratives])
        columns = {
            "participant": pa.array([pseudonym(narrative.annotator) for narrative in narratives]),
            "image": pa.array([narrative.image for narrative in narratives]),
            "text": pa.array([n.caption or None for n in narratives], pa.string()),
        }
        self.writer.add_samples(pa.table(columns | gaze.columns))
        self.samples += len(narratives)
        self.without_text += columns["text"].null_count
        self.without_gaze += gaze.columns["gaze"].null_count
        self.without_times += gaze.untimed
        self.points += gaze.points
        self.outside += gaze.outside

    def _write_skipped(self) -> None:
        """Write the bad lines of a batch beside the study and forget all but the first."""
        if not self.problems.found:
            return
        text = self.problems.csv()
        if self.first_problem is None:
            self.first_problem = self.problems.found[0]
        else:
            text = text.partition("\r\n")[2]  # the file has its header
        self.writer.extend_file(SKIPPED_FILE, text)
        self.skipped += self.problems.rows
        self.problems.found.clear()

    def notes(self) -> tuple[str, ...]:
        """Say what a person should know of a reading that succeeded."""
        notes = []
        if self.without_text:
            notes.append(f"{self.without_text} of {self.samples} samples have no text")
        if self.without_gaze:
            notes.append(f"{self.without_gaze} of {self.samples} samples have no gaze")
        if self.without_times:
            times = f"{self.without_times} of {self.samples} samples have times that run backwards"
            notes.append(f"{times}: their points are kept without times")
        if self.outside:
            notes.append(
                f"{self.outside} of {self.points} points lie beyond their image's edge and were "
                "dropped"
            )
        notes += turned_note(self.writer)
        if self.first_problem is not None:
            rows = "1 row" if self.skipped == 1 else f"{self.skipped} rows"
            notes.append(
                f"{rows} left out, listed in {SKIPPED_FILE}; the first: {self.first_problem}"
            )
        return tuple(notes)


def _is(value: object, kinds: tuple[type, ...]) -> bool:
    """Tell whether a value is of a kind and, if a text, one that UTF-8 can hold."""
    if isinstance(value, bool) or not isinstance(value, kinds):
        return False
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:  # half of a surrogate pair
            return False
    return True
