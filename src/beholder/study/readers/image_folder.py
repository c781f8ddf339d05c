"""Finds images by their ids in a folder of any depth, and copies those that are used."""

import os
import re
from pathlib import Path

from beholder.errors import StudyError
from beholder.study.image_files import is_safe_name, verified_size
from beholder.study.writer import StudyWriter

ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")

# COCO's files fill a number up with zeros, and those of 2014 say so before it.
_NUMBER = re.compile(r"(?:COCO_\w+_)?0*(\d+)")


class ImageFolder:
    """The images below a folder, found by the name of their file without its ending."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.names: list[str] = []  # of an image's number, its path from the folder on
        self._number: dict[str, int] = {}
        self._doubled: set[int] = set()
        self._added: set[int] = set()
        self._faults: dict[int, str] = {}
        for place, _, files in os.walk(folder):
            within = Path(place).relative_to(folder)
            for file in files:
                if file.lower().endswith(ENDINGS):
                    self._index((within / file).as_posix())

    def _index(self, name: str) -> None:
        number = self._number.setdefault(_key(name), len(self.names))
        if number == len(self.names):
            self.names.append(name)
        else:
            self._doubled.add(number)

    @property
    def used(self) -> int:
        """How many images are in the study."""
        return len(self._added)

    def find(self, image_id: str) -> int:
        """Return the number of an image, or raise StudyError saying what was expected."""
        number = self._number.get(image_id)
        if number is None:
            number = self._number.get(_key(image_id))
        if number is None:
            raise StudyError(f"the name of an image in {self._folder.name}/")
        if number in self._doubled:
            raise StudyError(f"the name of one image only in {self._folder.name}/")
        return number

    def add(self, number: int, writer: StudyWriter) -> None:
        """Copy an image into the study once; raise StudyError saying why it cannot be used."""
        if number in self._added:
            return
        name = self.names[number]
        if number not in self._faults and not is_safe_name(name):
            self._faults[number] = f"a file's name without signs that part folders, not {name!r}"
        if number not in self._faults:
            try:
                size = verified_size(self._folder / name)
            except StudyError as error:
                self._faults[number] = f"an image that can be read ({error})"
        if number in self._faults:
            raise StudyError(self._faults[number])
        writer.add_image(name, self._folder / name, size)
        self._added.add(number)


def _key(name: str) -> str:
    """Return what an image's id and its file have in common."""
    stem = name.rpartition("/")[2]
    if stem.lower().endswith(ENDINGS):
        stem = stem.rpartition(".")[0]
    number = _NUMBER.fullmatch(stem)
    return number[1] if number else stem
