"""Features of a study's samples: in memory where they are few, else mapped from the cache."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from beholder.features.cache import cache_key
from beholder.features.encoder import Array
from beholder.features.modalities import ModalityEncoder
from beholder.features.study import HELD_AT_ONCE, StudyInputs


@dataclass(frozen=True)
class _Block:
    """What a cached entry depends on besides its content: rows are encoded so many at once."""

    rows: int = HELD_AT_ONCE


def encode_samples(
    inputs: StudyInputs, encoder: ModalityEncoder, modality: str, rows: NDArray[np.int64]
) -> Array:
    """Return the features of the samples ``rows``, which have the modality, (n, width).

    Of many samples they are encoded block by block into an entry of the cache and mapped from
    it; `cache.take` draws rows of either kind.
    """
    if len(rows) <= HELD_AT_ONCE:
        return encoder.encode(inputs.of(modality, rows))
    starts = range(0, len(rows), HELD_AT_ONCE)

    def blocks() -> Iterator[Array]:
        for start in inputs.progress(starts, f"encoding {modality}", len(starts)):
            yield encoder.encode(inputs.of(modality, rows[start : start + HELD_AT_ONCE]))

    content = (inputs.study.fingerprint, modality, _digest(encoder), _sha256(rows))
    return inputs.cache.rows(cache_key("features", _Block(), *content), len(rows), blocks)


def _digest(encoder: ModalityEncoder) -> str:
    """Return what an encoder's options and statistics come to."""
    digest = hashlib.sha256()
    for one, statistics in zip(encoder.encoders, encoder.statistics, strict=True):
        options = asdict(one)  # type: ignore[call-overload]
        digest.update(json.dumps([one.name, options, statistics.vocabulary]).encode())
        for name, array in sorted(statistics.arrays.items()):
            digest.update(f"{name} {array.dtype} {array.shape} {_sha256(array)}".encode())
    return digest.hexdigest()


def _sha256(array: NDArray[np.generic]) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).data).hexdigest()
