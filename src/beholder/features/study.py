"""Inputs of the encoders from the samples of a study."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beholder.errors import UnsupportedError
from beholder.features.cache import FeatureCache
from beholder.features.gaze import Viewings
from beholder.features.image import ImageGrid, image_grids
from beholder.features.personality import Surveys
from beholder.progress import Progress, silent
from beholder.study.study import Study


@dataclass(frozen=True)
class StudyInputs:
    """Gives each modality's items of a study to the encoders, by samples' numbers."""

    study: Study
    cache: FeatureCache
    grid: ImageGrid = field(default_factory=ImageGrid)
    progress: Progress = silent

    @cached_property
    def grids(self) -> NDArray[np.float32]:
        """What every image shows, shape (images, cells, cells, channels)."""
        images = self.study.images
        files = [self.study.image_path(row) for row in range(images.num_rows)]
        digests = images.column("sha256").to_pylist()
        return image_grids(files, digests, self.grid, self.cache, self.progress)

    def of(self, modality: str, rows: NDArray[np.int64]) -> Any:
        """Return the inputs that the encoders of a modality take, one a sample in ``rows``.

        Every one of these samples must have the modality.
        """
        if not self.study.has(modality)[rows].all():
            raise UnsupportedError(f"some of these samples have no {modality}")
        if modality == "text":
            return [self.study.texts[row] for row in rows]
        if modality == "gaze":
            gazes = [gaze for row in rows if (gaze := self.study.gaze(int(row))) is not None]
            return Viewings(gazes, self.study.image_codes[rows], self.grids, self.study.aspects)
        if self.study.instrument is None:
            raise UnsupportedError("the study has no survey instrument")
        answers = self.study.answers[self.study.participant_codes[rows]]
        return Surveys(answers, self.study.instrument)
