"""Towers give vectors of length one, and their dropout can be repeated."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from beholder.model import Hyperparameters
from beholder.model.towers import Dropout, Masks, Tower, embed

SMALL = Hyperparameters(hidden=7, dimensions=5)


def tower(seed: int = 0, width: int = 4) -> Tower:
    return Tower(width, SMALL, torch.Generator().manual_seed(seed))


def features(count: int, width: int = 4) -> np.ndarray:
    return np.random.default_rng(1).normal(size=(count, width)).astype(np.float32)


def masked(seed: int, share: float, shape: tuple[int, int]) -> torch.Tensor:
    """Return what ones become."""
    generator = torch.Generator().manual_seed(seed)
    mask, _ = Dropout(generator, share, 0).masks(torch.ones(shape), 7)
    assert mask is not None
    return mask


def masks(inputs: torch.Tensor, of_inputs: float, of_hidden: float) -> Masks:
    generator = torch.Generator().manual_seed(0)
    return Dropout(generator, of_inputs, of_hidden).masks(inputs, SMALL.hidden)


def test_embeddings_have_length_one() -> None:
    embeddings = embed(tower(), features(9))
    assert embeddings.shape == (9, 5)
    assert embeddings.dtype == np.float32
    assert np.allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-6)


def test_chunks_change_nothing_and_nothing_is_an_empty_array() -> None:
    whole = embed(tower(), features(9))
    assert np.allclose(embed(tower(), features(9), rows_at_once=2), whole, atol=1e-6)
    assert embed(tower(), features(0)).shape == (0, 5)


def test_features_of_zeros_and_no_features_give_numbers() -> None:
    assert np.isfinite(embed(tower(), np.zeros((2, 4), np.float32))).all()
    assert np.isfinite(embed(tower(width=0), np.zeros((2, 0), np.float32))).all()


def test_the_generator_alone_decides_the_weights() -> None:
    first, again, other = (tower(seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["linear"], other["linear"])


def test_dropout_repeats_itself_and_keeps_the_mean() -> None:
    first, again, other = (masked(seed, 0.5, (100, 100)) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert set(first.flatten().tolist()) == {0.0, 2.0}
    assert abs(float(first.mean()) - 1) < 0.05


@pytest.mark.parametrize("share", [0.2, 0.3, 0.999])
@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (177, 130)])
def test_dropout_drops_its_share_to_a_256th(share: float, shape: tuple[int, int]) -> None:
    values = masked(0, share, shape)
    assert values.shape == shape
    assert values.isfinite().all()
    if values.numel() > 1000:
        dropped = (values == 0).flatten().float()
        assert float(dropped.mean()) == pytest.approx(share, abs=0.02)
        assert float(values.max()) == pytest.approx(1 / (1 - min(round(share * 256), 255) / 256))
        # Neighbours are drawn alone, though eight of them come from one number.
        together = (dropped[1:] * dropped[:-1]).mean()
        assert float(together) == pytest.approx(share**2, abs=0.02)


def test_no_dropout_is_the_evaluation() -> None:
    inputs = torch.from_numpy(features(3))
    assert masks(inputs, 0, 0) == (None, None)
    assert not torch.equal(tower()(inputs, masks(inputs, 0.5, 0)), tower()(inputs))
    assert not torch.equal(tower()(inputs, masks(inputs, 0, 0.5)), tower()(inputs))
