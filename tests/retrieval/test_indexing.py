"""A study's every item is in its store, as the run embeds it."""

from __future__ import annotations

import io
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from beholder.errors import StoreError, StudyError
from beholder.features import ImageGrid
from beholder.model import Run
from beholder.retrieval import Store, index, open_store
from beholder.retrieval.pictures import grid_of, thumbnail
from beholder.retrieval.records import gaze_record, parse_gaze
from beholder.study import Areas, DenseMap, Points


def test_every_item_is_there(any_tiny_store: Store, tiny_run: Run) -> None:
    study = tiny_run.study
    with any_tiny_store.read() as snapshot:
        assert snapshot.counts() == {"samples": 192, "participants": 12, "images": 16}
        for sample in snapshot.samples(range(192)).values():
            own = study[sample.number]
            assert (sample.participant, sample.image, sample.task, sample.text) == (
                own.participant,
                own.image,
                own.task,
                own.text,
            )
            assert sample.gaze == gaze_record(own.gaze)
            parts = ("train", "validation", "test", None)
            assert sample.part == parts[tiny_run.split.parts[sample.number]]
        for person in snapshot.participants(range(12)).values():
            answers = study.answers[person.number]
            assert person.answers == tuple(answers)
            traits = study.instrument.trait_scores(answers[None])[0]
            assert list(person.traits.values()) == pytest.approx(traits)
        for image in snapshot.images(range(16)).values():
            picture = Image.open(io.BytesIO(image.thumbnail))
            assert max(picture.size) <= 320
            assert image.grid.shape == (16, 16, 22)
        name = study[0].participant
        assert [one.number for one in snapshot.samples_of(name)] == [
            one.number for one in study if one.participant == name
        ]


def test_vectors_are_the_runs(any_tiny_store: Store, tiny_run: Run) -> None:
    every = np.arange(len(tiny_run.study))
    people = tiny_run.study.samples.column("participant").to_pylist()
    with any_tiny_store.read() as snapshot:
        for side in snapshot.description.sides:
            layout = snapshot.description.layout(side)
            assert dict(layout.weights) == tiny_run.weights(side.pair, "ours")
            for person in ("p001", "p007"):
                rows = snapshot.vectors_of(side, person)
                own = every[[name == person for name in people]]
                own = own[:1] if side.modality == "personality" else own
                for space in layout.weights:
                    expected = tiny_run.embed_samples(side.pair, side.modality, own, space)
                    np.testing.assert_allclose(rows[:, layout.block(space)], expected, atol=1e-5)


def test_a_killed_indexing_leaves_the_store_as_it_was(tiny_run: Run, place: str) -> None:
    generator = np.random.default_rng(0)
    whole = False
    for _ in range(8):
        process = os.fork()
        if process == 0:
            try:
                index(tiny_run, place, overwrite=True)
            finally:
                os._exit(0)
        time.sleep(generator.uniform(0.05, 0.6))
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        try:
            with open_store(place).read() as snapshot:
                assert snapshot.counts() == {"samples": 192, "participants": 12, "images": 16}
                assert len(snapshot.vectors_of(snapshot.description.sides[0], "p001")) == 16
            whole = True
        except StoreError as error:
            assert not whole
            assert "is no store" in str(error)
    index(tiny_run, place, overwrite=whole)


def test_pictures_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    file = tmp_path / "broken.png"
    file.write_bytes(b"\x89PNG but no more")
    for read in (thumbnail, lambda one: grid_of(one, ImageGrid())):
        with pytest.raises(StudyError, match=r"broken\.png cannot be read"):
            read(file)


def test_a_thumbnail_says_nothing_but_its_pixels(tmp_path: Path) -> None:
    picture = Image.new("RGB", (800, 200), "red")
    exif = picture.getexif()
    exif[0x010E] = "taken by Ada at home"
    picture.save(tmp_path / "a.jpg", exif=exif, comment="Ada's")
    data = thumbnail(tmp_path / "a.jpg")
    assert b"Ada" not in data
    assert Image.open(io.BytesIO(data)).size == (320, 80)


@pytest.mark.parametrize(
    "gaze",
    [
        Points(np.array([0.25, 0.5]), np.array([0.125, 1.0]), np.array([0, 0.5]), None),
        Areas(3, np.array([0, 2]), ("dog", "cat"), np.array([[0, 0, 0.5, 0.5], [0.25, 0, 1, 1]])),
        DenseMap(np.array([[0.0, 1.0], [0.5, 0.25]])),
    ],
    ids=["points", "areas", "map"],
)
def test_a_gaze_comes_back_as_it_was_kept(gaze: Points | Areas | DenseMap) -> None:
    kept = parse_gaze(gaze_record(gaze), "here")
    for name, value in vars(gaze).items():
        if value is None:
            assert getattr(kept, name) is None
        else:
            np.testing.assert_array_equal(getattr(kept, name), value)


def test_a_large_map_is_kept_small() -> None:
    values = np.random.default_rng(0).random((480, 640))
    kept = parse_gaze(gaze_record(DenseMap(values)), "here")
    assert isinstance(kept, DenseMap)
    assert kept.values.shape == (32, 32)
    assert kept.values.max() == 1
