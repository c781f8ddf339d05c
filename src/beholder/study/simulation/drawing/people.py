"""People."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from beholder.study.simulation.catalogue import RGB
from beholder.study.simulation.drawing.pen import BLACK, HAIRS, SKINS, WHITE, Drawer, Pen


def _face(pen: Pen, x: float, y: float, radius: float, skin: RGB, hair: RGB) -> None:
    across = radius * pen.height / pen.width
    pen.disc(x, y, radius, skin)
    pen.pie(x - across, y - radius, x + across, y + radius, (195, 345), hair)
    for side in (-0.38, 0.38):
        pen.disc(x + side * across, y + 0.1 * radius, 0.13 * radius, BLACK, edge=False)
    mouth = (x - 0.5 * across, y - 0.2 * radius, x + 0.5 * across, y + 0.65 * radius)
    pen.arc(*mouth, (35, 145), 0.02, BLACK)


def _arms(pen: Pen, skin: RGB, shoulder: float, hand: float) -> None:
    for side in (-1.0, 1.0):
        pen.disc(0.5 + 0.4 * side, hand, 0.032, skin)
        sleeve = ((0.16, shoulder), (0.3, shoulder), (0.48, hand - 0.01), (0.32, hand))
        pen.polygon([(0.5 + side * x, y) for x, y in sleeve], pen.dark)


def _man(pen: Pen) -> None:
    skin, trousers = pen.pick(SKINS), pen.pick(((58, 66, 92), (74, 70, 66), (46, 46, 52)))
    for left in (0.2, 0.54):
        pen.ellipse(left, 0.945, left + 0.26, 1.0, BLACK)
    legs = ((0.26, 0.52), (0.74, 0.52), (0.76, 0.96), (0.56, 0.96), (0.5, 0.62), (0.44, 0.96))
    pen.polygon([*legs, (0.24, 0.96)], trousers)
    _arms(pen, skin, 0.22, 0.53)
    pen.rectangle(0.42, 0.15, 0.58, 0.23, skin)
    pen.rectangle(0.22, 0.2, 0.78, 0.56, rounding=0.12)
    _face(pen, 0.5, 0.1, 0.09, skin, pen.pick(HAIRS))


def _woman(pen: Pen) -> None:
    skin, hair = pen.pick(SKINS), pen.pick(HAIRS)
    pen.rectangle(0.22, 0.06, 0.78, 0.29, hair, rounding=0.24)
    for left in (0.32, 0.54):
        pen.rectangle(left, 0.7, left + 0.14, 0.97, skin)
        pen.ellipse(left - 0.04, 0.95, left + 0.18, 1.0, pen.dark)
    _arms(pen, skin, 0.22, 0.5)
    pen.rectangle(0.42, 0.15, 0.58, 0.23, skin)
    bodice = ((0.28, 0.21), (0.72, 0.21), (0.66, 0.41), (0.94, 0.76), (0.06, 0.76), (0.34, 0.41))
    pen.polygon(bodice)
    pen.rectangle(0.34, 0.4, 0.66, 0.43, pen.dark)
    _face(pen, 0.5, 0.105, 0.09, skin, hair)


def _child(pen: Pen) -> None:
    skin = pen.pick(SKINS)
    for left in (0.28, 0.53):
        pen.rectangle(left, 0.7, left + 0.19, 0.96, skin)
        pen.ellipse(left - 0.05, 0.93, left + 0.23, 1.0, WHITE)
    pen.rectangle(0.25, 0.62, 0.75, 0.82, (70, 84, 130), rounding=0.06)
    # One arm waves.
    pen.polygon(((0.3, 0.37), (0.14, 0.62), (0.02, 0.58), (0.22, 0.35)), skin)
    pen.polygon(((0.68, 0.37), (0.9, 0.16), (1.0, 0.22), (0.76, 0.46)), skin)
    pen.rectangle(0.23, 0.34, 0.77, 0.68, rounding=0.12)
    _face(pen, 0.47, 0.19, 0.165, skin, pen.pick(HAIRS))
    pen.pie(0.13, 0.01, 0.81, 0.28, (180, 360))
    pen.rectangle(0.55, 0.125, 0.96, 0.16, pen.dark, rounding=0.05)


DRAWERS: Final[Mapping[str, Drawer]] = MappingProxyType(
    {
        "man": _man,
        "woman": _woman,
        "child": _child,
    }
)
