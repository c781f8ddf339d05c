"""Inputs of the encoders from the samples of a study."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from beholder.errors import UnsupportedError
from beholder.features.cache import FeatureCache
from beholder.features.gaze import Viewings
from beholder.features.image import Grid, ImageGrid
from beholder.features.personality import Surveys
from beholder.features.pretrained import Sentences, StudyTexts
from beholder.progress import Progress, silent
from beholder.study.gaze import Gaze
from beholder.study.study import Study
from beholder.work import HERE, Workers

HELD_AT_ONCE = 16_384
"""Of more samples than these neither gazes nor features are all held in memory."""


@dataclass(frozen=True)
class _Gazes(Sequence[Gaze]):
    """The gazes of samples that all have one, each made when it is asked for."""

    study: Study
    rows: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, place: int) -> Gaze: ...
    @overload
    def __getitem__(self, place: slice) -> "_Gazes": ...
    def __getitem__(self, place: int | slice) -> "Gaze | _Gazes":
        if isinstance(place, slice):
            return _Gazes(self.study, self.rows[place])
        gaze = self.study.gaze(int(self.rows[place]))
        assert gaze is not None  # as every one of these samples has one
        return gaze


@dataclass(frozen=True)
class StudyInputs:
    """Gives each modality's items of a study to the encoders, by samples' numbers."""

    study: Study
    cache: FeatureCache
    grid: Grid = field(default_factory=ImageGrid)
    progress: Progress = silent
    sentences: Sentences | None = None  # what encoders of texts have beside their own, if anything
    workers: Workers = HERE

    @cached_property
    def grids(self) -> NDArray[np.float32]:
        """What every image shows, shape (images, cells, cells, channels)."""
        return self.grids_of(range(self.study.images.num_rows))

    def grids_of(self, images: Sequence[int]) -> NDArray[np.float32]:
        """Return what these images show, shape (images, cells, cells, channels)."""
        files = [self.study.image_path(row) for row in images]
        every = self.study.images.column("sha256").to_pylist()
        digests = [every[row] for row in images]
        return self.grid.of_images(files, digests, self.cache, self.progress, self.workers)

    def of(self, modality: str, rows: NDArray[np.int64]) -> Any:
        """Return the inputs that the encoders of a modality take, one a sample in ``rows``.

        Every one of these samples must have the modality.
        """
        if not self.study.has(modality)[rows].all():
            raise UnsupportedError(f"some of these samples have no {modality}")
        if modality == "text":
            return StudyTexts(self.study.texts, rows, self.cache, self.progress)
        if modality == "gaze":
            gazes: Sequence[Gaze] = _Gazes(self.study, rows)
            gazes = list(gazes) if len(rows) <= HELD_AT_ONCE else gazes
            return Viewings(gazes, self.study.image_codes[rows], self.grids, self.study.aspects)
        if self.study.instrument is None:
            raise UnsupportedError("the study has no survey instrument")
        answers = self.study.answers[self.study.participant_codes[rows]]
        return Surveys(answers, self.study.instrument)
