"""Images as participants get them: upright, without metadata, and blurred once for all."""

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from PIL import Image, ImageFilter, ImageOps

from beholder import atomic
from beholder.collect.definition import Definition
from beholder.collect.sets import all_images
from beholder.errors import ConfigurationError
from beholder.progress import Progress, silent

MOST_PIXELS = 50_000_000
_MADE_AS = "1"  # part of every cached file's name: another way of making them makes them anew


@dataclass(frozen=True)
class Prepared:
    """An image ready to be shown; lengths are in its pixels, and both files have its size."""

    width: int
    height: int
    sharp: Path
    blurred: Path | None  # where no task blurs
    media_type: str  # of the sharp file; the blurred one is a JPEG
    bubble_radius_px: float | None


class ImageCache:
    """The images of a definition, prepared in a folder that any number of servers may share."""

    def __init__(self, definition: Definition, folder: Path, progress: Progress = silent) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._definition, self._folder = definition, folder
        images = all_images(definition)
        self._prepared: Mapping[str, Prepared] = {
            image: self._prepare(image) for image in progress(images, "images")
        }

    def prepared(self, image: str) -> Prepared:
        """Return an image by its path below the definition's folder."""
        return self._prepared[image]

    def _prepare(self, image: str) -> Prepared:
        source = _Source(self._definition.image_folder / image)
        suffix, media_type = (".jpg", "image/jpeg") if source.is_jpeg else (".png", "image/png")
        sharp = self._folder / f"{source.digest}-{_MADE_AS}{suffix}"
        if not sharp.is_file():
            atomic.write_bytes(sharp, _encoded(source.upright, source.is_jpeg, source.profile))
        width, height = _size(sharp)
        task = self._definition.bubbles
        if task is None:
            return Prepared(width, height, sharp, None, media_type, None)
        sigma = task.blur.pixels(width, height)
        blurred = self._folder / f"{source.digest}-{_MADE_AS}-blur{sigma:.2f}.jpg"
        if not blurred.is_file():
            soft = source.upright.filter(ImageFilter.GaussianBlur(sigma))
            atomic.write_bytes(blurred, _encoded(soft, True, source.profile))
        radius = task.bubble_radius.pixels(width, height)
        return Prepared(width, height, sharp, blurred, media_type, radius)


def check_image(path: Path) -> None:
    """Raise ConfigurationError if an image cannot be shown."""
    _ = _Source(path).upright


class _Source:
    """An image file as the researcher gave it; it is decoded only where it must be."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._bytes = path.read_bytes()
        try:
            with Image.open(io.BytesIO(self._bytes)) as image:
                self.is_jpeg = image.format == "JPEG"
                self.profile: bytes | None = image.info.get("icc_profile")
                if image.mode not in ("RGB", "RGBA"):
                    self.profile = None  # it describes other channels than those we write
                pixels = image.width * image.height
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            raise ConfigurationError(f"{path} is not a readable image: {error}") from error
        if pixels > MOST_PIXELS:
            raise ConfigurationError(
                f"{path} has {pixels:,} pixels; {MOST_PIXELS:,} are the most that is shown"
            )

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256(self._bytes).hexdigest()[:32]

    @cached_property
    def upright(self) -> Image.Image:
        """The first picture of the file, turned as its camera said, on white, as RGB."""
        try:
            with Image.open(io.BytesIO(self._bytes)) as image:
                turned = ImageOps.exif_transpose(image)
                if "A" in turned.getbands() or "transparency" in turned.info:
                    layer = turned.convert("RGBA")
                    paper = Image.new("RGBA", layer.size, "white")
                    return Image.alpha_composite(paper, layer).convert("RGB")
                return turned.convert("RGB")
        except (OSError, SyntaxError, ValueError) as error:
            raise ConfigurationError(f"{self._path} is a damaged image: {error}") from error


def _encoded(image: Image.Image, as_jpeg: bool, profile: bytes | None) -> bytes:
    """Return a file's bytes with nothing of the camera in them but the colours' meaning."""
    clean = Image.frombytes("RGB", image.size, image.tobytes())
    file = io.BytesIO()
    if as_jpeg:
        clean.save(file, "JPEG", quality=92, subsampling=0, icc_profile=profile)
    else:
        clean.save(file, "PNG", icc_profile=profile)
    return file.getvalue()


def _size(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size
