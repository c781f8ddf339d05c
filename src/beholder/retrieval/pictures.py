"""Small pictures of images to show, and what an image that is asked about shows."""

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from beholder.errors import StudyError
from beholder.features import Grid
from beholder.features.image import UNREADABLE
from beholder.study.image_files import stand_upright, upright_size

THUMBNAIL_PX = 320
"""The longer side of a thumbnail."""


def thumbnail(file: Path, side: int = THUMBNAIL_PX) -> bytes:
    """Return a small JPEG of an image, without what the file says beside its pixels."""
    try:
        with Image.open(file) as image:
            image.draft("RGB", (side, side))
            stand_upright(image)
            small = image.convert("RGB")
            small.thumbnail((side, side))
            clean = Image.new("RGB", small.size)
            clean.paste(small)
    except UNREADABLE as error:
        raise StudyError(f"image {file} cannot be read: {error}") from error
    buffer = io.BytesIO()
    clean.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


def grid_of(file: Path, grid: Grid) -> tuple[NDArray[np.float32], float]:
    """Return what an image's pixels show, and its width divided by its height."""
    try:
        with Image.open(file) as image:
            width, height = upright_size(image)
    except UNREADABLE as error:
        raise StudyError(f"image {file} cannot be read: {error}") from error
    return grid.describe(file), width / height
