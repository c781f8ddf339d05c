"""What an image shows, cell by cell, as the patch features of a pretrained vision model."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from beholder.errors import ConfigurationError, StudyError
from beholder.features.cache import FeatureCache, cache_key
from beholder.features.encoder import Array
from beholder.features.image import UNREADABLE, eight_bit
from beholder.features.pretrained.source import (
    Weights,
    identity,
    lasting,
    library,
    loading,
    locate,
    verified,
)
from beholder.progress import Progress, silent
from beholder.work import HERE, Workers

IMAGES_AT_ONCE = 64
"""So many images are described and kept together; a kill loses at most these."""

_FORWARD = 16
"""Images that go through the model together."""

_MODELS = {
    "clip": "CLIPVisionModel",
    "clip_vision_model": "CLIPVisionModel",
    "siglip": "SiglipVisionModel",
    "siglip_vision_model": "SiglipVisionModel",
    "vit": "ViTModel",  # the first DINO
    "dinov2": "Dinov2Model",
    "dinov2_with_registers": "Dinov2WithRegistersModel",
    "dinov3_vit": "DINOv3ViTModel",
}


@dataclass(frozen=True)
class PatchGrid:
    """The patch features of a CLIP, SigLIP or DINO model, averaged over ``cells`` × ``cells``.

    ``model`` is a folder or a name on the hub, ``identity`` the hash of its weights. The whole
    image is made square, where models usually crop, so that every gaze meets its patches.
    """

    model: str
    identity: str
    cells: int = 8

    @classmethod
    def open(cls, model: str) -> "PatchGrid":
        """Return the grid of a model; ConfigurationError if it is absent or of another kind."""
        library("transformers")
        folder = locate(model)
        _kind(model, folder)
        Preparation.read(model, folder)
        return cls(lasting(model), identity(folder))

    def check(self) -> None:
        """Raise ConfigurationError unless the very model is there."""
        library("transformers")
        verified(self.model, self.identity)

    def describe(self, file: Path) -> Array:
        """Return the grid of an image, shape (cells, cells, channels)."""
        found: Array = self.describe_all([file])[0]
        return found

    def describe_all(self, files: Sequence[Path]) -> Array:
        """Return the grids of some images, shape (images, cells, cells, channels)."""
        import torch

        preparation = self._preparation
        parts = []
        for start in range(0, len(files), _FORWARD):
            pixels = [preparation.pixels(file) for file in files[start : start + _FORWARD]]
            with torch.inference_mode(), loading(self.model):
                batch = torch.from_numpy(np.stack(pixels))  # (b, 3, height, width)
                states = self._vision(pixel_values=batch).last_hidden_state  # (b, tokens, channels)
            parts.append(self._cells(states.numpy()))
        return np.concatenate(parts)

    def of_images(
        self,
        files: Sequence[Path],
        digests: Sequence[str],
        cache: FeatureCache,
        progress: Progress = silent,
        workers: Workers = HERE,
    ) -> Array:
        """Return the grids of many images, shape (images, cells, cells, channels), kept or made.

        ``digests`` are the images' SHA-256, by which the cache knows them. ``workers`` are not
        used, as each would load the model.
        """
        starts = range(0, len(files), IMAGES_AT_ONCE)
        return np.concatenate(
            [
                self._batch(files[start : start + IMAGES_AT_ONCE], digests[start:], cache)
                for start in progress(starts, "describing images", len(starts))
            ]
        )

    def _batch(self, files: Sequence[Path], digests: Sequence[str], cache: FeatureCache) -> Array:
        own = (str(self.cells), *digests[: len(files)])
        key = cache_key("patches-1", Weights(self.identity), *own)
        return np.asarray(cache.get(key, lambda: self.describe_all(files)), dtype=np.float32)

    def _cells(self, states: Array) -> Array:
        """Return the mean of the patches under each cell, (b, cells, cells, channels)."""
        rows, columns = (side // self._patch for side in self._preparation.size)
        # Tokens of the whole image, the class and registers, come before those of the patches.
        patches = states[:, states.shape[1] - rows * columns :]
        patches = patches.reshape(len(states), rows, columns, -1)
        down, across = shares(rows, self.cells), shares(columns, self.cells)
        found = np.einsum("ir,jc,nrcd->nijd", down, across, patches, optimize=True)
        return np.ascontiguousarray(found, dtype=np.float32)

    @property
    def _patch(self) -> int:
        return int(self._vision.config.patch_size)

    @cached_property
    def _folder(self) -> Path:
        return verified(self.model, self.identity)

    @cached_property
    def _preparation(self) -> "Preparation":
        return Preparation.read(self.model, self._folder)

    @cached_property
    def _vision(self) -> Any:
        import torch

        transformers = library("transformers")
        kind = getattr(transformers, _kind(self.model, self._folder))
        with loading(self.model):
            configuration = transformers.AutoConfig.from_pretrained(
                self._folder, local_files_only=True, trust_remote_code=False
            )
            vision, report = kind.from_pretrained(
                self._folder,
                config=getattr(configuration, "vision_config", configuration),
                dtype=torch.float32,
                local_files_only=True,
                use_safetensors=True,
                output_loading_info=True,
                **({"add_pooling_layer": False} if kind.__name__ == "ViTModel" else {}),
            )
        # What is missing would be drawn at random, and differently every time.
        if missing := sorted(report["missing_keys"]):
            raise ConfigurationError(
                f"the image encoder {self.model} lacks weights, such as {missing[0]}"
            )
        return vision.eval()


@dataclass(frozen=True)
class Preparation:
    """How an image becomes a model's input, as the model's own file says, but never cropped."""

    size: tuple[int, int]  # height and width in pixels
    mean: tuple[float, ...]
    spread: tuple[float, ...]
    scale: float
    resample: int

    @classmethod
    def read(cls, model: str, folder: Path) -> "Preparation":
        """Return what a model's preprocessor_config.json says, or raise ConfigurationError."""
        try:
            given = _preprocessor(folder)
            normalises = given.get("do_normalize", True)
            return cls(
                _size(given.get("crop_size") or given["size"]),
                tuple(map(float, given["image_mean"])) if normalises else (0.0,) * 3,
                tuple(map(float, given["image_std"])) if normalises else (1.0,) * 3,
                float(given.get("rescale_factor", 1 / 255)) if given.get("do_rescale", True) else 1,
                int(given.get("resample", Image.Resampling.BICUBIC)),
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ConfigurationError(
                f"the image encoder {model} does not say how images are prepared: {folder} has no "
                "preprocessor_config.json with size, image_mean and image_std"
            ) from error

    def pixels(self, file: Path) -> Array:
        """Return an image as a model takes it, shape (3, height, width)."""
        height, width = self.size
        try:
            with Image.open(file) as image:
                small = eight_bit(image).resize((width, height), Image.Resampling(self.resample))
        except UNREADABLE as error:
            raise StudyError(f"image {file} cannot be read: {error}") from error
        values = np.asarray(small, dtype=np.float32) * np.float32(self.scale)
        values -= np.array(self.mean, np.float32)
        values /= np.array(self.spread, np.float32)
        return np.ascontiguousarray(values.transpose(2, 0, 1))


def shares(old: int, new: int) -> NDArray[np.float32]:
    """Return what share of each of ``new`` equal parts of a line lies in each of ``old`` parts.

    Shape (new, old); rows sum to 1.
    """
    edges, starts = np.arange(new + 1) / new, np.arange(old) / old
    ends = np.minimum(edges[1:, None], starts + 1 / old)
    overlap = np.clip(ends - np.maximum(edges[:-1, None], starts), 0, None)
    return np.asarray(overlap / overlap.sum(axis=1, keepdims=True), dtype=np.float32)


def _kind(model: str, folder: Path) -> str:
    """Return the class that reads a model's vision part."""
    try:
        kind = json.loads((folder / "config.json").read_text("utf-8"))["model_type"]
        return _MODELS[kind]
    except (OSError, ValueError, TypeError) as error:
        raise ConfigurationError(
            f"the image encoder {model} has no readable config.json"
        ) from error
    except KeyError as error:
        raise ConfigurationError(
            f"the image encoder {model} is of another kind than {', '.join(_MODELS)}"
        ) from error


def _preprocessor(folder: Path) -> dict[str, Any]:
    file = folder / "preprocessor_config.json"
    if file.is_file():
        return dict(json.loads(file.read_text("utf-8")))
    # Newer files keep the preparation of images beside that of texts.
    return dict(
        json.loads((folder / "processor_config.json").read_text("utf-8"))["image_processor"]
    )


def _size(given: Any) -> tuple[int, int]:
    if isinstance(given, dict):
        if "shortest_edge" in given:
            return (int(given["shortest_edge"]),) * 2
        return int(given["height"]), int(given["width"])
    return int(given), int(given)
