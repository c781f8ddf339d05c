"""Trees and other plants."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from beholder.study.simulation.drawing.pen import GOLD, LEAF, WOOD, Drawer, Pen


def _tree(pen: Pen) -> None:
    pen.polygon(((0.42, 0.5), (0.58, 0.5), (0.66, 1.0), (0.34, 1.0)), WOOD)
    crown = ((0.0, 0.24, 0.5, 0.56), (0.5, 0.24, 1.0, 0.56), (0.25, 0.32, 0.75, 0.66))
    pen.cloud((*crown, (0.08, 0.07, 0.6, 0.42), (0.42, 0.06, 0.92, 0.42), (0.22, 0.0, 0.78, 0.4)))
    for _ in range(14):
        x, y = pen.chance(0.15, 0.8), pen.chance(0.08, 0.52)
        pen.arc(x, y, x + 0.1, y + 0.045, (0, 180), 0.03, pen.dark)


def _palm_tree(pen: Pen) -> None:
    trunk = ((0.46, 0.25), (0.56, 0.25), (0.58, 0.6), (0.7, 1.0), (0.46, 1.0), (0.48, 0.6))
    pen.polygon(trunk, (164, 120, 74))
    for y in (0.4, 0.52, 0.64, 0.76, 0.88):
        pen.line(((0.48, y), (0.6, y)), 0.03, (120, 84, 50))
    leaves = ((0.0, 0.5), (0.0, 0.2), (0.2, 0.0), (0.82, 0.0), (1.0, 0.2), (1.0, 0.52))
    for index, (x, y) in enumerate(leaves):
        bend_x, bend_y = 0.5 + (x - 0.5) * 0.66, y * 0.4
        lower = (0.5 + (x - 0.5) * 0.5, y * 0.4 + 0.17)
        leaf = ((0.52, 0.18), (bend_x, bend_y), (x, y), lower, (0.5, 0.29))
        pen.polygon(leaf, pen.dark if index % 2 else pen.ink)
    for x in (0.45, 0.57):
        pen.disc(x, 0.3, 0.035, (120, 76, 44))


def _bush(pen: Pen) -> None:
    low = ((0.0, 0.4, 0.4, 0.98), (0.6, 0.4, 1.0, 0.98), (0.2, 0.4, 0.8, 1.0))
    pen.cloud((*low, (0.1, 0.12, 0.55, 0.75), (0.42, 0.04, 0.9, 0.75)))
    for _ in range(9):
        pen.disc(pen.chance(0.12, 0.88), pen.chance(0.25, 0.85), 0.05, (222, 60, 80))


def _flower(pen: Pen) -> None:
    pen.line(((0.5, 0.4), (0.5, 1.0)), 0.12, LEAF)
    for side in (-1.0, 1.0):
        leaf = ((0.0, 0.98), (0.2, 0.7), (0.46, 0.64), (0.32, 0.86))
        pen.polygon([(0.5 + side * x, y) for x, y in leaf], LEAF)
    radius = 0.12
    for angle in range(0, 360, 60):
        across = 0.31 * math.sin(math.radians(angle))
        pen.disc(0.5 + across, 0.255 - 0.13 * math.cos(math.radians(angle)), radius)
    pen.disc(0.5, 0.255, 0.09, GOLD if pen.ink[2] > 90 or pen.ink[1] < 90 else WOOD)


def _plant(pen: Pen) -> None:
    tips = (
        (0.0, 0.5),
        (0.02, 0.2),
        (0.24, 0.02),
        (0.5, 0.0),
        (0.78, 0.03),
        (0.98, 0.22),
        (1.0, 0.52),
    )
    for index, (x, y) in enumerate(tips):
        mid_x, mid_y = 0.5 + (x - 0.5) * 0.6, 0.66 + (y - 0.66) * 0.6
        leaf = ((0.48, 0.7), (mid_x - 0.1, mid_y - 0.04), (x, y), (mid_x + 0.1, mid_y + 0.04))
        pen.polygon((*leaf, (0.54, 0.7)), pen.light if index % 2 else pen.ink)
    pen.polygon(((0.18, 0.68), (0.82, 0.68), (0.72, 1.0), (0.28, 1.0)), (196, 98, 62))
    pen.rectangle(0.13, 0.64, 0.87, 0.73, (212, 114, 76))


DRAWERS: Final[Mapping[str, Drawer]] = MappingProxyType(
    {
        "tree": _tree,
        "palm tree": _palm_tree,
        "bush": _bush,
        "flower": _flower,
        "plant": _plant,
    }
)
