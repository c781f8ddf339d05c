"""Splits of a study into training, validation and test parts, and the check that none leaks."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from beholder.errors import RunError, UnsupportedError
from beholder.study.study import Study

SplitKind = Literal["random", "image", "participant", "both"]
Part = Literal["train", "validation", "test"]
Unit = Literal["samples", "participants"]

SPLITS: tuple[str, ...] = get_args(SplitKind)
PARTS: tuple[Part, ...] = get_args(Part)
UNITS: tuple[Unit, ...] = get_args(Unit)
UNUSED = len(PARTS)  # the code of a sample that is in no part

_FRACTIONS = {
    # kind: share of the test and of the validation part, of samples, images or participants
    "random": (0.2, 0.1),
    "image": (0.2, 0.1),
    "participant": (0.2, 0.1),
    # `both` keeps only samples whose image and participant are in the same part, the square
    # of a share, so its shares are larger.
    "both": (0.3, 0.2),
}


@dataclass(frozen=True)
class Split:
    """Which part each sample is in: ``parts`` holds a row of `PARTS`, or `UNUSED`, a sample.

    ``random`` draws samples, ``image`` and ``participant`` whole images and people, and
    ``both`` draws both and leaves out the samples whose image and person fell apart.
    """

    kind: SplitKind
    seed: int
    parts: NDArray[np.int8]

    @property
    def keeps_images(self) -> bool:
        """Whether training sees the images of the test part."""
        return self.kind in ("random", "participant")

    def rows(self, part: Part) -> NDArray[np.int64]:
        """Return the numbers of the samples in a part, ascending."""
        return np.flatnonzero(self.parts == PARTS.index(part))

    def thinned(self, study: Study, share: float, unit: Unit) -> "Split":
        """Return the split with only a share of its training part, in samples or participants.

        What is kept depends on the seed alone, and a smaller share is a part of a larger one.
        """
        if share == 1:
            return self
        train = self.rows("train")
        codes = train if unit == "samples" else study.participant_codes[train]
        if (codes < 0).any():
            raise UnsupportedError("a share of participants needs to know who made each sample")
        present = np.unique(codes)
        order = np.random.default_rng([self.seed, UNITS.index(unit)]).permutation(present)
        kept = order[: max(1, round(share * len(present)))]
        parts = self.parts.copy()
        parts[train[~np.isin(codes, kept)]] = UNUSED
        return Split(self.kind, self.seed, parts)

    def check(self, study: Study) -> None:
        """Raise RunError if an image or person that must be unseen is in two parts."""
        if len(self.parts) != len(study):
            raise RunError(f"the split is of {len(self.parts)} samples, the study has {len(study)}")
        for unit, codes in _units(study, self.kind).items():
            used = self.parts != UNUSED
            pairs = np.unique(np.stack([codes[used], self.parts[used]]), axis=1)
            leaked = len(pairs[0]) - len(np.unique(pairs[0]))
            if leaked:
                raise RunError(f"the {self.kind} split leaks: {leaked} {unit}s are in two parts")


def make_split(study: Study, kind: SplitKind, seed: int) -> Split:
    """Return the split of a kind that a seed draws; the same seed draws the same split.

    Raises UnsupportedError where the study is too small for it or its people are unknown.
    """
    generator = np.random.default_rng([seed, SPLITS.index(kind)])
    test, validation = _FRACTIONS[kind]
    units = _units(study, kind) or {"sample": np.arange(len(study))}
    drawn = [_draw(codes, unit, kind, test, validation, generator) for unit, codes in units.items()]
    parts = drawn[0].copy()
    for other in drawn[1:]:
        parts[parts != other] = UNUSED
    split = Split(kind, seed, parts)
    for part in PARTS:
        if not (parts == PARTS.index(part)).any():
            raise UnsupportedError(f"the {kind} split of this study has an empty {part} part")
    return split


def _units(study: Study, kind: SplitKind) -> dict[str, NDArray[np.int64]]:
    """Return the codes of what must not be in two parts, by the name of the unit."""
    units = {}
    if kind in ("image", "both"):
        units["image"] = study.pictures[study.image_codes]  # an image under two names is one
    if kind in ("participant", "both"):
        if (study.participant_codes < 0).any():
            raise UnsupportedError(
                f"the {kind} split needs to know who made each sample, and some are unknown"
            )
        units["participant"] = study.participant_codes
    return units


def _draw(
    codes: NDArray[np.int64],
    unit: str,
    kind: SplitKind,
    test: float,
    validation: float,
    generator: np.random.Generator,
) -> NDArray[np.int8]:
    """Draw whole units into the parts and return the part of each sample."""
    present = np.unique(codes)
    count = len(present)
    if count < len(PARTS):
        raise UnsupportedError(
            f"the {kind} split needs at least {len(PARTS)} {unit}s, this study has {count}"
        )
    test_count = max(1, round(test * count))
    validation_count = max(1, round(validation * count))
    order = generator.permutation(count)
    part = np.full(count, PARTS.index("train"), dtype=np.int8)
    part[order[:test_count]] = PARTS.index("test")
    part[order[test_count : test_count + validation_count]] = PARTS.index("validation")
    return part[np.searchsorted(present, codes)]
