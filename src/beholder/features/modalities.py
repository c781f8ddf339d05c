"""The encoders of each modality, fitted together, and how they are kept in a run."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from beholder import atomic
from beholder.features.encoder import Array, Encoder, Statistics
from beholder.features.gaze import AttendedAreas, AttendedContent, Attention, ImageContent, Scanpath
from beholder.features.personality import Items, Traits
from beholder.features.pretrained import Sentences
from beholder.features.text import Manner, Wording

DEFAULT_ENCODERS: Mapping[str, tuple[Encoder[Any], ...]] = MappingProxyType(
    {
        "gaze": (AttendedAreas(), Attention(), Scanpath(), AttendedContent(), ImageContent()),
        "text": (Wording(), Manner()),
        "personality": (Items(), Traits()),
    }
)

KNOWN_IMAGE = ImageContent()
"""Whitened: every direction of the training images counts alike, which tells them apart best."""

UNKNOWN_IMAGE = ImageContent(whitening=0.0, weight=0.5)
"""Not whitened: only the strong directions carry over to images that training never saw."""


def default_encoders(
    modality: str, *, images_are_known: bool, sentences: Sentences | None = None
) -> tuple[Encoder[Any], ...]:
    """Return the encoders of a modality, for a test of images that training saw, or did not.

    ``sentences`` is a pretrained encoder that texts have beside the others.
    """
    image = KNOWN_IMAGE if images_are_known else UNKNOWN_IMAGE
    own = tuple(
        image if isinstance(encoder, ImageContent) else encoder
        for encoder in DEFAULT_ENCODERS[modality]
    )
    return (*own, sentences) if sentences is not None and modality == "text" else own


ENCODERS: Mapping[str, type[Encoder[Any]]] = MappingProxyType(
    {encoder.name: type(encoder) for encoders in DEFAULT_ENCODERS.values() for encoder in encoders}
)

_KINDS: Mapping[str, type[Encoder[Any]]] = {**ENCODERS, Sentences.name: Sentences}


@dataclass(frozen=True)
class ModalityEncoder:
    """The encoders of one modality with what they learnt from the training items."""

    encoders: tuple[Encoder[Any], ...]
    statistics: tuple[Statistics, ...]

    @classmethod
    def fit(cls, encoders: Sequence[Encoder[Any]], inputs: Any) -> "ModalityEncoder":
        """Return the encoders fitted to training items."""
        return cls(tuple(encoders), tuple(encoder.fit(inputs) for encoder in encoders))

    def encode(self, inputs: Any) -> Array:
        """Return the features of n items, all blocks side by side, shape (n, width)."""
        blocks = [
            encoder.encode(inputs, statistics)
            for encoder, statistics in zip(self.encoders, self.statistics, strict=True)
        ]
        return np.concatenate(blocks, axis=1)

    def columns(self, name: str, inputs: Any) -> slice:
        """Return which columns of the features are the block of an encoder, by its name.

        ``inputs`` are any items: an encoder tells its width by encoding. ValueError if there is
        no such encoder.
        """
        names = [encoder.name for encoder in self.encoders]
        ends = [0]
        for place in range(names.index(name) + 1):
            block = self.encoders[place].encode(inputs, self.statistics[place])
            ends.append(ends[-1] + block.shape[1])
        return slice(ends[-2], ends[-1])

    def save(self, folder: Path, name: str) -> None:
        """Write ``name.safetensors`` (arrays) and ``name.json`` (options and vocabularies)."""
        from safetensors.numpy import save

        arrays, described = {}, []
        for encoder, statistics in zip(self.encoders, self.statistics, strict=True):
            options = asdict(encoder)  # type: ignore[call-overload]
            described.append(
                {"name": encoder.name, "options": options, "vocabulary": statistics.vocabulary}
            )
            for key, array in statistics.arrays.items():
                arrays[f"{encoder.name}.{key}"] = np.ascontiguousarray(array)
        folder.mkdir(parents=True, exist_ok=True)
        atomic.write_bytes(folder / f"{name}.safetensors", save(arrays))
        atomic.write_text(folder / f"{name}.json", json.dumps(described, ensure_ascii=False))

    @classmethod
    def load(cls, folder: Path, name: str) -> "ModalityEncoder":
        """Return what `save` wrote.

        ConfigurationError if a pretrained encoder is gone or is another one by now.
        """
        from safetensors.numpy import load

        arrays = load((folder / f"{name}.safetensors").read_bytes())
        encoders, statistics = [], []
        for described in json.loads((folder / f"{name}.json").read_text("utf-8")):
            kind = _KINDS[described["name"]]
            encoders.append(kind(**_tuples(described["options"])))
            prefix = kind.name + "."
            own = {k.removeprefix(prefix): a for k, a in arrays.items() if k.startswith(prefix)}
            statistics.append(Statistics(own, tuple(described["vocabulary"])))
        if not encoders:
            raise ValueError("it names no encoder")
        for encoder in encoders:
            if isinstance(encoder, Sentences):
                encoder.check()
        return cls(tuple(encoders), tuple(statistics))


def _tuples(options: dict[str, Any]) -> dict[str, Any]:
    """Return options with JSON's lists as the tuples that frozen data classes hold."""
    return {k: tuple(v) if isinstance(v, list) else v for k, v in options.items()}
