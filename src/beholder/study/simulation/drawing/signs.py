"""Signs, flags and posters."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from beholder.study.simulation.drawing.pen import BLACK, GOLD, STEEL, WHITE, Drawer, Pen


def _sign(pen: Pen) -> None:
    pen.rectangle(0.43, 0.4, 0.57, 1.0, STEEL)
    radius = 0.49 * pen.width / pen.height
    pen.disc(0.5, radius + 0.01, radius, WHITE)
    pen.disc(0.5, radius + 0.01, radius * 0.88)
    if pen.ink[0] > 150:
        pen.rectangle(0.2, radius * 0.75, 0.8, radius * 1.3, WHITE)
        return
    shaft = ((0.42, 0.28), (0.42, 0.16), (0.22, 0.16), (0.5, 0.05), (0.78, 0.16), (0.58, 0.16))
    pen.polygon((*shaft, (0.58, 0.28)), WHITE)


def _traffic_light(pen: Pen) -> None:
    pen.rectangle(0.38, 0.5, 0.62, 1.0, STEEL)
    pen.rectangle(0.26, 0.95, 0.74, 1.0, STEEL)
    pen.rectangle(0.06, 0.0, 0.94, 0.58, rounding=0.2)
    for y, colour in ((0.11, (240, 50, 40)), (0.29, (255, 196, 40)), (0.47, (60, 214, 90))):
        pen.disc(0.5, y, 0.08, colour)


def _flag(pen: Pen) -> None:
    pen.rectangle(0.03, 0.02, 0.1, 1.0, (226, 224, 216))
    pen.disc(0.065, 0.02, 0.02, GOLD)
    for index, colour in enumerate((pen.ink, WHITE, pen.ink)):
        top = 0.05 + index * 0.145
        wave = [(x, top + 0.03 * math.sin(7.0 * x)) for x in np.linspace(0.1, 1.0, 12)]
        pen.polygon([*wave, *((x, y + 0.145) for x, y in reversed(wave))], colour)


def _poster(pen: Pen) -> None:
    pen.rectangle(0.0, 0.0, 1.0, 1.0, WHITE)
    pen.rectangle(0.08, 0.05, 0.92, 0.68)
    pen.disc(0.7, 0.2, 0.09, GOLD)
    pen.polygon(((0.09, 0.675), (0.38, 0.26), (0.6, 0.5), (0.7, 0.42), (0.91, 0.675)), pen.light)
    for y, right in ((0.76, 0.9), (0.84, 0.9), (0.92, 0.6)):
        pen.line(((0.1, y), (right, y)), 0.05, BLACK)


DRAWERS: Final[Mapping[str, Drawer]] = MappingProxyType(
    {
        "sign": _sign,
        "traffic light": _traffic_light,
        "flag": _flag,
        "poster": _poster,
    }
)
