"""Features of many samples: encoded in blocks, mapped from the cache, the same numbers."""

from __future__ import annotations

import mmap
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from beholder.features import FeatureCache, ModalityEncoder, StudyInputs, encode_samples
from beholder.features import encoding as encoding_module
from beholder.features import image as image_module
from beholder.features import study as study_module
from beholder.features.cache import take
from beholder.features.modalities import DEFAULT_ENCODERS
from beholder.model import Run, TrainingConfiguration, train
from beholder.study import Study
from made_study import QUICK

MODALITIES = tuple(DEFAULT_ENCODERS)


@pytest.fixture
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a study of 192 samples one that memory does not hold."""
    monkeypatch.setattr(encoding_module, "HELD_AT_ONCE", 50)
    monkeypatch.setattr(study_module, "HELD_AT_ONCE", 50)
    monkeypatch.setattr(image_module, "GRIDS_AT_ONCE", 5)


def _is_mapped(array: np.ndarray) -> bool:
    return isinstance(array.base, mmap.mmap)


def _fitted(inputs: StudyInputs, modality: str) -> ModalityEncoder:
    return ModalityEncoder.fit(DEFAULT_ENCODERS[modality], inputs.of(modality, np.arange(0, 192)))


@pytest.mark.parametrize("modality", MODALITIES)
def test_blocks_give_what_the_whole_gives(
    modality: str, tiny_study: Study, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    rows = np.flatnonzero(np.arange(192) % 3)
    whole = StudyInputs(tiny_study, FeatureCache(None))
    encoder = _fitted(whole, modality)
    expected = encode_samples(whole, encoder, modality, rows)
    assert not _is_mapped(expected)
    request.getfixturevalue("few_at_once")
    mapped = encode_samples(
        StudyInputs(tiny_study, FeatureCache(tmp_path)), encoder, modality, rows
    )
    held = encode_samples(whole, encoder, modality, rows)
    assert _is_mapped(mapped) and not _is_mapped(held)
    assert_array_equal(mapped, held)
    # A product of matrices may differ in its last bit with the number of rows.
    assert_allclose(mapped, expected, rtol=1e-5, atol=1e-6)
    assert mapped.dtype == expected.dtype


def test_a_second_encoding_reads_the_first(
    tiny_study: Study, tmp_path: Path, few_at_once: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = StudyInputs(tiny_study, FeatureCache(tmp_path))
    encoder, rows = _fitted(inputs, "text"), np.arange(192)
    first = encode_samples(inputs, encoder, "text", rows)
    other = _fitted(StudyInputs(tiny_study, FeatureCache(tmp_path)), "text")
    with monkeypatch.context() as patch:
        patch.setattr(ModalityEncoder, "encode", None)
        assert_array_equal(encode_samples(inputs, other, "text", rows), first)
    # Other rows, or other statistics, are another entry.
    fewer = encode_samples(inputs, encoder, "text", rows[1:])
    assert_array_equal(fewer, first[1:])
    half = ModalityEncoder.fit(DEFAULT_ENCODERS["text"], inputs.of("text", np.arange(96)))
    assert encode_samples(inputs, half, "text", rows).shape != first.shape


@pytest.mark.parametrize("rows", [[], [3, 3, 0], [191]])
def test_rows_are_drawn_as_from_memory(
    rows: list[int], tiny_study: Study, tmp_path: Path, few_at_once: None
) -> None:
    inputs = StudyInputs(tiny_study, FeatureCache(tmp_path))
    array = encode_samples(inputs, _fitted(inputs, "gaze"), "gaze", np.arange(192))
    drawn = take(array, np.array(rows, dtype=int))
    assert_array_equal(drawn, np.array(array)[rows])
    drawn[:] = -1  # a copy: what it becomes is nobody else's
    assert_array_equal(take(array, np.array(rows, dtype=int)), np.array(array)[rows])
    assert (np.array(array) > -1).any()


def test_grids_of_many_images_are_mapped_and_the_same(
    tiny_study: Study, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    expected = StudyInputs(tiny_study, FeatureCache(None)).grids
    request.getfixturevalue("few_at_once")
    for _ in range(2):
        grids = StudyInputs(tiny_study, FeatureCache(tmp_path)).grids
        assert _is_mapped(grids)
        assert_array_equal(grids, expected)


def _trained(study: Study, path: Path, cache: FeatureCache) -> tuple[dict[str, bytes], Run]:
    configuration = TrainingConfiguration("ours", "g2t,t2g", hyperparameters=QUICK)
    run = train(study, path, configuration, cache=cache)
    files = sorted([*path.rglob("spaces/**/*.safetensors"), *path.rglob("weights/*")])
    return {str(file.relative_to(path)): file.read_bytes() for file in files}, run


def test_a_mapped_and_an_in_memory_extraction_train_to_the_same_weights(
    tiny_study: Study, tmp_path: Path, few_at_once: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    mapped, run = _trained(tiny_study, tmp_path / "mapped", FeatureCache(tmp_path / "cache"))
    assert len(list((tmp_path / "cache").rglob("*.npy"))) == 3  # grids and two modalities
    held, other = _trained(tiny_study, tmp_path / "held", FeatureCache(None))
    assert mapped == held and len(mapped) == 5 + 3
    # The runs embed samples alike, in whatever blocks.
    test = run.split.rows("test")
    expected = other.embed_samples(("gaze", "text"), "gaze", test)
    monkeypatch.setattr("beholder.model.run.EMBEDDED_AT_ONCE", 7)
    found = run.embed_samples(("gaze", "text"), "gaze", test[::-1])
    assert_allclose(found[::-1], expected, rtol=1e-5, atol=1e-6)
