"""What the grid says of images whose colours and edges are known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from PIL import ExifTags, Image

from beholder.errors import StudyError
from beholder.features.cache import FeatureCache
from beholder.features.image import CHANNELS, ImageGrid, image_grids

GRID = ImageGrid()
SIDE = GRID.cells * GRID.pixels
COLOURS, SPREADS, FINE, COARSE = slice(0, 3), slice(3, 6), slice(6, 14), slice(14, 22)


def _save(folder: Path, pixels: np.ndarray | Image.Image, name: str = "image.png") -> Path:
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(folder / name)
    return folder / name


def _noise() -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, (60, 80), dtype=np.uint8)


# sRGB to CIE Lab with the white point D65, as published conversion tables give it.
LAB = {
    (255, 255, 255): (100, 0, 0),
    (0, 0, 0): (0, 0, 0),
    (255, 0, 0): (53.24, 80.09, 67.20),
    (0, 255, 0): (87.73, -86.18, 83.18),
    (0, 0, 255): (32.30, 79.19, -107.86),
    (128, 128, 128): (53.59, 0, 0),
    (255, 255, 0): (97.14, -21.55, 94.48),
}


@pytest.mark.parametrize(("rgb", "lab"), LAB.items())
def test_a_plain_image(tmp_path: Path, rgb: tuple[int, ...], lab: tuple[float, ...]) -> None:
    found = GRID.describe(_save(tmp_path, np.full((30, 50, 3), rgb, dtype=np.uint8)))
    assert found.shape == (16, 16, CHANNELS) and found.dtype == np.float32
    assert_allclose(
        found[..., COLOURS], np.broadcast_to(np.array(lab) / 100, (16, 16, 3)), atol=2e-3
    )
    assert_allclose(found[..., 3:], 0, atol=1e-4)


def test_each_cell_shows_its_own_part(tmp_path: Path) -> None:
    pixels = np.zeros((SIDE, SIDE, 3), np.uint8)
    pixels[: SIDE // 2, SIDE // 2 :] = 255  # white at the top right
    lightness = GRID.describe(_save(tmp_path, pixels))[..., 0]
    assert_allclose(lightness[:8, 8:], 1, atol=1e-3)
    assert_allclose(lightness[8:], 0, atol=1e-3)
    assert_allclose(lightness[:, :8], 0, atol=1e-3)


# Direction k is that of a gradient of k * 22.5°, from rightwards to downwards.
@pytest.mark.parametrize(
    ("right", "down", "direction"), [(1, 0, 0), (1, 1, 2), (0, 1, 4), (-1, 1, 6)]
)
def test_edges_lie_in_the_channel_of_their_direction(
    tmp_path: Path, right: int, down: int, direction: int
) -> None:
    y, x = np.mgrid[:SIDE, :SIDE]
    waves = np.sin((right * x + down * y) * 2 * np.pi / 16)
    found = GRID.describe(_save(tmp_path, np.uint8(127 + 100 * waves)))[1:-1, 1:-1]
    for channels in (FINE, COARSE):
        energy = (found[..., channels] ** 2).sum(axis=(0, 1))
        assert energy.argmax() == direction
        assert energy[direction] > 0.7 * energy.sum()
    assert (found[..., SPREADS][..., 0] > 0.01).all()


def test_stripes_turned_are_stripes_in_the_other_channel(tmp_path: Path) -> None:
    stripes = np.tile(np.repeat(np.uint8([0, 255]), 4), (SIDE, SIDE // 8))
    upright = GRID.describe(_save(tmp_path, stripes, "upright.png"))
    lying = GRID.describe(_save(tmp_path, stripes.T, "lying.png"))
    assert_allclose(upright[..., 6], lying[..., 10].T, atol=1e-5)
    assert upright[..., 6].min() > 0.1
    assert_allclose(upright[..., 10], 0, atol=1e-4)


def test_the_coarse_scale_misses_fine_edges(tmp_path: Path) -> None:
    stripes = np.tile(np.uint8([0, 0, 255, 255]), (SIDE, SIDE // 4))
    found = GRID.describe(_save(tmp_path, stripes))[:, 2:-2]
    assert found[..., COARSE].mean() < 0.5 * found[..., FINE].mean()


@pytest.mark.parametrize(
    ("mode", "name"),
    [
        *(("L", "a.png"), ("P", "a.png"), ("RGBA", "a.png"), ("LA", "a.png"), ("CMYK", "a.tif")),
        *(("I;16", "a.png"), ("I;16", "a.tif"), ("I", "a.tif"), ("L", "a.webp")),
    ],
)
def test_an_image_says_the_same_in_every_form(tmp_path: Path, mode: str, name: str) -> None:
    grey = _noise()
    expected = GRID.describe(_save(tmp_path, np.dstack([grey] * 3), "plain.png"))
    if mode.startswith("I"):
        kind = np.uint16 if mode == "I;16" else np.int32
        image = Image.fromarray(grey.astype(kind) * 257)
    elif mode == "RGBA":
        image = Image.fromarray(np.dstack([grey] * 3 + [np.full_like(grey, 255)]))
    else:
        image = Image.fromarray(grey).convert("RGB" if mode == "CMYK" else "L").convert(mode)
    options = {"lossless": True} if name.endswith("webp") else {}
    image.save(tmp_path / name, **options)
    with Image.open(tmp_path / name) as saved:
        assert mode == "L" or saved.mode == mode
    assert_allclose(GRID.describe(tmp_path / name), expected, atol=1e-5)


def test_an_image_on_its_side_is_described_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    Image.fromarray(np.rot90(_noise())).save(tmp_path / "turned.png", exif=exif)
    seen = GRID.describe(_save(tmp_path, _noise()))
    assert_array_equal(GRID.describe(tmp_path / "turned.png"), seen)


def test_black_and_white(tmp_path: Path) -> None:
    image = Image.fromarray(_noise()).convert("1")
    found = GRID.describe(_save(tmp_path, image))
    assert_array_equal(found, GRID.describe(_save(tmp_path, image.convert("RGB"), "rgb.png")))


@pytest.mark.parametrize("size", [(1, 1), (3000, 2), (1, 700), (641, 479)])
def test_images_of_every_shape(tmp_path: Path, size: tuple[int, int]) -> None:
    found = GRID.describe(_save(tmp_path, Image.new("RGB", size, (9, 99, 200)), "a.jpg"))
    assert np.isfinite(found).all()
    assert_allclose(found[..., 0], found[0, 0, 0], atol=0.02)


def _truncated(path: Path) -> None:
    Image.fromarray(np.dstack([_noise()] * 3)).save(path, "JPEG")
    path.write_bytes(path.read_bytes()[:700])


def _damaged_png(path: Path) -> None:
    """Spoil the name of a later chunk of pixels, which only decoding finds."""
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (400, 400), np.uint8)).save(
        path, "PNG"
    )
    first, *later = path.read_bytes().split(b"IDAT")
    path.write_bytes(first + b"IDAT" + b"I\0\0T".join(later))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(b"no image at all"),
        lambda path: path.write_bytes(b""),
        lambda path: path.mkdir(),
        lambda path: None,
        _truncated,
        _damaged_png,
    ],
    ids=["text", "empty", "folder", "missing", "truncated", "damaged"],
)
def test_a_broken_image_is_named(tmp_path: Path, spoil) -> None:
    path = tmp_path / "a broken image"
    spoil(path)
    with pytest.raises(StudyError, match="a broken image cannot be read"):
        GRID.describe(path)


def test_a_decompression_bomb_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _save(tmp_path, _noise(), "bomb.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(StudyError, match=r"bomb\.png cannot be read"):
        GRID.describe(path)


class _Counting:
    """Shows no progress but knows what was worked on."""

    def __init__(self) -> None:
        self.described: list[Path] = []

    def __call__(self, items: Sequence[Path], description: str, total: int | None = None):
        self.described.extend(items)
        return items


def test_many_images_are_described_once(tmp_path: Path) -> None:
    files = [_save(tmp_path, _noise(), "a.png"), _save(tmp_path, 255 - _noise(), "b.png")]
    cache, progress = FeatureCache(tmp_path / "cache"), _Counting()
    made = image_grids(files, ["1", "2"], GRID, cache, progress)
    again = image_grids(files, ["1", "2"], GRID, cache, progress)
    assert progress.described == files
    assert_array_equal(made, again)
    assert_array_equal(made, np.stack([GRID.describe(file) for file in files]))
    turned = image_grids(files[::-1], ["2", "1"], GRID, cache, progress)
    assert_array_equal(turned, made[::-1])
    coarse = image_grids(files, ["1", "2"], ImageGrid(cells=8), cache, progress)
    assert coarse.shape == (2, 8, 8, CHANNELS)
    assert len(progress.described) == 6
