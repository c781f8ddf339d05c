"""Food, and what it is served in."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from beholder.study.simulation.drawing.pen import GOLD, LEAF, WHITE, WOOD, Drawer, Pen, shade


def _apple(pen: Pen) -> None:
    pen.cloud(((0.02, 0.2, 0.64, 0.96), (0.36, 0.2, 0.98, 0.96), (0.22, 0.3, 0.78, 1.0)))
    pen.line(((0.5, 0.3), (0.54, 0.04)), 0.09, WOOD)
    pen.polygon(((0.54, 0.18), (0.7, 0.02), (0.94, 0.04), (0.78, 0.2)), LEAF)
    pen.ellipse(0.16, 0.34, 0.34, 0.56, pen.light, edge=False)


def _banana(pen: Pen) -> None:
    outer = [
        (0.5 + 0.5 * math.cos(t), 0.14 + 0.86 * math.sin(t)) for t in np.linspace(0.0, 3.0, 14)
    ]
    inner = [
        (0.5 + 0.34 * math.cos(t), 0.1 + 0.36 * math.sin(t)) for t in np.linspace(3.0, 0.0, 14)
    ]
    pen.polygon([*outer, *inner])
    ridge = [
        (0.5 + 0.43 * math.cos(t), 0.12 + 0.6 * math.sin(t)) for t in np.linspace(0.2, 2.8, 12)
    ]
    pen.line(ridge, 0.03, pen.dark)
    pen.rectangle(0.86, 0.0, 0.98, 0.16, shade(WOOD, 0.7))
    pen.rectangle(0.0, 0.18, 0.1, 0.3, shade(WOOD, 0.7))


def _cake(pen: Pen) -> None:
    pen.ellipse(0.0, 0.84, 1.0, 1.0, WHITE)
    pen.rectangle(0.08, 0.42, 0.92, 0.93, (236, 196, 130), rounding=0.06)
    pen.rectangle(0.08, 0.64, 0.92, 0.72, pen.dark)
    pen.rectangle(0.06, 0.36, 0.94, 0.54, rounding=0.08)
    for index in range(5):
        left = 0.07 + index * 0.175
        pen.ellipse(left, 0.44, left + 0.16, 0.64, edge=False)
    for x in (0.26, 0.5, 0.74):
        pen.rectangle(x - 0.03, 0.16, x + 0.03, 0.37, (90, 150, 220))
        pen.ellipse(x - 0.045, 0.0, x + 0.045, 0.17, (255, 170, 40))


def _pumpkin(pen: Pen) -> None:
    pen.rectangle(0.43, 0.0, 0.57, 0.28, LEAF)
    for left, width in ((0.0, 0.5), (0.5, 0.5), (0.16, 0.4), (0.44, 0.4), (0.34, 0.32)):
        pen.ellipse(left, 0.16, left + width, 1.0)


def _cup(pen: Pen) -> None:
    pen.arc(0.5, 0.22, 1.0, 0.78, (-90, 90), 0.18, shade(pen.ink, 0.42))
    pen.arc(0.53, 0.25, 0.97, 0.75, (-90, 90), 0.1)
    pen.polygon(((0.02, 0.1), (0.78, 0.1), (0.7, 0.99), (0.1, 0.99)))
    pen.ellipse(0.02, 0.0, 0.78, 0.22, pen.light)
    pen.ellipse(0.1, 0.05, 0.7, 0.2, (88, 54, 34))
    pen.rectangle(0.08, 0.5, 0.73, 0.62, pen.light, edge=False)


def _bottle(pen: Pen) -> None:
    pen.rectangle(0.3, 0.04, 0.7, 0.4)
    pen.rectangle(0.02, 0.3, 0.98, 1.0, rounding=0.3)
    pen.rectangle(0.32, 0.2, 0.68, 0.36, edge=False)
    pen.rectangle(0.26, 0.0, 0.74, 0.08, GOLD)
    pen.rectangle(0.02, 0.54, 0.98, 0.82, WHITE)
    pen.rectangle(0.14, 0.6, 0.86, 0.68, pen.light, edge=False)
    pen.rectangle(0.16, 0.38, 0.26, 0.52, pen.light, edge=False)


DRAWERS: Final[Mapping[str, Drawer]] = MappingProxyType(
    {
        "apple": _apple,
        "banana": _banana,
        "cake": _cake,
        "pumpkin": _pumpkin,
        "cup": _cup,
        "bottle": _bottle,
    }
)
