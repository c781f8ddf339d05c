"""The three embedding spaces: what each calls a positive pair, and when a study supports it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from beholder.study.study import Study
from beholder.study.tasks import Codes, item_codes

Space = Literal["base", "content", "style"]
SPACES: tuple[Space, ...] = get_args(Space)


def groups(study: Study, space: Space) -> Codes:
    """Return what a space holds together, as a number a sample: sample, image or participant."""
    if space == "base":
        return np.arange(len(study), dtype=np.int64)
    return study.image_codes if space == "content" else study.participant_codes


def missing_for_space(study: Study, space: Space, rows: Codes) -> str | None:
    """Return why a space cannot be learnt from the samples ``rows``, or None if it can."""
    if space == "style" and (study.participant_codes[rows] < 0).any():
        return "the style space needs to know who made each sample, and some are unknown"
    if len(np.unique(groups(study, space)[rows])) < 2:
        unit = {"base": "samples", "content": "images", "style": "participants"}[space]
        return f"the {space} space needs at least two {unit} to tell apart"
    return None


@dataclass(frozen=True)
class Positives:
    """Which pairs of a training part are positives, so that no true pair is a negative.

    Item b of modality B is a positive of sample n if it belongs to n's group: some training
    sample of that group carries the item or one equal to it in fact. So words that two people
    wrote alike, or a survey that many samples share, are never pushed away from their owner.
    """

    group: Codes  # (samples,) the group of each sample of the study
    bundle: Codes  # (samples,) what a batch should hold several samples of
    items: Mapping[str, "_Ownership"]  # by modality

    @classmethod
    def of(cls, study: Study, space: Space, modalities: Sequence[str], rows: Codes) -> "Positives":
        """Return the positives of a space among modalities in the samples ``rows``."""
        group = groups(study, space)
        items = {
            modality: _Ownership.of(group, item_codes(study, modality), rows)
            for modality in modalities
        }
        # The hardest wrong answers of the base space are other people's of the same image.
        bundle = study.image_codes if space == "base" else group
        return cls(group, bundle, items)

    def between(self, pair: tuple[str, str], batch: Codes) -> NDArray[np.bool_]:
        """Return which (item n of the first, item m of the second modality) are positives, (n, n).

        Every sample of the batch has both modalities.
        """
        group = self.group[batch]
        same_group = group[:, None] == group[None, :]
        first, second = (self.items[modality].owned(group, batch) for modality in pair)
        return np.asarray(same_group | second | first.T)

    def within(self, modality: str, batch: Codes) -> NDArray[np.bool_]:
        """Return which items n and m of one modality of a batch belong together, (n, n)."""
        group = self.group[batch]
        owned = self.items[modality].owned(group, batch)
        return np.asarray((group[:, None] == group[None, :]) | owned | owned.T)


@dataclass(frozen=True)
class _Ownership:
    """Which groups own each item that more than one group owns."""

    item: Codes  # (samples,) the item of each sample
    shared: NDArray[np.bool_]  # (items,) whether several groups own it
    keys: Codes  # sorted: group * items + item, of the shared items only

    @classmethod
    def of(cls, group: Codes, item: Codes, rows: Codes) -> "_Ownership":
        items = int(item.max()) + 1
        rows = rows[item[rows] >= 0]
        keys = np.unique(group[rows] * items + item[rows])
        owners = np.bincount(keys % items, minlength=items)
        shared = owners > 1
        return cls(item, shared, keys[shared[keys % items]])

    def owned(self, group: Codes, batch: Codes) -> NDArray[np.bool_]:
        """Return whether group n owns the item of sample m, shape (n, m), for shared items."""
        owned = np.zeros((len(group), len(batch)), dtype=bool)
        columns = np.flatnonzero(self.shared[self.item[batch]])
        if len(columns):
            keys = group[:, None] * len(self.shared) + self.item[batch][columns][None, :]
            place = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
            owned[:, columns] = self.keys[place] == keys
        return owned


def batches(
    group: NDArray[np.integer[Any]],
    rows: Codes,
    size: int,
    per_group: int,
    generator: np.random.Generator,
) -> list[Codes]:
    """Return one epoch: every sample once, in batches that hold several of each group.

    Samples of a group stay together in bundles of ``per_group``; bundles are shuffled and cut
    into batches of at most ``size``. A last batch of one sample, which has no negative, is
    left to the next epoch.
    """
    order = rows[generator.permutation(len(rows))]
    order = order[np.argsort(group[order], kind="stable")]
    labels = group[order]
    start = np.r_[True, labels[1:] != labels[:-1]]
    first = np.maximum.accumulate(np.where(start, np.arange(len(order)), 0))
    within = np.arange(len(order)) - first
    bundle = np.cumsum(within % per_group == 0) - 1
    rank = generator.permutation(bundle[-1] + 1)
    order = order[np.argsort(rank[bundle], kind="stable")]
    cut = [order[start : start + size] for start in range(0, len(order), size)]
    return [batch for batch in cut if len(batch) > 1]
