"""Reads ``crossmod``: the Cross-Modality dataset (Murrugarra-Llerena and Kovashka, CVPR 2019).

A folder holds ``data.csv`` (or ``data_ads.csv``, ``data_coco.csv``), the images in ``ims/``
and each annotation's BubbleView attention map in ``bv/<image>_<task_id>.mat`` under ``hm``.
"""

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from scipy.io import loadmat

from beholder.errors import StudyError
from beholder.progress import Progress, silent
from beholder.study import schema
from beholder.study.gaze import DenseMap, Floats
from beholder.study.image_files import is_safe_name
from beholder.study.problems import Problem, Problems
from beholder.study.readers.image_files import check_images
from beholder.study.readers.options import (
    ReadOptions,
    ReadReport,
    add_skipped,
    pseudonym_function,
    turned_note,
)
from beholder.study.readers.table import Table, find_table, read_table
from beholder.study.survey import Instrument, load_instrument
from beholder.study.writer import StudyWriter, samples_table

TABLE_NAMES = ("data", "data_ads", "data_coco")
COLUMNS = ("task_id", "image", "ad_msg", "personality", "mturker_id")

_OTHER_WORDING = ("artistic", "imagination")  # whose correlation tells how item 5 was worded


@dataclass(frozen=True)
class _Annotation:
    """One good row of the table."""

    row: int
    task: str
    image: str
    text: str | None
    answers: tuple[int, ...] | None
    worker: str

    def map_file(self, source: Path) -> Path:
        image = PurePosixPath(self.image)
        return source / "bv" / image.with_name(f"{image.stem}_{self.task}.mat")


def read_crossmod(
    source: Path, target: Path, options: ReadOptions, progress: Progress = silent
) -> ReadReport:
    """Read the folder that one of the authors' archives unpacks to and write a study.

    Worker ids become pseudonyms unless that is switched off. An annotation without its map
    keeps its text; with neither it is left out and listed; a map of another size than its
    image is a bad row.
    """
    file = next(filter(None, (find_table(source, name) for name in TABLE_NAMES)), None)
    if file is None:
        raise StudyError(f"{source} holds none of {', '.join(f'{n}.csv' for n in TABLE_NAMES)}")
    problems = Problems(options.skip_bad)
    instrument = load_instrument(options.instrument)
    table = read_table(file, {}, COLUMNS, problems)
    for column in ("task_id", "image", "mturker_id"):
        table = table.reject(table.empty(column), column, f"a value of {column}", problems)
    unsafe = np.array(["/" in t or not is_safe_name(t) for t in table.texts("task_id")], dtype=bool)
    table = table.reject(unsafe, "task_id", "a task_id that can be part of a file's name", problems)
    table = _reject_repeats(table, problems)
    images = sorted(set(table.texts("image")))
    sizes, faults = check_images(source / "ims", images, progress)
    table = table.reject_values("image", faults, problems)
    annotations = _annotations(table, instrument, problems)
    pseudonym = pseudonym_function(options, default=True)
    info = schema.StudyInfo(
        options.name or target.name, "crossmod", options.language or "en", options.licence
    )
    with StudyWriter(target, info, instrument, overwrite=options.overwrite) as writer:
        for image in progress(sizes, "copying images"):
            writer.add_image(image, source / "ims" / image, sizes[image])
        kept = _write_maps(annotations, source, sizes, problems, writer, progress, file.name)
        surveys, inconsistent = _surveys([annotation for annotation, _ in kept])
        for worker, answers in surveys.items():
            writer.add_participant(pseudonym(worker), answers)
        writer.add_samples(
            samples_table(
                participants=[pseudonym(annotation.worker) for annotation, _ in kept],
                images=[annotation.image for annotation, _ in kept],
                texts=[annotation.text for annotation, _ in kept],
                tasks=[annotation.task for annotation, _ in kept],
                gazes=[_A_MAP if has_map else None for _, has_map in kept],
            )
        )
        if not kept:
            raise StudyError(f"{file.name} has no good row: there is nothing to study")
        add_skipped(writer, problems)
    notes = (*problems.summary(), *turned_note(writer), *_notes(kept, instrument, inconsistent))
    return ReadReport(len(surveys), len(sizes), len(kept), problems.rows, notes)


_A_MAP = DenseMap(np.zeros((0, 0)))  # stands for a map that `StudyWriter.add_map` has written


def _reject_repeats(table: Table, problems: Problems) -> Table:
    keys = list(zip(table.texts("task_id"), table.texts("image"), strict=True))
    first = {key: row for row, key in reversed(list(enumerate(keys)))}
    repeats = np.array([first[key] != row for row, key in enumerate(keys)], dtype=bool)
    return table.reject(repeats, "image", "one row for each task_id and image", problems)


def _annotations(table: Table, instrument: Instrument, problems: Problems) -> list[_Annotation]:
    annotations, found = [], []
    for row, task, image, text, survey, worker in zip(
        table.row, *(table.texts(column) for column in COLUMNS), strict=True
    ):
        answers: tuple[int, ...] | None = None
        if survey:
            answers = _parse_survey(survey, instrument)
            if answers is None:
                expected = (
                    f"{len(instrument.items)} whole numbers from {instrument.minimum} to "
                    f"{instrument.maximum} in brackets"
                )
                found.append(Problem(table.file, int(row), "personality", survey, expected))
                continue
        annotations.append(_Annotation(int(row), task, image, text or None, answers, worker))
    problems.add(found)
    return annotations


def _parse_survey(text: str, instrument: Instrument) -> tuple[int, ...] | None:
    """Read the text of a NumPy array of answers, its spaces doubled or broken over lines."""
    if not re.fullmatch(r"\[[\d\s,.]*\]", text):
        return None
    answers = tuple(float(number) for number in re.findall(r"\d+\.?\d*", text))
    try:
        return tuple(instrument.validate([answers])[0].tolist())
    except StudyError:
        return None


def _surveys(annotations: list[_Annotation]) -> tuple[dict[str, tuple[int, ...] | None], set[str]]:
    """Return each worker's first survey, and the workers who later gave another."""
    first: dict[str, tuple[int, ...] | None] = {}
    inconsistent = set()
    for annotation in annotations:
        known = first.get(annotation.worker)
        if known is None:
            first[annotation.worker] = annotation.answers
        elif annotation.answers not in (None, known):
            inconsistent.add(annotation.worker)
    return first, inconsistent


def _write_maps(
    annotations: list[_Annotation],
    source: Path,
    sizes: dict[str, tuple[int, int]],
    problems: Problems,
    writer: StudyWriter,
    progress: Progress,
    file: str,
) -> list[tuple[_Annotation, bool]]:
    """Write each annotation's map; return the good annotations and which of them have one."""
    kept: list[tuple[_Annotation, bool]] = []
    for annotation in progress(annotations, "reading attention maps"):
        path = annotation.map_file(source)
        if not path.is_file():
            if annotation.text is None:
                found, expected = "", "a text, as the sample has no gaze either"
                problems.note([Problem(file, annotation.row, "ad_msg", found, expected)])
            else:
                kept.append((annotation, False))
            continue
        width, height = sizes[annotation.image]
        try:
            values = _read_map(path, height, width)
        except StudyError as error:
            expected = f"{error} in {path.relative_to(source)}"
            problems.add([Problem(file, annotation.row, "image", annotation.image, expected)])
            continue
        writer.add_map(len(kept), values)
        kept.append((annotation, True))
    return kept


def _read_map(path: Path, height: int, width: int) -> Floats:
    """Return ``hm``, shape (height, width), or raise StudyError saying what was expected."""
    try:
        values = loadmat(path, variable_names=["hm"]).get("hm")
    except Exception as error:  # SciPy raises whatever its parsing stumbles on
        raise StudyError(f"a MATLAB 5 file that can be read ({error})") from error
    if values is None or values.dtype.kind not in "fiu":
        raise StudyError("a numeric array under the key hm")
    if values.shape != (height, width):
        raise StudyError(
            f"hm of the size of its image, {height}×{width}, not {'×'.join(map(str, values.shape))}"
        )
    if not np.isfinite(values).all() or (values < 0).any():
        raise StudyError("hm without NaN, infinite or negative values")
    return np.asarray(values)


def _notes(
    kept: list[tuple[_Annotation, bool]], instrument: Instrument, inconsistent: set[str]
) -> tuple[str, ...]:
    """Say what a person should know of a reading that succeeded."""
    notes = []
    if missing := sum(not has_map for _, has_map in kept):
        notes.append(f"{missing} of {len(kept)} samples have no attention map in bv/")
    if inconsistent:
        workers = "1 worker" if len(inconsistent) == 1 else f"{len(inconsistent)} workers"
        notes.append(f"{workers} gave surveys that differ; the first one of each is kept")
    notes += _wording_note([annotation for annotation, _ in kept], instrument)
    notes.append(f"{instrument.name}: {instrument.notice}")
    return tuple(notes)


def _wording_note(annotations: list[_Annotation], instrument: Instrument) -> list[str]:
    """Say how items 5 and 10 of the BFI-10 correlate, as item 5's wording is an assumption."""
    keys = [item.key for item in instrument.items]
    if not set(_OTHER_WORDING) <= set(keys):
        return []
    answers = np.array(list({a.worker: a.answers for a in annotations if a.answers}.values()))
    artistic, imagination = (keys.index(key) for key in _OTHER_WORDING)
    if len(answers) < 3 or not answers[:, [artistic, imagination]].std(axis=0).all():
        return []
    correlation = np.corrcoef(answers[:, artistic], answers[:, imagination])[0, 1]
    verdict = (
        "as the reversed wording implies"
        if correlation < 0
        else ("but the reversed wording of item 5 implies a negative one: check the instrument")
    )
    return [f"items 5 and 10 (artistic, imagination) correlate at {correlation:.2f}, {verdict}"]
