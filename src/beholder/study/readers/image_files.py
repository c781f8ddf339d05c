"""The files of images that a source names: which are sound, and what is wrong with the others."""

import unicodedata
from pathlib import Path

from beholder.errors import StudyError
from beholder.progress import Progress
from beholder.study.image_files import is_safe_name, verified_size


def check_images(
    folder: Path, images: list[str], progress: Progress
) -> tuple[dict[str, tuple[int, int]], dict[str, str]]:
    """Return the sizes of the sound images, and what is wrong with each of the others."""
    sizes, faults = {}, {}
    folders: dict[Path, dict[str, str]] = {}
    for image in progress(images, "checking images"):
        if not is_safe_name(image):
            faults[image] = f"the name of a file inside {folder.name}/"
            continue
        file = folder / image
        try:
            sizes[image] = verified_size(file)
        except StudyError as error:
            if file.parent not in folders:
                folders[file.parent] = _by_bare_name(file.parent)
            hint = "" if file.exists() else _hint(folders[file.parent], file.name)
            faults[image] = f"an image that can be read ({error}{hint})"
    return sizes, faults


def _hint(files: dict[str, str], name: str) -> str:
    """Return which file of a folder was perhaps meant by the name of one that is not there."""
    other = files.get(_bare(name))
    if other is None:
        return ""
    is_same = unicodedata.normalize("NFC", other) == unicodedata.normalize("NFC", name)
    return f"; there is {other!r}{', whose accents are encoded otherwise' if is_same else ''}"


def _by_bare_name(folder: Path) -> dict[str, str]:
    """Return a folder's files by what their names have in common with misspelt ones."""
    return {_bare(file.name): file.name for file in folder.iterdir()} if folder.is_dir() else {}


def _bare(name: str) -> str:
    """Return a file's name without its ending, in small letters, accents in one form."""
    stem = name.rpartition(".")[0] or name
    return unicodedata.normalize("NFC", stem).casefold()
