"""Tiny pretrained models with random weights, saved as the ecosystem's own libraries save them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("transformers", reason="transformers is absent: beholder[pretrained]")
pytest.importorskip("sentence_transformers", reason="it is absent: beholder[pretrained]")

import torch
import transformers
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

SIDE, PATCH, WIDTH = 32, 8, 16
"""Pixels a side of an image and of a patch, and channels of a patch."""

_TOWER = {
    "hidden_size": WIDTH,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": SIDE,
    "patch_size": PATCH,
}
_LANGUAGE = {
    "bos_token_id": 1,
    "eos_token_id": 2,
    "hidden_size": WIDTH,
    "intermediate_size": 24,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "vocab_size": 30,
    "max_position_embeddings": 8,
}
transformers.utils.logging.disable_progress_bar()

PREPARATION = {
    "do_normalize": True,
    "do_rescale": True,
    "do_center_crop": True,
    "crop_size": {"height": SIDE, "width": SIDE},
    "size": {"shortest_edge": SIDE},
    "image_mean": [0.48, 0.46, 0.41],
    "image_std": [0.27, 0.26, 0.28],
    "rescale_factor": 1 / 255,
    "resample": 3,
}


def made_vision(kind: str, seed: int = 0) -> transformers.PreTrainedModel:
    """Return a random model of a kind such as ``clip``, in evaluation mode."""
    with _seeded(seed):
        if kind == "clip":
            both = transformers.CLIPConfig(
                text_config=_LANGUAGE, vision_config=_TOWER, projection_dim=8
            )
            return transformers.CLIPModel(both).eval()
        if kind == "siglip":
            both = transformers.SiglipConfig(text_config=_LANGUAGE, vision_config=_TOWER)
            return transformers.SiglipModel(both).eval()
        if kind == "vit":
            return transformers.ViTModel(
                transformers.ViTConfig(**_TOWER), add_pooling_layer=False
            ).eval()
        if kind == "dinov2":
            return transformers.Dinov2Model(transformers.Dinov2Config(**_TOWER)).eval()
        if kind == "dinov2_with_registers":
            own = transformers.Dinov2WithRegistersConfig(**_TOWER, num_register_tokens=3)
            return transformers.Dinov2WithRegistersModel(own).eval()
        own = transformers.DINOv3ViTConfig(**_TOWER, num_register_tokens=2)
        return transformers.DINOv3ViTModel(own).eval()


def save_vision(folder: Path, kind: str = "clip", seed: int = 0) -> Path:
    """Save a random vision model with its preparation of images, and return the folder."""
    made_vision(kind, seed).save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(PREPARATION))
    return folder


def save_sentences(folder: Path, seed: int = 0) -> Path:
    """Save a random sentence-transformers model that knows letters, and return the folder."""
    inner = folder.with_name(folder.name + " (inner)")
    signs = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    vocabulary = [*signs, *letters, *(f"##{letter}" for letter in letters)]
    inner.mkdir(parents=True)
    (inner / "vocab.txt").write_text("\n".join(vocabulary))
    transformers.BertTokenizer(str(inner / "vocab.txt")).save_pretrained(inner)
    configuration = transformers.BertConfig(
        **_LANGUAGE | {"vocab_size": len(vocabulary), "max_position_embeddings": 64}
    )
    with _seeded(seed):
        transformers.BertModel(configuration).save_pretrained(inner)
    word = Transformer(str(inner), max_seq_length=64)
    SentenceTransformer(modules=[word, Pooling(WIDTH)], device="cpu").save(str(folder))
    return folder


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
