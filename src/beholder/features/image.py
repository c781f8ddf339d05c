"""What an image shows, cell by cell, from its pixels alone: no weights to download.

Each cell of a grid is described by its colours (mean and spread in CIE Lab) and by the
energy of its edges in eight directions at two scales, as in histograms of oriented gradients
(Dalal and Triggs, CVPR 2005).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from beholder.errors import StudyError
from beholder.features.cache import FeatureCache, cache_key
from beholder.progress import Progress, silent
from beholder.study.image_files import stand_upright
from beholder.work import HERE, Workers, in_order, pieces

IMAGES_AT_ONCE = 512
"""Images in a piece of work: they take about as long as a worker takes to begin."""

GRIDS_AT_ONCE = 4096
"""The grids of more images than these (92 MiB) are not all held in memory."""

CHANNELS = 6 + 2 * 8
_DIRECTIONS = 8

UNREADABLE = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)
"""What Pillow raises of a file that is no whole image."""


class Grid(Protocol):
    """Describes an image cell by cell."""

    def describe(self, file: Path) -> NDArray[np.float32]:
        """Return the grid of an image, shape (cells, cells, channels)."""
        ...

    def of_images(
        self,
        files: Sequence[Path],
        digests: Sequence[str],
        cache: FeatureCache,
        progress: Progress = silent,
        workers: Workers = HERE,
    ) -> NDArray[np.float32]:
        """Return the grids of many images, shape (images, cells, cells, channels).

        ``digests`` are the images' SHA-256, by which the cache knows them. What is not there
        may be left to ``workers``.
        """
        ...


@dataclass(frozen=True)
class ImageGrid:
    """How an image is described: ``cells`` a side, each from ``pixels`` × ``pixels`` pixels."""

    cells: int = 16
    pixels: int = 8
    scales: tuple[float, float] = (1.0, 2.0)

    def describe(self, file: Path | BinaryIO) -> NDArray[np.float32]:
        """Return the grid of an image, shape (cells, cells, 22); the image is made square."""
        side = self.cells * self.pixels
        try:
            with Image.open(file) as image:
                image.draft("RGB", (side, side))
                small = eight_bit(image).resize((side, side), Image.Resampling.BILINEAR)
        except UNREADABLE as error:
            raise StudyError(f"image {file} cannot be read: {error}") from error
        lab = _lab(np.asarray(small, dtype=np.float32) / np.float32(255))  # (side, side, 3)
        by_cell = self._by_cell(lab)
        edges = [self._edges(lab[..., 0], sigma) for sigma in self.scales]
        parts = [by_cell.mean(axis=-1), by_cell.std(axis=-1), *edges]
        return np.concatenate(parts, axis=-1).astype(np.float32)

    def of_images(
        self,
        files: Sequence[Path],
        digests: Sequence[str],
        cache: FeatureCache,
        progress: Progress = silent,
        workers: Workers = HERE,
    ) -> NDArray[np.float32]:
        """Return the grids of many images, as of `image_grids`."""
        return image_grids(files, digests, self, cache, progress, workers)

    def _by_cell(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return each cell's pixels side by side, shape (cells, cells, channels, pixels)."""
        blocks = values.reshape(self.cells, self.pixels, self.cells, self.pixels, -1)
        return blocks.transpose(0, 2, 4, 1, 3).reshape(self.cells, self.cells, -1, self.pixels**2)

    def _edges(self, lightness: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
        """Return the square root of each cell's edge energy by direction, (cells, cells, 8)."""
        down, right = np.gradient(gaussian_filter(lightness, sigma))
        strength = np.hypot(right, down)
        angle = np.arctan2(down, right)
        # A direction and its opposite are one.
        angle = np.where(angle < 0, angle + np.float32(np.pi), angle)
        place = angle / np.pi * _DIRECTIONS  # 0 to 8, circular
        # Each pixel's strength is shared between the two directions nearest to its own.
        below = np.floor(place).astype(np.int64)
        of_above = place - below
        row = np.repeat(np.arange(self.cells), self.pixels)
        places = _DIRECTIONS + 2  # the last two are the first two again
        first_bin = (row[:, None] * self.cells + row) * places  # of each pixel's cell
        energy = sum(
            np.bincount((first_bin + direction).ravel(), share.ravel(), self.cells**2 * places)
            for direction, share in [
                (below, strength * (1 - of_above)),
                (below + 1, strength * of_above),
            ]
        )
        energy = np.reshape(energy, (self.cells, self.cells, places))
        energy[..., :2] += energy[..., _DIRECTIONS:]
        return np.sqrt(energy[..., :_DIRECTIONS] / self.pixels**2)


def image_grids(
    files: Sequence[Path],
    digests: Sequence[str],
    grid: ImageGrid,
    cache: FeatureCache,
    progress: Progress = silent,
    workers: Workers = HERE,
) -> NDArray[np.float32]:
    """Return the grids of many images, shape (images, cells, cells, 22), from the cache if there.

    ``digests`` are the images' SHA-256, by which the cache knows them. ``workers`` describe
    what is not there.
    """

    def compute() -> NDArray[np.float32]:
        grids = list(_each(files, grid, progress, workers))
        return np.array(grids, np.float32).reshape(-1, grid.cells, grid.cells, CHANNELS)

    def blocks() -> Iterator[NDArray[np.float32]]:
        described = _each(files, grid, progress, workers)
        while block := list(islice(described, GRIDS_AT_ONCE)):
            yield np.stack(block)

    key = cache_key("image-grid-2", grid, *digests)
    if len(files) > GRIDS_AT_ONCE:
        return cache.rows(key, len(files), blocks)
    return np.asarray(cache.get(key, compute))


def _each(
    files: Sequence[Path], grid: ImageGrid, progress: Progress, workers: Workers
) -> Iterator[NDArray[np.float32]]:
    """Give the grid of one image after the other; few are not worth workers."""
    if workers is HERE or len(files) <= IMAGES_AT_ONCE:
        return map(grid.describe, progress(files, "describing images", len(files)))
    parts = (files[piece.start : piece.stop] for piece in pieces(len(files), IMAGES_AT_ONCE))
    found = in_order(workers, partial(_described, grid), parts)
    each = (described for part in found for described in part)
    return iter(progress(each, "describing images", len(files)))


def _described(grid: ImageGrid, files: Sequence[Path]) -> NDArray[np.float32]:
    return np.stack([grid.describe(file) for file in files])


def eight_bit(image: Image.Image) -> Image.Image:
    """Return an image upright in RGB; one of 16 bits is scaled, as Pillow would cut it off at 255.

    A study's images stand upright already, others as their cameras were held.
    """
    stand_upright(image)
    if image.mode.startswith("I"):
        values = np.clip(np.asarray(image) // 256, 0, 255)
        return Image.fromarray(values.astype(np.uint8)).convert("RGB")
    return image.convert("RGB")


def _lab(rgb: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return CIE Lab (D65) of sRGB values in [0, 1], each axis divided by 100, shape (…, 3)."""
    linear = np.where(rgb > 0.04045, ((rgb + 0.055) / 1.055) ** 2.4, rgb / 12.92)
    xyz = linear @ _RGB_TO_XYZ
    curve = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    x, y, z = np.moveaxis(curve, -1, 0)
    return np.stack([1.16 * y - 0.16, 5 * (x - y), 2 * (y - z)], axis=-1).astype(np.float32)


_RGB_TO_XYZ = (
    np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    / np.array([[0.9505], [1.0], [1.089]])  # relative to the white point
).T.astype(np.float32)
