"""Animals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from beholder.study.simulation.catalogue import RGB
from beholder.study.simulation.drawing.pen import BLACK, GOLD, WHITE, Drawer, Pen, shade


def _legs(pen: Pen, lefts: Sequence[float], top: float, width: float, hoof: RGB) -> None:
    for index, left in enumerate(lefts):
        # The far legs are in the shade.
        pen.rectangle(left, top, left + width, 1.0, pen.dark if index % 2 else pen.ink)
        pen.rectangle(left, 0.94, left + width, 1.0, hoof)


def _dog(pen: Pen) -> None:
    pen.polygon(((0.2, 0.5), (0.02, 0.18), (0.1, 0.14), (0.28, 0.42)))
    _legs(pen, (0.17, 0.29, 0.52, 0.63), 0.6, 0.1, shade(pen.ink, 0.6))
    pen.rectangle(0.13, 0.4, 0.76, 0.75, rounding=0.2)
    pen.polygon(((0.56, 0.5), (0.62, 0.2), (0.86, 0.3), (0.76, 0.62)))
    pen.ellipse(0.58, 0.08, 0.88, 0.5)
    pen.rectangle(0.74, 0.24, 0.99, 0.46, pen.light, rounding=0.14)
    pen.ellipse(0.92, 0.22, 1.0, 0.33, BLACK)
    pen.ellipse(0.56, 0.1, 0.68, 0.48, shade(pen.ink, 0.6))
    pen.disc(0.76, 0.21, 0.035, BLACK)
    pen.line(((0.6, 0.52), (0.8, 0.56)), 0.08, (204, 44, 48))


def _cat(pen: Pen) -> None:
    pen.arc(0.55, 0.5, 0.98, 0.97, (-90, 90), 0.16, shade(pen.ink, 0.42))
    pen.arc(0.58, 0.515, 0.955, 0.955, (-90, 90), 0.1, pen.dark)
    pen.ellipse(0.2, 0.42, 0.8, 1.0)
    for left in (0.26, 0.52):
        pen.ellipse(left, 0.86, left + 0.22, 1.0, pen.light)
    for side in (-1.0, 1.0):
        ear = ((0.38, 0.24), (0.33, 0.0), (0.08, 0.13))
        pen.polygon([(0.5 + side * x, y) for x, y in ear])
        pen.polygon([(0.5 + side * x * 0.85, y + 0.04) for x, y in ear], (240, 170, 170), False)
    pen.ellipse(0.1, 0.08, 0.9, 0.54)
    for x in (0.4, 0.5, 0.6):
        pen.line(((x, 0.1), (x, 0.19)), 0.05, pen.dark)
    for x in (0.32, 0.68):
        pen.ellipse(x - 0.09, 0.24, x + 0.09, 0.36, (190, 220, 80))
        pen.ellipse(x - 0.03, 0.24, x + 0.03, 0.36, BLACK, edge=False)
        for y in (0.39, 0.45):
            pen.line(((0.5 + (x - 0.5) * 0.7, 0.42), (0.5 + (x - 0.5) * 2.7, y)), 0.01, BLACK)
    pen.polygon(((0.44, 0.385), (0.56, 0.385), (0.5, 0.43)), (226, 110, 120))


def _bird(pen: Pen) -> None:
    pen.polygon(((0.48, 0.45), (0.5, 0.02), (0.74, 0.5)), pen.dark)
    pen.polygon(((0.3, 0.55), (0.0, 0.5), (0.06, 0.68), (0.02, 0.86), (0.32, 0.74)), pen.dark)
    pen.ellipse(0.18, 0.42, 0.78, 0.88)
    pen.polygon(((0.88, 0.44), (1.0, 0.56), (0.86, 0.62)), GOLD)
    pen.disc(0.78, 0.5, 0.19)
    pen.polygon(((0.66, 0.6), (0.3, 0.62), (0.1, 0.02), (0.24, 0.12), (0.36, 0.1)), pen.light)
    pen.disc(0.82, 0.45, 0.05, WHITE)
    pen.disc(0.825, 0.45, 0.025, BLACK, edge=False)


def _horse(pen: Pen) -> None:
    mane = shade(pen.ink, 0.45)
    pen.polygon(((0.16, 0.38), (0.04, 0.46), (0.0, 0.8), (0.08, 0.76), (0.2, 0.48)), mane)
    _legs(pen, (0.15, 0.25, 0.56, 0.66), 0.56, 0.08, BLACK)
    pen.polygon(((0.52, 0.44), (0.66, 0.1), (0.84, 0.2), (0.76, 0.62)))
    pen.ellipse(0.11, 0.34, 0.78, 0.7)
    pen.polygon(((0.56, 0.44), (0.64, 0.1), (0.78, 0.24), (0.72, 0.56)), edge=False)
    pen.polygon(((0.66, 0.08), (0.8, 0.05), (1.0, 0.28), (0.94, 0.37), (0.76, 0.27)))
    pen.polygon(((0.69, 0.1), (0.71, 0.0), (0.77, 0.08)))
    pen.polygon(((0.7, 0.05), (0.64, 0.04), (0.48, 0.42), (0.58, 0.42), (0.68, 0.2)), mane)
    pen.disc(0.81, 0.14, 0.022, BLACK)
    pen.disc(0.955, 0.29, 0.014, BLACK, edge=False)


def _cow(pen: Pen) -> None:
    pen.line(((0.08, 0.3), (0.03, 0.4), (0.04, 0.72)), 0.05, pen.dark)
    pen.ellipse(0.3, 0.66, 0.44, 0.84, (240, 170, 170))
    _legs(pen, (0.11, 0.22, 0.52, 0.62), 0.6, 0.09, BLACK)
    pen.rectangle(0.06, 0.22, 0.78, 0.76, rounding=0.18)
    for patch in ((0.14, 0.27, 0.34, 0.53), (0.4, 0.42, 0.6, 0.7), (0.5, 0.25, 0.6, 0.36)):
        pen.ellipse(*patch, WHITE, edge=False)
    for left in (0.68, 0.9):
        pen.polygon(((left, 0.1), (left + 0.03, 0.0), (left + 0.06, 0.12)), (236, 224, 190))
        pen.ellipse(left - 0.06, 0.12, left + 0.08, 0.23, pen.dark)
    pen.rectangle(0.69, 0.09, 0.95, 0.54, rounding=0.2)
    pen.polygon(((0.79, 0.1), (0.85, 0.1), (0.86, 0.38), (0.78, 0.38)), WHITE, edge=False)
    pen.ellipse(0.66, 0.36, 0.98, 0.6, (244, 180, 176))
    for x in (0.75, 0.89):
        pen.disc(x, 0.48, 0.03, (120, 60, 60), edge=False)
        pen.disc(x, 0.26, 0.035, BLACK if sum(pen.ink) > 240 else WHITE)


def _duck(pen: Pen) -> None:
    pen.polygon(((0.02, 0.38), (0.3, 0.6), (0.62, 0.55), (0.6, 0.95), (0.2, 0.95), (0.05, 0.7)))
    pen.ellipse(0.1, 0.48, 0.82, 0.98)
    pen.polygon(((0.84, 0.2), (1.0, 0.3), (0.84, 0.4)), (240, 140, 40))
    pen.rectangle(0.56, 0.26, 0.78, 0.7, edge=False)
    pen.disc(0.7, 0.24, 0.22)
    pen.ellipse(0.22, 0.54, 0.6, 0.84, pen.dark)
    pen.disc(0.76, 0.2, 0.04, BLACK)
    pen.rectangle(0.0, 0.92, 1.0, 1.0, (120, 170, 205, 190), edge=False)


DRAWERS: Final[Mapping[str, Drawer]] = MappingProxyType(
    {
        "dog": _dog,
        "cat": _cat,
        "bird": _bird,
        "horse": _horse,
        "cow": _cow,
        "duck": _duck,
    }
)
