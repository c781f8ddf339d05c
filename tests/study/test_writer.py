"""A study is written whole or not at all."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_study import ANSWERS, WriteStudy

from beholder.errors import StudyError
from beholder.study import Study, StudyInfo, StudyWriter, load_instrument, samples_table
from beholder.study.gaze import DenseMap

INFO = StudyInfo("a study", "a test")


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def image(tmp_path: Path, picture: Callable[..., Path]) -> Path:
    return picture(tmp_path / "source" / "a.png")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder in which studies are written, to see all that is left there."""
    path = tmp_path / "studies"
    path.mkdir()
    return path


def _add_one(writer: StudyWriter, image: Path, participants: Sequence[str | None] = ("a",)) -> None:
    writer.add_image("a.png", image)
    count = len(participants)
    writer.add_samples(
        samples_table(participants=participants, images=["a.png"] * count, texts=["text"] * count)
    )


@pytest.mark.parametrize("fault", [ValueError("broken"), KeyboardInterrupt(), SystemExit(1)])
def test_a_failure_in_the_block_leaves_nothing(
    folder: Path, image: Path, fault: BaseException
) -> None:
    with pytest.raises(type(fault)), StudyWriter(folder / "study", INFO) as writer:
        _add_one(writer, image)
        raise fault
    assert _names(folder) == []


def test_a_failure_while_finishing_leaves_nothing(
    folder: Path, image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(StudyWriter, "_write", interrupt)
    with pytest.raises(KeyboardInterrupt), StudyWriter(folder / "study", INFO) as writer:
        _add_one(writer, image)
    assert _names(folder) == []


@pytest.mark.parametrize(
    "place",
    [
        "beholder.study.writer.shutil.copyfile",
        "beholder.study.writer.pq.ParquetWriter.write_table",
        "beholder.study.writer.pq.write_table",
        "beholder.atomic.os.fsync",
        "pathlib.Path.write_text",
        "pathlib.Path.mkdir",
    ],
)
def test_a_full_disk_leaves_nothing_and_is_named_in_one_sentence(
    folder: Path, image: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "Error writing bytes to file. Detail: [errno 28] No space")

    with pytest.raises(StudyError) as caught, monkeypatch.context() as patch:
        patch.setattr(place, refuse)
        with StudyWriter(folder / "study", INFO) as writer:
            _add_one(writer, image)
    assert str(caught.value) == f"{folder / 'study'} was not written: No space left on device"
    assert _names(folder) == []


LIMITED = """
import resource, signal, sys
from pathlib import Path
import numpy as np
from beholder.errors import StudyError
from beholder.study import StudyInfo, StudyWriter
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
try:
    with StudyWriter(Path(sys.argv[1]), StudyInfo("a", "b")) as writer:
        for number in range(200):
            writer.add_map(number, np.random.default_rng(number).random((300, 400)))
except StudyError as error:
    print(error)
"""


def test_a_disk_that_refuses_in_the_middle_of_the_maps_leaves_nothing(folder: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", LIMITED, folder / "study"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.startswith(f"{folder / 'study'} was not written: ")
    assert "File too large" in ran.stdout
    assert ran.stdout.count("\n") == 1
    assert _names(folder) == []


KILLED = """
import sys
from pathlib import Path
from beholder.study import StudyInfo, StudyWriter, samples_table
with StudyWriter(Path(sys.argv[1]), StudyInfo("a", "b")) as writer:
    writer.add_image("a.png", Path(sys.argv[2]))
    writer.add_samples(samples_table(participants=["a"], images=["a.png"], texts=["x"]))
    print("half written", flush=True)
    sys.stdin.read()
"""


def test_what_a_killed_process_left_goes_at_the_next_write(folder: Path, image: Path) -> None:
    target = folder / "study"
    command = [sys.executable, "-c", KILLED, str(target), str(image)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"half written\n"
        process.send_signal(signal.SIGKILL)
    assert not target.exists()
    assert len(_names(folder)) == 1  # the leftover
    with StudyWriter(target, INFO) as writer:
        _add_one(writer, image)
    assert _names(folder) == ["study"]
    assert len(Study.open(target)) == 1


def test_an_existing_study_is_refused_and_stays(write_study: WriteStudy, folder: Path) -> None:
    before = Study.open(write_study(folder / "study")).fingerprint
    with pytest.raises(StudyError, match="exists already; choose another folder or pass --over"):
        write_study(folder / "study")
    assert Study.open(folder / "study").fingerprint == before
    assert _names(folder) == ["study"]


def test_a_study_is_overwritten_when_asked(
    write_study: WriteStudy, folder: Path, image: Path
) -> None:
    write_study(folder / "study")
    with StudyWriter(folder / "study", INFO, overwrite=True) as writer:
        _add_one(writer, image)
    assert len(Study.open(folder / "study")) == 1
    assert not (folder / "study" / "maps.parquet").exists()


def test_a_folder_that_is_no_study_is_never_overwritten(folder: Path, image: Path) -> None:
    (folder / "thesis").mkdir()
    (folder / "thesis" / "chapter.txt").write_text("years of work")
    with (
        pytest.raises(StudyError, match="exists and is not a study: not overwriting it"),
        StudyWriter(folder / "thesis", INFO, overwrite=True) as writer,
    ):
        _add_one(writer, image)
    assert (folder / "thesis" / "chapter.txt").read_text() == "years of work"


def test_a_target_inside_a_file_is_named(folder: Path) -> None:
    (folder / "file").write_text("")
    with (
        pytest.raises(StudyError, match=r"file/study was not written: it is no folder$"),
        StudyWriter(folder / "file" / "study", INFO),
    ):
        pytest.fail("the block must not start")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_folder_without_permission_is_named(folder: Path) -> None:
    folder.chmod(0o500)
    with (
        pytest.raises(StudyError, match=r"study was not written: Permission denied$"),
        StudyWriter(folder / "study", INFO),
    ):
        pytest.fail("the block must not start")


def test_a_read_only_disk_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, *_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with (
        pytest.raises(StudyError, match=r"study was not written: Read-only file system$"),
        StudyWriter(folder / "new" / "study", INFO),
    ):
        pytest.fail("the block must not start")


def test_a_sample_of_an_unknown_image_is_refused(folder: Path, image: Path) -> None:
    with (
        pytest.raises(StudyError, match=r"a sample names image b\.png, which the study lacks"),
        StudyWriter(folder / "study", INFO) as writer,
    ):
        writer.add_image("a.png", image)
        writer.add_samples(samples_table(participants=["a"], images=["b.png"]))
    assert _names(folder) == []


def test_an_unknown_column_of_samples_is_refused(folder: Path, image: Path) -> None:
    with (
        pytest.raises(StudyError, match="samples have no column participent"),
        StudyWriter(folder / "study", INFO) as writer,
    ):
        writer.add_image("a.png", image)
        writer.add_samples(pa.table({"participent": ["a"], "image": ["a.png"]}))


@pytest.mark.parametrize(("says_map", "has_map"), [(True, False), (False, True)])
def test_a_map_without_its_sample_or_the_reverse_is_refused(
    folder: Path, image: Path, says_map: bool, has_map: bool
) -> None:
    gaze = DenseMap(np.ones((2, 2))) if says_map else None
    with (
        pytest.raises(StudyError, match="sample 1 says it has a map"),
        StudyWriter(folder / "study", INFO) as writer,
    ):
        _add_one(writer, image)
        writer.add_samples(samples_table(participants=["a"], images=["a.png"], gazes=[gaze]))
        if has_map:
            writer.add_map(1, np.ones((2, 2)))
    assert _names(folder) == []


@pytest.mark.parametrize("name", ["../a.png", "/a.png", "x/../../a.png", "", ".", "a\\b.png"])
def test_an_image_name_that_leaves_the_folder_is_refused(
    folder: Path, image: Path, name: str
) -> None:
    with (
        pytest.raises(StudyError, match="leads outside the images' folder"),
        StudyWriter(folder / "study", INFO) as writer,
    ):
        writer.add_image(name, image)


def test_surveys_are_checked(folder: Path) -> None:
    with StudyWriter(folder / "study", INFO, load_instrument("bfi-10")) as writer:
        writer.add_participant("a", ANSWERS)
        writer.add_participant("a", ANSWERS)
        writer.add_participant("a")
        with pytest.raises(StudyError, match="participant a has two surveys that differ"):
            writer.add_participant("a", ANSWERS[::-1])
        with pytest.raises(StudyError, match="answer 6 to item 10"):
            writer.add_participant("b", [*ANSWERS[:-1], 6])
    study = Study.open(folder / "study")
    assert study.participants.to_pylist() == [{"participant": "a", "items": ANSWERS}]


def test_answers_without_an_instrument_are_refused(folder: Path) -> None:
    with (
        pytest.raises(StudyError, match="participant a has answers, but no instrument is named"),
        StudyWriter(folder / "study", INFO) as writer,
    ):
        writer.add_participant("a", ANSWERS)


def test_samples_come_in_batches(folder: Path, image: Path) -> None:
    with StudyWriter(folder / "study", INFO) as writer:
        _add_one(writer, image, ["a", "b"])
        writer.add_samples(samples_table(participants=["c"], images=["a.png"], texts=["later"]))
    study = Study.open(folder / "study")
    assert study.texts == ["text", "text", "later"]
    assert study.participants.column("participant").to_pylist() == ["a", "b", "c"]


def test_images_fill_several_row_groups(
    folder: Path, image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("beholder.study.writer.IMAGES_PER_ROW_GROUP", 2)
    names = [f"{number}.png" for number in range(5)]
    with StudyWriter(folder / "study", INFO) as writer:
        for name in names:
            writer.add_image(name, image)
    assert pq.ParquetFile(folder / "study" / "images.parquet").num_row_groups == 3
    images = Study.open(folder / "study").images
    assert images.column("image").to_pylist() == names
    assert images.column("file").to_pylist() == [f"images/{name}" for name in names]


def test_an_image_that_is_added_twice_stays_the_first(
    folder: Path, image: Path, picture: Callable[..., Path]
) -> None:
    with StudyWriter(folder / "study", INFO) as writer:
        writer.add_image("a.png", image)
        writer.add_image("a.png", picture(folder / "another.png", 7, 5))
    study = Study.open(folder / "study")
    assert study.images.num_rows == 1
    assert study.image_path(0).read_bytes() == image.read_bytes()


def test_a_file_that_goes_with_the_study_grows(folder: Path) -> None:
    with StudyWriter(folder / "study", INFO) as writer:
        writer.extend_file("skipped.csv", "é\r\n")
        writer.extend_file("skipped.csv", "b\n")
    assert (folder / "study" / "skipped.csv").read_bytes() == "é\r\nb\n".encode()


def test_maps_fill_several_row_groups_in_any_order(folder: Path, image: Path) -> None:
    maps = [np.full((2, 3), number + 1.0) for number in range(70)]
    names = ["a.png"] * 70
    with StudyWriter(folder / "study", INFO) as writer:
        writer.add_image("a.png", image)
        writer.add_samples(samples_table(participants=["a"] * 70, images=names, gazes=_maps(maps)))
        for number in reversed(range(70)):
            writer.add_map(number, maps[number])
    assert pq.ParquetFile(folder / "study" / "maps.parquet").num_row_groups == 3
    for number, sample in enumerate(Study.open(folder / "study")):
        assert isinstance(sample.gaze, DenseMap)
        np.testing.assert_allclose(sample.gaze.values, maps[number], rtol=1e-5)


def _maps(arrays: list[np.ndarray]) -> list[DenseMap]:
    return [DenseMap(values) for values in arrays]
