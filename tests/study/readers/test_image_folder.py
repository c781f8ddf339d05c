"""Images are found by their ids, wherever they lie and whatever zeros their names have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from beholder.errors import StudyError
from beholder.study import Study, StudyInfo, StudyWriter
from beholder.study.readers.image_folder import ImageFolder


@pytest.mark.parametrize(
    ("file", "image_id"),
    [
        ("0000af13e59f6ae1.jpg", "0000af13e59f6ae1"),
        ("train/deep/ADE_train_00000001.JPG", "ADE_train_00000001"),
        ("val2017/000000000139.jpg", "139"),
        ("val2017/000000000139.jpg", "000000000139"),
        ("COCO_val2014_000000000139.jpg", "139"),
        ("0001.png", "1"),
        ("1000092795.jpg", "1000092795.jpg"),
        ("a.b.png", "a.b"),
        ("000.webp", "0"),
    ],
)
def test_an_image_is_found_by_its_id(
    tmp_path: Path, picture: Callable[..., Path], file: str, image_id: str
) -> None:
    picture(tmp_path / file)
    picture(tmp_path / "another.png")
    (tmp_path / Path(file).with_suffix(".txt").name).write_text("no image by its name")
    images = ImageFolder(tmp_path)
    assert images.names[images.find(image_id)] == file


@pytest.mark.parametrize("image_id", ["2", "", "a", "a.txt", "b/a.png.png", "0010"])
def test_an_id_without_an_image(
    tmp_path: Path, picture: Callable[..., Path], image_id: str
) -> None:
    picture(tmp_path / "images" / "1.png")
    (tmp_path / "images" / "a.txt").write_text("")
    with pytest.raises(StudyError, match=r"^the name of an image in images/$"):
        ImageFolder(tmp_path / "images").find(image_id)


def test_an_id_of_two_images(tmp_path: Path, picture: Callable[..., Path]) -> None:
    picture(tmp_path / "images" / "train" / "0001.png")
    picture(tmp_path / "images" / "val" / "1.jpg")
    with pytest.raises(StudyError, match=r"^the name of one image only in images/$"):
        ImageFolder(tmp_path / "images").find("1")


def test_an_image_is_copied_once_and_a_broken_one_never(
    tmp_path: Path, picture: Callable[..., Path]
) -> None:
    picture(tmp_path / "images" / "a.png")
    (tmp_path / "images" / "b.png").write_bytes(b"broken")
    picture(tmp_path / "images" / "c\\d.png")
    images = ImageFolder(tmp_path / "images")
    with StudyWriter(tmp_path / "study", StudyInfo("a", "b")) as writer:
        for _ in range(2):
            images.add(images.find("a"), writer)
            with pytest.raises(StudyError, match=r"an image that can be read .*cannot be decoded"):
                images.add(images.find("b"), writer)
            with pytest.raises(StudyError, match="a file's name without signs that part folders"):
                images.add(images.find("c\\d"), writer)
    assert images.used == 1
    assert Study.open(tmp_path / "study").images.column("image").to_pylist() == ["a.png"]
