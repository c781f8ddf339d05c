"""Writes any study in the form of the Cross-Modality dataset, as its authors published it.

The form is the one that the reader ``crossmod`` reads: a table, the images in ``ims/`` and
each annotation's attention map in ``bv/``.
"""

import csv
import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Literal

import numpy as np
from scipy.io import savemat

from beholder.atomic import staged_folder
from beholder.errors import StudyError, UnsupportedError
from beholder.progress import Progress, silent
from beholder.study.gaze import Gaze, Kernel, attention_map
from beholder.study.study import Sample, Study

_HEADER = ("", "task_id", "image", "ad_msg", "personality", "mturker_id")

_LEVELS = 1024  # a power of two: the values then compress to a tenth of their size


def write_crossmod(
    study: Study,
    target: str | Path,
    *,
    table_name: Literal["data", "data_ads", "data_coco"] = "data",
    kernel: Kernel | None = None,
    overwrite: bool = False,
    progress: Progress = silent,
) -> None:
    """Write a study as ``table_name``.csv, ``ims/`` and ``bv/``, whole or not at all.

    A sample's task becomes its ``task_id``, or its participant where it has none. Maps have
    the size of their image and are scaled to a maximum of 1; ``kernel`` is as for
    `attention_map`. Raises UnsupportedError where the form cannot hold the study.
    """
    target = Path(target)
    _require_identities(study)
    sizes = {row["image"]: (row["height"], row["width"]) for row in study.images.to_pylist()}
    try:
        with staged_folder(target, overwrite=overwrite) as folder:
            for row, image in enumerate(progress(list(sizes), "copying images")):
                file = folder / "ims" / image
                file.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(study.image_path(row), file)
            with (folder / f"{table_name}.csv").open("w", encoding="utf-8", newline="") as file:
                table = csv.writer(file, lineterminator="\n")
                table.writerow(_HEADER)
                table.writerows(_rows(study))
            for sample in progress(study, "writing attention maps", len(study)):
                if sample.gaze is not None:
                    _write_map(folder / _map_file(sample), sample.gaze, sizes[sample.image], kernel)
    except FileExistsError as error:
        raise StudyError(f"{target} exists already; choose another folder") from error


def _task_id(task: str | None, participant: str | None) -> str:
    return task or participant or ""


def _map_file(sample: Sample) -> PurePosixPath:
    image = PurePosixPath(sample.image)
    task = _task_id(sample.task, sample.participant)
    return PurePosixPath("bv") / image.with_name(f"{image.stem}_{task}.mat")


def _require_identities(study: Study) -> None:
    """Refuse a study whose samples would run together: a task and an image name one map."""
    columns = (study.samples.column(name).to_pylist() for name in ("task", "participant", "image"))
    seen: set[tuple[str, str]] = set()
    for number, (task, participant, image) in enumerate(zip(*columns, strict=True), start=1):
        if participant is None:
            raise UnsupportedError(f"sample {number} has no participant, which crossmod requires")
        task_id = _task_id(task, participant)
        if not task_id or "/" in task_id or "\\" in task_id:
            raise UnsupportedError(f"task {task_id!r} cannot be part of a file's name")
        key = (task_id, str(PurePosixPath(image).with_suffix("")))
        if key in seen:
            raise UnsupportedError(
                f"sample {number} is the second of task {task_id} and image {key[1]}, which "
                "crossmod tells apart by no other name"
            )
        seen.add(key)


def _rows(study: Study) -> Iterator[tuple[object, ...]]:
    """Give the table's rows, samples in order."""
    names = study.participants.column("participant").to_pylist()
    items = study.participants.column("items").to_pylist()
    surveys = {
        name: "" if answers is None else personality_text(answers, row)
        for row, (name, answers) in enumerate(zip(names, items, strict=True))
    }
    columns = ("task", "participant", "image", "text")
    rows = zip(*(study.samples.column(name).to_pylist() for name in columns), strict=True)
    for index, (task, participant, image, text) in enumerate(rows):
        task_id = _task_id(task, participant)
        yield index, task_id, image, text or "", surveys[participant], participant


def personality_text(answers: list[int], row: int) -> str:
    """Return answers as the text of a NumPy array, spaced as the dataset spaces it.

    Most rows are plain; every fifth has doubled spaces and every seventh a line break.
    """
    words = [str(answer) for answer in answers]
    middle = len(words) // 2
    if row % 7 == 6:
        return f"[{' '.join(words[:middle])}\n {' '.join(words[middle:])}]"
    return f"[{('  ' if row % 5 == 4 else ' ').join(words)}]"


def _write_map(file: Path, gaze: Gaze, size: tuple[int, int], kernel: Kernel | None) -> None:
    height, width = size
    values = attention_map(gaze, height, width, aspect=width / height, kernel=kernel)
    values = values / max(values.max(initial=0), np.finfo(float).tiny)
    values = np.round(values * _LEVELS) / _LEVELS
    file.parent.mkdir(parents=True, exist_ok=True)
    savemat(file, {"hm": values.astype(np.float32)}, do_compression=True)
