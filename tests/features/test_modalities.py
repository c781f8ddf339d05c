"""Encoders of a modality, fitted together, come back from disk as they were."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from beholder.features import DEFAULT_ENCODERS, ModalityEncoder, Surveys, Viewings
from beholder.features.encoder import Encoder
from beholder.features.gaze import AttendedAreas, AttendedContent, Attention, ImageContent, Scanpath
from beholder.features.modalities import ENCODERS
from beholder.features.personality import Items, Traits
from beholder.features.text import Manner, Wording
from beholder.study import load_instrument
from beholder.study.gaze import Areas, DenseMap, Points

TEXTS = ["die Straße, naß", 'a "quoted" text', "a text and a text 👁", "", "又一个", "Die Straße!"]


def _viewings() -> Viewings:
    generator = np.random.default_rng(2)
    box = np.array([[0, 0, 0.5, 1], [0.5, 0.5, 0.25, 0.25]], np.float32)
    gazes = [
        Points(generator.random(4), generator.random(4)),
        Areas(3, np.array([0, 2]), ("Straße", "person"), box),
        DenseMap(generator.random((6, 8))),
        Areas(2, np.array([0, 1]), ("person", "Straße"), box),
    ]
    grids = generator.random((3, 16, 16, 22)).astype(np.float32)
    return Viewings(gazes * 2, np.array([0, 1, 2, 0, 1, 2, 0, 0]), grids, np.array([1, 1.5, 0.7]))


def _surveys() -> Surveys:
    answers = np.random.default_rng(4).integers(1, 6, (9, 10)).astype(float)
    return Surveys(answers, load_instrument("bfi-10"))


INPUTS = {"gaze": _viewings, "text": lambda: TEXTS, "personality": _surveys}
CHANGED: dict[str, tuple[Encoder[Any], ...]] = {
    "gaze": (
        *(AttendedAreas(minimum=1), Attention(8, 0.1, weight_by_duration=False), Scanpath(0.123)),
        *(AttendedContent(dimensions=2), ImageContent(levels=(2, 8), dimensions=2)),
    ),
    "text": (Wording(4, 1 / 3, 1, 1), Manner(weight=0.1)),
    "personality": (Traits(), Items()),
}


@pytest.mark.parametrize("modality", INPUTS)
@pytest.mark.parametrize("encoders", [DEFAULT_ENCODERS, CHANGED], ids=["default", "changed"])
def test_encoders_come_back_bit_for_bit(
    tmp_path: Path, modality: str, encoders: dict[str, tuple[Encoder[Any], ...]]
) -> None:
    inputs = INPUTS[modality]()
    fitted = ModalityEncoder.fit(encoders[modality], inputs)
    fitted.save(tmp_path / "new folder", modality)
    loaded = ModalityEncoder.load(tmp_path / "new folder", modality)
    assert loaded.encoders == encoders[modality]
    for mine, read in zip(fitted.statistics, loaded.statistics, strict=True):
        assert read.vocabulary == mine.vocabulary
        assert dict(read.arrays).keys() == dict(mine.arrays).keys()
        for name, array in mine.arrays.items():
            assert read.arrays[name].dtype == array.dtype
            assert_array_equal(read.arrays[name], array)
    features = fitted.encode(inputs)
    assert features.dtype == np.float32 and len(features) == len(inputs)
    assert loaded.encode(INPUTS[modality]()).tobytes() == features.tobytes()


def test_blocks_stand_side_by_side_in_order() -> None:
    surveys = _surveys()
    both = ModalityEncoder.fit((Traits(), Items()), surveys).encode(surveys)
    assert both.shape == (9, 5 + 10)
    assert_array_equal(both[:, :5], Traits().encode(surveys, Traits().fit(surveys)))
    assert_array_equal(both[:, 5:], Items().encode(surveys, Items().fit(surveys)))


def test_every_encoder_is_known_by_a_name_of_its_own() -> None:
    encoders = [encoder for group in DEFAULT_ENCODERS.values() for encoder in group]
    assert len(ENCODERS) == len(encoders)
    for encoder in encoders:
        assert ENCODERS[encoder.name] is type(encoder)
        assert "." not in encoder.name  # which parts it from its arrays' names on disk


@pytest.mark.parametrize("name", sorted(ENCODERS))
def test_options_are_plain_and_frozen(name: str) -> None:
    encoder: Any = ENCODERS[name]()
    options = json.loads(json.dumps(asdict(encoder)))
    for key, value in asdict(encoder).items():
        back = tuple(options[key]) if isinstance(value, tuple) else options[key]
        assert back == value and type(back) is type(value)
        with pytest.raises(FrozenInstanceError):
            setattr(encoder, key, value)


def test_what_is_kept_can_be_read(tmp_path: Path) -> None:
    ModalityEncoder.fit(CHANGED["text"], TEXTS).save(tmp_path, "text")
    described = json.loads((tmp_path / "text.json").read_text("utf-8"))
    assert [one["name"] for one in described] == ["wording", "manner"]
    assert described[0]["options"]["whitening"] == 1 / 3
    assert "straße" in described[0]["vocabulary"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["text.json", "text.safetensors"]
