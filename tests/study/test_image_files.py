"""Images' files: safe names, whole pixels, and how they stand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from beholder.errors import StudyError
from beholder.study.image_files import copy_upright, is_safe_name, upright_size, verified_size


@pytest.mark.parametrize("name", ["a.png", "b/a.png", "..a.png", "ein Bild – ü.jpg", "a..b"])
def test_a_plain_image_name_is_safe(name: str) -> None:
    assert is_safe_name(name)


@pytest.mark.parametrize("name", ["../a.png", "/a.png", "x/../../a.png", "", ".", "a\\b.png"])
def test_a_name_that_leaves_the_folder_is_not_safe(name: str) -> None:
    assert not is_safe_name(name)


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (7, 7), (400, 300)])
@pytest.mark.parametrize("ending", ["png", "jpg", "gif", "bmp", "webp"])
def test_images_of_any_size_are_decoded(tmp_path: Path, size: tuple[int, int], ending: str) -> None:
    file = tmp_path / f"a.{ending}"
    Image.new("RGB", size, "red").save(file)
    assert verified_size(file) == size


@pytest.mark.parametrize("ending", ["png", "jpg", "gif", "webp"])
def test_a_truncated_image_is_refused(
    tmp_path: Path, picture: Callable[..., Path], ending: str
) -> None:
    file = picture(tmp_path / f"a.{ending}", 64, 64)
    whole = file.read_bytes()
    for length in (len(whole) // 2, len(whole) * 9 // 10):
        file.write_bytes(whole[:length])
        with pytest.raises(StudyError, match=rf"image .*a\.{ending} cannot be decoded"):
            verified_size(file)


@pytest.mark.parametrize("content", [b"", b"no image at all", b"\x89PNG\r\n\x1a\n" + b"\0" * 40])
def test_a_file_that_is_no_image_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(StudyError, match=r"image .*a\.png cannot be decoded"):
        verified_size(tmp_path / "a.png")


def test_a_missing_image_is_named(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"image .*/a\.png is missing"):
        verified_size(tmp_path / "a.png")
    with pytest.raises(StudyError, match=r"cannot be decoded: .*Is a directory"):
        verified_size(tmp_path)


STORED: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda seen: seen,
    2: np.fliplr,
    3: lambda seen: np.rot90(seen, 2),
    4: np.flipud,
    5: lambda seen: seen.T,
    6: lambda seen: np.rot90(seen, 1),
    7: lambda seen: np.rot90(seen, 2).T,
    8: lambda seen: np.rot90(seen, -1),
}
"""What a file holds of what is seen, by its orientation in EXIF."""


@pytest.mark.parametrize("orientation", STORED)
def test_an_image_is_copied_as_it_is_seen(tmp_path: Path, orientation: int) -> None:
    seen = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    file, copy = tmp_path / "a.png", tmp_path / "b.png"
    Image.fromarray(np.ascontiguousarray(STORED[orientation](seen))).save(file, exif=exif)
    assert verified_size(file) == (4, 3)
    with Image.open(file) as image:
        assert upright_size(image) == (4, 3)
    assert copy_upright(file, copy) == (orientation != 1)
    with Image.open(copy) as image:
        assert image.getexif().get(ExifTags.Base.Orientation, 1) == 1
        assert (np.asarray(image) == seen).all()
    assert verified_size(copy) == (4, 3)


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_is_none_changes_nothing(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    Image.new("RGB", (8, 6)).save(tmp_path / "a.jpg", exif=exif)
    assert verified_size(tmp_path / "a.jpg") == (8, 6)
    assert not copy_upright(tmp_path / "a.jpg", tmp_path / "b.jpg")
    assert (tmp_path / "a.jpg").read_bytes() == (tmp_path / "b.jpg").read_bytes()


def test_a_damaged_exif_is_no_damaged_image(tmp_path: Path) -> None:
    Image.new("RGB", (8, 6)).save(tmp_path / "a.jpg", exif=b"Exif\0\0no TIFF at all")
    assert verified_size(tmp_path / "a.jpg") == (8, 6)
    assert not copy_upright(tmp_path / "a.jpg", tmp_path / "b.jpg")


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tiff"])
def test_a_turned_image_keeps_its_form_and_the_meaning_of_its_colours(
    tmp_path: Path, ending: str
) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    file, copy = tmp_path / f"a.{ending}", tmp_path / f"b.{ending}"
    Image.new("RGB", (8, 6), "red").save(file, exif=exif, icc_profile=b"a profile")
    assert copy_upright(file, copy)
    with Image.open(file) as before, Image.open(copy) as after:
        assert (after.format, after.mode, after.size) == (before.format, before.mode, (6, 8))
        assert after.info["icc_profile"] == b"a profile"
