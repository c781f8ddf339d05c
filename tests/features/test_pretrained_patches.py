"""Patch features of vision models: beside the library's own numbers, and in the cache."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

pytest.importorskip("transformers", reason="transformers is absent: beholder[pretrained]")

import torch
import transformers

from beholder.errors import ConfigurationError, StudyError
from beholder.features import FeatureCache, PatchGrid
from beholder.features.pretrained import patches
from beholder.features.pretrained.patches import shares
from made_models import PATCH, PREPARATION, SIDE, WIDTH, made_vision, save_vision

KINDS = ("clip", "siglip", "vit", "dinov2", "dinov2_with_registers", "dinov3_vit")
PATCHES = SIDE // PATCH


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_vision(tmp_path_factory.mktemp("models") / "clip")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder, generator = tmp_path_factory.mktemp("images"), np.random.default_rng(0)
    found = []
    for number in range(5):
        height, width = generator.integers(20, 90, 2)
        pixels = generator.integers(0, 256, (height, width, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
        found.append(folder / f"{number}.png")
    return found


def library_patches(kind: str, file: Path) -> NDArray[np.float32]:
    """Return what the library itself makes of an image, shape (patches, patches, channels)."""
    processor = transformers.CLIPImageProcessorPil(
        **PREPARATION | {"do_center_crop": False, "size": {"height": SIDE, "width": SIDE}}
    )
    pixels = processor(Image.open(file), return_tensors="pt")["pixel_values"]
    model = made_vision(kind)
    prefix = {"clip": 1, "siglip": 0, "dinov2_with_registers": 4, "dinov3_vit": 3}.get(kind, 1)
    with torch.inference_mode():
        states = getattr(model, "vision_model", model)(pixel_values=pixels).last_hidden_state
    found: NDArray[np.float32] = states[0, prefix:].reshape(PATCHES, PATCHES, WIDTH).numpy()
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_patches_are_those_of_the_library(kind: str, tmp_path: Path, files: list[Path]) -> None:
    grid = PatchGrid.open(str(save_vision(tmp_path / kind, kind)))
    expected = library_patches(kind, files[0])
    # Twice as many cells as patches: each patch is four cells.
    twice = PatchGrid(grid.model, grid.identity, cells=2 * PATCHES).describe(files[0])
    np.testing.assert_allclose(
        twice, expected.repeat(2, axis=0).repeat(2, axis=1), rtol=0, atol=1e-5
    )
    half = PatchGrid(grid.model, grid.identity, cells=PATCHES // 2).describe(files[0])
    blocks = expected.reshape(PATCHES // 2, 2, PATCHES // 2, 2, WIDTH).mean(axis=(1, 3))
    np.testing.assert_allclose(half, blocks, rtol=0, atol=1e-5)


def test_numbers_do_not_hang_on_the_batch(clip: Path, files: list[Path]) -> None:
    grid = PatchGrid.open(str(clip))
    together = grid.describe_all(files)
    assert together.dtype == np.float32
    alone = np.stack([PatchGrid.open(str(clip)).describe(file) for file in files])
    np.testing.assert_allclose(together, alone, rtol=0, atol=1e-5)


@given(old=st.integers(1, 40), new=st.integers(1, 40))
def test_shares_are_of_what_lies_under_a_cell(old: int, new: int) -> None:
    found = shares(old, new)
    # Cut the line finely enough that every edge of both is a cut.
    fine = np.arange(old * new)
    expected = np.zeros((new, old))
    np.add.at(expected, (fine // old, fine // new), 1 / old)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


def test_a_kill_loses_no_finished_batch(
    clip: Path, files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patches, "IMAGES_AT_ONCE", 2)
    grid, cache = PatchGrid.open(str(clip)), FeatureCache(tmp_path / "cache")
    digests = [str(number) for number in range(len(files))]

    def killed(items: Iterable[int], description: str, total: int | None = None) -> Iterable[int]:
        for number, item in enumerate(items):
            if number == 2:
                raise KeyboardInterrupt
            yield item

    with pytest.raises(KeyboardInterrupt):
        grid.of_images(files, digests, cache, killed)
    described: list[Path] = []
    real = PatchGrid.describe_all
    monkeypatch.setattr(PatchGrid, "describe_all", lambda s, f: described.extend(f) or real(s, f))
    found = grid.of_images(files, digests, cache)
    assert described == files[4:]
    np.testing.assert_allclose(found, real(grid, files), rtol=0, atol=1e-5)
    # The same weights elsewhere are the same; others are not.
    moved = save_vision(tmp_path / "moved")
    PatchGrid.open(str(moved)).of_images(files, digests, cache)
    assert described == files[4:]
    other = PatchGrid.open(str(save_vision(tmp_path / "other", seed=1)))
    assert np.abs(other.of_images(files, digests, cache) - found).max() > 0.1


def test_loading_says_nothing(
    clip: Path, files: list[Path], capfd: pytest.CaptureFixture[str]
) -> None:
    transformers.utils.logging.enable_progress_bar()
    try:
        PatchGrid.open(str(clip)).describe(files[0])
        assert transformers.utils.logging.is_progress_bar_enabled()
    finally:
        transformers.utils.logging.disable_progress_bar()
    assert capfd.readouterr() == ("", "")


def test_what_cannot_be_used_is_refused(clip: Path, files: list[Path], tmp_path: Path) -> None:
    def changed(name: str, file: str, **values: object) -> str:
        folder = save_vision(tmp_path / name)
        held = json.loads((folder / file).read_text())
        (folder / file).write_text(json.dumps({**held, **values}))
        return str(folder)

    with pytest.raises(ConfigurationError, match="is of another kind than clip, "):
        PatchGrid.open(changed("kind", "config.json", model_type="bert"))
    bare = save_vision(tmp_path / "bare")
    (bare / "preprocessor_config.json").unlink()
    with pytest.raises(ConfigurationError, match="does not say how images are prepared"):
        PatchGrid.open(str(bare))
    small = {"height": SIDE // 2, "width": SIDE // 2}
    grid = PatchGrid.open(changed("size", "preprocessor_config.json", crop_size=small))
    with pytest.raises(ConfigurationError, match=r"size cannot be loaded: Input image size"):
        grid.describe(files[0])
    deeper = PREPARATION | {"crop_size": None}
    assert deeper["size"] == {"shortest_edge": SIDE}
    without_crop = PatchGrid.open(changed("crop", "preprocessor_config.json", crop_size=None))
    assert without_crop.describe(files[0]).shape == (8, 8, WIDTH)
    (tmp_path / "text.png").write_text("no image")
    with pytest.raises(StudyError, match=r"text\.png cannot be read"):
        PatchGrid.open(str(clip)).describe(tmp_path / "text.png")


def test_weights_that_are_missing_are_not_drawn_at_random(
    tmp_path: Path, files: list[Path]
) -> None:
    from safetensors.torch import load_file, save_file

    weights = save_vision(tmp_path / "clip") / "model.safetensors"
    held = load_file(weights)
    del held["vision_model.encoder.layers.1.mlp.fc1.weight"]
    save_file(held, weights, {"format": "pt"})
    grid = PatchGrid.open(str(weights.parent))
    with pytest.raises(ConfigurationError, match=r"lacks weights, such as .*layers\.1\.mlp"):
        grid.describe(files[0])
