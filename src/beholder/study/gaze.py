"""Gaze in all its forms, and the attention map that every form yields.

Coordinates are fractions of the image, (0, 0) top left; times are seconds from the first
event. A map is an array of shape (height, width) whose cells sum to 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.floating[Any]]

DEFAULT_KERNEL_FRACTION = 0.05
"""Standard deviation of the Gaussian kernel as a fraction of the image's width.

About one degree of visual angle where an image spans 20°, which is what eye-tracking
studies blur by and what BubbleView's bubbles were sized to match.
"""


_GAZES_AT_ONCE = 256  # whose points are spread together: some MiB


@dataclass(frozen=True)
class Kernel:
    """Standard deviation of a Gaussian kernel, as a fraction of the image's width."""

    fraction: float = DEFAULT_KERNEL_FRACTION

    def __post_init__(self) -> None:
        if not 0 < self.fraction < 1:
            raise ValueError(f"a kernel's fraction lies between 0 and 1, not at {self.fraction}")

    @classmethod
    def from_pixels(cls, sigma_px: float, image_width_px: float) -> "Kernel":
        """Return the kernel of ``sigma_px`` pixels on an image ``image_width_px`` wide."""
        return cls(sigma_px / image_width_px)

    def pixels(self, image_width_px: float) -> float:
        """Return the standard deviation in pixels of an image ``image_width_px`` wide."""
        return self.fraction * image_width_px


@dataclass(frozen=True)
class Points:
    """Clicks, fixations or a mouse trace, in the order they were made.

    ``x`` and ``y`` are fractions of width and height, shape (n,). ``time`` is seconds from
    the first event and ``duration`` seconds, shape (n,), or None where not recorded.
    """

    x: Floats
    y: Floats
    time: Floats | None = None
    duration: Floats | None = None

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True)
class Areas:
    """Fixations of which only the areas of interest that they hit are known.

    There were ``fixations`` fixations. Row r says that fixation ``fixation[r]`` hit an area
    ``label[r]`` with box ``box[r]`` = (x, y, width, height) in fractions, shape (m, 4). A
    fixation inside nested areas has several rows; one that hit nothing has none.
    """

    fixations: int
    fixation: NDArray[np.integer[Any]]
    label: tuple[str, ...]
    box: Floats

    def __len__(self) -> int:
        return self.fixations

    def shares(self) -> Floats:
        """Return each row's share of its fixation, shape (m,): nested areas share equally."""
        if not len(self.fixation):
            return np.zeros(0)
        rows_of_fixation = np.bincount(self.fixation, minlength=self.fixations)
        return np.asarray(1.0 / rows_of_fixation[self.fixation])


@dataclass(frozen=True)
class DenseMap:
    """Gaze of which only a dense map was kept: non-negative ``values``, shape (height, width)."""

    values: Floats


Gaze: TypeAlias = Points | Areas | DenseMap


def gaze_form(gaze: Gaze) -> str:
    """Return the name of a gaze's form: ``points``, ``areas`` or ``map``."""
    match gaze:
        case Points():
            return "points"
        case Areas():
            return "areas"
        case DenseMap():
            return "map"


def attention_map(
    gaze: Gaze,
    height: int,
    width: int,
    *,
    aspect: float = 1.0,
    kernel: Kernel | None = None,
    weight_by_duration: bool = True,
) -> Floats:
    """Return where a gaze lay, shape (height, width), summing to 1 (or all zero if nowhere).

    ``aspect`` is the image's width divided by its height, so that the kernel is round on the
    image whatever the shape of the grid. ``kernel`` defaults to 5 % of the image's width for
    points and to none for areas, which are spread over their own box; a dense map is
    averaged into the cells, never blurred again unless a kernel is given. Points are weighted
    by their duration where one is recorded, unless ``weight_by_duration`` is off.
    """
    (values,) = attention_maps(
        [gaze],
        *(height, width),
        aspects=np.array([aspect]),
        kernel=kernel,
        weight_by_duration=weight_by_duration,
    )
    return np.asarray(values)


def attention_maps(
    gazes: Sequence[Gaze],
    height: int,
    width: int,
    *,
    aspects: Floats | None = None,
    kernel: Kernel | None = None,
    weight_by_duration: bool = True,
    dtype: type[np.floating[Any]] = np.float64,
) -> Floats:
    """Return the `attention_map` of each of n gazes, shape (n, height, width).

    ``aspects`` are those of their images, shape (n,). Made together, many maps cost little more
    than their arithmetic.
    """
    aspects = np.ones(len(gazes)) if aspects is None else np.asarray(aspects, dtype=float)
    maps = np.zeros((len(gazes), height, width), dtype)
    for start in range(0, len(gazes), _GAZES_AT_ONCE):
        some = list(gazes[start : start + _GAZES_AT_ONCE])
        forms = [type(gaze) for gaze in some]
        for form in dict.fromkeys(forms):
            places = [place for place, one in enumerate(forms) if one is form]
            alike: Any = [some[place] for place in places]
            rows = start + np.array(places)
            if form is Points:
                values = _maps_of_points(
                    *(alike, height, width, aspects[rows], kernel or Kernel(), weight_by_duration)
                )
            else:
                make = _maps_of_areas if form is Areas else _maps_of_maps
                values = make(alike, height, width)
                if kernel is not None:
                    for aspect in np.unique(aspects[rows]):
                        own = aspects[rows] == aspect
                        values[own] = blur(values[own], kernel, float(aspect))
            total = values.sum(axis=(1, 2), keepdims=True)
            maps[rows] = values / np.where(total > 0, total, 1)
    return maps


def _maps_of_points(
    gazes: Sequence[Points],
    height: int,
    width: int,
    aspects: Floats,
    kernel: Kernel,
    by_duration: bool,
) -> Floats:
    owner = np.repeat(np.arange(len(gazes)), [len(gaze) for gaze in gazes])
    x, y = np.concatenate([(gaze.x, gaze.y) for gaze in gazes], axis=1)
    inside = (x >= 0) & (x <= 1) & (y >= 0) & (y <= 1)
    owner, x, y = owner[inside], x[inside], y[inside]
    weights = np.ones(len(x))
    if by_duration:
        blank = (np.zeros(len(g)) if g.duration is None else g.duration for g in gazes)
        durations = np.nan_to_num(np.concatenate(list(blank), dtype=float)[inside])
        recorded = np.bincount(owner, durations != 0, minlength=len(gazes)) > 0
        weights = np.where(recorded[owner], durations, weights)
    # A round Gaussian is the product of one along x and one along y: two thin matrices.
    along_y = _gaussian(_centres(height), y, kernel.fraction * aspects[owner])  # (height, n)
    along_x = _gaussian(_centres(width), x, np.full(len(x), kernel.fraction))  # (width, n)
    # Each point spreads its whole weight inside the image, also beside an edge.
    mass = along_y.sum(axis=0) * along_x.sum(axis=0)  # (n,)
    lengths = np.bincount(owner, minlength=len(gazes))
    return _products(along_y * (weights / mass), along_x, lengths)


def _maps_of_areas(gazes: Sequence[Areas], height: int, width: int) -> Floats:
    boxes = [np.asarray(gaze.box, dtype=float).reshape(-1, 4) for gaze in gazes]
    x, y, box_width, box_height = np.concatenate(boxes).T
    along_y = _overlap(height, y, box_height)  # (height, m)
    along_x = _overlap(width, x, box_width)  # (width, m)
    shares = np.concatenate([gaze.shares() for gaze in gazes])
    return _products(along_y * shares, along_x, np.array([len(box) for box in boxes]))


def _products(along_y: Floats, along_x: Floats, lengths: NDArray[np.integer[Any]]) -> Floats:
    """Return a product for each gaze, of so many columns as it has points or areas."""
    ends = np.cumsum(lengths)
    parts = map(slice, (ends - lengths).tolist(), ends.tolist())
    return np.stack([along_y[:, part] @ along_x[:, part].T for part in parts])


def _maps_of_maps(gazes: Sequence[DenseMap], height: int, width: int) -> Floats:
    return np.stack([resample(gaze.values, height, width) for gaze in gazes])


def _centres(cells: int) -> Floats:
    return (np.arange(cells) + 0.5) / cells


def _gaussian(centres: Floats, positions: Floats, sigma: Floats) -> Floats:
    """Return a Gaussian round each position at each centre, shape (centres, positions).

    ``sigma`` has each position's. The kernel is never narrower than half a cell, or a point
    between two centres would vanish from a coarse grid.
    """
    sigma = np.maximum(sigma, 0.5 / len(centres))
    distance = (centres[:, None] - np.asarray(positions, dtype=float)[None, :]) / sigma
    return np.asarray(np.exp(-0.5 * distance**2))


def _overlap(cells: int, start: Floats, length: Floats) -> Floats:
    """Return the fraction of each interval that falls in each cell, shape (cells, intervals)."""
    edges = np.arange(cells + 1) / cells
    left = np.maximum(edges[:-1, None], start[None, :])
    right = np.minimum(edges[1:, None], (start + length)[None, :])
    return np.asarray(np.maximum(right - left, 0) / length)


def blur(values: Floats, kernel: Kernel, aspect: float = 1.0) -> Floats:
    """Return maps, shape (…, height, width), blurred by a Gaussian round on such an image."""
    from scipy.ndimage import gaussian_filter

    *others, height, width = values.shape
    sigma = (*[0.0] * len(others), kernel.fraction * aspect * height, kernel.fraction * width)
    return np.asarray(gaussian_filter(values.astype(float), sigma, mode="constant"))


def resample(values: Floats, height: int, width: int) -> Floats:
    """Return a map summed into a grid of (height, width) cells; the total is kept."""
    rows = _overlap_between(values.shape[0], height)  # (height, old height)
    columns = _overlap_between(values.shape[1], width)  # (width, old width)
    return np.asarray(rows @ values.astype(np.float32) @ columns.T, dtype=float)


def _overlap_between(old: int, new: int) -> NDArray[np.float32]:
    edges = np.arange(old + 1) / max(old, 1)
    return _overlap(new, edges[:-1], np.diff(edges)).astype(np.float32)
