"""An image's file: whether its name is safe, whether it is whole, and how it stands upright."""

import shutil
from pathlib import Path, PurePosixPath

from PIL import ExifTags, Image, ImageOps

from beholder.errors import StudyError

_JPEG_QUALITY = 95
_MIRRORED, _ON_ITS_SIDE = range(2, 9), range(5, 9)  # the orientations of EXIF


def is_safe_name(name: str) -> bool:
    """Tell whether an image's name stays inside the folder that it is joined to."""
    path = PurePosixPath(name)
    parts_are_plain = not path.is_absolute() and ".." not in path.parts and path.parts != ()
    return parts_are_plain and "\\" not in name and "\0" not in name


def verified_size(file: Path) -> tuple[int, int]:
    """Return an image's (width, height) in pixels, upright, after decoding it whole.

    Raises StudyError, naming the file, where it is missing, no image or truncated.
    """
    try:
        with Image.open(file) as image:
            size, (width, height) = upright_size(image), image.size
            image.draft("RGB", (max(width // 8, 1), max(height // 8, 1)))  # fast, yet reads all
            image.load()
    except FileNotFoundError as error:
        raise StudyError(f"image {file} is missing") from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise StudyError(f"image {file} cannot be decoded: {error}") from error
    return size


def upright_size(image: Image.Image) -> tuple[int, int]:
    """Return the (width, height) in pixels that an opened image has once it stands upright."""
    width, height = image.size
    return (height, width) if _orientation(image) in _ON_ITS_SIDE else (width, height)


def stand_upright(image: Image.Image) -> None:
    """Turn an opened image, in place, as its camera said it stands."""
    if _orientation(image) in _MIRRORED:
        ImageOps.exif_transpose(image, in_place=True)


def copy_upright(file: Path, target: Path) -> bool:
    """Copy a sound image and tell whether it had to be turned, as its camera said it stands.

    Browsers show an image so; its pixels are then what a viewer saw, for whoever reads them.
    """
    with Image.open(file) as image:
        if _orientation(image) not in _MIRRORED:
            shutil.copyfile(file, target)
            return False
        kind = "JPEG" if image.format == "MPO" else image.format
        profile = image.info.get("icc_profile")
        stand_upright(image)
        image.save(target, kind, quality=_JPEG_QUALITY, icc_profile=profile)
    return True


def _orientation(image: Image.Image) -> int:
    """Return how the camera was held, as EXIF numbers it; 1 is upright."""
    try:
        found = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # Pillow raises whatever a damaged EXIF makes it stumble on
        return 1  # the pixels are sound
    return found if isinstance(found, int) else 1
