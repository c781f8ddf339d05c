"""Furniture and other belongings."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from beholder.study.simulation.drawing.pen import (
    BLACK,
    GOLD,
    LEAF,
    STEEL,
    WHITE,
    WOOD,
    Drawer,
    Pen,
    shade,
)


def _chair(pen: Pen) -> None:
    for left in (0.2, 0.76):
        pen.rectangle(left, 0.5, left + 0.1, 0.93, pen.dark)
    pen.rectangle(0.06, 0.0, 0.18, 1.0)
    pen.rectangle(0.06, 0.02, 0.64, 0.46, rounding=0.08)
    for x in (0.2, 0.36, 0.5):
        pen.rectangle(x - 0.03, 0.12, x + 0.05, 0.38, pen.dark)
    pen.polygon(((0.04, 0.6), (0.3, 0.48), (1.0, 0.48), (0.88, 0.6)), pen.light)
    pen.rectangle(0.04, 0.59, 0.89, 0.68)
    for left in (0.05, 0.78):
        pen.rectangle(left, 0.66, left + 0.11, 1.0)


def _table(pen: Pen) -> None:
    for left in (0.16, 0.76):
        pen.rectangle(left, 0.3, left + 0.07, 0.88, pen.dark)
    for left in (0.04, 0.87):
        pen.rectangle(left, 0.3, left + 0.09, 1.0)
    pen.polygon(((0.0, 0.26), (0.14, 0.02), (0.86, 0.02), (1.0, 0.26)), pen.light)
    pen.rectangle(0.0, 0.25, 1.0, 0.36)
    pen.rectangle(0.06, 0.36, 0.94, 0.46, pen.dark)


def _sofa(pen: Pen) -> None:
    for x in (0.1, 0.84):
        pen.rectangle(x, 0.88, x + 0.06, 1.0, WOOD)
    pen.rectangle(0.08, 0.02, 0.92, 0.7, rounding=0.14)
    pen.line(((0.5, 0.06), (0.5, 0.54)), 0.02, pen.dark)
    for left in (0.12, 0.5):
        pen.rectangle(left, 0.5, left + 0.38, 0.74, pen.light, rounding=0.08)
    pen.rectangle(0.06, 0.7, 0.94, 0.92)
    for left in (0.0, 0.86):
        pen.rectangle(left, 0.32, left + 0.14, 0.93, pen.dark, rounding=0.12)
    pen.polygon(((0.2, 0.3), (0.32, 0.24), (0.38, 0.48), (0.25, 0.54)), GOLD)


def _lamp(pen: Pen) -> None:
    pen.rectangle(0.44, 0.3, 0.56, 0.96, BLACK)
    pen.ellipse(0.14, 0.91, 0.86, 1.0, BLACK)
    pen.line(((0.72, 0.34), (0.72, 0.5)), 0.03, GOLD)
    pen.ellipse(0.36, 0.3, 0.64, 0.42, (255, 244, 170))
    pen.polygon(((0.24, 0.0), (0.76, 0.0), (1.0, 0.36), (0.0, 0.36)))
    pen.polygon(((0.02, 0.33), (0.98, 0.33), (1.0, 0.37), (0.0, 0.37)), pen.light)


def _bench(pen: Pen) -> None:
    for left in (0.1, 0.84):
        pen.rectangle(left, 0.0, left + 0.06, 0.92, BLACK)
    for top in (0.04, 0.22, 0.4):
        pen.rectangle(0.0, top, 1.0, top + 0.13)
    pen.polygon(((0.0, 0.68), (0.08, 0.56), (0.92, 0.56), (1.0, 0.68)), pen.light)
    pen.rectangle(0.0, 0.66, 1.0, 0.76)
    for left in (0.05, 0.88):
        pen.rectangle(left, 0.76, left + 0.07, 1.0, BLACK)


def _umbrella(pen: Pen) -> None:
    pen.rectangle(0.48, 0.08, 0.52, 1.0, (230, 226, 214))
    pen.pie(0.0, 0.03, 1.0, 0.86, (180, 360))
    pen.pie(0.18, 0.03, 0.82, 0.86, (180, 360), WHITE)
    pen.pie(0.38, 0.03, 0.62, 0.86, (180, 360))
    for index in range(5):
        pen.pie(index * 0.2, 0.38, index * 0.2 + 0.2, 0.52, (0, 180), WHITE if index % 2 else None)
    pen.disc(0.5, 0.025, 0.025, GOLD)


def _clock(pen: Pen) -> None:
    pen.ellipse(0.0, 0.0, 1.0, 1.0)
    pen.ellipse(0.11, 0.11, 0.89, 0.89, WHITE)
    for hour in range(12):
        angle = math.radians(30 * hour)
        x, y = math.cos(angle), math.sin(angle)
        marks = ((0.5 + 0.3 * x, 0.5 + 0.3 * y), (0.5 + 0.36 * x, 0.5 + 0.36 * y))
        pen.line(marks, 0.04, BLACK)
    for reach, width in ((0.2, 0.07), (0.29, 0.045)):
        angle = pen.chance(0.0, 2.0 * math.pi)
        tip = (0.5 + reach * math.cos(angle), 0.5 + reach * math.sin(angle))
        pen.line(((0.5, 0.5), tip), width, BLACK)
    pen.disc(0.5, 0.5, 0.05, (200, 40, 40))


def _book(pen: Pen) -> None:
    pen.polygon(((0.0, 0.12), (0.5, 0.26), (1.0, 0.12), (1.0, 0.9), (0.5, 1.0), (0.0, 0.9)))
    for side in (-1.0, 1.0):
        page = ((0.0, 0.2), (0.14, 0.05), (0.45, 0.0), (0.45, 0.8), (0.14, 0.82), (0.0, 0.92))
        pen.polygon([(0.5 + side * x, y) for x, y in page], WHITE)
        for y in (0.2, 0.34, 0.48, 0.62):
            pen.line(((0.5 + side * 0.12, y + 0.05), (0.5 + side * 0.38, y)), 0.03, STEEL)


def _laptop(pen: Pen) -> None:
    pen.rectangle(0.12, 0.0, 0.88, 0.72, rounding=0.06)
    pen.rectangle(0.18, 0.07, 0.82, 0.64, (70, 140, 210))
    pen.polygon(((0.18, 0.64), (0.42, 0.3), (0.56, 0.48), (0.66, 0.38), (0.82, 0.64)), LEAF, False)
    pen.polygon(((0.12, 0.72), (0.88, 0.72), (1.0, 0.94), (0.0, 0.94)), pen.light)
    pen.polygon(((0.18, 0.75), (0.82, 0.75), (0.88, 0.86), (0.12, 0.86)), shade(pen.ink, 0.5))
    pen.rectangle(0.0, 0.93, 1.0, 1.0, pen.dark)


def _ball(pen: Pen) -> None:
    pen.ellipse(0.0, 0.0, 1.0, 1.0)
    pen.ellipse(0.2, 0.0, 0.8, 1.0, WHITE)
    pen.ellipse(0.36, 0.0, 0.64, 1.0)
    pen.disc(0.5, 0.12, 0.09, GOLD)


def _kite(pen: Pen) -> None:
    tail = [(0.5 + 0.18 * math.sin(6.3 * t), 0.62 + 0.36 * t) for t in np.linspace(0.0, 1.0, 12)]
    pen.line(tail, 0.04, BLACK)
    for x, y in (tail[3], tail[7], tail[11]):
        for side in (-0.18, 0.18):
            pen.polygon(((x, y), (x + side, y - 0.035), (x + side, y + 0.02)), GOLD)
    pen.polygon(((0.5, 0.0), (1.0, 0.26), (0.5, 0.66), (0.0, 0.26)))
    pen.polygon(((0.5, 0.0), (1.0, 0.26), (0.5, 0.26)), WHITE)
    pen.polygon(((0.0, 0.26), (0.5, 0.26), (0.5, 0.66)), GOLD)


DRAWERS: Final[Mapping[str, Drawer]] = MappingProxyType(
    {
        "chair": _chair,
        "table": _table,
        "sofa": _sofa,
        "lamp": _lamp,
        "bench": _bench,
        "umbrella": _umbrella,
        "clock": _clock,
        "book": _book,
        "laptop": _laptop,
        "ball": _ball,
        "kite": _kite,
    }
)
