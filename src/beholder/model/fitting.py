"""The features of a study's samples: encoders fitted to the training part, and what they give."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beholder.features import ModalityEncoder, StudyInputs, default_encoders, encode_samples
from beholder.features.encoder import Encoder
from beholder.features.study import HELD_AT_ONCE
from beholder.model.distributed import LONE, Group
from beholder.model.state import Features
from beholder.study.splits import Split
from beholder.study.tasks import Codes, item_codes


def fit_features(
    inputs: StudyInputs,
    split: Split,
    modality: str,
    encoders: Sequence[Encoder[Any]] | None = None,
    *,
    group: Group = LONE,
) -> tuple[ModalityEncoder, Features]:
    """Fit a modality's encoders, or those given, to the training part and encode every sample.

    The first process of a group fits, and each encodes its share.
    """
    if modality == "gaze":
        _describe_images(inputs, group)
    has = inputs.study.has(modality)
    rows = split.rows("train")
    # An item that many samples carry, such as a survey, counts once.
    items = item_codes(inputs.study, modality)[rows]
    distinct = np.sort(np.unique(items, return_index=True)[1][np.unique(items) >= 0])
    chosen = encoders or default_encoders(
        modality, images_are_known=split.keeps_images, sentences=inputs.sentences
    )
    encoder = group.first(lambda: ModalityEncoder.fit(chosen, inputs.of(modality, rows[distinct])))
    row = np.where(has, np.cumsum(has) - 1, -1)
    return encoder, Features(_encoded(inputs, encoder, modality, np.flatnonzero(has), group), row)


def _encoded(
    inputs: StudyInputs, encoder: ModalityEncoder, modality: str, samples: Codes, group: Group
) -> NDArray[np.floating]:
    """Return the features of samples, each process encoding its share where they are few.

    So many that they are mapped from the cache are encoded by the first process, and by the
    others only where they do not share its cache.
    """
    if len(samples) > HELD_AT_ONCE:
        group.first(lambda: bool(len(encode_samples(inputs, encoder, modality, samples))))
        return group.each(lambda: encode_samples(inputs, encoder, modality, samples))
    own = samples[group.share(len(samples))]
    asked = own if len(own) else samples[:1]  # no encoder has to encode nothing
    values = group.each(lambda: encode_samples(inputs, encoder, modality, asked))[: len(own)]
    return group.gather_array(values, len(samples))


def _describe_images(inputs: StudyInputs, group: Group) -> None:
    """Describe every image in one process, and let all of them know."""
    count = inputs.study.images.num_rows
    if group.size > 1 and "grids" not in vars(inputs):
        own = group.each(inputs.grids_of, range(count)[group.share(count)])
        vars(inputs)["grids"] = group.gather_array(own, count)
