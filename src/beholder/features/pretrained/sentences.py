"""Sentence embeddings of a pretrained model as one more block of a text's features."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from beholder.errors import ConfigurationError
from beholder.features.cache import FeatureCache, cache_key
from beholder.features.encoder import Array, Statistics, whiten, whiten_fit
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

TEXTS_AT_ONCE = 256
"""So many texts of a study are embedded and kept together; a kill loses at most these."""

_OWN_MODULES = "sentence_transformers."


@dataclass(frozen=True)
class Sentences:
    """The embedding of a sentence-transformers model, on its main directions.

    ``model`` is a folder or a name on the hub, ``identity`` the hash of its weights. The
    embeddings of the training texts give the directions, as `whiten_fit` finds them.
    """

    name: ClassVar[str] = "sentences"

    model: str
    identity: str
    dimensions: int = 300
    whitening: float = 0.0
    weight: float = 1.0

    @classmethod
    def open(cls, model: str) -> "Sentences":
        """Return the encoder of a model; ConfigurationError if it is absent or of another kind."""
        library("sentence_transformers")
        folder = locate(model)
        _check_modules(model, folder)
        return cls(lasting(model), identity(folder))

    def check(self) -> None:
        """Raise ConfigurationError unless the very model is there."""
        library("sentence_transformers")
        verified(self.model, self.identity)

    def fit(self, inputs: Sequence[str]) -> Statistics:
        """Return the projection of training texts' embeddings on their main directions."""
        return whiten_fit(self._embeddings(inputs), self.dimensions, self.whitening)

    def encode(self, inputs: Sequence[str], statistics: Statistics) -> Array:
        """Return the projected embeddings of n texts, shape (n, dimensions kept)."""
        return self.weight * whiten(self._embeddings(inputs), statistics)

    def embed(self, texts: Sequence[str]) -> Array:
        """Return the embeddings of texts, each of length 1, shape (n, width)."""
        if not len(texts):
            return self.embed([""])[:0]
        found = self._model.encode(
            list(texts), normalize_embeddings=True, show_progress_bar=False, convert_to_numpy=True
        )
        return np.asarray(found, dtype=np.float32)

    def _embeddings(self, inputs: Sequence[str]) -> Array:
        if isinstance(inputs, StudyTexts):
            return inputs.embedded(self.identity, self.embed)
        return self.embed(inputs)

    @cached_property
    def _model(self) -> Any:
        folder = verified(self.model, self.identity)
        _check_modules(self.model, folder)
        with loading(self.model):
            return (
                library("sentence_transformers")
                .SentenceTransformer(
                    str(folder),
                    device="cpu",
                    local_files_only=True,
                    trust_remote_code=False,
                    model_kwargs={"use_safetensors": True, "dtype": "float32"},
                )
                .eval()
            )


class StudyTexts(list[str]):
    """Texts of a study, which know how to keep what a slow encoder makes of them.

    ``all_texts`` are those of every sample of the study, None where there is none, and ``rows``
    the samples that these texts are of.
    """

    def __init__(
        self,
        all_texts: Sequence[str | None],
        rows: NDArray[np.int64],
        cache: FeatureCache,
        progress: Progress = silent,
    ) -> None:
        super().__init__(text for row in rows if (text := all_texts[row]) is not None)
        self._all, self._rows = all_texts, rows
        self._cache, self._progress = cache, progress

    def embedded(self, identity: str, embed: Callable[[Sequence[str]], Array]) -> Array:
        """Return what ``embed`` makes of these texts, shape (n, width), from the cache if there.

        Texts go together as they follow in the study, whichever are asked for, so that what
        was embedded once is found again.
        """
        batches, place = np.unique(self._rows // TEXTS_AT_ONCE, return_inverse=True)
        found: Array | None = None
        shown = self._progress(batches.tolist(), "embedding texts", len(batches))
        for number, batch in enumerate(shown):
            start = batch * TEXTS_AT_ONCE
            slots = range(start, min(start + TEXTS_AT_ONCE, len(self._all)))
            held = [row for row in slots if self._all[row] is not None]
            vectors = self._batch([self._all[row] or "" for row in held], identity, embed)
            own = np.flatnonzero(place == number)
            if found is None:
                found = np.empty((len(self._rows), vectors.shape[1]), np.float32)
            found[own] = vectors[np.searchsorted(held, self._rows[own])]
        return embed([]) if found is None else found

    def _batch(
        self, texts: Sequence[str], identity: str, embed: Callable[[Sequence[str]], Array]
    ) -> Array:
        digests = [
            hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest() for text in texts
        ]
        key = cache_key("sentences-1", Weights(identity), *digests)
        return np.asarray(self._cache.get(key, lambda: embed(texts)), dtype=np.float32)


def _check_modules(model: str, folder: Path) -> None:
    """Raise ConfigurationError unless this is a sentence-transformers model and nothing more."""
    file = folder / "modules.json"
    try:
        kinds = [str(module["type"]) for module in json.loads(file.read_text("utf-8"))]
        paths = [folder / str(module["path"]) for module in json.loads(file.read_text("utf-8"))]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(
            f"the text encoder {model} is no sentence-transformers model: it has no readable "
            "modules.json"
        ) from error
    for kind in kinds:
        if not kind.startswith(_OWN_MODULES):
            raise ConfigurationError(
                f"the text encoder {model} brings code of its own ({kind}), which is never run"
            )
    for path in paths:
        if (path / "pytorch_model.bin").exists() and not list(path.glob("*.safetensors")):
            raise ConfigurationError(
                f"the text encoder {model} keeps weights of {path.name} as a pickle, expected "
                "safetensors"
            )
