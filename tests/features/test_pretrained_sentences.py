"""Sentence embeddings: beside the library's own numbers, in the cache, and which model it is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

pytest.importorskip("sentence_transformers", reason="it is absent: beholder[pretrained]")

from sentence_transformers import SentenceTransformer

from beholder.errors import ConfigurationError
from beholder.features import FeatureCache, ModalityEncoder, Sentences
from beholder.features.pretrained import StudyTexts, sentences, source
from beholder.features.text import Manner
from made_models import WIDTH, save_sentences, save_vision

TEXTS = ["a dog on a street", "", "the cat sat", "a long sentence of many words " * 9, "dog, 狗!"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_sentences(tmp_path_factory.mktemp("models") / "text")


def test_embeddings_are_those_of_the_library(model: Path) -> None:
    expected = SentenceTransformer(str(model), device="cpu").encode(TEXTS)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    encoder = Sentences.open(str(model))
    found = encoder.embed(TEXTS)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    alone = np.concatenate([encoder.embed([text]) for text in TEXTS])
    np.testing.assert_allclose(found, alone, rtol=0, atol=1e-5)
    assert encoder.embed([]).shape == (0, WIDTH)


def test_the_block_is_their_main_directions_kept_in_a_run(model: Path, tmp_path: Path) -> None:
    encoder = Sentences.open(str(model))
    fitted = ModalityEncoder.fit((Manner(), encoder), TEXTS)
    features = fitted.encode(TEXTS)
    block = features[:, -4:]  # five texts span four directions about their mean
    centred = encoder.embed(TEXTS)
    centred = (centred - centred.mean(axis=0)) / centred.std(axis=0)
    inner = centred @ centred.T
    np.testing.assert_allclose(block @ block.T, inner * 5 / inner.trace(), rtol=0, atol=1e-3)
    fitted.save(tmp_path, "text")
    np.testing.assert_array_equal(ModalityEncoder.load(tmp_path, "text").encode(TEXTS), features)
    held = json.loads((tmp_path / "text.json").read_text())[1]["options"]
    assert (held["model"], held["identity"]) == (str(model), encoder.identity)


def lengths(texts: Sequence[str]) -> NDArray[np.float32]:
    """Stand in for a slow encoder."""
    return np.array([[len(text), hash(text) % 97] for text in texts], np.float32).reshape(-1, 2)


@given(
    texts=st.lists(st.none() | st.text(max_size=3), max_size=20),
    asked=st.lists(st.integers(0, 19)),
    at_once=st.integers(1, 7),
)
def test_texts_of_a_study_are_embedded_as_alone(
    texts: list[str | None], asked: list[int], at_once: int
) -> None:
    rows = np.array([r for r in asked if r < len(texts) and texts[r] is not None], dtype=np.int64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sentences, "TEXTS_AT_ONCE", at_once)
        held = StudyTexts(texts, rows, FeatureCache(None))
        assert held == [texts[row] for row in rows]
        np.testing.assert_array_equal(held.embedded("1", lengths), lengths(held))


def test_a_text_is_embedded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sentences, "TEXTS_AT_ONCE", 2)
    cache, seen = FeatureCache(tmp_path), []

    def embed(texts: Sequence[str]) -> NDArray[np.float32]:
        seen.extend(texts)
        return lengths(texts)

    def embedded(rows: list[int], identity: str = "1") -> NDArray[np.float32]:
        return StudyTexts(["a", "b", "c", "d"], np.array(rows), cache).embedded(identity, embed)

    first = embedded([2, 1])
    assert seen == ["a", "b", "c", "d"]
    np.testing.assert_array_equal(embedded([1, 2])[::-1], first)
    assert len(seen) == 4
    embedded([3], "2")
    assert seen[4:] == ["c", "d"]


def test_a_model_is_known_by_its_weights_and_not_by_its_place(model: Path, tmp_path: Path) -> None:
    moved = save_sentences(tmp_path / "moved")
    (moved / "README.md").write_text("another card")
    assert Sentences.open(str(moved)).identity == Sentences.open(str(model)).identity
    other = Sentences.open(str(save_sentences(tmp_path / "other", seed=1)))
    assert other.identity != Sentences.open(str(model)).identity
    held = json.loads((moved / "1_Pooling" / "config.json").read_text())
    (moved / "1_Pooling" / "config.json").write_text(json.dumps({**held, "a": "b"}))
    changed = Sentences(str(moved), Sentences.open(str(model)).identity)
    with pytest.raises(ConfigurationError, match="other weights or another configuration than at"):
        changed.check()
    with pytest.raises(ConfigurationError, match="other weights or another configuration than at"):
        changed.embed(["a"])


def test_what_cannot_be_used_is_refused(model: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"\./none is not there: no such folder"):
        Sentences.open("./none")
    with pytest.raises(ConfigurationError, match=r"no sentence-transformers model.*modules\.json"):
        Sentences.open(str(save_vision(tmp_path / "clip")))
    foreign = save_sentences(tmp_path / "foreign")
    modules = json.loads((foreign / "modules.json").read_text())
    modules[1]["type"] = "os.path"
    (foreign / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(ConfigurationError, match=r"brings code of its own \(os\.path\)"):
        Sentences.open(str(foreign))
    pickled = save_sentences(tmp_path / "pickled")
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    with pytest.raises(ConfigurationError, match="pickled weights are never read"):
        Sentences.open(str(pickled))
    partly = save_sentences(tmp_path / "partly")
    (partly / "1_Pooling" / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(ConfigurationError, match="keeps weights of 1_Pooling as a pickle"):
        Sentences.open(str(partly))
    sharded = save_sentences(tmp_path / "sharded")
    index = {"weight_map": {"a": "model.safetensors", "b": "model-2.safetensors"}}
    (sharded / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ConfigurationError, match="not all weights as safetensors"):
        Sentences.open(str(sharded))


def test_a_name_is_taken_from_the_cache_and_asked_for_only_if_need_be(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = source.library("huggingface_hub")
    asked: list[bool] = []
    partial = tmp_path / "partial"
    partial.mkdir()
    (partial / "config.json").write_text("{}")
    cached: list[Path | None] = [None, partial, model]

    def download(name: str, *, local_files_only: bool = False, **options: object) -> str:
        assert "*.bin" not in str(options["allow_patterns"])
        asked.append(local_files_only)
        if not local_files_only:
            return str(model)
        if (found := cached.pop(0)) is None:
            raise hub.errors.LocalEntryNotFoundError("it is not here\nand more")
        return str(found)

    monkeypatch.setattr(hub, "snapshot_download", download)
    for expected in ([True, False], [True, False], [True]):
        asked.clear()
        assert Sentences.open("somebody/model").model == "somebody/model"
        assert asked == expected


def test_offline_it_says_so_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = source.library("huggingface_hub")
    monkeypatch.setattr(hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(hub.constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(
        ConfigurationError, match="neither a folder nor in the local cache, and"
    ) as e:
        Sentences.open("somebody/model")
    assert "\n" not in str(e.value)
    with pytest.raises(ConfigurationError, match="cannot be downloaded"):
        Sentences.open("no name at all/")


def test_a_missing_library_is_named(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(source.importlib, "import_module", absent)
    with pytest.raises(ConfigurationError, match=r"pip install 'beholder\[pretrained\]'"):
        Sentences.open(str(model))


def test_loading_says_nothing(model: Path, capfd: pytest.CaptureFixture[str]) -> None:
    told = source.library("transformers").utils.logging
    told.enable_progress_bar()
    try:
        Sentences.open(str(model)).embed(TEXTS)
    finally:
        told.disable_progress_bar()
    assert capfd.readouterr() == ("", "")
