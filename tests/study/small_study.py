"""What the small studies of these tests hold."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np
from PIL import Image

from beholder.study.gaze import Areas, DenseMap, Points

WriteStudy: TypeAlias = Callable[[Path], Path]

WIDTH, HEIGHT = 40, 30

POINTS = Points(
    x=np.array([0.25, 0.5, 1.0]),
    y=np.array([0.0, 0.5, 0.75]),
    time=np.array([0.0, 0.5, 1.25]),
    duration=np.array([0.25, 0.5, 0.125]),
)
CLICKS = Points(x=np.array([0.5]), y=np.array([0.25]))
AREAS = Areas(
    fixations=4,
    fixation=np.array([0, 0, 3]),
    label=("person", "hat", "Straße"),
    box=np.array([[0.0, 0.0, 0.5, 1.0], [0.25, 0.0, 0.125, 0.25], [0.5, 0.5, 0.5, 0.5]]),
)
MISSES = Areas(2, np.zeros(0, dtype=int), (), np.zeros((0, 4)))
MAP = DenseMap(np.random.default_rng(7).random((HEIGHT, WIDTH)) * 3)
GAZES = (POINTS, AREAS, MAP, None, CLICKS, MISSES)
ANSWERS = [4, 4, 1, 4, 1, 3, 1, 5, 1, 4]


def make_picture(path: Path, width: int = WIDTH, height: int = HEIGHT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(len(path.name)).integers(0, 255, (height, width, 3), np.uint8)
    Image.fromarray(pixels).save(path)
    return path
