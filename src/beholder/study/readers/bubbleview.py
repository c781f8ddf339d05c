"""Reads ``bubbleview``: the published click data of BubbleView (Kim et al., TOCHI 2017).

MATLAB 5 files hold a struct array ``bubble``: an image each, with ``userdata``, an entry a
viewer: where they clicked and, in tasks of description, what they wrote. Nothing says who a
viewer was, and places in ``userdata`` do not follow a person from image to image.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat

from beholder.errors import StudyError
from beholder.progress import Progress, silent
from beholder.study import schema
from beholder.study.gaze import Floats, Points
from beholder.study.image_files import is_safe_name
from beholder.study.problems import Problem, Problems
from beholder.study.readers.image_files import check_images
from beholder.study.readers.options import ReadOptions, ReadReport, add_skipped, turned_note
from beholder.study.writer import StudyWriter, samples_table

FINAL = "final"
"""The type of the one entry of ``descriptions`` that is the description; others are its edits."""


@dataclass(frozen=True)
class _Place:
    """Where one viewer's work with one image stands; ``row`` counts the viewers of a file."""

    file: str
    row: int
    entry: int
    user: int
    image: str

    def problem(self, field: str, found: object, expected: str) -> Problem:
        """Return a problem that names the field as MATLAB would."""
        column = f"bubble({self.entry}).userdata({self.user}).{field}"
        return Problem(self.file, self.row, column, str(found), expected)


@dataclass(frozen=True)
class _Viewing:
    """What one viewer did: clicks in pixels, shape (n, 2), their seconds where known, a text."""

    place: _Place
    clicks: Floats
    time: Floats | None
    text: str | None

    def gaze(self, size: tuple[int, int]) -> Points | None:
        if not len(self.clicks):
            return None
        x, y = (self.clicks / size).T
        return Points(x, y, self.time)


def read_bubbleview(
    source: Path, target: Path, options: ReadOptions, progress: Progress = silent
) -> ReadReport:
    """Read a .mat file, or a folder of them, and write a study of unknown participants.

    Images lie where ``impath`` says, from the folder on, or in its folder of images under
    their ``filename``. A sample's task is its file's name, which tells the experiments apart.
    """
    root = source if source.is_dir() else source.parent
    files = sorted(source.glob("*.mat")) if source.is_dir() else [source]
    if not files:
        raise StudyError(f"{source} holds no .mat file")
    problems = Problems(options.skip_bad)
    viewings = []
    for file in progress(files, "reading clicks"):
        places = list(_users(file, root, options.mapping.images))
        viewings += _without_repeats(_viewings(places, problems), problems)
    images = sorted({viewing.place.image for viewing in viewings})
    sizes, faults = check_images(root, images, progress)
    viewings = _inside_images(viewings, sizes, faults, problems)
    viewings = _with_content(viewings, problems)
    if not viewings:
        raise StudyError(f"{source} has no viewer with clicks or a text: there is nothing to study")
    info = schema.StudyInfo(
        options.name or target.name, "bubbleview", options.language or "en", options.licence
    )
    used = dict.fromkeys(viewing.place.image for viewing in viewings)
    with StudyWriter(target, info, overwrite=options.overwrite) as writer:
        for image in progress(used, "copying images"):
            writer.add_image(image, root / image, sizes[image])
        writer.add_samples(
            samples_table(
                participants=[None] * len(viewings),
                images=[viewing.place.image for viewing in viewings],
                texts=[viewing.text for viewing in viewings],
                tasks=[Path(viewing.place.file).stem for viewing in viewings],
                gazes=[viewing.gaze(sizes[viewing.place.image]) for viewing in viewings],
            )
        )
        add_skipped(writer, problems)
    notes = (*_notes(viewings), *turned_note(writer), *problems.summary())
    return ReadReport(0, len(used), len(viewings), problems.rows, notes)


def _users(file: Path, root: Path, folder: str) -> Iterator[tuple[_Place, Any]]:
    """Yield the place and the struct of every viewer of every image in a file."""
    row = 0
    for entry, bubble in enumerate(_load(file).flat, start=1):
        where = f"{file.name}, bubble({entry})"
        filename, impath = (_name(bubble, field, where) for field in ("filename", "impath"))
        image = _image(root, folder, filename, impath)
        users = bubble["userdata"]
        if not users.size:
            continue
        if "fixations" not in (users.dtype.names or ()):
            raise StudyError(f"{where}.userdata has no field fixations")
        for user, data in enumerate(users.flat, start=1):
            row += 1
            yield _Place(file.name, row, entry, user, image), data


def _load(file: Path) -> NDArray[Any]:
    """Return the struct array ``bubble`` of a file."""
    try:
        bubbles = loadmat(file, variable_names=["bubble"]).get("bubble")
    except Exception as error:  # SciPy raises whatever its parsing stumbles on
        raise StudyError(f"{file} is no MATLAB 5 file that can be read: {error}") from error
    fields = (bubbles.dtype.names or ()) if bubbles is not None else ()
    for field in ("filename", "impath", "userdata"):
        if field not in fields:
            raise StudyError(f"{file} holds no struct array bubble with a field {field}")
    return np.asarray(bubbles)


def _name(bubble: Any, field: str, where: str) -> str:
    try:
        return _text(bubble[field])
    except StudyError as error:
        raise StudyError(f"{where}.{field}: expected {error}") from error


def _image(root: Path, folder: str, filename: str, impath: str) -> str:
    """Return an image's path from the root on; that of ``impath`` where there is none."""
    given = impath.replace("\\", "/")
    for path in (given, f"{folder}/{filename}"):
        if is_safe_name(path) and (root / path).is_file():
            return path
    return given


def _viewings(places: list[tuple[_Place, Any]], problems: Problems) -> list[_Viewing]:
    viewings, found = [], []
    for place, user in places:
        field = "fixations.enc"
        try:
            clicks = _clicks(user["fixations"])
            time = _seconds(user["fixations"], len(clicks))
            field = "descriptions"
            text = _final(user["descriptions"]) if field in user.dtype.names else ""
        except StudyError as error:
            found.append(place.problem(field, _shape(user[field.partition(".")[0]]), str(error)))
            continue
        viewings.append(_Viewing(place, clicks, time, text or None))
    problems.add(found)
    return viewings


def _shape(value: NDArray[Any]) -> str:
    """Return what a MATLAB value is, such as 1×3 struct."""
    kind = "struct" if value.dtype.names else _KINDS.get(value.dtype.kind, value.dtype.name)
    return f"{'×'.join(map(str, value.shape))} {kind}"


_KINDS = {"O": "cell", "U": "char"}


def _clicks(fixations: NDArray[Any]) -> Floats:
    """Return the clicks of a struct of fixations in pixels, shape (n, 2)."""
    if not fixations.size:
        return np.zeros((0, 2))
    if fixations.size > 1 or "enc" not in (fixations.dtype.names or ()):
        raise StudyError("one struct fixations with a field enc")
    clicks = fixations.flat[0]["enc"]
    if not clicks.size:
        return np.zeros((0, 2))
    is_numeric = isinstance(clicks, np.ndarray) and clicks.dtype.kind in "fiu"
    if not is_numeric or clicks.ndim != 2 or clicks.shape[1] != 2:
        raise StudyError("an N×2 matrix of numbers, x and y of every click")
    return np.asarray(clicks, dtype=float)


def _seconds(fixations: NDArray[Any], count: int) -> Floats | None:
    """Return each click's seconds after the first, or None where the clock cannot be trusted.

    The clock shows whole seconds; a list of another length than the clicks, or one that runs
    backwards, does not tell when a click was made.
    """
    if not count or "enc_time" not in (fixations.dtype.names or ()):
        return None
    try:
        shown = _texts(fixations.flat[0]["enc_time"])
        moments = [datetime.fromisoformat(moment) for moment in shown]
        seconds = np.array([(moment - moments[0]).total_seconds() for moment in moments])
    except (StudyError, ValueError, TypeError):
        return None
    return seconds if len(seconds) == count and (np.diff(seconds) >= 0).all() else None


def _final(descriptions: NDArray[Any]) -> str:
    """Return the description that a viewer left in the end, empty where there is none.

    The entries come as a struct whose fields are lists, as a struct of single values or as an
    array of structs; the final text may be repeated, but must be one.
    """
    if not descriptions.size:
        return ""
    if not {"type", "text"} <= set(descriptions.dtype.names or ()):
        raise StudyError("a struct with the fields type and text")
    finals = set()
    for entry in descriptions.flat:
        types, texts = _texts(entry["type"]), _texts(entry["text"])
        if len(types) != len(texts):
            raise StudyError(f"as many texts as types, not {len(texts)} and {len(types)}")
        finals |= {text for kind, text in zip(types, texts, strict=True) if kind == FINAL}
    if len(finals) > 1:
        raise StudyError(f"one text of the type {FINAL}, not {len(finals)} that differ")
    return finals.pop() if finals else ""


def _texts(value: NDArray[Any]) -> list[str]:
    """Return the texts of a cell array, or the one text of a char array."""
    cells = value.flat if value.dtype == object else [value]
    return [_text(cell) for cell in cells]


def _text(value: NDArray[Any]) -> str:
    """Return the text of a char array, its rows as lines; one of no size is empty."""
    if not value.size:
        return ""
    if value.dtype.kind != "U":
        raise StudyError(f"a text, not an array of the type {value.dtype.name}")
    return "\n".join(value.flat).strip()


def _without_repeats(viewings: list[_Viewing], problems: Problems) -> list[_Viewing]:
    """Reject a viewer whose every click and word are another's: an entry that is there twice."""
    seen, kept, found = set(), [], []
    for viewing in viewings:
        time = None if viewing.time is None else viewing.time.tobytes()
        key = (viewing.place.image, viewing.clicks.tobytes(), time, viewing.text)
        if key in seen and len(viewing.clicks):
            expected = "clicks that are not those of an earlier viewer of this image"
            found.append(viewing.place.problem("fixations.enc", viewing.clicks[0], expected))
            continue
        seen.add(key)
        kept.append(viewing)
    problems.add(found)
    return kept


def _inside_images(
    viewings: list[_Viewing],
    sizes: dict[str, tuple[int, int]],
    faults: dict[str, str],
    problems: Problems,
) -> list[_Viewing]:
    """Reject the viewers of images that cannot be used, and those who clicked outside."""
    kept, found = [], []
    for viewing in viewings:
        image = viewing.place.image
        if image in faults:
            entry = f"bubble({viewing.place.entry}).impath"
            found.append(
                Problem(viewing.place.file, viewing.place.row, entry, image, faults[image])
            )
            continue
        inside = ((viewing.clicks >= 0) & (viewing.clicks <= sizes[image])).all(axis=1)
        if not inside.all():
            number = int(np.flatnonzero(~inside)[0])
            x, y = viewing.clicks[number]
            expected = "clicks inside the image, {} by {} pixels".format(*sizes[image])
            field = f"fixations.enc({number + 1},:)"
            found.append(viewing.place.problem(field, f"{x:g}, {y:g}", expected))
            continue
        kept.append(viewing)
    problems.add(found)
    return kept


def _with_content(viewings: list[_Viewing], problems: Problems) -> list[_Viewing]:
    """Leave out viewers of whom neither clicks nor a text were kept, and list them."""
    expected = "clicks, as the sample has no text either"
    problems.note(
        [
            viewing.place.problem("fixations.enc", "", expected)
            for viewing in viewings
            if not len(viewing.clicks) and viewing.text is None
        ]
    )
    return [viewing for viewing in viewings if len(viewing.clicks) or viewing.text is not None]


def _notes(viewings: list[_Viewing]) -> tuple[str, ...]:
    """Say what a person should know of a reading that succeeded."""
    notes = ["the viewers are unknown: nothing personal can be learnt from these samples"]
    count = len(viewings)
    if missing := sum(viewing.text is None for viewing in viewings):
        notes.append(f"{missing} of {count} samples have no text")
    if missing := sum(not len(viewing.clicks) for viewing in viewings):
        notes.append(f"{missing} of {count} samples have no gaze")
    if untimed := sum(v.time is None and len(v.clicks) > 0 for v in viewings):
        notes.append(f"{untimed} of {count} samples have clicks without trustworthy times")
    return tuple(notes)
