"""Vehicles, on the ground, on water and in the air."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from beholder.study.simulation.drawing.pen import (
    BLACK,
    GLASS,
    GOLD,
    STEEL,
    WHITE,
    WOOD,
    Drawer,
    Pen,
    shade,
)


def _wheels(pen: Pen, centres: Sequence[float], radius: float) -> None:
    for x in centres:
        pen.disc(x, 1.0 - radius, radius, BLACK)
        pen.disc(x, 1.0 - radius, radius * 0.52, STEEL)


def _car(pen: Pen) -> None:
    pen.polygon(((0.16, 0.48), (0.3, 0.04), (0.68, 0.04), (0.86, 0.48)))
    pen.polygon(((0.24, 0.44), (0.34, 0.13), (0.47, 0.13), (0.47, 0.44)), GLASS)
    pen.polygon(((0.52, 0.44), (0.52, 0.13), (0.65, 0.13), (0.77, 0.44)), GLASS)
    pen.rectangle(0.0, 0.42, 1.0, 0.84, rounding=0.2)
    pen.rectangle(0.0, 0.7, 1.0, 0.84, pen.dark, rounding=0.1)
    pen.line(((0.49, 0.46), (0.49, 0.7)), 0.02, pen.dark)
    pen.rectangle(0.53, 0.52, 0.6, 0.57, STEEL)
    pen.ellipse(0.91, 0.48, 0.99, 0.62, GOLD)
    pen.rectangle(0.0, 0.5, 0.05, 0.62, (220, 40, 40))
    _wheels(pen, (0.22, 0.78), 0.21)


def _bus(pen: Pen) -> None:
    pen.rectangle(0.0, 0.0, 1.0, 0.9, rounding=0.1)
    pen.rectangle(0.0, 0.56, 1.0, 0.64, pen.light)
    for index in range(5):
        left = 0.04 + index * 0.155
        pen.rectangle(left, 0.14, left + 0.13, 0.48, GLASS)
    pen.rectangle(0.82, 0.14, 0.97, 0.86, GLASS)
    pen.line(((0.895, 0.14), (0.895, 0.86)), 0.02, BLACK)
    pen.rectangle(0.96, 0.68, 1.0, 0.78, GOLD)
    _wheels(pen, (0.2, 0.68), 0.17)


def _truck(pen: Pen) -> None:
    pen.rectangle(0.02, 0.76, 0.98, 0.88, BLACK)
    pen.rectangle(0.0, 0.0, 0.66, 0.78, shade(pen.ink, 1.7))
    for x in (0.13, 0.26, 0.39, 0.52):
        pen.line(((x, 0.04), (x, 0.74)), 0.02, shade(pen.ink, 1.3))
    pen.polygon(((0.68, 0.18), (0.88, 0.18), (0.97, 0.5), (1.0, 0.54), (1.0, 0.84), (0.68, 0.84)))
    pen.polygon(((0.73, 0.24), (0.86, 0.24), (0.93, 0.5), (0.73, 0.5)), GLASS)
    pen.ellipse(0.95, 0.6, 1.0, 0.72, GOLD)
    _wheels(pen, (0.15, 0.38, 0.84), 0.18)


def _bicycle(pen: Pen) -> None:
    for x in (0.24, 0.76):
        pen.disc(x, 0.69, 0.31, BLACK)
        pen.disc(x, 0.69, 0.25, (226, 228, 230))
        for angle in range(0, 180, 30):
            across = 0.24 * math.cos(math.radians(angle)) * pen.height / pen.width
            down = 0.24 * math.sin(math.radians(angle))
            pen.line(((x - across, 0.69 - down), (x + across, 0.69 + down)), 0.01, STEEL)
    frame = ((0.24, 0.69), (0.4, 0.28), (0.66, 0.28), (0.46, 0.7), (0.24, 0.69))
    pen.line(frame, 0.08)
    pen.line(((0.37, 0.18), (0.46, 0.7)), 0.08)
    pen.line(((0.76, 0.69), (0.64, 0.08)), 0.08)
    pen.line(((0.58, 0.07), (0.7, 0.05), (0.76, 0.14)), 0.07, BLACK)
    pen.ellipse(0.27, 0.1, 0.46, 0.22, BLACK)
    pen.disc(0.46, 0.7, 0.07, STEEL)


def _boat(pen: Pen) -> None:
    pen.rectangle(0.47, 0.0, 0.51, 0.74, WOOD)
    pen.polygon(((0.53, 0.04), (0.96, 0.64), (0.53, 0.64)), WHITE)
    pen.polygon(((0.45, 0.12), (0.45, 0.64), (0.08, 0.64)), pen.light)
    pen.polygon(((0.0, 0.7), (1.0, 0.7), (0.84, 0.98), (0.18, 0.98)))
    pen.polygon(((0.0, 0.7), (1.0, 0.7), (0.96, 0.77), (0.04, 0.77)), WHITE)
    pen.rectangle(0.06, 0.96, 0.94, 1.0, (235, 245, 250, 170), edge=False)


def _airplane(pen: Pen) -> None:
    pen.polygon(((0.46, 0.48), (0.58, 0.48), (0.44, 0.06), (0.36, 0.06)), pen.dark)
    pen.polygon(((0.06, 0.5), (0.0, 0.0), (0.11, 0.0), (0.28, 0.44)), pen.dark)
    pen.rectangle(0.03, 0.36, 1.0, 0.72, rounding=0.18)
    pen.polygon(((0.02, 0.62), (0.0, 0.44), (0.18, 0.5), (0.14, 0.62)), pen.dark)
    for index in range(8):
        pen.disc(0.26 + index * 0.075, 0.5, 0.055, GLASS)
    pen.polygon(((0.9, 0.4), (0.96, 0.4), (0.99, 0.52), (0.9, 0.52)), (80, 130, 180))
    pen.polygon(((0.44, 0.62), (0.64, 0.62), (0.36, 1.0), (0.25, 1.0)), pen.dark)


def _balloon(pen: Pen) -> None:
    for x in (0.36, 0.64):
        pen.line(((0.5 + (x - 0.5) * 2.2, 0.6), (x, 0.86)), 0.02, BLACK)
    pen.polygon(((0.05, 0.5), (0.95, 0.5), (0.62, 0.76), (0.38, 0.76)))
    pen.ellipse(0.0, 0.0, 1.0, 0.7)
    pen.polygon(((0.07, 0.5), (0.93, 0.5), (0.6, 0.755), (0.4, 0.755)), edge=False)
    pen.ellipse(0.2, 0.0, 0.8, 0.72, WHITE)
    pen.ellipse(0.37, 0.0, 0.63, 0.74)
    pen.rectangle(0.34, 0.84, 0.66, 1.0, WOOD, rounding=0.06)
    pen.line(((0.34, 0.91), (0.66, 0.91)), 0.03, shade(WOOD, 0.7))


DRAWERS: Final[Mapping[str, Drawer]] = MappingProxyType(
    {
        "car": _car,
        "bus": _bus,
        "truck": _truck,
        "bicycle": _bicycle,
        "boat": _boat,
        "airplane": _airplane,
        "balloon": _balloon,
    }
)
