"""Images as participants get them."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter
from web_study import definition_in, write_files

from beholder.collect import images as module
from beholder.collect.definition import Definition
from beholder.collect.images import ImageCache, check_image
from beholder.collect.lengths import parse_length
from beholder.errors import ConfigurationError


@pytest.fixture
def own(tmp_path: Path) -> Definition:
    """The small study with files of its own, to be changed."""
    write_files(tmp_path / "study")
    return definition_in(tmp_path / "study")


def test_images_are_prepared_once(own: Definition, tmp_path: Path) -> None:
    first = ImageCache(own, tmp_path / "cache")
    made = {file: file.stat().st_mtime_ns for file in (tmp_path / "cache").iterdir()}
    assert len(made) == 12
    again = ImageCache(own, tmp_path / "cache")
    assert {file: file.stat().st_mtime_ns for file in (tmp_path / "cache").iterdir()} == made
    assert again.prepared("1.png") == first.prepared("1.png")


def test_another_blur_or_image_is_made_anew(own: Definition, tmp_path: Path) -> None:
    before = ImageCache(own, tmp_path / "cache").prepared("1.png")
    task = own.tasks[0].model_copy(update={"blur": parse_length("5px")})
    softer = own.model_copy(update={"tasks": (task, own.tasks[1])})
    after = ImageCache(softer, tmp_path / "cache").prepared("1.png")
    assert (after.sharp, after.blurred) != (before.sharp, before.blurred)
    assert after.sharp == before.sharp
    Image.new("RGB", (40, 30), "red").save(own.image_folder / "1.png")
    assert ImageCache(own, tmp_path / "cache").prepared("1.png").sharp != before.sharp


def test_the_blur_is_a_gaussian_of_the_stated_sigma(own: Definition, tmp_path: Path) -> None:
    pixels = np.zeros((120, 120, 3), np.uint8)
    pixels[:, 60:] = 255
    Image.fromarray(pixels).save(own.image_folder / "1.png")
    prepared = ImageCache(own, tmp_path / "cache").prepared("1.png")
    assert prepared.blurred is not None
    seen = np.asarray(Image.open(prepared.blurred).convert("L"), float)
    expected = gaussian_filter(pixels[..., 0].astype(float), 3)
    assert np.abs(seen - expected)[20:-20, 20:-20].max() < 8
    assert (prepared.width, prepared.height, prepared.bubble_radius_px) == (120, 120, 12)


def test_a_camera_s_picture_is_turned_upright_and_tells_nothing(
    own: Definition, tmp_path: Path
) -> None:
    picture = Image.new("RGB", (60, 40), "blue")
    picture.paste("red", (0, 0, 30, 40))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held on its side
    exif[0x010F] = "secret camera"
    practice = own.image_folder / "practice.png"
    picture.save(practice.with_suffix(".jpg"), exif=exif, quality=95)
    practice.with_suffix(".jpg").rename(practice)
    prepared = ImageCache(own, tmp_path / "cache").prepared("practice.png")
    assert (prepared.width, prepared.height, prepared.media_type) == (40, 60, "image/jpeg")
    with Image.open(prepared.sharp) as shown:
        assert shown.size == (40, 60)
        assert shown.getpixel((20, 5))[0] > 200  # red is on top now
        assert shown.getpixel((20, 55))[2] > 200
    for file in (prepared.sharp, prepared.blurred):
        assert b"secret camera" not in file.read_bytes()
        with Image.open(file) as kept:
            assert not kept.getexif()


def test_what_is_transparent_lies_on_white(own: Definition, tmp_path: Path) -> None:
    Image.new("RGBA", (40, 30), (255, 0, 0, 0)).save(own.image_folder / "1.png")
    prepared = ImageCache(own, tmp_path / "cache").prepared("1.png")
    assert Image.open(prepared.sharp).convert("RGB").getpixel((5, 5)) == (255, 255, 255)


def test_a_study_without_bubbles_blurs_nothing(own: Definition, tmp_path: Path) -> None:
    caption = own.model_copy(update={"tasks": own.tasks[1:], "validation": ()})
    prepared = ImageCache(caption, tmp_path / "cache").prepared("1.png")
    assert (prepared.blurred, prepared.bubble_radius_px) == (None, None)


def test_what_is_no_image_is_named(
    own: Definition, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (own.image_folder / "2.png").write_text("<svg/>")
    with pytest.raises(ConfigurationError, match=r"2\.png is not a readable image"):
        ImageCache(own, tmp_path / "cache")
    monkeypatch.setattr(module, "MOST_PIXELS", 100)
    with pytest.raises(ConfigurationError, match="1,200 pixels"):
        check_image(own.image_folder / "1.png")
    whole = io.BytesIO()
    Image.new("RGB", (40, 30)).save(whole, "JPEG")
    monkeypatch.undo()
    (own.image_folder / "3.png").write_bytes(whole.getvalue()[:300])
    with pytest.raises(ConfigurationError, match=r"3\.png is"):
        check_image(own.image_folder / "3.png")
